#!/usr/bin/python3
"""otelsink on its way to a receiver that answers, refuses, lies, sleeps or is not
there: what is sent again and what is not, and every item accounted for."""
import email.utils
import os
import re
import resource
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from otelsink_kit import *  # noqa: E402,F401,F403

ONE = [{"type": "llm.call", "timestamp_ns": START, "pid": 7, "tid": 7, "uid": 0, "comm": "c", "conn": "c", "id": "c/1",
        "provider": "openai", "api": "responses", "operation": "chat", "request_model": "m", "stream": False,
        "duration_ms": 1.0}]
SPANS_ONLY = {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


def calls(n, **more):
    return [dict(ONE[0], id="c/%d" % i, timestamp_ns=START + i * MS, **more) for i in range(n)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def losses(err):
    """The reasons and counts of the line at the end."""
    line = [x for x in err.decode().splitlines() if "lost: " in x][-1:]
    return dict((a, int(b)) for a, b in re.findall(r"([a-z_]+) (\d+)", line[0].split("lost: ")[1])) if line else {}


def attempt(*script, args=(), env=None, events=None):
    """One request of spans, and what became of it."""
    with Receiver(script) as r:
        p = run("--endpoint", r.url, "-v", "--timeout", 20, *args, events=ONE if events is None else events,
                env=dict(SPANS_ONLY, **(env or {})))
        return r.requests, p, losses(p.stderr)


# --- again, or not ------------------------------------------------------------------------
for status in (429, 502, 503, 504):
    reqs, p, lost = attempt({"status": status, "headers": {"retry-after": "1"}})
    same("%d: the same again, after the time that was asked for" % status,
         [len(reqs), reqs[0]["body"] == reqs[-1]["body"], reqs[-1]["at"] - reqs[0]["at"] >= 0.99, lost, p.returncode],
         [2, True, True, {}, 0])
for status in (400, 401, 404, 413, 500, 501, 301, 308):
    reqs, p, lost = attempt({"status": status, "headers": {"location": "/elsewhere"}}, args=["--fail-on-loss"])
    same("%d: never again, and counted" % status, [len(reqs), lost, p.returncode], [1, {"refused": 2}, 3])
then = int(time.time()) + 3
reqs, _, lost = attempt({"status": 503, "headers": {"retry-after": email.utils.formatdate(then, usegmt=True)}})
same("Retry-After as a date", [len(reqs), reqs[-1]["clock"] > then - 1, lost], [2, True, {}])
for end in ("silent", "head"):
    reqs, _, lost = attempt({"end": end})
    same("no answer (%s): again, after half a second at least" % end, [len(reqs), reqs[-1]["at"] - reqs[0]["at"] >= 0.49, lost], [2, True, {}])
reqs, _, lost = attempt({"end": "body", "body": b"\n\x02"})
same("200, and then cut off: it has the data, so not again", [len(reqs), lost], [1, {}])
reqs, _, lost = attempt(*[{"wait": 30}] * 9, args=["--timeout", 3])
same("no answer in time: given up at the end, and counted", [len(reqs) >= 1, lost], [True, {"unsent": 2}])
with Receiver([{"wait": 2}]) as r:
    p = run("--endpoint", r.url, "-v", events=ONE, env=dict(SPANS_ONLY, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="1000", OTEL_EXPORTER_OTLP_METRICS_TIMEOUT="20000"))
    same("a slow one: the request is given up, and sent again", [len(r.requests), losses(p.stderr)], [2, {}])


def endless(status):
    """A receiver whose answer has no end: how much of it was taken, requests, the run."""
    sent, requests = [0], [0]

    def serve(listener):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            requests[0] += 1
            head = b""
            try:
                while b"\r\n\r\n" not in head:
                    head += s.recv(4096)
                s.sendall(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n" % status)
                while True:
                    sent[0] += s.send(b"x" * 65536)
            except OSError:
                s.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        p = run("--endpoint", "http://127.0.0.1:%d" % listener.getsockname()[1], "-v", "--timeout", 20, events=ONE, env=SPANS_ONLY)
        listener.shutdown(socket.SHUT_RDWR)
    return sent[0], requests[0], losses(p.stderr), p.returncode


# beside the megabyte that it takes, what the kernel keeps on the way
for status, lost in (200, {}), (400, {"refused": 2}):
    got = endless(status)
    same("%d, and an answer without an end: a megabyte of it is read, and the status stands" % status,
         [1 << 20 <= got[0] < 64 << 20, *got[1:]], [True, 1, lost, 0])

# --- what it says of what it took -----------------------------------------------------------
PARTIAL = message("Answer")(partial_success={"rejected": 1, "error_message": "too old\x1b[31m"}).SerializeToString()
for name, args, body, kind in (("protobuf", [], PARTIAL, None), ("JSON", ["--protocol", "http/json"],
                               b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}', None),
                               ("JSON to protobuf", [], b'{"partialSuccess":{"rejectedSpans":1,"errorMessage":"too old"}}', "application/json")):
    reqs, p, lost = attempt({"body": body, "headers": {"content-type": kind} if kind else {}}, args=args)
    same("partial success, %s: counted, never again, and told" % name,
         [len(reqs), lost, b"1 of 2 rejected: too old" in p.stderr, b"\x1b" in p.stderr], [1, {"rejected": 1}, True, False])
reqs, p, lost = attempt({"body": message("Answer")(partial_success={"error_message": "old schema"}).SerializeToString()})
same("a warning: told, nothing counted", [lost, b"old schema" in p.stderr], [{}, True])
for body in (b'{"acceptedTraces":2}', b"\xff" * 100, b"<html>", b"x" * (8 << 20), b'{"partialSuccess":{"rejectedSpans":"-5"}}'):
    reqs, p, lost = attempt({"body": body}, args=["--protocol", "http/json"])
    same("an answer that is not understood: %r" % body[:24], [len(reqs), lost, p.returncode], [1, {}, 0])
reqs, p, lost = attempt({"status": 400, "body": message("RpcStatus")(code=3, message="no such field").SerializeToString()})
report(b"HTTP status 400: no such field" in p.stderr, "why it was refused is told", p.stderr)

# --- the request ---------------------------------------------------------------------------------
with Receiver() as r:
    run("--endpoint", r.url + "/base/", "--header", "x-a=1, 2", "--header", "x-empty=", RUN)
    h = r.requests[0]["headers"]
    same("path and headers", [sorted(x["path"] for x in r.requests), h["content-type"], h["x-a"], h["x-empty"], "expect" in h, "otelsink" in h["user-agent"]],
         [["/base/v1/metrics", "/base/v1/traces"], "application/x-protobuf", "1, 2", "", False, True])
with Receiver() as r:
    run("--compression", "gzip", "--endpoint", r.url, RUN)
    plain_run = exported(RUN)
    x = [x for x in r.requests if x["path"] == "/v1/traces"][0]
    same("gzip", [x["headers"]["content-encoding"], x["sent"] < len(x["body"]) / 2, len(spans([decode(x["path"], x["body"])]))],
         ["gzip", True, len(spans(plain_run))])
with Receiver() as r:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT":
           r.url + "/m?a=b", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20eA%3D%3D,x-b=c", "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x-m=1",
           "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
           "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_TIMEOUT": ""}
    run(RUN, env=env)
    got = {x["path"]: x["headers"] for x in r.requests}
    same("variables: those of a signal first, its endpoint as it is", [sorted(got), got["/"]["authorization"], got["/"]["content-type"],
         got["/"].get("content-encoding"), got["/m?a=b"]["content-type"], got["/m?a=b"]["x-m"], got["/m?a=b"].get("authorization"),
         got["/m?a=b"].get("content-encoding")],
         [["/", "/m?a=b"], "Basic eA==", "application/json", "gzip", "application/x-protobuf", "1", None, None])
    n = len(r.requests)
    run("--endpoint", r.url, "--protocol", "http/protobuf", "--header", "x-o=1", "--compression", "none", RUN, env=env)
    got = {x["path"]: x["headers"] for x in r.requests[n:]}
    same("options beat variables", [sorted(got), got["/v1/traces"]["content-type"], got["/v1/traces"].get("authorization"),
         got["/v1/traces"].get("content-encoding"), got["/v1/traces"]["x-o"]], [["/v1/metrics", "/v1/traces"], "application/x-protobuf", None, None, "1"])
with Receiver() as r:
    p = run("--endpoint", r.url, "--batch-size", 10, "-v", events=calls(95), env=SPANS_ONLY)
    same("batches by size, over one connection", [len(r.requests), len(r.connections), [len(spans([q])) for q in received(r)]],
         [10, 1, [10] * 9 + [6]])
    big = [{"role": "user", "parts": [{"type": "text", "content": "x" * 1000000}]}]
    n = len(r.requests)
    p = run("--endpoint", r.url, "--content", "-v", events=calls(13, input_messages=big), env=SPANS_ONLY)
    same("and by bytes", [[len(spans([q])) for q in received(r)][n:], losses(p.stderr)], [[5, 5, 4], {}])
with Receiver() as r:
    p = start("--endpoint", r.url, "--batch-time", "200ms", "--metric-time", "300ms")
    p.stdin.write(text(calls(3)))
    p.stdin.flush()
    same("and by time, while no more comes", [r.wait_for(2), sorted({x["path"] for x in r.requests})], [True, ["/v1/metrics", "/v1/traces"]])
    n = len(r.requests)
    p.stdin.write(text(calls(2, comm="d")))
    p.stdin.flush()
    p.send_signal(signal.SIGTERM) if r.wait_for(n + 1) else None
    p.communicate()
    same("SIGTERM: what is left is sent", [p.returncode, len({s["spanId"] for s in spans(received(r)) if s["kind"] == 3}) == 3,
         any(s["name"] == "invoke_agent c" for s in spans(received(r)))], [0, True, True])

p = run("--file", os.path.join(T, "said"), events=ONE, env={"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1", "OTEL_PROPAGATORS": "tracecontext",
                                                            "OTEL_LOG_LEVEL": "", "OTEL_SPAN_LINK_COUNT_LIMIT": "5"})
same("variables of the specification that have no effect are said", [x.split(" has no effect")[0] for x in p.stderr.decode().splitlines()],
     ["otelsink: OTEL_TRACES_SAMPLER", "otelsink: OTEL_TRACES_SAMPLER_ARG", "otelsink: OTEL_SPAN_LINK_COUNT_LIMIT"])

# --- TLS and proxies ------------------------------------------------------------------------------------
def openssl(*args):
    subprocess.run(["openssl", *args], cwd=T, check=True, capture_output=True)

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
for who in ("server", "client"):
    openssl("req", "-x509", *EC, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", who + ".key", "-out", who + ".pem")
server, key, client, client_key = (os.path.join(T, x) for x in ("server.pem", "server.key", "client.pem", "client.key"))
with Receiver(cert=server, key=key) as r:
    p = run("--endpoint", r.url, "--ca-cert", server, "-v", events=ONE)
    same("https with a CA of our own", [len(r.requests), losses(p.stderr)], [2, {}])
    p = run("-v", events=ONE, env={"OTEL_EXPORTER_OTLP_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_CERTIFICATE": server})
    same("the same by variable", [len(r.requests), losses(p.stderr)], [4, {}])
    p = run("--endpoint", r.url, "-v", "--timeout", 20, "--retry", "1ms", events=ONE)
    same("a certificate that nobody vouches for", [len(r.requests), losses(p.stderr)["unsent"] > 0, b"certificate" in p.stderr], [4, True, True])
with Receiver(cert=server, key=key, client_ca=client) as r:
    args = ["--endpoint", r.url, "--ca-cert", server, "-v"]
    p = run(*args, "--cert", client, "--key", client_key, events=ONE)
    same("with a certificate of our own", [len(r.requests), losses(p.stderr)], [2, {}])
    p = run(*args, "--timeout", "1s", events=ONE)
    same("and without, where one is needed", [len(r.requests), losses(p.stderr)["unsent"] > 0], [2, True])
with Receiver() as proxy:
    p = run("--endpoint", "http://collector.example:4318", "-v", events=ONE, env={"http_proxy": "http://127.0.0.1:%d" % proxy.port})
    same("through a proxy", [sorted(x["path"] for x in proxy.requests), losses(p.stderr)],
         [["http://collector.example:4318/v1/metrics", "http://collector.example:4318/v1/traces"], {}])

# --- nobody there ------------------------------------------------------------------------------------------
DEAD = "http://localhost:%d" % free_port()
events = calls(20000)
before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
p = run("--endpoint", DEAD, "--queue", "3M", "--timeout", "1s", "-v", events=events, env=SPANS_ONLY)
lost = losses(p.stderr)
same("a dead receiver: all is read, and every span accounted for", [sorted(lost), sum(lost.values()), p.returncode,
     b"20001 spans" in p.stderr, p.stderr.count(b"trying again")], [["queue_full", "unsent"], 20001, 0, True, 1])
p = start("--endpoint", DEAD, "--queue", "3M", "--batch-size", 10, "--retry", "1s", env=SPANS_ONLY)
for _ in range(10):
    p.stdin.write(text(calls(3000)))
p.stdin.flush()
status = open("/proc/%d/status" % p.pid).read()
p.kill()
p.communicate()
rss = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10
report(rss < (300 if "san/bin" in os.environ["PATH"].split(":")[0] else 40), "and its memory is bounded", "%d MiB" % rss)
with Receiver([{"status": 503}] * 100) as r:
    p = run("--endpoint", r.url, "--retry", "0s", "-v", events=ONE, env=SPANS_ONLY)
    same("--retry: given up after that", [len(r.requests), losses(p.stderr)], [1, {"unsent": 2}])
with Receiver([{"status": 503, "headers": {"retry-after": "100"}}]) as r:
    p = start("--endpoint", r.url, "--batch-size", 1, "--timeout", "20s", env=SPANS_ONLY)
    p.stdin.write(text(ONE))
    p.stdin.flush()
    r.wait_for(1)
    p.communicate()
    same("the end does not wait for Retry-After, but tries once more", [p.returncode, len(r.requests)], [0, 3])
with Receiver() as r:
    p = run("--endpoint", DEAD, "-v", "--timeout", "1s", events=ONE, env={"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": r.url})
    same("--endpoint beats that of a signal", [len(r.requests), losses(p.stderr)], [0, {"unsent": 3}])
    p = run("-v", "--timeout", "5s", events=ONE, env={"OTEL_EXPORTER_OTLP_ENDPOINT": DEAD, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": r.url})
    same("one dead receiver does not hold up another", [len(r.requests), losses(p.stderr)], [1, {"unsent": 2}])

# --- on disk ---------------------------------------------------------------------------------------------------
SPOOL = os.path.join(T, "spool")


def files():
    return sorted(f for f in os.listdir(SPOOL) if f != "lock")

p = run("--endpoint", DEAD, "--spool", SPOOL, "--batch-size", 10, "--timeout", "0.5s", "-v", events=calls(95), env=SPANS_ONLY)
same("--spool: nothing is lost, and it says what waits", [losses(p.stderr), len(files()), b"96 items wait in " in p.stderr, p.returncode], [{}, 10, True, 0])
same("for its owner alone", [os.stat(SPOOL).st_mode & 0o777, os.stat(os.path.join(SPOOL, files()[0])).st_mode & 0o777], [0o700, 0o600])
open(os.path.join(SPOOL, "00000000000000000099-traces-1.pb.new"), "w").close()
open(os.path.join(SPOOL, "notes.txt"), "w").close()
with Receiver() as r:
    p = run("--endpoint", r.url, "--spool", SPOOL, "-v", data=b"")
    same("the next one sends it, oldest first, and keeps its hands off what is not its own",
         [[len(spans([q])) for q in received(r)], files(), losses(p.stderr)], [[10] * 9 + [6], ["notes.txt"], {}])
os.unlink(os.path.join(SPOOL, "notes.txt"))
p = run("--endpoint", DEAD, "--spool", SPOOL, "--spool-max", "2k", "--batch-size", 10, "--timeout", "0.5s", "-v", events=calls(95), env=SPANS_ONLY)
same("--spool-max", [sum(os.path.getsize(os.path.join(SPOOL, f)) for f in files()) <= 2048,
     losses(p.stderr)["spool_full"] + sum(int(f.split("-")[2].split(".")[0]) for f in files())], [True, 96])
def damage(how):
    """Spools, changes what was written, and has it sent: what arrives, and what is lost."""
    for f in files():
        os.unlink(os.path.join(SPOOL, f))
    run("--endpoint", DEAD, "--spool", SPOOL, "--timeout", "0.1s", "--batch-size", 10, events=calls(19), env=SPANS_ONLY)
    names = files()
    for f in names[:1]:
        path = os.path.join(SPOOL, f)
        with open(path, "rb") as g:
            text_ = g.read()
        with open(path, "wb") as g:
            g.write(how(text_))
    with Receiver() as r:
        p = run("--endpoint", r.url, "--spool", SPOOL, "-v", data=b"")
        return len(names), sum(x["path"] == "/v1/traces" for x in r.requests), losses(p.stderr), files()

for name, how in (("empty", lambda x: b""), ("cut in its head", lambda x: x[:10]), ("cut", lambda x: x[:-1]), ("longer", lambda x: x + b"x"),
                  ("with one bit changed", lambda x: x[:60] + bytes([x[60] ^ 1]) + x[61:]), ("without a head", lambda x: x[20:]),
                  ("of another program", lambda x: b"hello")):
    same("a file of the spool that is %s: counted, gone, never sent" % name, damage(how), (2, 1, {"spool_lost": 10}, []))
p = start("--endpoint", DEAD, "--spool", SPOOL, "--batch-size", 1)
p.stdin.write(text(ONE))
p.stdin.flush()
end = time.monotonic() + 20
while not files() and time.monotonic() < end:
    time.sleep(0.02)
q = run("--spool", SPOOL, "--endpoint", DEAD, data=b"")
same("one at a time", [q.returncode, b"another otelsink uses it" in q.stderr], [1, True])
p.communicate()
for f in files():
    os.unlink(os.path.join(SPOOL, f))
with Receiver([{"status": 503}] * 3) as r:		# killed at any moment, everything arrives, some of it twice
    sent = 0
    for i in range(12):
        p = start("--endpoint", r.url, "--spool", SPOOL, "--batch-size", 5, env=SPANS_ONLY)
        p.stdin.write(text([dict(c, conn="k%d" % i, id="k%d/%d" % (i, k)) for k, c in enumerate(calls(50))]))
        p.stdin.flush()
        n = len(files())
        end = time.monotonic() + 10
        while len(r.requests) <= i * 2 and time.monotonic() < end:
            time.sleep(0.005 * i)
        p.kill()
        p.communicate()
    p = run("--endpoint", r.url, "--spool", SPOOL, data=b"")
    got = spans(received(r))
    seen = {s["attributes"]["agentsight.event.id"] for s in got if "agentsight.event.id" in s["attributes"]}
    whole = [i for i in range(12) if {"k%d/%d" % (i, k) for k in range(50)} <= seen]
    report(not files() and len(seen) >= 12 * 5, "kill -9, twelve times: every batch that was on disk arrives (%d spans, all of %d runs)" % (len(seen), len(whole)))
same("and what comes twice has the same ids", len({s["spanId"] for s in got if s["kind"] == 3}), len(seen))
open(os.path.join(T, "file"), "w").close()
p = run("--spool", os.path.join(T, "file"), data=b"")
same("a spool that is none", [p.returncode, b"Not a directory" in p.stderr], [1, True])
done()
