#!/usr/bin/python3
"""authstrip: a credential cut across two events of a connection does not leave either; waiting is bounded; time is linear."""
import base64
import json
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authstrip_cases as cases
from authstrip_kit import MARK, TOOL, event, marked, run, split, tap
from httpparse_kit import DATA, H2, PREFACE, SETTINGS, WINDOW, frame


# --- streams: how text[a:b] becomes a line of one ----------------------------------------------------------------------
def ssl(ident, n, off, piece, last):
    return event("ssl.data", timestamp_ns=10 ** 18 + n, conn=ident, function="READ/RECV", off=off, len=len(piece), data=piece)


def ssl_b64(ident, n, off, piece, last):
    data = piece.encode()
    return event("ssl.data", timestamp_ns=10 ** 18 + n, conn=ident, function="READ/RECV", off=off, len=len(data), data_b64=base64.b64encode(data).decode())


def mixed(ident, n, *piece):
    """Text first, then base64."""
    return (ssl_b64 if n % 2 else ssl)(ident, n, *piece)


def other(ident, n, *piece):
    return (ssl if n % 2 else ssl_b64)(ident, n, *piece)


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


def cut_number():
    plain, want = '{"a":"x","password":12345,"n":1}', '{"a":"x","password":"[REDACTED]","n":1}'
    for make in (ssl, ssl_b64, mixed, other):
        got = joined(run([l for k in range(1, len(plain)) for l in (make("c%d" % k, 0, 0, plain[:k], False), make("c%d" % k, 1, k, plain[k:], True))]))
        tap.ok(set(got.values()) == {want}, "%s: a number becomes a string, wherever it is cut" % make.__name__, set(got.values()))


def cut_everywhere(make, texts, name):
    lines, want = [], {}
    for text in texts:
        plain = split(text)[0]
        for k in range(1, len(plain)):
            ident = "c%d" % len(want)
            want[ident] = text
            lines += [make(ident, 0, 0, plain[:k], False), make(ident, 1, k, plain[k:], True)]
    got = joined(run(lines))
    wrong = [(i, got.get(i), w) for i, w in want.items() if not right(got.get(i, ""), w)]
    tap.ok(not wrong, "%s: %d texts, cut at each of %d places" % (name, len(texts), len(want)), len(wrong), *report(wrong))


def byte_by_byte(make, texts, name):
    lines, want = [], {}
    for t, text in enumerate(texts):
        plain = split(text)[0]
        want["c%d" % t] = text
        lines += [make("c%d" % t, k, k, ch, k + 1 == len(plain)) for k, ch in enumerate(plain)]
    got = joined(run(lines))
    wrong = [(i, got.get(i), w) for i, w in want.items() if not right(got.get(i, ""), w)]
    tap.ok(not wrong, "%s: a byte a line" % name, len(wrong), *report(wrong))


def test_cuts():
    cut_number()
    for make in (ssl, body, stdio, ssl_b64, mixed, other):
        cut_everywhere(make, SAMPLES, make.__name__)
        cut_everywhere(make, INNOCENT, make.__name__ + ", innocent")
    for make in (ssl, body, mixed):
        byte_by_byte(make, SAMPLES + INNOCENT, make.__name__)


# --- a model's answer, in pieces ---------------------------------------------------------------------------------------------
def sse(obj):
    return "data: %s\n\n" % json.dumps(obj, separators=(",", ":"))


def choice(**delta):
    return {"choices": [{"index": 0, "delta": delta}]}


