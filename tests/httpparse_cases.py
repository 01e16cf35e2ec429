"""Connections that the httpparse tests have in common, by name."""
from httpparse_kit import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS, PING, PREFACE, PRIORITY, PUSH, R, RST,
                           SETTINGS, W, WINDOW, Conn, Deflate, aws, chunked, coded, data, encode, frame, grpc, request, response, ws)

SSE = "".join('event: delta\ndata: {"n":%d,"t":"caf\u00e9 \U0001f642"}\n\n' % i for i in range(6)).encode()
JSON = b'{"model":"m","messages":[{"role":"user","content":"h\\u00e9 \xc3\xa9 \xf0\x9f\x99\x82"}]}'
STREAM = "Content-Type: text/event-stream; charset=utf-8\r\n"


LAST = {"[DONE]": b"data: [DONE]\n\n", "[DONE], bare": b"data:[DONE]\r", "message_stop": b'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n',
        "response.completed": b'event: response.completed\ndata: {"response":"' + b"x" * 90 + b'"}\n\n'}


def sse(extra="", body=SSE, parts=6):
    step = len(body) // parts + 1
    return response(chunked(*[body[i:i + step] for i in range(0, len(body), step)]),
                    extra=STREAM + "Transfer-Encoding: chunked\r\n" + extra, length=False)


