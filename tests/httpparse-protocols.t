#!/usr/bin/python3
"""httpparse: HTTP/2, WebSocket, AWS event streams, gRPC."""
import os
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_cases import AWS, JSON, LAST, MASK, SSE, cases2, hello, upgrade
from httpparse_kit import (GOAWAY, H2, R, RST, T0, W, Conn, Deflate, Hpack, Tap, body, coded, data, frame, lines, parse, request, response, run, ws)

tap = Tap()
runs = {name: parse(c) for name, c in cases2().items()}


def seen(r):
    out = []
    for e in r.events:
        t, ident = e["type"], e.get("id", "").rsplit("/", 1)[-1]
        if t == "http.request":
            out.append(("req", ident, e.get("path"), body(e), e.get("incomplete")))
        elif t == "http.response":
            out.append(("res", ident, e.get("status_code"), body(e), e.get("incomplete")))
        elif t == "http.body":
            out.append(("body", ident, body(e, "data"), e["last"], e.get("incomplete")))
        elif t == "ws.message":
            out.append(("ws", e["direction"][0], e["opcode"], body(e, "data"), e.get("incomplete")))
        elif t == "http.other":
            out.append(("other", e.get("protocol"), e["written_bytes"], e["read_bytes"]))
        elif t == "ssl.data":
            out.append(("raw", body(e, "data")))
    return out


def shows(name, *want):
    tap.equal(seen(runs[name]), list(want), name)


P = "/v1/messages"
OPEN = (("req", "1", "/v1/responses", b"", None), ("res", "1", 101, b"", None))
shows("h2", ("req", "s1", P, JSON, None), ("res", "s1", 200, b'{"ok":true}', None), ("req", "s3", "/two", b"", None), ("res", "s3", 204, b"", None))
shows("h2 frames", ("req", "s1", P, b"", None), ("res", "s1", 200, b"body", None))
shows("h2 side by side", ("req", "s5", "/c", b"", None), ("req", "s3", "/b", b"B", None), ("req", "s1", "/a", b"A", None), ("body", "s3", b"data: 1\n\n", False, None),
      ("res", "s1", 200, b"one two", None), ("res", "s5", 200, b"five", None), ("body", "s3", b"data: 2\n\n", True, None), ("res", "s3", 200, b"", None))
shows("h2 reset", ("req", "s1", P, b"", None), ("body", "s1", b"data: 1\n\n", False, None), ("body", "s1", b"", True, "reset"), ("res", "s1", 200, b"", "reset"),
      ("req", "s3", "/b", b"", "reset"))
shows("h2 left", ("req", "s1", P, b"", None), ("body", "s1", SSE + LAST["[DONE]"], False, None), ("body", "s1", b"", True, None), ("res", "s1", 200, b"", None))
shows("h2 push", ("req", "s1", P, b"", None), ("req", "s2", "/pushed", b"", None), ("res", "s1", 200, b"asked", None), ("res", "s2", 200, b"pushed", None))
shows("h2 coded", ("req", "s1", P, JSON, None), ("body", "s1", SSE, True, None), ("res", "s1", 200, b"", None))
shows("h2 cut", ("req", "s1", P, b"12345", "eof"), ("res", "s1", 200, b"abc", "eof"))
shows("h2 attached late", ("req", "s5", P, b"five", None), ("res", "s5", 200, b"{}", None), ("req", "s7", "/seven", b"", None), ("res", "s7", 500, b"", None))
shows("h2 tables not known", ("req", "s5", "/v1/chat", JSON, None), ("body", "s5", SSE, True, None), ("res", "s5", 200, b"", None),
      ("req", "s7", "/v1/chat", JSON, None), ("res", "s7", None, b"ok", None))
tap.equal([(e.get("content_encoding"), e["hpack_incomplete"]) for e in runs["h2 tables not known"].of("http.request", "http.response")],
          [("zstd", True), ("gzip", True), (None, True), (None, True)], "a body that begins as gzip or zstd, where the header that says so is not known")
shows("h2 attached in a frame", ("req", "s3", P, b"", None), ("res", "s3", 200, b"three", None))
shows("h2 hole in data", ("req", "s1", P, b"", None), ("req", "s3", "/3", b"", None), ("res", "s1", 200, b"012345678901234567890", "hole"), ("res", "s3", 200, b"three", None))
shows("h2 hole across frames", ("req", "s1", P, b"", None), ("req", "s3", "/3", b"", None), ("req", "s5", "/5", b"", None),
      ("res", "s1", 200, b"012345678901234567890", "hole"), ("res", "s5", 200, b"five", None))
