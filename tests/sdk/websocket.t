#!/usr/bin/python3
"""OpenAI Responses over a WebSocket, as the openai package and ws speak it:
with and without permessage-deflate and its contexts, several turns a socket."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, done, modules, ok, same, server  # noqa: E402

DATA = os.path.join(HERE, "..", "data", "ssemerge")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        path = modules()
        llm, _, cert = server(scratch)
        llm.end()
        node = Program("node", os.path.join(HERE, "websocket.mjs"), path, cert, os.path.join(scratch, "key.pem"), DATA)
        sniff = Collector("sslsniff", node)
        turns = node.go()
        events = sniff.through("httpparse", "ssemerge", "llmparse")
    sockets = [e["id"] for e in events if e["type"] == "http.response" and e["status_code"] == 101]
    messages = [e for e in events if e["type"] == "sse.message"]
    calls = [e for e in events if e["type"] == "llm.call"]
    ok("12 turns, 6 ends of sockets", len(turns) == 12 and len(sockets) == 6, len(turns), sockets)
    for n, t in enumerate(turns):
        which = [e for e in messages if same(e["message"], t["message"]) and sockets.index(e["id"]) // 2 == n // 4]
        # the server's end and the client's
        mine = [c for c in calls if c["response_id"] == t["message"]["id"] and sockets.index(c["conn"] + "/1") // 2 == n // 4]
        ok("turn %d" % n, len(which) == 2 and all(e["complete"] for e in which) and len(mine) == 2 and all(
            c["input_messages"] == [{"role": "user", "parts": [{"type": "text", "content": t["input"]}]}] and
            c["api"] == "responses" and c["stream"] for c in mine), t, which, mine)
    for s in range(6):
        names = {c.get("conversation_id") for c in calls if c["conn"] == sockets[s].rsplit("/", 1)[0]}
        ok("one conversation on socket %d" % s, len(names) == 1, list(names))
    lost = [e for e in events if e["type"] == "loss"]
    ok("nothing lost", not lost and len(calls) == 24, lost, len(calls))
    done()


main()