def cases():
    c = {}
    c["plain"] = Conn().w(request(JSON)).r(response(b'{"ok":true}')).close()
    c["keep-alive"] = Conn().w(request(JSON)).r(response(b"one")).w(request(b"2", "/two")).r(response(b"two")).close()
    c["pipelined"] = Conn().w(request(b"a", "/a") + request(method="GET", path="/b") + request(b"c", "/c")) \
        .r(response(b"A") + response(b"", "204 No Content", length=False)).r(response(b"C")).close()
    c["chunked request"] = Conn().w(request(extra="Transfer-Encoding: chunked\r\nContent-Length: 99\r\n", method="PUT")
                                    + chunked(b"hello ", b"world")).r(response()).close()
    c["chunk extensions, trailers"] = Conn().w(request(method="GET")).r(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b'5;name=v;q="a;b"\r\nhello\r\n6 \r\n world\r\n0;last\r\nX-Sum: 1\r\nx-sum: 2\r\nX-More:  m \r\n\r\n').close()
    c["head"] = Conn().w(request(method="HEAD")).r(response(extra="Content-Length: 4096\r\n", length=False)) \
        .w(request(method="GET")).r(response(b"body")).close()
    # attached behind the request: nothing says that it was HEAD but what follows its answer
    for name, extra in (("no length", "Keep-Alive: timeout=5\r\n"), ("length", "Content-Length: 4096\r\n"),
                        ("chunked", "Transfer-Encoding: chunked\r\n")):
        c["late, HEAD, " + name] = Conn().r(response(extra=extra, length=False)).w(request(JSON)).r(sse()).close()
    c["late, HEAD, short"] = Conn().r(response(extra="Content-Length: 20\r\n", length=False)).w(request(JSON)).r(response(b"ok")).close()
    c["late, text about HTTP"] = Conn().r(response(b"HTTP/1.1 200 OK is what a server says")).w(request(JSON)).r(response(b"ok")).close()
    c["late, cut behind HTTP"] = Conn().r(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 2").close()
    c["late, hole behind HTTP"] = Conn().r(response(b"HTTP/1.1 200 O" + b"x" * 30)[:-30]).hole(R, 30).w(request(JSON)).r(response(b"ok")).close()
    c["204 304"] = Conn().w(request(method="GET")).r(response(status="204 No Content", extra="Content-Length: 3\r\n", length=False)) \
        .w(request(method="GET", path="/x")).r(response(status="304 Not Modified", extra="Content-Length: 300\r\n", length=False)) \
        .w(request(method="GET", path="/y")).r(response(b"y")).close()
    c["100-continue"] = Conn().w(request(extra="Expect: 100-continue\r\nContent-Length: 3\r\n", method="PUT")) \
        .r(b"HTTP/1.1 100 Continue\r\n\r\n").w(b"abc").r(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response(b"done")).close()
    c["early answer"] = Conn().w(request(extra="Content-Length: 10\r\n", method="PUT") + b"01234") \
        .r(response(b"too large", "413 Content Too Large")).w(b"56789").close()
    c["until close"] = Conn().w(request(method="GET")).r(b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\npart one, ").r(b"part two").close()
    c["until close, end of input"] = Conn().w(request(method="GET")).r(b"HTTP/1.1 200 OK\r\n\r\npart one, ")
    c["event stream"] = Conn().w(request(JSON)).r(sse()).w(request(JSON, "/again")).r(sse()).close()
    c["event stream until close"] = Conn().w(request(JSON)).r(b"HTTP/1.1 200 OK\r\n" + STREAM.encode() + b"\r\n" + SSE).close()
    c["event stream, closed early"] = Conn().w(request(JSON)).r(sse()[:-40]).close()
    for name, last in LAST.items():     # a client that leaves behind the end mark, without the last chunk
        c["left after " + name] = Conn().w(request(JSON)).r(sse(body=SSE + last)[:-5]).close()
    c["hole behind [DONE]"] = Conn().w(request(JSON)).r(sse(body=SSE + LAST["[DONE]"])[:-5]).hole(R, 2000).close()
    c["left in " + name] = Conn().w(request(JSON)).r(sse(body=SSE + last[:-1])[:-5]).close()
    c["ndjson"] = Conn().w(request(JSON, "/api/chat")).r(response(b'{"a":1}\n{"b":2}\n', extra="Content-Type: application/x-ndjson\r\n")).close()
    c["gemini array"] = Conn().w(request(JSON, "/v1beta/models/g:streamGenerateContent")) \
        .r(response(b'[{"a":1},\n{"b":2}]', extra="Content-Type: application/json; charset=UTF-8\r\n")).close()
    for name in ("gzip", "deflate", "raw-deflate", "br", "zstd"):
        coding = name.replace("raw-", "")
        head = "Content-Encoding: %s\r\n" % coding
        c["coded " + name] = Conn().w(request(coded(name, JSON), extra=head)).r(response(coded(name, SSE), extra=head)).close()
        c["coded stream " + name] = Conn().w(request(JSON)).r(sse(head, coded(name, SSE, 6))).close()
    c["stacked"] = Conn().w(request(coded("gzip", coded("br", JSON)), extra="Content-Encoding: br\r\nContent-Encoding: gzip\r\n")) \
        .r(sse("Content-Encoding: zstd, deflate , gzip\r\n", coded("gzip", coded("deflate", coded("zstd", SSE))))).close()
    c["transfer gzip"] = Conn().w(request(method="GET")).r(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunked(coded("gzip", JSON)[:20], coded("gzip", JSON)[20:])).close()
    c["gzip members"] = Conn().w(request(coded("gzip", b"one ") + coded("gzip", b"two") + b"\0\0\0", extra="Content-Encoding: x-gzip\r\n")).r(response()).close()
    c["gzip that is none"] = Conn().w(request(JSON, extra="Content-Encoding: gzip\r\n")).r(sse("Content-Encoding: gzip\r\n")).close()
    c["unknown coding"] = Conn().w(request(JSON, extra="Content-Encoding: aws-chunked\r\n")).r(response()).close()
    e = encode.MAKERS["gzip"]()
    bad = e.add(bytes(range(256)) * 20) + b"\xff" * 30  # a block type that there is not
    c["gzip broken"] = Conn().w(request(bad, extra="Content-Encoding: gzip\r\n")).r(response(bad, extra="Content-Encoding: gzip\r\n")).close()
    c["gzip short"] = Conn().w(request(coded("gzip", JSON)[:-9], extra="Content-Encoding: gzip\r\n")).r(response()).close()
    c["binary body"] = Conn().w(request(bytes(range(256)))).r(response(bytes(range(255, -1, -1)))).close()
    c["upgrade"] = Conn().w(request(method="GET", extra="Connection: keep-alive, Upgrade\r\nUpgrade: x-proto\r\n")) \
        .r(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x-proto\r\n\r\n").w(b"\x81\x01a").r(b"\x82\x02bc").close()
    c["upgrade refused"] = Conn().w(request(method="GET", extra="Connection: Upgrade\r\nUpgrade: h2c\r\n") + request(method="GET", path="/2")) \
        .r(response(b"no")).r(response(b"yes")).close()
    c["connect"] = Conn().w(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n").r(
        b"HTTP/1.1 200 Connection established\r\n\r\n").w(b"\x16\x03\x01\0\x05hello").r(b"\x16\x03\x03\0\x01x").close()
    c["connect refused"] = Conn().w(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n").r(response(b"auth", "407 Proxy Authentication Required")) \
        .w(request(method="GET")).r(response(b"x")).close()
    c["absolute target"] = Conn().w(b"GET http://u@other.example:8080/p?q HTTP/1.1\r\nHost: proxy\r\n\r\n").r(response()).close()
    c["headers"] = Conn().w(b"GET /\xff HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:2\r\nX-Empty:\r\nX-Folded: a\r\n  b\r\nX-Latin: caf\xe9\r\nX-Utf: caf\xc3\xa9\r\nX-A:\t3 \r\n\r\n") \
        .r(response()).close()
    c["empty lines between"] = Conn().w(b"\r\n\n" + request(method="GET") + b"\r\n" + request(method="GET", path="/2")) \
        .r(response() + b"\r\n" + response()).close()
    c["bare LF"] = Conn().w(b"GET / HTTP/1.1\nHost: a\n\n").r(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok").close()
    c["attached in a body"] = Conn().w(b'tail of a body"}' + request(JSON)).r(b"GET rest\nHTTP/1.1 maybe" + response(b"first") + response(b"second")) \
        .w(request(b"2", "/2")).close()
    c["attached late"] = Conn().hole(W, 700).hole(R, 500).w(b"tail" + request(JSON)).r(b"tail" + response(b"x")).close()
    c["hole in a body"] = Conn().w(request(JSON + b"0123456789" * 9)[:-40]).hole(W, 20).w(b"8" * 20 + request(b"n", "/next")).r(response(b"1") + response(b"2")).close()
    c["hole behind a body"] = Conn().w(request(b"x" * 40)[:-20]).hole(W, 20).w(request(b"n", "/next")).r(response(b"1") + response(b"2")).close()
    c["hole across a body"] = Conn().w(request(b"x" * 40)[:-20]).hole(W, 50).w(b"rest\r\n" + request(b"n", "/next")).r(response(b"1") + response(b"2")).close()
    c["hole in a header"] = Conn().w(request(b"x" * 40)[:60]).hole(W, 9).w(b"of it\r\n\r\n" + b"x" * 40 + request(b"n", "/next")).r(response(b"1") + response(b"2")).close()
    c["hole in a start line"] = Conn().w(request(b"x")[:12]).hole(W, 9).w(b"TP/1.1\r\nHost: a\r\n\r\n" + request(b"n", "/next")).r(response(b"1") + response(b"2")).close()
    c["hole in a chunk"] = Conn().w(request(JSON)).r(sse()[:220]).hole(R, 3).r(sse()[223:]).w(request(JSON)).r(response(b"z")).close()
    c["hole across chunks"] = Conn().w(request(JSON)).r(sse()[:200]).hole(R, 100).r(sse()[300:]).w(request(b"n", "/next")).r(response(b"z")).close()
    c["hole eats a response"] = Conn().w(request(JSON)).r(response(b"a" * 60)[:50]).hole(R, 300).w(request(b"2", "/2")).w(request(b"3", "/3")).r(response(b"three")).close()
    c["hole until close"] = Conn().w(request(method="GET")).r(b"HTTP/1.1 200 OK\r\n\r\nabc").hole(R, 5).r(b"def").close()
    c["response only"] = Conn().r(response(b"who asked?")).w(request(JSON)).close()
    c["request only"] = Conn().w(request(JSON)).close()
    c["cut header"] = Conn().w(request(JSON)[:70]).close()
    c["cut body"] = Conn().w(request(JSON)[:-5])
    c["not http"] = Conn().w(b"\x00\x01\x02binary\xff" * 5 + b"GET nothing").r(b"SSH-2.0-x\r\n").close()
    c["nearly http"] = Conn().w(b"GET / HTTP/1.1\r\nbad header\r\n\r\n" + request(b"x")).r(b"HTTP/1.1 20 OK\r\n\r\n" + response(b"y")).close()
    c["malformed chunk"] = Conn().w(request(method="GET")).r(sse()[:200] + b"\r\nXYZ\r\n" + response(b"n")).w(request(b"n", "/next")).close()
    c["odd methods"] = Conn().w(request(b"a", "/q", "QUERY") + request(b"b", "/m", "M-SEARCH") + request(b"c", "/x", "X")) \
        .r(response(b"1") + response(b"2") + response(b"3")).close()
    c["bad lines"] = Conn().w(b"POST /a HTTP/1.1\r\n folded\r\nHost : h\r\nBroken\r\n: none\r\nX y: 1\r\nX-A:\r\n 1\r\n \r\nX-B: a\rb\r\n"
                              b"Content-Length: 2\r\n\r\nhi" + request(b"2", "/b")) \
        .r(b"HTTP/1.1 200 OK\r\nnot a header\r\nContent-Length: 1\r\n\r\n1" + response(b"2")).close()
    c["two lengths"] = Conn().w(request(b"ab", "/a", extra="Content-Length: 2\r\n") + request(b"2", "/b")) \
        .r(response(b"1") + response(b"2")).close()
    c["no length after all"] = Conn().w(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2x\r\n\r\nhi" + request(b"2", "/b")) \
        .r(response(b"1") + response(b"2")).close()
    # requests in two writes, the second of them lost: answers stay with their questions
    for name, at, n in (("header", 40, 30), ("header and more", 40, 400), ("body", 120, 20)):
        k = Conn()
        for i in range(1, 5):
            q = request(b"%d" % i * 60, "/%d" % i)
            if i == 2:
                k.w(q[:at]).hole(W, min(n, len(q) - at))
                q = q[at + n:]
            if q:
                k.w(q)
            k.r(response(b"%d" % i))
        c["second write lost, " + name] = k.close()
    c["answer before its question"] = Conn().w(request(b"1", "/1")).r(response(b"1")).r(response(b"2")).w(request(b"2", "/2")) \
        .r(response(b"3")).w(request(b"3", "/3")).close()
    c["answer lost"] = Conn().w(request(b"0", "/0")).r(response(b"0")).w(request(b"1", "/1")).hole(R, 40).w(request(b"2", "/2")).r(response(b"2")).w(request(b"3", "/3")).r(response(b"3")).close()
    c["question lost"] = Conn().w(request(b"1", "/1")).r(response(b"1")).hole(W, 99).r(response(b"2")).w(request(b"3", "/3")).r(response(b"3")).close()
    ASKS = b'{"model":"m","stream" : true,"messages":[]}'
    c["stream without a type"] = Conn().w(request(JSON)).r(response(SSE)).w(request(JSON)).r(response(b"\xef\xbb\xbf\r\n: hi\n\ndata: 1\n\n")).close()
    c["lines, asked for"] = Conn().w(request(ASKS)).r(response(b'{"a":1}\n{"a":2}\n')).close()
    c["stream of another type"] = Conn().w(request(ASKS)).r(response(SSE, extra="Content-Type: text/plain\r\n")) \
        .w(request(JSON)).r(response(SSE, extra="Content-Type: text/plain\r\n")).close()
    c["no stream"] = Conn().w(request(JSON)).r(response(b"date: today")).w(request(b'{"a":"\\"stream\\":true"}')).r(response(b'{"a":1}')) \
        .w(request(ASKS)).r(response(b'{"a":1}', extra="Content-Type: application/json\r\n")).w(request(ASKS)).r(response(b"\n")).close()
    c["text about http"] = Conn().w(request(b"GET /x HTTP/1.1\r\nHost: y\r\n\r\n")).r(response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n")).close()
    return c


MASK = b"\x11\x22\x33\x44"
AWS = [aws([(":message-type", "event"), (":event-type", "chunk"), (":content-type", "application/json")], b'{"bytes":"e30=","p":"%d"}' % i) for i in range(4)]


def hello(h=None):
    """The client's first bytes, and the server's."""
    return (PREFACE + frame(SETTINGS, 0, 0, b"\0\2\0\0\0\0" b"\0\4\0\1\0\0") + frame(WINDOW, 0, 0, b"\0\1\0\0"),
            frame(SETTINGS, 0, 0, b"\0\3\0\0\0\x64") + frame(SETTINGS, 1, 0))


def upgrade(ext=""):
    """A WebSocket's opening."""
    ask = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
    answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n%s\r\n" % (
        "Sec-WebSocket-Extensions: %s\r\n" % ext if ext else "")
    return request(method="GET", path="/v1/responses", extra=ask), answer.encode()


def cases2():
    c = {}
    h, (first, second) = H2(), hello()
    c["h2"] = Conn().w(first + h.ask(1, [("content-type", "application/json"), ("user-agent", "x/1")]) + data(1, JSON, end=True)) \
        .r(second + h.answer(1, [("content-type", "application/json")]) + data(1, b'{"ok":', pad=7) + data(1, b"true}") + data(1, b"", end=True)) \
        .w(h.ask(3, [("content-type", "application/json"), ("user-agent", "x/1")], path="/two", end=True)) \
        .r(h.answer(3, status=204, end=True)).close()
    h = H2()
    c["h2 frames"] = Conn().w(first + h.ask(1, pieces=4, prio=True, pad=9, end=True) + frame(PRIORITY, 0, 3, b"\0\0\0\1\x20") +
                              frame(PING, 0, 0, b"12345678") + frame(0x21, 0xff, 5, b"unknown type")) \
        .r(second + frame(PING, 1, 0, b"12345678") + h.answer(1, status=103) + h.answer(1, [("x-long", "v" * 400)], pieces=3) +
           data(1, b"body", pad=255) + h.headers(h.s, 1, [("grpc-status", "0"), ("x-t", "1"), ("x-t", "2")], end=True)) \
        .r(frame(GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0bye")).close()
    h = H2()
    c["h2 side by side"] = Conn().w(first + h.ask(1, path="/a") + h.ask(3, path="/b") + h.ask(5, path="/c", end=True) + data(3, b"B", end=True) + data(1, b"A", end=True)) \
        .r(second + h.answer(3, [("content-type", "text/event-stream")]) + data(3, b"data: 1\n\n") + h.answer(1) + data(1, b"one")) \
        .r(data(3, b"data: 2\n\n") + h.answer(5) + data(1, b" two", end=True) + data(5, b"five", end=True) + data(3, b"", end=True)).close()
    h = H2()
    c["h2 reset"] = Conn().w(first + h.ask(1, end=True) + h.ask(3, path="/b")).r(second + h.answer(1, [("content-type", "text/event-stream")]) + data(1, b"data: 1\n\n")) \
        .w(frame(RST, 0, 1, b"\0\0\0\x08")).r(frame(RST, 0, 3, b"\0\0\0\x07")).close()
    h = H2()
    c["h2 left"] = Conn().w(first + h.ask(1, end=True)).r(second + h.answer(1, [("content-type", "text/event-stream"), ("content-encoding", "gzip")]) +
        data(1, coded("gzip", SSE + LAST["[DONE]"], 4)[:-8])).w(frame(RST, 0, 1, b"\0\0\0\x08")).close()
    h = H2()
    c["h2 push"] = Conn().w(first + h.ask(1, method="GET", end=True)) \
        .r(second + h.headers(h.s, 1, [(":method", "GET"), (":scheme", "https"), (":path", "/pushed"), (":authority", "api.example.com")], kind=PUSH, before=b"\0\0\0\2") +
           h.answer(1) + data(1, b"asked", end=True) + h.answer(2) + data(2, b"pushed", end=True)).close()
    h = H2()
    c["h2 coded"] = Conn().w(first + h.ask(1, [("content-encoding", "zstd")]) + data(1, coded("zstd", JSON), end=True)) \
        .r(second + h.answer(1, [("content-type", "text/event-stream"), ("content-encoding", "br")]) + data(1, coded("br", SSE, 4)[:50]) + data(1, coded("br", SSE, 4)[50:], end=True)).close()
    h = H2()
    c["h2 cut"] = Conn().w(first + h.ask(1) + data(1, b"12345")).r(second + h.answer(1) + data(1, b"abc"))
    h = H2()
    for i in (1, 3):    # not captured
        h.ask(i, [("user-agent", "x/1"), ("x-key", "k")], end=True)
        h.answer(i, [("server", "s"), ("content-type", "application/json")], end=True)
    c["h2 attached late"] = Conn().w(h.ask(5, [("user-agent", "x/1"), ("x-new", "n")]) + data(5, b"five", end=True)) \
        .r(h.answer(5, [("server", "s"), ("content-type", "application/json"), ("x-new", "m")]) + data(5, b"{}", end=True)) \
        .w(h.ask(7, [("user-agent", "x/2"), ("x-new", "n")], path="/seven", end=True)) \
        .r(h.answer(7, [("server", "s"), ("x-new", "m")], status=500, end=True)).close()
    h = H2()
    for i in (1, 3):    # not captured: method, path, codings are in tables that are not known
        h.ask(i, [("content-encoding", "zstd")], path="/v1/chat", method="QUERY", end=True)
        h.answer(i, [("content-type", "text/event-stream"), ("content-encoding", "gzip")], status=299, end=True)
    c["h2 tables not known"] = Conn().w(h.ask(5, [("content-encoding", "zstd")], path="/v1/chat") + data(5, coded("zstd", JSON), end=True)) \
        .r(h.answer(5, [("content-type", "text/event-stream"), ("content-encoding", "gzip")]) + data(5, coded("gzip", SSE), end=True)) \
        .w(h.ask(7, [("x-n", "n")], path="/v1/chat", method="QUERY") + data(7, JSON, end=True)) \
        .r(h.answer(7, [("x-n", "m")], status=299) + data(7, b"ok", end=True)).close()
    h = H2()
    h.ask(1, [("user-agent", "x/1")])
    h.answer(1, [("server", "s")])
    c["h2 attached in a frame"] = Conn().w(data(1, b"more of it", end=True) + h.ask(3, [("user-agent", "x/1")], end=True)) \
        .r(data(1, b"{" + b"x" * 60, end=True)[30:] + h.answer(3, [("server", "s")]) + data(3, b"three", end=True)).close()
    h = H2()
    a, b = h.answer(1), data(1, b"0123456789" * 8)
    c["h2 hole in data"] = Conn().w(first + h.ask(1, end=True) + h.ask(3, path="/3", end=True)).r(second + a + b[:30]).hole(R, 20) \
        .r(b[50:] + data(1, b"more", end=True) + h.answer(3) + data(3, b"three", end=True)).close()
    h = H2()
    a, b, d = h.answer(1, [("x-a", "1")]), data(1, b"0123456789" * 8), h.answer(3, [("x-a", "1"), ("x-b", "2")])
    c["h2 hole across frames"] = Conn().w(first + h.ask(1, end=True) + h.ask(3, path="/3", end=True) + h.ask(5, path="/5", end=True)) \
        .r(second + a + b[:30]).hole(R, len(b) - 30 + len(d) - 4).r(d[-4:] + data(3, b"three", end=True) + h.answer(5, [("x-b", "2")]) + data(5, b"five", end=True)).close()
    h = H2()
    c["h2 websocket"] = Conn().w(first + h.ask(1, [("sec-websocket-version", "13")], pseudo=[
        (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"), (":authority", "h")])) \
        .r(second + h.answer(1, [("sec-websocket-extensions", "permessage-deflate")])) \
        .w(data(1, ws(1, b"hello", mask=MASK)[:4]) + data(1, ws(1, b"hello", mask=MASK)[4:])) \
        .r(data(1, ws(1, Deflate()(b"hi there"), rsv=4)) + data(1, ws(8, b"\3\xe8"), end=True)).w(data(1, ws(8, b"", mask=MASK), end=True)).close()
    h = H2()
    c["h2 tunnel"] = Conn().w(first + h.ask(1, pseudo=[(":method", "CONNECT"), (":authority", "a:443")])).r(second + h.answer(1)) \
        .w(data(1, b"\x16\3\1")).r(data(1, b"\x16\3\3", end=True)).w(data(1, b"", end=True)).close()
    h = H2()
    gz = grpc(coded("gzip", b"\n\5world" * 9), 1)
    c["grpc"] = Conn().w(first + h.ask(1, [("content-type", "application/grpc"), ("grpc-encoding", "gzip"), ("te", "trailers")]) + data(1, gz[:9]) + data(1, gz[9:] + grpc(b"\x08\xff"), end=True)) \
        .r(second + h.answer(1, [("content-type", "application/grpc+proto")]) + data(1, grpc(b"\n\3\xffabc")[:3]) + data(1, grpc(b"\n\3\xffabc")[3:]) +
           h.headers(h.s, 1, [("grpc-status", "0")], end=True)).close()
    c["connect streaming"] = Conn().w(request(grpc(b'{"a":1}') + grpc(b'{"b":2}'), extra="Content-Type: application/connect+json\r\n")) \
        .r(response(grpc(b'{"c":3}') + grpc(b'{"error":{}}', 2), extra="Content-Type: application/connect+json\r\n")).close()
    c["grpc cut"] = Conn().w(request(grpc(b"12345678")[:-3], extra="Content-Type: application/grpc-web+proto\r\n")).r(response()).close()
    body = b"".join(AWS)
    kind = "Content-Type: application/vnd.amazon.eventstream\r\n"
    c["aws"] = Conn().w(request(JSON, "/model/m/invoke-with-response-stream")).r(response(chunked(*[body[i:i + 50] for i in range(0, len(body), 50)]),
                        extra=kind + "Transfer-Encoding: chunked\r\n", length=False)).close()
    bad = AWS[0] + AWS[1][:-1] + b"!" + AWS[2]
    c["aws broken"] = Conn().w(request(JSON)).r(response(bad, extra=kind)).close()
    c["aws cut"] = Conn().w(request(JSON)).r(response(AWS[0] + AWS[1][:40], extra=kind)).close()
    ask, answer = upgrade()
    c["ws"] = Conn().w(ask).r(answer + ws(1, b"server first")).w(ws(1, b"hel", fin=False, mask=MASK) + ws(9, b"ping", mask=MASK) + ws(0, b"", fin=False, mask=MASK) + ws(0, b"lo", mask=MASK)) \
        .r(ws(10, b"ping") + ws(2, bytes(range(256))) + ws(1, b"x" * 300)).w(ws(8, b"\x03\xe9gone", mask=MASK)).r(ws(8, b"")).close()
    ask, answer = upgrade("permessage-deflate")
    up, down = Deflate(), Deflate()
    two = down(b"the same words again, the same words again")
    c["ws deflate"] = Conn().w(ask).r(answer).w(ws(1, up(JSON), rsv=4, mask=MASK) + ws(1, up(JSON), rsv=4, mask=b"abcd") + ws(1, b"plain", mask=MASK)) \
        .r(ws(1, two[:10], rsv=4, fin=False) + ws(0, two[10:]) + ws(1, down(b"the same words again"), rsv=4) + ws(1, down(b""), rsv=4)).close()
    ask, answer = upgrade("permessage-deflate; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=12")
    up, down = Deflate(False), Deflate(False)
    c["ws deflate, no takeover"] = Conn().w(ask).r(answer).w(ws(1, up(JSON), rsv=4, mask=MASK) + ws(1, up(JSON), rsv=4, mask=MASK)).r(ws(1, down(SSE), rsv=4)).close()
    last = encode.zlib.compressobj(6, encode.zlib.DEFLATED, -15)
    final = last.compress(b"a final block") + last.flush() + b"\0"
    c["ws final block"] = Conn().w(ask).r(answer).w(ws(1, final, rsv=4, mask=MASK) + ws(1, up(JSON), rsv=4, mask=MASK)).close()
    ask, answer = upgrade("permessage-deflate")
    up = Deflate()
    one, two, three = ws(1, up(JSON), rsv=4, mask=MASK), ws(1, up(JSON), rsv=4, mask=MASK), ws(1, b"plain", mask=MASK)
    c["ws hole in a message"] = Conn().w(ask).r(answer).w(one[:20]).hole(W, 10).w(one[30:] + two + three).close()
    c["ws hole across"] = Conn().w(ask).r(answer).w(three + one[:20]).hole(W, len(one) - 20 + 3).w(two[3:] + three).close()
    c["ws broken"] = Conn().w(ask).r(answer).w(three + b"\xff\xff\xff" + three).close()
    c["ws cut"] = Conn().w(ask).r(answer).w(ws(1, b"hel", fin=False, mask=MASK) + ws(0, b"lo", mask=MASK)[:7])
    h, (first2, second2) = H2(), hello()
    c["h2c"] = Conn().w(request(method="GET", extra="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")) \
        .r(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + second2 + h.answer(1) + data(1, b"first", end=True)) \
        .w(first2 + h.ask(3, path="/3", end=True)).r(h.answer(3, end=True)).close()
    return c
