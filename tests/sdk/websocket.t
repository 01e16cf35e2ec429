#!/usr/bin/python3
"""OpenAI Responses over a WebSocket, as the openai package and ws speak it:
with and without permessage-deflate and its contexts, several turns a socket."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, done, modules, ok, same, server, through  # noqa: E402

DATA = os.path.join(HERE, "..", "data", "ssemerge")


def judge(turns, events, side):
    """Each turn, as it was seen at one end."""
    sockets = [e["id"] for e in events if e["type"] == "http.response" and e["status_code"] == 101 and e["side"] == side]
    messages = [e for e in events if e["type"] == "sse.message"]
    calls = [e for e in events if e["type"] == "llm.call"]
    ok("12 turns on 3 sockets, %s" % side, len(turns) == 12 and len(sockets) == 3, len(turns), sockets)
    for n, t in enumerate(turns):
        on = [e for e in messages + calls if e["id"] in sockets and sockets.index(e["id"]) == n // 4]
        which = [e for e in on if e["type"] == "sse.message" and same(e["message"], t["message"])]
        mine = [e for e in on if e["type"] == "llm.call" and e["response_id"] == t["message"]["id"]]
        ok("turn %d, %s" % (n, side), len(which) == 1 and all(e["complete"] for e in which) and len(mine) == 1 and all(
            c["input_messages"] == [{"role": "user", "parts": [{"type": "text", "content": t["input"]}]}] and
            c["api"] == "responses" and c["stream"] for c in mine), t, which, mine)
    names = [{c.get("conversation_id") for c in calls if c["id"] == s} for s in sockets]
    ok("one conversation a socket, %s" % side, [len(x) for x in names] == [1, 1, 1], [list(x) for x in names])
    lost = [e for e in events if e["type"] == "loss"]
    ok("nothing lost, no other call, %s" % side, not lost and len(calls) == 12, lost, len(calls))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        path = modules()
        llm, _, cert = server(scratch)
        llm.end()
        node = Program("node", os.path.join(HERE, "websocket.mjs"), path, cert, os.path.join(scratch, "key.pem"), DATA)
        sniff = Collector("sslsniff", node)
        turns = node.go()
        lines = sniff.lines()
    filters = ("httpparse", "ssemerge", "llmparse")
    # Both ends are observed: the client's is emitted. The server's alone is another view of the same.
    events = through(lines, *filters)
    judge(turns, events, "client")
    clients = {e["conn"] for e in events if e["type"] == "http.request"}
    judge(turns, through(b"".join(x + b"\n" for x in lines.split(b"\n")[:-1] if json.loads(x).get("conn") not in clients), *filters), "server")
    done()


main()
