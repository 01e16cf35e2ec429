#!/usr/bin/python3
"""httpparse on HTTP/2 as node, curl and nghttp speak it: big bodies, padding,
priorities, long headers, trailers, interim responses, push, resets, both ends."""
import hashlib
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, body, done, modules, need, ok, server  # noqa: E402

SCRIPT = """
read -r go
node="node $HERE/http2.mjs"
$node server $CERT $KEY >$DIR/truth & server=$!
while ! [ -s $DIR/truth ]; do sleep 0.05; done
url=https://localhost:$(head -n 1 $DIR/truth)
$node client $url $CERT
ask="curl -sS --http2 --cacert $CERT -o /dev/null"
head -c 700000 /dev/urandom >$DIR/up
$ask -H x-name:curl/echo --data-binary @$DIR/up $url/echo
$ask $url/events -H x-name:curl/both -d x --next -sS --http2 --cacert $CERT -o /dev/null -H x-name:curl/early $url/early
nghttp -ns --padding=255 -H x-name:nghttp/echo -d $DIR/up $url/echo >/dev/null
nghttp -n -H x-name:nghttp/push $url/push $url/events >/dev/null
kill $server
"""


def judge(events, truth):
    """Each exchange of the server's log, as it was seen at the server and at the client."""
    sides = {}
    for e in events:
        if e["type"] == "http.request" and "x-name" in e["headers"]:
            sides.setdefault((e["headers"]["x-name"], e["path"].split("?")[0], hashlib.sha256(body(e)).hexdigest()), []).append(e)
    answers = {e["id"]: e for e in events if e["type"] == "http.response"}
    pieces = {}
    for e in events:
        if e["type"] == "http.body":
            pieces[e["id"]] = pieces.get(e["id"], b"") + body(e, "data")
    for t in truth:
        got = sides.get((t["name"], t["path"], t["request"]), [])
        res = [answers.get(e["id"], {}) for e in got]
        seen = [hashlib.sha256(pieces.get(r.get("id"), body(r))).hexdigest() for r in res]
        good = len(got) == 2 and not any("incomplete" in e for e in got)
        if t["response"] is None:
            good = good and [r.get("incomplete") for r in res] == ["reset"] * 2
        else:
            good = good and seen == [t["response"]] * 2 and not any("incomplete" in r or "hpack_incomplete" in r for r in res)
        if t["path"] == "/echo":
            good = good and all(r["trailers"] == {"x-sha256": t["request"]} for r in res)
        if t["path"] == "/early":
            good = good and all(r["interim"] == [103] and r["headers"]["x-long"] == "v" * 40000 for r in res)
        ok("%s, both ends" % t["name"], good, t, [{k: str(v)[:200] for k, v in e.items()} for e in got + res])
    pushed = [e for e in events if e["type"] == "http.request" and e.get("pushed")]
    ok("what was pushed", len(pushed) >= 2 and all(e["path"] == "/pushed" and body(answers[e["id"]]) == b"pushed" for e in pushed), pushed)
    ok("nothing else, nothing lost", len(truth) >= 13 and not [e for e in events if e["type"] == "loss"],
       len(truth), [e for e in events if e["type"] == "loss"])


def main():
    need("nghttp", "curl")
    modules()
    with tempfile.TemporaryDirectory() as scratch:
        llm, _, cert = server(scratch)
        llm.end()
        sh = Program("sh", "-c", "echo ready;" + SCRIPT, HERE=HERE, CERT=cert, KEY=os.path.join(scratch, "key.pem"), DIR=scratch)
        sniff = Collector("sslsniff", sh)
        sh.go()
        events = sniff.through("httpparse")
        with open(os.path.join(scratch, "truth"), encoding="utf-8") as f:
            truth = [json.loads(x) for x in f.read().split("\n")[1:-1]]
    judge(events, truth)
    done()


main()