shows("h2 websocket", ("req", "s1", "/chat", b"", None), ("res", "s1", 200, b"", None), ("ws", "W", "text", b"hello", None), ("ws", "R", "text", b"hi there", None),
      ("ws", "R", "close", b"", None), ("ws", "W", "close", b"", None))
shows("h2 tunnel", ("req", "s1", "a:443", b"", None), ("res", "s1", 200, b"", None), ("other", None, 3, 3))
shows("h2c", ("req", "1", P, b"", None), ("res", "1", 101, b"", None), ("res", "1", 200, b"first", None), ("req", "s3", "/3", b"", None), ("res", "s3", 200, b"", None))
shows("grpc", ("req", "s1", P, b"\n\5world" * 9 + b"\x08\xff", None), ("res", "s1", 200, b"\n\3\xffabc", None))
shows("connect streaming", ("req", "1", P, b'{"a":1}{"b":2}', None), ("res", "1", 200, b'{"c":3}', None))
shows("grpc cut", ("req", "1", P, b"12345", "malformed"), ("res", "1", 200, b"", None))
shows("aws", ("req", "1", "/model/m/invoke-with-response-stream", JSON, None), *[("body", "1", m, False, None) for m in AWS], ("body", "1", b"", True, None), ("res", "1", 200, b"", None))
shows("aws broken", ("req", "1", P, JSON, None), ("body", "1", AWS[0], False, None), ("body", "1", AWS[1][:-1] + b"!" + AWS[2], True, "malformed"), ("res", "1", 200, b"", "malformed"))
shows("aws cut", ("req", "1", P, JSON, None), ("body", "1", AWS[0], False, None), ("body", "1", AWS[1][:40], True, "malformed"), ("res", "1", 200, b"", "malformed"))
shows("ws", *OPEN, ("ws", "R", "text", b"server first", None), ("ws", "W", "ping", b"ping", None), ("ws", "W", "text", b"hello", None), ("ws", "R", "pong", b"ping", None),
      ("ws", "R", "binary", bytes(range(256)), None), ("ws", "R", "text", b"x" * 300, None), ("ws", "W", "close", b"gone", None), ("ws", "R", "close", b"", None))
shows("ws deflate", *OPEN, ("ws", "W", "text", JSON, None), ("ws", "W", "text", JSON, None), ("ws", "W", "text", b"plain", None),
      ("ws", "R", "text", b"the same words again, the same words again", None), ("ws", "R", "text", b"the same words again", None), ("ws", "R", "text", b"", None))
shows("ws deflate, no takeover", *OPEN, ("ws", "W", "text", JSON, None), ("ws", "W", "text", JSON, None), ("ws", "R", "text", SSE, None))
shows("ws final block", *OPEN, ("ws", "W", "text", b"a final block", None), ("ws", "W", "text", JSON, None))
shows("ws broken", *OPEN, ("ws", "W", "text", b"plain", None))
shows("ws cut", *OPEN, ("ws", "W", "text", b"hell", "eof"))
got = seen(runs["ws hole in a message"])
tap.ok(got[2][4] == "hole" and JSON.startswith(got[2][3]) and runs["ws hole in a message"].of("ws.message")[1].get("undecoded") and got[4][3] == b"plain",
       "a hole in a compressed message: what builds on it says so, what does not is there", got)
got = seen(runs["ws hole across"])
tap.ok(got[2][3] == b"plain" and got[3][4] == "hole" and got[4][0] == "raw", "behind a hole across frames lines pass on", got)
tap.ok(not any(r.check() for r in runs.values()), "every line is as the schema says", *[r.check() for r in runs.values() if r.check()][:2])

# --- details ----------------------------------------------------------------------------
e = runs["h2 frames"].of("http.response")[0]
tap.equal((e["interim"], e["trailers"], e["headers"], e["protocol"]), ([103], {"grpc-status": "0", "x-t": ["1", "2"]}, {"x-long": "v" * 400}, "HTTP/2"),
          "CONTINUATION, padding, interim response and trailers")
a, b = runs["h2 attached late"].of("http.request")
tap.ok(a["hpack_incomplete"] and a["headers"] == {"x-new": "n"} and b["headers"] == {"user-agent": "x/2", "x-new": "n"} and b["path"] == "/seven",
       "attached late: what the table held is missing and said, what was added since is right", a, b)