VENDORS = {
    "Anthropic, text": lambda t: sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}}),
    "Anthropic, arguments": lambda t: sse({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": t}}),
    "Anthropic, thinking": lambda t: sse({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": t}}),
    "OpenAI, text": lambda t: sse(choice(content=t)),
    "OpenAI, arguments": lambda t: sse(choice(tool_calls=[{"index": 0, "function": {"arguments": t}}])),
    "Responses": lambda t: sse({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": t}),
    "Gemini": lambda t: sse({"candidates": [{"content": {"parts": [{"text": t}], "role": "model"}}]}),
    "Ollama": lambda t: json.dumps({"model": "m", "message": {"role": "assistant", "content": t}, "done": False}) + "\n",
    "Ollama, generate": lambda t: json.dumps({"model": "m", "response": t, "done": False}) + "\n",
}
ANSWERS = ["Use «%s» now" % ("ghp_" + cases.some(36)), '{"command":"curl -H \'Authorization: «Bearer abc»\' x","n":1}', '{"api_key":"«a b c»","q":[1]}',
           "export OPENAI_API_KEY=«abcdef12»\nnext"]


def test_answers():
    """Each answer cut in two and in letters, each piece an event of its own; all events in one line, and in one line each."""
    for vendor, make in VENDORS.items():
        lines, want = [], {}
        for text in ANSWERS:
            plain = split(text)[0]
            for cuts in [[k] for k in range(1, len(plain))] + [list(range(1, len(plain)))]:
                events = [make(plain[a:b]) for a, b in zip([0] + cuts, cuts + [len(plain)])]
                for how in ("lines", "line"):
                    ident = "c%d" % len(want)
                    # a header's name at the beginning of a string: all of that is its value
                    tail = "" if plain[cuts[0]:].startswith("Authorization") else plain.split(split(text)[1][0])[1]
                    want[ident] = text, tail
                    pieces = events if how == "lines" else ["".join(events)]
                    lines += [event("http.body", id=ident, seq=n, data=p) for n, p in enumerate(pieces)]
        wrong = []
        for ident, data in joined(run(lines)).items():
            said = "".join(re.findall(r'"(?:text|partial_json|thinking|content|arguments|delta|response)": ?("(?:[^"\\]|\\.)*")', data)).replace('""', "")
            text, tail = want[ident]
            try:
                said = json.loads(said)
            except ValueError:
                pass
            if any(s[-8:] in said for s in split(text)[1]) or MARK not in said or tail not in said:
                wrong.append((ident, said, text))
        tap.ok(not wrong and len(want) == 2 * sum(len(split(t)[0]) for t in ANSWERS), "%s: an answer in pieces" % vendor, len(wrong), *report(wrong))


# --- HTTP/2 ---------------------------------------------------------------------------------------------------------------
def as_event(ident, off, piece, n=0):
    """As the collector writes it."""
    try:
        data = {"data": piece.decode()}
    except UnicodeDecodeError:
        data = {"data_b64": base64.b64encode(piece).decode()}
    return event("ssl.data", timestamp_ns=10 ** 18 + n, conn=ident, function="WRITE/SEND", off=off, len=len(piece), **data)


def join_bytes(lines):
    all_ = {}
    for e in map(json.loads, lines):
        data = base64.b64decode(e["data_b64"]) if "data_b64" in e else e["data"].encode()
        all_[e["conn"]] = all_.get(e["conn"], b"") + data
    return all_


def h2_sides():
    """What a client and a server say, and what must be left of it."""
    def side(parts):
        return b"".join(p for p, _ in parts), b"".join(p if w is None else w for p, w in parts)

    def block(b):
        out = b""
        while b:
            n = 9 + int.from_bytes(b[:3], "big")
            out, b = out + b[:9] + MARK.encode(), b[n:]
        return out
    h, token = H2(), cases.some(40)
    ask = h.ask(1, [("authorization", "Bearer " + token), ("x-api-key", "abc"), ("cookie", "a=b")], pieces=2)
    answer = h.answer(1, [("set-cookie", "sid=" + token), ("content-type", "text/event-stream")])
    secret = b'{"api_key":"abcdefgh","n":1}'
    half = [frame(DATA, 0, 1, secret[:16]), frame(DATA, 1, 1, secret[16:])]
    client = [(PREFACE + frame(SETTINGS, 0, 0, bytes(12)), None), (ask, block(ask)), (half[0], half[0][:21] + MARK.encode()), (half[1], half[1][:9] + half[1][13:]),
              (frame(WINDOW, 0, 0, bytes(4)), None)]
    server = [(frame(SETTINGS, 0, 0, b""), None), (answer, block(answer)), (frame(DATA, 0, 1, b"data: hi\n\n"), None),
              (frame(DATA, 1, 1, b"X-Api-Key: abc\r\n"), frame(DATA, 1, 1, b"X-Api-Key: abc\r\n").replace(b"abc", MARK.encode()))]
    trailer = h.answer(1, [("x-auth-token", token)], status=200, end=True)
    return side(client), side(server + [(trailer, block(trailer))])


def test_http2():
    for who, (bytes_, want) in zip(("client", "server"), h2_sides()):
        lines = []
        for k in range(1, len(bytes_)):
            lines += [as_event("c%d" % k, 0, bytes_[:k]), as_event("c%d" % k, k, bytes_[k:], 1)]
        for k in range(len(bytes_)):
            lines.append(as_event("bytes", k, bytes_[k:k + 1], 2 + k))
        out = run(lines)
        got = join_bytes(out)
        # a byte behind PRI may be the first of a frame or of a POST: what is no preface is text
        wrong = [(c, g, want) for c, g in got.items() if g != want]
        tap.ok(not wrong and len(got) == len(bytes_), "HTTP/2, %s: header blocks go, cut at each of %d places" % (who, len(bytes_)), len(wrong), *[w[1:] for w in wrong[:4]])
        again = run(out)
        # one that is as long as before does not show that it was redacted
        diff = [(a, b) for a, b in zip(out, again) if a != b and len(join_bytes([a]).popitem()[1]) != json.loads(a)["len"]]
        tap.ok(not diff, "HTTP/2, %s: a second run changes nothing" % who, len(diff), *[list(map(join_bytes, ([a], [b]))) for a, b in diff[:3]])
    client, want = h2_sides()[0]
    at = client.index(b"\0\0\x0c\4") + 21
    got = join_bytes(run([as_event("late", 5000, client[at:])]))["late"]
    tap.equal(got, want[at:], "HTTP/2: attached late, from a frame on")
    got = join_bytes(run([as_event("hole", 0, client[:at]), as_event("hole", 5000, client[at:], 1)]))["hole"]
    tap.equal(got, want, "HTTP/2: after a hole")
    post = b"POST / HTTP/1.1\r\nX-Api-Key: abc\r\n\r\n"
    got = join_bytes(run([as_event("c%d" % k, o, post[a:b], n) for k in range(1, 20) for n, (o, a, b) in enumerate(((0, 0, k), (k, k, 99)))]))
    tap.ok(set(got.values()) == {post.replace(b"abc", MARK.encode())}, "POST is not taken for PRI", got)


# --- bounds -----------------------------------------------------------------------------------------------------------------
def test_hold():
    def line(conn, ms, off, text):
        return event("ssl.data", timestamp_ns=10 ** 18 + ms * 10 ** 6, conn=conn, function="READ/RECV", off=off, len=len(text), data=text)
    begin, rest = '{"a":1,"api_key":"abc', 'defghi","n":1}'
    want = '{"a":1,"api_key":"' + MARK
    out = run([line("a", 0, 0, begin), line("b", 1, 0, "x"), line("a", 900, len(begin), rest), line("b", 901, 1, "y")])
    tap.equal([json.loads(l)["data"] for l in out], [want, "x", '","n":1}', "y"], "a line waits for the next of its connection; lines keep their order")
    out = run([line("a", 0, 0, begin), line("b", 1, 0, "x"), line("b", 3000, 1, "y"), line("a", 3001, len(begin), rest)])
    tap.equal([json.loads(l)["data"] for l in out], [want, "x", "y", '","n":1}'], "not longer than --hold; what comes later goes as well")
    # what is given up is told by when it leaves: a reader that counts the lines as they come
    for options, first, name in ((("--hold", "1s"), 1500, "--hold"), (("--hold-max", "300"), 2, "--hold-max")):
        p = subprocess.Popen([TOOL, "-q", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdin.write((line("a", 0, 0, begin) + "\n" + line("b", first, 0, "x" * 200) + "\n").encode())
        p.stdin.flush()
        got = p.stdout.readline().decode()	# before the end of the input, or this waits for ever
        tap.equal(json.loads(got)["data"], want, "%s: the line that waited left when its bound was reached" % name)
        p.stdin.close()
        p.wait()
    long_ = "".join(cases.some(1000) for _ in range(100))
    pieces = [long_[i:i + 1000] for i in range(0, len(long_), 1000)]
    out = run([line("a", 0, 0, '{"password":"')] + [line("a", i, 13 + i * 1000, t) for i, t in enumerate(pieces)] + [line("a", 200, 13 + len(long_), '","n":1}')])
    tap.equal("".join(json.loads(l)["data"] for l in out), '{"password":"' + MARK + '","n":1}', "a credential that is longer than what may wait goes to its end")
    for end in ([], [event("ssl.close", timestamp_ns=10 ** 18, conn="a")], [line("a", 1, 500, "other")]):
        for text, what in (("see ghp_" + cases.some(20), "see ghp_"), ('"api_key":"abc', '"api_key":"')):
            got = json.loads(run([line("a", 0, 0, text)] + end)[0])["data"]
            whole = end and "close" in end[0]
            tap.equal(got, text if whole and "ghp" in text else what + MARK,
                      "%r: %s" % (text[:9], "closed, it is what it is" if whole else "cut off, what may be a credential is one"))


def test_memory():
    """Connections that each wait, more than are remembered."""
    lines = [event("ssl.data", timestamp_ns=10 ** 18 + i, conn="c%d" % i, function="READ/RECV", off=0, len=2000, data="a" * 1990 + '"key":"a1') for i in range(20000)]
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", os.environ.get("BUILD", "build"), "bin", "authstrip")
    with subprocess.Popen([tool, "-q"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as p:
        p.stdin.write("".join(l + "\n" for l in lines).encode())
        p.stdin.flush()
        p.stdin.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    tap.ok(p.returncode == 0 and usage.ru_maxrss < 96 << 10, "20000 connections that wait: memory stays within bounds", usage.ru_maxrss)


def test_hostile():
    """Quadratic would be hours."""
    lines = []
    for i, text in enumerate(cases.HOSTILE):
        text *= 200000 // len(text)
        lines += [event(t=text), event("ssl.data", conn="h%d" % i, function="READ/RECV", data=text), event("http.body", id="h%d" % i, data_b64=base64.b64encode(text.encode()).decode())]
    data = "".join(l + "\n" for l in lines).encode()
    try:
        n = subprocess.run([TOOL, "-q"], input=data, capture_output=True, timeout=300).stdout.count(b"\n")
    except subprocess.TimeoutExpired:
        n = -1
    tap.equal(n, len(lines), "hostile texts of %d MB" % (len(data) >> 20))


test_cuts()
test_answers()
test_http2()
test_hold()
test_memory()
test_hostile()
tap.done()
