#!/usr/bin/python3
"""llmparse on MCP as its own SDK speaks it, over pipes and over streamable HTTP, with TLS and without:
each call the client made, once, with what the client got."""
import collections
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, done, modules, ok, server  # noqa: E402


def key(where, method, what, result, code):
    return json.dumps([where, method, what, result, code], sort_keys=True)


def main():
    for tls in True, False:
        speak(tls)
    done()


def speak(tls):
    script = os.path.join(HERE, "mcp.mjs")
    with tempfile.TemporaryDirectory() as scratch:
        path = modules()
        llm, _, cert = server(scratch)
        llm.end()
        http = Program("node", script, "http" if tls else "plain", path, cert, os.path.join(scratch, "key.pem"))
        node = Program("node", script, "client", path, cert, ("https" if tls else "http") + "://localhost:" + http.first, NODE_EXTRA_CA_CERTS=cert)
        pipes = Collector("stdiocap", node, "--all-fds", "--max-bytes", "0")
        sniff = Collector("sslsniff" if tls else "tcpsniff", node)
        told = node.go()
        http.end()
        stdio = pipes.through("llmparse")
        web = sniff.through("httpparse", "ssemerge", "llmparse")
    where = lambda e: "http" + path_of[e["id"]] if "id" in e else e["server"]
    theirs = collections.Counter(key(t["where"], t["method"], t["what"], t.get("result"), t.get("code")) for t in told)
    path_of = {e["id"]: e["path"] for e in web if e["type"] == "http.request"}
    calls = [e for e in stdio + web if e["type"] == "mcp.call" and "notification" not in e]
    ours = collections.Counter(key(where(e), e["method"], e.get("tool") or e.get("resource") or e.get("prompt"), e.get("result"),
                                   e["error_type"] if "error" in e else None) for e in calls if e["method"] != "initialize")
    ok("what the client got (%d calls) is what we tell" % len(told), theirs == ours and len(told) == 36,
       "only theirs:", sorted((theirs - ours).elements()), "only ours:", sorted((ours - theirs).elements()))
    ok("4 introductions", sorted(where(e) for e in calls if e["method"] == "initialize") == ["http/json", "http/sse", "stdio", "stdio"],
       [e for e in calls if e["method"] == "initialize"])
    slow = [e for e in calls if e.get("tool") == "slow"]
    ok("slow ones took their time", len(slow) == 4 and all(60 <= e["duration_ms"] < 5000 for e in slow), slow)
    broken = [e for e in calls if e.get("tool") == "broken"]
    ok("a tool that failed", len(broken) == 4 and all(e["error_type"] == "tool_error" for e in broken), broken)
    notes = collections.Counter(e["method"] for e in stdio + web if e["type"] == "mcp.call" and "notification" in e)
    ok("notifications", notes["notifications/initialized"] == 4 and notes["notifications/message"] >= 3, dict(notes))
    ok("pipes: two servers, one client", len({e["server_pid"] for e in calls if e["transport"] == "stdio"}) == 2 and
       {e["client_pid"] for e in calls if e["transport"] == "stdio"} == {node.p.pid}, calls)
    lost = [e for e in stdio + web if e["type"] == "loss"]
    ok("nothing lost", not lost, lost)


main()
