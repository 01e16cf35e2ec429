#!/usr/bin/python3
"""authstrip: a credential cut across two events of a connection does not leave either; waiting is bounded; time is linear."""
import base64
import json
import os
import resource
import subprocess
import sys
import time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authstrip_cases as cases
from authstrip_kit import MARK, TOOL, event, marked, run, split, tap


# --- streams: how text[a:b] becomes a line of one ----------------------------------------------------------------------
def ssl(ident, n, off, piece, last):
    return event("ssl.data", timestamp_ns=10 ** 18 + n, conn=ident, function="READ/RECV", off=off, len=len(piece), data=piece)


def ssl_b64(ident, n, off, piece, last):
    data = piece.encode() + b"\xff"
    return event("ssl.data", timestamp_ns=10 ** 18 + n, conn=ident, function="WRITE/SEND", off=off + n, len=len(data), data_b64=base64.b64encode(data).decode())


def body(ident, n, off, piece, last):
    return event("http.body", timestamp_ns=10 ** 18 + n, id=ident, seq=n, off=off, data=piece, **({"last": True} if last else {}))


def stdio(ident, n, off, piece, last):
    return event("stdio.data", timestamp_ns=10 ** 18 + n, pid=int(ident[1:]), direction="WRITE", fd=1, off=off, len=len(piece), data=piece)


def payload(line):
    e = json.loads(line)
    return e.get("conn") or e.get("id") or "c%d" % e["pid"], base64.b64decode(e["data_b64"]).decode("latin1") if "data_b64" in e else e["data"]


def joined(lines):
    all_ = {}
    for ident, data in map(payload, lines):
        all_[ident] = all_.get(ident, "") + data
    return all_


SAMPLES = ["see «%s» it is" % good for _, _, good, _ in cases.TOKENS] + [good for _, good, _ in cases.TEXTS] + [
    "GET /v1?key=«abcd1234efgh»&x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: «Bearer abc»\r\nCookie: «a=b; c=d»\r\nAccept: */*\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: «sid=1; Path=/»\r\nWWW-Authenticate: Basic «realm=\"a\"»\r\nX-Auth-Token: «t»\r\nDate: x\r\n\r\n",
    '{"a":1,"api_key":"«a b c»","n":{"clientSecret":"«x»","password":"«y»"},"max_tokens":4096}', '{"s":"{\\"password\\":\\"«hunter2»\\",\\"b\\":1}"}',
    "grant_type=x&client_secret=«abc»&refresh_token=«def»&scope=a", "{'access_token': '«abc»', 'b': 2}",
]
# What a shape begins with is no secret, and may have left before the rest came.
STARTS = {"see «%s» it is" % good: start for _, start, good, _ in cases.TOKENS}
INNOCENT = [t for t in cases.INNOCENT if len(t) < 600]


def right(got, text):
    """The text as marked; before a mark the beginning of its shape may stand."""
    if got == marked(text):
        return True
    start = STARTS.get(text, "")
    return any(got == "see %s%s it is" % (start[:k], MARK) for k in range(len(start) + 1))


def report(wrong):
    """One of each text."""
    return list({w: (i, got, w) for i, got, w in wrong}.values())[:8]


def cut_everywhere(make, texts, name):
    lines, want = [], {}
    for text in texts:
        plain = split(text)[0]
        for k in range(1, len(plain)):
            ident = "c%d" % len(want)
            want[ident] = text
            lines += [make(ident, 0, 0, plain[:k], False), make(ident, 1, k, plain[k:], True)]
    got = joined(run(lines))
    wrong = [(i, got.get(i), w) for i, w in want.items() if not right(got.get(i, "").replace("\xff", ""), w)]
    tap.ok(not wrong, "%s: %d texts, cut at each of %d places" % (name, len(texts), len(want)), len(wrong), *report(wrong))


def byte_by_byte(make, texts, name):
    lines, want = [], {}
    for t, text in enumerate(texts):
        plain = split(text)[0]
        want["c%d" % t] = text
        lines += [make("c%d" % t, k, k, ch, k + 1 == len(plain)) for k, ch in enumerate(plain)]
    got = joined(run(lines))
    wrong = [(i, got.get(i), w) for i, w in want.items() if not right(got.get(i, "").replace("\xff", ""), w)]
    tap.ok(not wrong, "%s: a byte a line" % name, len(wrong), *report(wrong))


def test_cuts():
    for make in (ssl, body, stdio):
        cut_everywhere(make, SAMPLES, make.__name__)
        cut_everywhere(make, INNOCENT, make.__name__ + ", innocent")
    for make in (ssl, body):
        byte_by_byte(make, SAMPLES + INNOCENT, make.__name__)


test_cuts()
tap.done()
