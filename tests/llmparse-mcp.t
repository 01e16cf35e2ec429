#!/usr/bin/python3
"""llmparse: MCP over pipes and over HTTP, and OpenAI Responses over WebSocket."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import *  # noqa: E402,F401,F403

offs = {}


def stdio(ms, direction, data, pid=7, fd=None, comm="node", hole=0):
    """A read or write; fd as a server has them unless given."""
    fd = fd if fd is not None else (0 if direction == "READ" else 1)
    off = offs.get((pid, fd, direction), 0) + hole
    n = len(data.encode())
    offs[pid, fd, direction] = off + n
    role = {0: "stdin", 1: "stdout", 2: "stderr"}.get(fd, "fd")
    return event("stdio.data", ms, comm=comm, pid=pid, direction=direction, fd=fd, fd_role=role, off=off, len=n, data=data)


def rpc(**keys):
    return json.dumps(dict({"jsonrpc": "2.0"}, **keys)) + "\n"


def tool(ident, name="read", **arguments):
    return rpc(id=ident, method="tools/call", params={"name": name, "arguments": arguments})


def answer(ident, content="done", **more):
    return rpc(id=ident, result=dict({"content": [{"type": "text", "text": content}]}, **more))


def mcp(name, lines, *options):
    offs.clear()
    return [x for x in run(name, lines, *options) if x["type"] == "mcp.call"]


INIT = rpc(id=0, method="initialize", params={"protocolVersion": "2025-11-25", "capabilities": {},
                                              "clientInfo": {"name": "c", "version": "1"}})
HELLO = rpc(id=0, result={"protocolVersion": "2025-11-25", "serverInfo": {"name": "files", "version": "1"},
                          "capabilities": {}})

# --- a server's standard input and output -------------------------------------------
lines = [stdio(0, "READ", INIT, comm="python3"), stdio(5, "WRITE", HELLO, comm="python3"),
         stdio(6, "READ", rpc(method="notifications/initialized"), comm="python3"),
         stdio(10, "READ", tool(1, path="/a"), comm="python3"),
         stdio(11, "WRITE", "log line, no JSON\n", comm="python3"),
         stdio(22.5, "WRITE", answer(1), comm="python3"),
         stdio(30, "READ", tool("x", "rm"), comm="python3"),
         stdio(31, "WRITE", rpc(id="x", error={"code": -32602, "message": "no such tool"}), comm="python3"),
         stdio(40, "READ", tool(3), comm="python3"), stdio(41, "WRITE", answer(3, isError=True), comm="python3"),
         stdio(50, "READ", rpc(id=4, method="resources/read", params={"uri": "file:///a"}), comm="python3"),
         stdio(60, "READ", rpc(id=5, method="prompts/get", params={"name": "p", "arguments": {"q": 1}}), comm="python3"),
         stdio(61, "WRITE", rpc(id=5, result={"messages": []}), comm="python3"),
         stdio(62, "WRITE", rpc(id=4, result={"contents": []}), comm="python3")]
got = mcp("server", lines)
same("methods, in the order in which they are answered", [x["method"] for x in got], [
    "initialize", "notifications/initialized", "tools/call", "tools/call", "tools/call", "prompts/get", "resources/read"])
has("initialize", got[0], transport="stdio", role="server", request_id=0, server="files", duration_ms=5.0, server_pid=7)
has("a notification", got[1], notification=True, request_id=None, duration_ms=None)
has("a tool", got[2], tool="read", arguments={"path": "/a"}, result={"content": [{"type": "text", "text": "done"}]},
    duration_ms=12.5, server="files", request_id=1, timestamp_ns=START + 10 * MS, comm="python3", error_type=None)
has("an error of the protocol", got[3], tool="rm", error={"code": -32602, "message": "no such tool"},
    error_type="-32602", result=None, request_id="x")
has("an error of the tool", got[4], error_type="tool_error")
has("a prompt", got[5], prompt="p", arguments={"q": 1})
has("a resource, answered out of order", got[6], resource="file:///a", duration_ms=12.0)
has("no content when none is wanted", mcp("none", lines, "--messages", "none")[2], tool="read", arguments=None, result=None)

whole = "".join((INIT, tool(1, text="é✓\U0001f642"), tool(2)))
back = HELLO + answer(1) + answer(2)


def pieces(text, step, direction):
    data = text.encode()
    out = []
    for at in range(0, len(data), step):
        chunk = data[at:at + step]
        line = stdio(at / 100, direction, "x" * len(chunk))
        try:
            line["data"] = chunk.decode()
        except UnicodeDecodeError:
            del line["data"]
            line["data_b64"] = __import__("base64").b64encode(chunk).decode()
        out.append(line)
    return out


def cut(step):
    offs.clear()
    return [{k: v for k, v in x.items() if k not in ("duration_ms", "timestamp_ns")} for x in mcp(
        "cut", pieces(whole, step, "READ") + pieces(back, step, "WRITE"))]


want = cut(100000)
same("three calls in one read", len(want), 3)
same("cut anywhere, the same", [cut(n) == want for n in (1, 2, 3, 5, 7, 64, 100)], [True] * 7)

same("other lines of JSON-RPC are not MCP's", mcp("acp", [
    stdio(0, "READ", rpc(id=0, method="initialize", params={"protocolVersion": 1})),
    stdio(1, "WRITE", rpc(id=0, result={"protocolVersion": 1})),
    stdio(2, "READ", rpc(id=1, method="session/prompt", params={})), stdio(3, "WRITE", rpc(id=1, result={})),
    stdio(4, "READ", '{"type":"user"}\n'), stdio(5, "READ", '{"jsonrpc":"1.0","id":1,"method":"ping"}\n'),
    stdio(6, "READ", "Content-Length: 3\r\n\r\n{}\n"), stdio(7, "READ", "[1]\n{\n\n}\n")]), [])
got = mcp("batch", [stdio(0, "READ", "[%s,%s]\n" % (tool(1).strip(), tool(2).strip())),
                    stdio(1, "WRITE", "[%s,%s]\n" % (answer(2).strip(), answer(1).strip()))])
same("a batch of before", [x["request_id"] for x in got], [2, 1])
got = mcp("unanswered", [stdio(0, "READ", tool(1))])
has("a call without a response", got[0], error_type="no_response", incomplete="eof")
got = mcp("idle", [stdio(0, "READ", tool(1)), event("x.y", 20 * 60000)])
has("... for too long", got[0], incomplete="idle")
offs.clear()
got = run("hole", [stdio(0, "READ", tool(1)[:20]), stdio(1, "READ", tool(2)[:30], hole=50), stdio(2, "READ", tool(3)),
                   stdio(3, "READ", tool(4)), stdio(4, "WRITE", answer(4))])
same("nothing is joined across a hole", [x["request_id"] for x in got if x["type"] == "mcp.call"], [4])
same("... which is counted", losses(got).get("hole"), 1)
offs.clear()
got = run("long", [stdio(0, "READ", tool(1, text="x" * 5000)[:4000]), stdio(0, "READ", tool(1, text="x" * 5000)[4000:]),
                   stdio(1, "READ", tool(2)), stdio(2, "WRITE", answer(2))], "--max-message", "2k")
same("a line that is too long", ([x["request_id"] for x in got if x["type"] == "mcp.call"], losses(got)), ([2], {"max_line": 1}))
got = mcp("ask back", [stdio(0, "WRITE", rpc(id=9, method="sampling/createMessage", params={"messages": []})),
                       stdio(4, "READ", rpc(id=9, result={"role": "assistant"})),
                       stdio(5, "WRITE", rpc(method="notifications/message", params={"level": "info"}))])
has("a server's request", got[0], method="sampling/createMessage", from_server=True, duration_ms=4.0, role="server")
has("a server's notification", got[1], from_server=True, notification=True)

# --- a client's end, both ends ------------------------------------------------------
offs.clear()
got = mcp("client", [stdio(0, "WRITE", INIT, fd=20), stdio(0, "WRITE", INIT, fd=26), stdio(1, "READ", HELLO.replace("files", "web"), fd=28),
                     stdio(2, "READ", HELLO, fd=22), stdio(3, "WRITE", tool(1, "a"), fd=20), stdio(4, "WRITE", tool(1, "b"), fd=26),
                     stdio(5, "READ", answer(1, "B"), fd=28), stdio(6, "READ", answer(1, "A"), fd=22)])
same("a client of two servers with equal ids", [
    (x["server"], x.get("tool"), x["result"].get("content", [{}])[0].get("text")) for x in got],
    [("web", None, None), ("files", None, None), ("web", "b", "B"), ("files", "a", "A")])
has("a client's view", got[2], role="client", client_pid=7, server_pid=None)
both = []
for i, (ask, reply) in enumerate(((INIT, HELLO), (tool(1), answer(1)), (tool(2), answer(2)))):
    both += [(i * 10, "WRITE", ask, 7, 20, "node"), (i * 10 + 1, "READ", ask, 8, 0, "python3"),
             (i * 10 + 4, "WRITE", reply, 8, 1, "python3"), (i * 10 + 5, "READ", reply, 7, 22, "node")]
offs.clear()
got = mcp("both", [stdio(*x) for x in both])
same("a call that is seen at both ends is told once", [x["method"] for x in got], ["initialize", "tools/call", "tools/call"])
has("... with both processes", got[1], client_pid=7, server_pid=8, server="files", duration_ms=3.0)
offs.clear()
got = mcp("twice", [x for n in (0, 10) for x in (stdio(n, "READ", tool(1)), stdio(n + 1, "WRITE", answer(1)))])
same("the same again at one end is another call", len(got), 2)

# --- HTTP ---------------------------------------------------------------------------------
S = {"mcp-session-id": "sess", "mcp-protocol-version": "2025-11-25", "accept": "application/json, text/event-stream"}


def post(ident, body, ms=0, **more):
    return request(ident, "/mcp", body.strip(), ms=ms, headers=S, host="tools.example", **more)


def sse(ident, *messages, ms=40, **more):
    return merged(ident, "generic", {"events": [{"event": "message", "data": m.strip()} for m in messages]}, ms=ms,
                  first=1.0, length=2.0, **more)


got = mcp("http", [post("c/1", tool(1, path="/a")), response("c/1", answer(1).strip(), duration_ms=33.25)])
has("HTTP, JSON", got[0], transport="http", server="tools.example", session_id="sess", protocol_version="2025-11-25",
    tool="read", arguments={"path": "/a"}, duration_ms=33.25, status_code=200, conn="c", id="c/1", role=None,
    result={"content": [{"type": "text", "text": "done"}]})
got = mcp("sse", [post("c/1", tool(1)), sse("c/1", rpc(method="notifications/progress", params={"progress": 1}), answer(1)),
                  streamed("c/1")])
same("HTTP, a stream", [(x["method"], x.get("duration_ms"), x.get("error_type")) for x in got],
     [("notifications/progress", None, None), ("tools/call", 42.0, None)])
got = mcp("http error", [post("c/1", tool(1)), response("c/1", None, status=404)])
has("HTTP says no", got[0], error_type="404", status_code=404)
got = mcp("rpc error", [post("c/1", tool(1)), response("c/1", rpc(id=1, error={"code": -32000, "message": "m"}).strip(), status=400)])
has("JSON-RPC says no, in HTTP that does", got[0], error_type="-32000", status_code=400)
got = mcp("accepted", [post("c/1", rpc(method="notifications/initialized")), response("c/1", None, status=202)])
has("a notification by HTTP", got[0], notification=True, error_type=None)
same("... is told once", len(got), 1)
got = mcp("cut", [post("c/1", tool(1)), sse("c/1", incomplete="close")])
has("a stream without the response", got[0], error_type="no_response", status_code=200)
got = mcp("two streams", [
    request("g/1", "/mcp", None, method="GET", headers=S, host="tools.example"), post("c/1", tool(1)),
    response("c/1", None, status=202), sse("g/1", answer(1), rpc(id=70, method="roots/list"), ms=80),
    post("c/2", rpc(id=70, result={"roots": []}), ms=90), response("c/2", None, status=202)])
same("answers on the other stream, and a request of the server's", [(x["method"], x.get("error_type")) for x in got],
     [("tools/call", None), ("roots/list", None)])
same("other JSON-RPC over HTTP", mcp("eth", [
    request("c/1", "/", rpc(id=1, method="eth_call", params=[]).strip()), response("c/1", rpc(id=1, result="0x").strip())]), [])

# --- Responses over WebSocket ---------------------------------------------------------------
UP = request("w/1", "/v1/responses", None, method="GET", host="api.openai.com", upgrade="websocket",
             headers={"user-agent": "codex_cli_rs/0.169.0", "session_id": "s-1"})
ON = response("w/1", None, status=101, upgrade="websocket")


def create(ms, **more):
    return websocket("w/1", ms, dict({"type": "response.create", "model": "gpt-5", "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]}, **more), "WRITE/SEND")


def resp(ident, text_="yo", **more):
    return dict({"id": ident, "object": "response", "model": "gpt-5-1", "status": "completed", "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text_}]}],
        "usage": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}}, **more)


def said(ms, kind, **more):
    return websocket("w/1", ms, dict({"type": kind}, **more))


call1 = {"type": "function_call", "call_id": "k1", "name": "shell", "arguments": "{\"c\":1}"}
lines = [UP, ON, create(10), said(11, "response.created", response=resp("r1", output=[], status="in_progress")),
         said(13.5, "response.output_text.delta", delta="y"), said(14, "codex.rate_limits"),
         said(20, "response.completed", response=resp("r1", output=[call1])),
         create(30, previous_response_id="r1", input=[{"type": "function_call_output", "call_id": "k1", "output": "ok"}]),
         said(31, "response.created", response=resp("r2", output=[])),
         said(32, "response.output_item.done", item=resp("x")["output"][0]),
         said(40, "response.completed", response=resp("r2", output=[]))]
got = calls("websocket", lines)
has("a turn", got[0], turn=1, id="w/1", api="responses", provider="openai", stream=True, response_id="r1", agent="codex",
    conversation_id="s-1", conversation_source="sent", first_token_ms=3.5, duration_ms=10.0, request_model="gpt-5",
    finish_reasons=["tool_call"], tool_calls=[{"id": "k1", "name": "shell", "arguments": {"c": 1}}],
    input_messages=[message("user", text("hi"))], server_address="api.openai.com")
has("the next turn, its output only in pieces", got[1], turn=2, response_id="r2", tool_results=[
    {"id": "k1", "name": "shell", "call": "w/1", "response": "ok"}], finish_reasons=["stop"],
    output_messages=[message("assistant", text("yo"), finish="stop")], usage={
        "input_tokens": 4, "output_tokens": 2, "total_tokens": 6})
same("two turns", len(got), 2)
same("merged as well: told once", len(calls("merged", lines + [merged("w/1", "openai-responses", resp("r2"))])), 2)
has("only merged: told by that", call("only merged", [UP, ON, create(10), merged(
    "w/1", "openai-responses", resp("r1"), ms=20)]), response_id="r1", turn=1)
got = calls("lanes", [UP, create(1, stream_id="a"), create(2, stream_id="b"),
                      said(3, "response.created", stream_id="b", response=resp("rb", output=[])),
                      said(4, "response.created", stream_id="a", response=resp("ra", output=[])),
                      said(5, "response.completed", stream_id="b", response=resp("rb")),
                      said(6, "response.completed", stream_id="a", response=resp("ra"))])
same("turns at the same time", [(x["turn"], x["response_id"], x["duration_ms"]) for x in got], [(2, "rb", 3.0), (1, "ra", 5.0)])
has("an error", call("error", [UP, create(1), said(2, "error", status=429, error={
    "type": "usage_limit_reached", "message": "later"})]), error_type="usage_limit_reached", status_code=429,
    error_message="later")
has("a response that failed", call("failed", [UP, create(1), said(2, "response.failed", response=resp(
    "r", output=[], status="failed", error={"code": "server_is_overloaded", "message": "m"}))]),
    error_type="server_is_overloaded")
has("cut in the middle", call("cut", [UP, create(1), said(2, "response.created", response=resp("r", output=[], status="in_progress", usage=None)),
                                      said(3, "response.output_item.done", item=call1), close("w")]),
    error_type="incomplete_response", incomplete="close", response_id="r",
    tool_calls=[{"id": "k1", "name": "shell", "arguments": {"c": 1}}])
has("cut, and merged later as well", call("cut", [
    UP, create(1), said(2, "response.created", response=resp("r", output=[], status="in_progress")), close("w"),
    merged("w/1", "openai-responses", resp("r", output=[]), incomplete="eof")]), incomplete="close", response_id="r")
has("no answer", call("silent", [UP, create(1)]), error_type="no_response", incomplete="eof")
has("without the upgrade", call("late", [create(1), said(2, "response.completed", response=resp("r"))]),
    response_id="r", server_address=None, conversation_id="w/1")
same("other sockets", calls("other", [
    request("w/1", "/chat", None, method="GET", upgrade="websocket"), said(1, "response.completed", response=resp("r")),
    websocket("w/1", 2, "hello"), websocket("w/1", 3, {"type": "response.create"})]), [])

# --- the revision of 2026-07-28: no handshake, a result may want input first ---------
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "3"}}
OFF = {}


def rpc(ms, direction, fd, pid=7, role=None, **message):
    line = json.dumps(dict({"jsonrpc": "2.0"}, **message)) + "\n"
    at = OFF.get((pid, fd), 0)
    OFF[pid, fd] = at + len(line)
    return event("stdio.data", ms, pid=pid, direction=direction, fd=fd, fd_role=role or ("stdin" if fd == 0 else "stdout"), off=at,
                 len=len(line), data=line)


got = [e for e in run("stateless", [
    rpc(0, "READ", 0, id=1, method="server/discover", params={"_meta": META}),
    rpc(5, "WRITE", 1, id=1, result={"resultType": "complete", "serverInfo": {"name": "files", "version": "1"}}),
    rpc(10, "READ", 0, id=2, method="tools/call", params={"name": "rm", "arguments": {"path": "/a"}, "_meta": META}),
    rpc(12, "WRITE", 1, id=2, result={"resultType": "input_required", "inputRequests": {}, "requestState": "x"}),
    rpc(20, "WRITE", 1, method="notifications/message", params={"level": "info", "data": "y"}),
    rpc(30, "READ", 0, id=3, method="tools/call", params={"name": "rm", "arguments": {"path": "/a"}, "requestState": "x", "_meta": META}),
    rpc(40, "WRITE", 1, id=3, result={"resultType": "complete", "content": []})]) if e["type"] == "mcp.call"]
same("the version is the request's", [e.get("protocol_version") for e in got if not e.get("notification")], ["2026-07-28"] * 3)
same("the server is who server/discover says, in notifications too", [e.get("server") for e in got], ["files"] * 4)
has("a result that wants input is no end", got[1], result_type="input_required", incomplete="input_required", error_type=None)
has("the request that brings it", got[3], result_type="complete", incomplete=None, continues=2)
OFF.clear()
got = [e for e in run("meta", [
    rpc(10, "READ", 0, id=2, method="tools/list", params={"_meta": META}),
    rpc(12, "WRITE", 1, id=2, result={"tools": [], "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "git"}}})]) if e["type"] == "mcp.call"]
has("a server that says its name with a result", got[0], server="git")
OFF.clear()
got = run("cancelled", [
    rpc(10, "WRITE", 4, role="other", id=2, method="tools/call", params={"name": "slow"}),
    rpc(20, "WRITE", 4, role="other", method="notifications/cancelled", params={"requestId": 2, "reason": "user"}),
    event("file.open", 30, path="/x", flags=0)])
got = [e for e in got if e["type"] == "mcp.call"]
same("a call that is taken back says so at once", [(e["method"], e.get("error_type"), e.get("incomplete"), e.get("duration_ms")) for e in got],
     [("tools/call", "cancelled", "cancelled", 10.0), ("notifications/cancelled", None, None, None)])
OFF.clear()
got = [e for e in run("died", [
    rpc(10, "READ", 0, id=2, method="tools/call", params={"name": "slow"}),
    event("process.exit", 25, ppid=1, exit_code=1), event("file.open", 30, path="/x", flags=0)]) if e["type"] == "mcp.call"]
same("a server that dies: its calls say so at once", [(e["tool"], e["error_type"], e["incomplete"], e["duration_ms"]) for e in got],
     [("slow", "no_response", "exit", 15.0)])
done()
