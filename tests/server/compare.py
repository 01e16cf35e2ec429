#!/usr/bin/python3
"""Holds what a pipeline wrote against the log of llmserver.py.

    compare.py LOG EVENTS

EVENTS holds http.request, http.response, http.body and sse.message lines
(ssemerge --raw). Every exchange of the log must be there once, found by the
x-request-id that the server gave it, with the same bytes in both directions;
a streamed answer must be merged into the message that the server cut up; and
there must be no exchange more. Says what differs, exit 1; else the counts.
"""
import argparse
import base64
import hashlib
import json
import sys


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def data(event, key):
    if key + "_b64" in event:
        return base64.b64decode(event[key + "_b64"])
    return event.get(key, "").encode("utf-8")


def sha(b):
    return hashlib.sha256(b).hexdigest()


class Seen:
    """The events of one exchange."""

    def __init__(self):
        self.requests, self.responses, self.pieces, self.messages = [], [], [], []


def exchanges(events):
    """By x-request-id; what has no response, by id."""
    by_id, wrong = {}, []
    place = {"http.request": "requests", "http.response": "responses",
             "http.body": "pieces", "sse.message": "messages"}
    for e in events:
        if e["type"] in place:
            getattr(by_id.setdefault(e["id"], Seen()), place[e["type"]]).append(e)
    found = {}
    for ident, seen in by_id.items():
        if len(seen.responses) != 1:
            wrong.append("%s: %d responses" % (ident, len(seen.responses)))
            continue
        name = seen.responses[0]["headers"].get("x-request-id")
        if name in found:
            wrong.append("%s: a second time" % name)
        found[name] = seen
    return found, wrong


def differences(truth, seen):
    if len(seen.requests) != 1:
        yield "%d requests" % len(seen.requests)
        return
    q, r = seen.requests[0], seen.responses[0]
    for key in ("method", "path"):
        for event in (q, r):
            if event[key] != truth[key]:
                yield "%s is %r, not %r" % (key, event[key], truth[key])
    if r["status_code"] != truth["status"]:
        yield "status %d, not %d" % (r["status_code"], truth["status"])
    if sha(data(q, "body")) != truth["request_sha256"] or q["body_len"] != truth["request_len"]:
        yield "request body: %d bytes of %d" % (q["body_len"], truth["request_len"])
    for name, value in truth["request_headers"]:
        have = q["headers"].get(name)
        if name not in ("x-api-key", "authorization") and value not in (have, *(have if isinstance(have, list) else [])):
            yield "request header %s is %r, not %r" % (name, have, value)
    yield from body_differences(truth, seen, r)


def body_differences(truth, seen, r):
    if "dropped" in truth:
        if not r.get("incomplete") or (seen.messages and seen.messages[0]["complete"]):
            yield "was dropped, but is called complete"
        return
    if r.get("incomplete"):
        yield "incomplete: %s" % r["incomplete"]
    body = data(r, "body")
    if r.get("streaming"):
        pieces = sorted(seen.pieces, key=lambda e: e["seq"])
        if [e["seq"] for e in pieces] != list(range(len(pieces))) or not pieces[-1]["last"]:
            yield "pieces %s" % [e["seq"] for e in pieces]
        body = b"".join(data(e, "data") for e in pieces)
    if len(body) != truth.get("response_len", 0):
        yield "response body: %d bytes of %d" % (len(body), truth.get("response_len", 0))
    elif "response_sha256" in truth and sha(body) != truth["response_sha256"]:
        yield "response body: other bytes"
    if not truth.get("stream"):
        if seen.messages:
            yield "a message, though not streamed"
    elif len(seen.messages) != 1:
        yield "%d messages" % len(seen.messages)
    else:
        yield from message_differences(truth, seen.messages[0])


def message_differences(truth, m):
    if "error" in truth:
        if m["complete"] or m.get("incomplete") != "error" or truth["error"] not in json.dumps(m.get("error")):
            yield "an error in the stream is not told: %s" % json.dumps(m)[:300]
        return
    if not m["complete"]:
        yield "message is incomplete: %s" % m.get("incomplete")
    want = dict(truth["message"])
    if "usage" not in m["message"] and truth["api"] == "openai":
        want.pop("usage")  # was not asked for
    if m["message"] != want:
        yield "message is\n    %s\n  not\n    %s" % (json.dumps(m["message"]), json.dumps(want))
    if m["events"] not in (truth["events"], truth["events"] - 1):  # [DONE] or not
        yield "%d events of %d" % (m["events"], truth["events"])
    content = truth["message"].get("content") or [
        {"type": "text", "text": truth["message"]["choices"][0]["message"]["content"]}]
    text = "".join(b["text"] for b in content if b["type"] == "text")
    if m["text"] != text:
        yield "text is %r, not %r" % (m["text"], text)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("log")
    ap.add_argument("events")
    a = ap.parse_args()
    log = {"req-%d-%d" % (t["conn"], t["exchange"]): t for t in lines(a.log)}
    found, wrong = exchanges(lines(a.events))
    for name, truth in log.items():
        if name not in found:
            wrong.append("%s: %s %s is missing" % (name, truth["method"], truth["path"]))
            continue
        wrong += ["%s: %s %s: %s" % (name, truth["method"], truth["path"], d)
                  for d in differences(truth, found[name])]
    wrong += ["%s: was never asked" % name for name in found if name not in log]
    for w in wrong[:20]:
        print(w)
    if not wrong:
        print("%d exchanges, %d messages" % (len(found), sum(bool(s.messages) for s in found.values())))
    return 1 if wrong else 0


sys.exit(main())
