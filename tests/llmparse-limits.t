#!/usr/bin/python3
"""httpparse | ssemerge | llmparse with 1 000 connections, a message of 4 MiB open
on each: every filter stays under 512 MiB, and every call is told."""
import json
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_cases import STREAM  # noqa: E402
from httpparse_kit import R, T0, W, Tap, coded, data_line, request, response  # noqa: E402

MiB = 1 << 20
tap = Tap()
tools = [os.path.join(os.environ.get("BUILD", "build"), "bin", t) for t in ("httpparse", "ssemerge", "llmparse", "jsonfilter")]
if not all(os.access(t, os.X_OK) for t in tools):
    print("1..0 # SKIP no", *tools)
    sys.exit(0)
# a small parent in between: the peak of a process is at least that of the one it was forked from
MEASURE = "import resource, subprocess, sys; rc = subprocess.call(sys.argv[1:] + ['-q'], stdin=0, stdout=1); " \
          "print(rc, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"


def event(**o):
    return ("event: %s\ndata: %s\n\n" % (o["type"], json.dumps(o))).encode()


# Half of them send 4 MiB, half of them receive an event stream of as many; none ends.
ask = json.dumps({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x" * (4 * MiB)}]}).encode()
z = coded("gzip", ask)[:-9]
big = b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(z) + 9) + z
small = request(b'{"model":"m","max_tokens":1,"stream":true,"messages":[]}')
delta = event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "y" * (MiB // 16)})
stream = event(type="message_start", message={"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}) + \
    event(type="content_block_start", index=0, content_block={"type": "text", "text": ""}) + delta * 64
z = coded("gzip", stream)
answer = response(b"%x\r\n%s\r\n" % (len(z), z), extra=STREAM + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", length=False)


def feed(pipe):
    for i in range(1000):
        conn = "100:ab:%d" % i
        for d, data in [(W, big)] if i % 2 else [(W, small), (R, answer)]:
            pipe.write((data_line(conn, d, 0, data, T0 + i) + "\n").encode())
    pipe.close()


procs = []
for t, args in zip(tools, ([], [], [], ["--only", "type=llm.call"])):
    procs.append(subprocess.Popen([sys.executable, "-c", MEASURE, t, *args], stdin=procs[-1].stdout if procs else subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    if len(procs) > 1:
        procs[-2].stdout.close()
threading.Thread(target=feed, args=(procs[0].stdin,)).start()
calls, lengths, whys = [], [], set()
for line in procs[-1].stdout:       # too long to be read as JSON in passing
    calls.append(re.search(rb'"conn":"([^"]*)"', line[:500])[1])
    whys.add(re.search(rb'"incomplete":"([^"]*)"}$', line[-100:])[1])
    lengths.append(len(line))
tap.equal((len(calls), len(set(calls))), (1000, 1000), "each call is told once")
tap.ok(whys <= {b"evicted", b"eof"} and min(lengths) > 4 * MiB - 4096, "with all that came of it", whys, min(lengths))
for t, p in zip(tools, procs):
    rc, peak = map(int, p.stderr.read().split()[-2:])
    p.wait()
    tap.ok(rc == 0 and peak < 512 << 10, "%s stays below 512 MiB: %d" % (os.path.basename(t), peak >> 10), rc)


# It grows until --max-history calls are remembered, and no further: by calls, not by time.
def exchange(i):
    keys = {"timestamp_ns": T0 + i * 1000000, "pid": 100 + i, "tid": 100 + i, "uid": 0, "comm": "a"}
    http = {"conn": "%d:7f:1" % i, "id": "%d:7f:1/1" % i, "method": "POST", "path": "/v1/messages", "host": "api.anthropic.com"}
    asked = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "q %d" % i}]}
    answer = {"id": "msg_%d" % i, "type": "message", "role": "assistant", "model": "claude-x", "content": [{"type": "text", "text": "a" * 500}],
              "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 5}}
    yield {"type": "http.request", **keys, **http, "headers": {"content-type": "application/json"}, "body": json.dumps(asked)}
    yield {"type": "http.response", **keys, **http, "status_code": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}


def peak_of(calls):
    lines = "".join(json.dumps(e, separators=(",", ":")) + "\n" for i in range(calls) for e in exchange(i)).encode()
    p = subprocess.run([sys.executable, "-c", MEASURE, tools[2], "--max-history", "1000"], input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.stdout.count(b'{"type":"llm.call"'), int(p.stderr.split()[-1])


(few, low), (many, high) = peak_of(2000), peak_of(16000)
tap.ok((few, many) == (2000, 16000) and high - low < 512, "llmparse: 16 000 calls take no more memory than 2 000, once --max-history is reached",
       few, many, low, high)
tap.done()
