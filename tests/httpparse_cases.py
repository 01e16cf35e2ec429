"""Connections that the httpparse tests have in common, by name."""
from httpparse_kit import Conn, R, W, chunked, coded, encode, request, response

SSE = "".join('event: delta\ndata: {"n":%d,"t":"caf\u00e9 \U0001f642"}\n\n' % i for i in range(6)).encode()
JSON = b'{"model":"m","messages":[{"role":"user","content":"h\\u00e9 \xc3\xa9 \xf0\x9f\x99\x82"}]}'
STREAM = "Content-Type: text/event-stream; charset=utf-8\r\n"


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
    c["text about http"] = Conn().w(request(b"GET /x HTTP/1.1\r\nHost: y\r\n\r\n")).r(response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n")).close()
    c["http2"] = Conn().w(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d").r(b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\0\x04\x01\0\0\0\0").close()
    return c
