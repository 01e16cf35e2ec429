#!/usr/bin/python3
"""httpparse on HTTP/2 as node, curl and nghttp speak it: big bodies, padding,
priorities, long headers, trailers, interim responses, push, resets, both ends."""
import hashlib
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, body, done, modules, need, ok, server, through  # noqa: E402

SCRIPT = """
read -r go
node="node $HERE/http2.mjs"
$node server $CERT $KEY >$DIR/truth & server=$!; echo $server >$DIR/pid
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


def judge(events, truth, side):
    """Each exchange of the server's log, as it was seen at one end."""
    got_by = {}
    for e in events:
        if e["type"] == "http.request" and "x-name" in e["headers"]:
            got_by.setdefault((e["headers"]["x-name"], e["path"].split("?")[0], hashlib.sha256(body(e)).hexdigest()), []).append(e)
    answers = {e["id"]: e for e in events if e["type"] == "http.response"}
    pieces = {}
    for e in events:
        if e["type"] == "http.body":
            pieces[e["id"]] = pieces.get(e["id"], b"") + body(e, "data")
    for t in truth:
        got = got_by.pop((t["name"], t["path"], t["request"]), [])
        res = answers.get(got[0]["id"], {}) if got else {}
        seen = hashlib.sha256(pieces.get(res.get("id"), body(res))).hexdigest()
        good = len(got) == 1 and got[0]["side"] == side and "incomplete" not in got[0]
        if t["response"] is None:
            good = good and res.get("incomplete") == "reset"
        else:
            good = good and seen == t["response"] and "incomplete" not in res and "hpack_incomplete" not in res
        if t["path"] == "/echo":
            good = good and res["trailers"] == {"x-sha256": t["request"]}
        if t["path"] == "/early":
            good = good and res["interim"] == [103] and res["headers"]["x-long"] == "v" * 40000
        ok("%s, %s" % (t["name"], side), good, t, [{k: str(v)[:200] for k, v in e.items()} for e in [*got, res]])
    ok("no other, %s" % side, not got_by, list(got_by))
    pushed = [e for e in events if e["type"] == "http.request" and e.get("pushed")]
    ok("what was pushed, %s" % side, len(pushed) >= (2 if side == "client" else 1) and
       all(e["path"] == "/pushed" and body(answers[e["id"]]) == b"pushed" for e in pushed), pushed)
    ok("nothing lost, %s" % side, len(truth) >= 13 and not [e for e in events if e["type"] == "loss"],
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
        lines = sniff.lines()
        with open(os.path.join(scratch, "truth"), encoding="utf-8") as f:
            truth = [json.loads(x) for x in f.read().split("\n")[1:-1]]
        with open(os.path.join(scratch, "pid"), encoding="utf-8") as f:
            pid = int(f.read())
    # Both ends are observed: the client's is emitted. The server's alone is another view of the same.
    judge(through(lines, "httpparse"), truth, "client")
    judge(through(b"".join(x + b"\n" for x in lines.split(b"\n")[:-1] if json.loads(x)["pid"] == pid), "httpparse"), truth, "server")
    done()


main()