tap.ok("hpack_incomplete" not in runs["h2"].of("http.request")[1], "from the beginning nothing is missing")
tap.ok(runs["h2 push"].of("http.request")[1]["pushed"] is True, "a pushed request says so")
tap.equal(runs["h2 websocket"].of("http.request")[0]["upgrade"], "websocket", "the protocol of an extended CONNECT")
tap.equal(runs["grpc"].of("http.request")[0]["message_lens"], [63, 2], "lengths of gRPC messages")
tap.equal(runs["connect streaming"].of("http.response")[0]["message_end"], '{"error":{}}', "Connect's last message is kept apart")
tap.equal([e.get("event_type") for e in runs["aws"].of("http.body")], ["chunk"] * 4 + [None], "the type of an AWS event")
tap.equal([e.get("code") for e in runs["ws"].of("ws.message") if e["opcode"] == "close"], [1001, None], "the code of a close")
tap.equal({n: runs[n].loss() for n in ("h2", "ws", "ws broken", "h2 hole in data", "h2 tunnel", "aws broken", "h2 attached in a frame")},
          {"h2": {}, "ws": {}, "ws broken": {"malformed": (1, 0), "not_http": (1, 13)}, "h2 hole in data": {"hole": (1, 20), "behind_hole": (1, 43)},
           "h2 tunnel": {}, "aws broken": {"malformed": (1, 0)}, "h2 attached in a frame": {"no_head": (1, 10), "not_http": (1, 40)}}, "losses")

# --- tables, sizes, many ------------------------------------------------------------------
first, second = hello()
h, c = H2(), Conn()
h.c = Hpack(1 << 20)
c.w(first)
c.r(second)
h.c.resize(300)                     # a small table: entries come and go
for i in range(60):
    if i == 30:
        h.c.resize(900000)
    c.w(h.ask(2 * i + 1, [("x-%d" % (i % 7), "v%d" % (i % 5)), ("x-n", str(i))], path="/%d" % (i % 9), end=True))
    c.r(h.answer(2 * i + 1, [("x-n", str(i))], end=True))
r = parse(c, cut=37)
tap.ok(len(r.of("http.request")) == 60 and all(e["headers"] == {"x-%d" % (i % 7): "v%d" % (i % 5), "x-n": str(i)} and e["path"] == "/%d" % (i % 9)
                                               for i, e in enumerate(r.of("http.request"))) and
       all(e["headers"] == {"x-n": str(i)} and e["method"] == "POST" for i, e in enumerate(r.of("http.response"))), "tables that shrink and grow")
h, c = H2(), Conn().w(first)
for i in range(1300):
    c.w(h.ask(2 * i + 1, path="/%d" % i))
c.close()
r = parse(c)
why = [e["incomplete"] for e in r.of("http.request")]
tap.ok(len(why) == 1300 and why.count("evicted") == 300 and why.count("close") == 1000 and r.loss() == {"evicted": (300, 0)}, "no more than 1000 streams are kept")
big = bytes(range(256)) * 1000
h = H2()
c = Conn().w(first + h.ask(1) + b"".join(data(1, big[i:i + 16384], pad=i % 3) for i in range(0, len(big), 16384)) + data(1, b"", end=True)).r(second + h.answer(1, end=True)).close()
tap.ok(body(parse(c, cut=5000).of("http.request")[0]) == big, "a body of 256000 bytes")
r = parse(c, "--max-body", "1000", cut=5000)
e = r.of("http.request")[0]
tap.ok(e["truncated"] and body(e) == big[:1000] and e["body_len"] == len(big) and r.loss()["max_body"] == (1, len(big) - 1000), "and --max-body", r.loss())
h = H2()
wide = [("x-%d" % i, "v" * 90) for i in range(60)]
r = parse(Conn().w(first + h.ask(1, wide, end=True) + h.ask(3, wide[:2], path="/3", end=True)), "--max-header", "2k")
a, b = r.of("http.request")
tap.ok(a["headers_truncated"] and len(a["headers"]) < 60 and b["headers"] == dict(wide[:2]) and r.loss()["long_header"][0] == 1,
       "a header past --max-header is cut, and the table stays right", r.loss())
ask, answer = upgrade("permessage-deflate")
z = Deflate()
r = parse(Conn().w(ask).r(answer).r(ws(1, b"y" * 70000) + ws(1, z(b"\0" * 5000000), rsv=4) + ws(1, z(b"after"), rsv=4)), "--max-body", "100k", cut=3000)
m = r.of("ws.message")
tap.ok([e["len"] for e in m] == [70000, 5000000, 5] and m[1]["truncated"] and len(m[1]["data"]) == 102400 and m[2]["data"] == "after", "large messages, a bomb cut, and what follows it",
       [(e["len"], len(e["data"])) for e in m])
text = lines(cases2()["ws"])
tap.equal([l.decode() for l in run(text, "--raw").raw if b'"type":"ssl.' in l], text, "--raw passes every line on")
frames = data(1, b"x" * 50)
r = parse(Conn().w(b"\0\0\0\x08\0payload of another protocol that begins with a length"))
tap.ok(not r.of("http.request") and len(r.of("ssl.data")) == 1, "four bytes of length are not taken for a frame")
tap.done()
