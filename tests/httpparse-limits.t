#!/usr/bin/python3
"""httpparse: bounds, bad input, ends."""
import json
import os
import subprocess
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_cases import JSON, STREAM, cases
from httpparse_kit import (R, T0, TOOL, W, Conn, Run, Tap, body, chunked, coded, data_line, lines, parse, request, response, run)

tap = Tap()
case = cases()
MiB = 1 << 20

# --- bodies ---------------------------------------------------------------------------
big = b"0123456789abcdef" * (MiB // 16 * 3)
for name in ("identity", "gzip", "deflate", "br", "zstd"):
    extra = "" if name == "identity" else "Content-Encoding: %s\r\n" % name
    r = parse(Conn().w(request(coded(name, big), extra=extra)).r(response(b"ok")).close(), "--max-body", "1M", cut=65536)
    e = r.of("http.request")[0]
    tap.ok(e.get("truncated") and body(e) == big[:MiB] and "incomplete" not in e and r.loss()["max_body"][0] == 1 and
           len(r.of("http.response")) == 1 and e["body_len"] == (len(big) if name == "identity" else MiB) and not r.check(),
           "%s: a body past --max-body is cut there and says so" % name, r.loss(), {k: v for k, v in e.items() if k != "body"}, r.check())
bomb = b"\0" * (64 * MiB)
for name, layers in (("gzip", 1), ("br", 1), ("zstd", 1), ("gzip", 2)):
    data = bomb
    for _ in range(layers):
        data = coded(name, data)
    head = "Content-Encoding: %s\r\n" % ", ".join([name] * layers)
    r = parse(Conn().w(request(data, extra=head)).r(response(b"ok")).close())
    e = r.of("http.request")[0]
    tap.ok(e.get("truncated") and e["body_len"] == 16 * MiB and r.loss() == {"max_body": (1, 0)}, "%s x%d: 64 MiB out of %d bytes stop at 16 MiB" % (name, layers, len(data)), r.loss())
    r = parse(Conn().w(request(JSON)).r(response(data, extra=STREAM + head)).w(request(JSON)).r(response(b"ok")).close())
    got = r.of("http.body")
    n = sum(len(body(e, "data")) for e in got)
    tap.ok(16 * MiB < n < 24 * MiB and got[-1]["last"] and got[-1].get("truncated") and max(len(body(e, "data")) for e in got) < MiB and
           len(r.of("http.response")) == 2 and not r.check(), "and as an event stream", n, r.loss(), r.check())
plain = parse(Conn().w(request(JSON)).r(response(big, extra=STREAM)).close(), "--max-body", "1M", cut=65536)
tap.ok(sum(len(body(e, "data")) for e in plain.of("http.body")) == len(big) and not plain.loss(), "an event stream may be longer than --max-body: it is not kept")
many = ", ".join(["gzip"] * 5)
r = parse(Conn().w(request(b"x", extra="Content-Encoding: %s\r\n" % many)).close())
tap.ok(r.of("http.request")[0].get("undecoded") is True, "five codings are too many")

# --- headers ----------------------------------------------------------------------------
long_ = request(b"x", extra="X-Long: %s\r\n" % ("y" * 2000))
for cut in (0, 100):
    r = parse(Conn().w(long_ + request(b"2", "/2")).close(), "--max-header", "1k", cut=cut)
    tap.ok([e["path"] for e in r.of("http.request")] == ["/2"] and r.loss()["long_header"][0] >= 1 and r.loss()["not_http"][1] == len(long_),
           "a header past --max-header is given up, the next is found", r.loss(), r.events)
wide = request(b"x", extra="".join("X-%d: v\r\n" % (i % 700) for i in range(997)))
tap.equal(len(parse(Conn().w(wide)).of("http.request")[0]["headers"]), 702, "a thousand fields are read")
wide = request(b"x", extra="".join("X-%d: v\r\n" % i for i in range(1200)))
r = parse(Conn().w(wide))
e = r.of("http.request")[0]
tap.ok(r.loss() == {"long_header": (1, 0)} and e["headers_truncated"] and len(e["headers"]) == 1000 and body(e) == b"x", "more are not, and the message says so", r.loss())
r = parse(Conn().w(b"GET /" + b"a" * 300000).close())
tap.ok(not r.of("http.request") and b"".join(body(e, "data") for e in r.of("ssl.data")) == b"GET /" + b"a" * 300000, "a request line without end passes on")

# --- connections ----------------------------------------------------------------------
text = []
for i in range(5):
    c = Conn("100:ab:%d" % i).w(request(JSON)[:-9])
    text += lines(c)
r = run(text, "--max-flows", "2")
tap.equal([(e["conn"][-1], e["incomplete"]) for e in r.of("http.request")],
          [("0", "evicted"), ("1", "evicted"), ("2", "evicted"), ("3", "eof"), ("4", "eof")], "--max-flows: the least recently used goes, told")
tap.equal(r.loss(), {"evicted": (3, 0)}, "and counted")
text = []
for k in range(2):
    for i in range(3):
        data = request(b"%d" % k)
        text.append(data_line("100:ab:%d" % i, W, k * len(data), data, T0))
r = run(text, "--max-flows", "2")
ids = [e["id"] for e in r.of("http.request")]
tap.ok(len(ids) == 6 and len(set(ids)) == 6, "a connection that comes back after its eviction gives no id twice", ids)
text = []
for i in range(8):
    text += lines(Conn("100:ab:%d" % i).w(request(b"z" * 60000)[:-9]))
r = run(text, "--max-memory", "256k")
tap.ok(len(r.of("http.request")) == 8 and all(e["body_len"] == 59991 for e in r.of("http.request")) and
       sum(e["incomplete"] == "evicted" for e in r.of("http.request")) >= 4, "--max-memory evicts", r.loss())
r = run(lines(Conn().w(request(b"z" * 900000)), 8000), "--max-memory", "256k")
tap.ok(r.of("http.request")[0]["incomplete"] == "evicted" and r.loss()["evicted"][0] == 1, "so does one connection alone", r.loss())
text = lines(Conn().w(b"POST /" + b"x" * 40000), 1)
r = run(text, "--max-header", "2k")
tap.ok([l.decode() for l in r.raw if b'"ssl.data"' in l] == text, "lines of one byte, held and let go in order")

# --- bad input --------------------------------------------------------------------------
good = lines(case["plain"])
want = b"".join(l + b"\n" for l in run(good).raw)
for name, line, reason, args in (
        ("not JSON", b"hello", "bad_json", ()), ("empty", b"", "bad_json", ()), ("an array", b"[1]", "bad_json", ()),
        ("no type", b'{"a":1}', "no_type", ()), ("invalid UTF-8", b'{"type":"ssl.data","data":"\xff"}', "bad_json", ()),
        ("a NUL byte", b'{"type":"x\0"}', "bad_json", ()), ("duplicate keys", b'{"type":"ssl.data","off":1,"off":2}', "bad_json", ()),
        ("too long", b'{"type":"ssl.data","data":"' + b"x" * 5000 + b'"}', "long_line", ("--max-line", "4k")),
        ("too deep", b'{"type":"x","a":' + b"[" * 3000 + b"]" * 3000 + b"}", "bad_json", ())):
    feed = (good[0] + "\n").encode() + line + b"\n" + "".join(l + "\n" for l in good[1:]).encode()
    r = Run(feed, args)
    tap.ok(line in r.raw and r.loss().get(reason, (0, 0))[0] == 1 and r.err.count("\n") >= 1 and
           b"".join(l + b"\n" for l in r.raw if l != line and b'"type":"loss"' not in l) == want, "passes on and is counted: " + name, r.err, r.loss())
    tap.equal(Run(feed, args + ("--strict",)).rc, 1, "--strict: " + name)
r = Run("\n".join(good).encode())
tap.ok(r.raw[-1] == good[-1].encode() and r.loss() == {}  # the driver of a line may lose its newline, not its text
       or r.loss().get("partial_line") == (1, len(good[-1])), "a last line without its newline", r.loss(), r.raw[-1:])
with open("/dev/full", "wb") as full:
    p = subprocess.run([TOOL], input=want * 50, stdout=full, stderr=subprocess.PIPE)
tap.ok(p.returncode == 1 and b"No space left" in p.stderr, "/dev/full is an error", p.returncode, p.stderr)
p = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdout.close()
try:
    p.stdin.write("".join(l + "\n" for l in good * 5000).encode())
    p.stdin.close()
except BrokenPipeError:
    pass
err = p.stderr.read()
tap.ok(p.wait() == 0 and err == b"", "a closed output ends quietly", p.returncode, err)
for args in (("--max-body", "0"), ("--max-flows", "x"), ("--nonsense",), ("--max-header", "1")):
    tap.equal(run([], *args).rc, 2, "usage: " + " ".join(args))
tap.ok(run([], "--help").rc == 0 and b"--max-memory" in run([], "--help").out, "--help")
tap.equal(run([]).raw, [], "nothing in, nothing out")
p = subprocess.run([TOOL, "/nonexistent"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
tap.ok(p.returncode == 1 and b"/nonexistent" in p.stderr, "an input that is not there")

# --- at once ----------------------------------------------------------------------------
p = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
stream = lines(case["event stream"], 120)
answers = 0
for l in stream[:6]:
    p.stdin.write((l + "\n").encode())
    p.stdin.flush()
    if b'"READ/RECV"' in l.encode():
        got = p.stdout.readline()       # comes now, or the test hangs
        while b'"http.body"' not in got and (b'"stage.begin"' in got or b'"http.request"' in got):
            got = p.stdout.readline()
        answers += b'"http.body"' in got
p.stdin.close()
p.stdout.read()
tap.ok(p.wait() == 0 and answers >= 3, "each piece is out before the next line comes in", answers)
tap.done()
