#!/usr/bin/python3
"""Bodies and lines of tool servers that JavaScript reads and the scanner of our
own lines does not: nothing of them vanishes, and what was unusual is marked."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import *  # noqa: E402,F401,F403

ASK = json.dumps({"model": "c", "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]})
REPLY = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "hi"}],
         "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 1}}


def asked(what, body, marks, said="hello", **more):
    keys = {"body": body} if isinstance(body, str) else {"body_b64": base64.b64encode(body).decode(), "body": None}
    line = request("c/1", "/v1/messages", ASK, host="api.anthropic.com")
    line.update(keys)
    line = {k: v for k, v in line.items() if v is not None}
    events = run(what, [line, response("c/1", REPLY)], "--messages", "all")
    got = [e for e in events if e["type"] == "llm.call"]
    has(what, got[0] if len(got) == 1 else {}, lenient=marks, input_messages=[message("user", text(said))], **more)
    same(what + ": no loss", losses(events), {})


import base64  # noqa: E402

asked("a strict body", ASK, None, request_model="c")
asked("an integer beyond 63 bits", ASK[:-1] + ',"tools":[{"name":"t","input_schema":{"maximum":18446744073709551615}}]}',
      ["big_number"], tools=[{"type": "function", "name": "t", "parameters": {"maximum": "18446744073709551615"}}])
asked("a real beyond a double", ASK[:-1] + ',"x":1e999}', ["big_number"])
asked("half a surrogate pair", ASK.replace("hello", "hello \\ud83d"), ["surrogate"], "hello \ufffd")
asked("NUL in a key", ASK[:-1] + ',"metadata":{"a\\u0000b":1}}', ["nul_in_key"])
asked("a key twice", ASK[:-1] + ',"model":"d"}', ["duplicate_key"], request_model="d")
asked("a byte order mark", "\ufeff" + ASK, ["bom"])
asked("bytes that are no UTF-8", ASK.encode().replace(b"hello", b"hel\xfflo"), ["bad_utf8"], "hel\ufffdlo")

got = call("response", [request("c/1", "/v1/messages", ASK, host="api.anthropic.com"),
                        response("c/1", json.dumps(REPLY)[:-1] + ',"x":99999999999999999999}')])
has("a response with a large integer", got, lenient=["big_number"], finish_reasons=["stop"])
chat = {"id": "x", "object": "chat.completion", "model": "g", "choices": [{"index": 0, "message": {
    "role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {
        "name": "f", "arguments": '{"id":18446744073709551615}'}}]}, "finish_reason": "tool_calls"}]}
got = call("arguments", [request("c/1", "/v1/chat/completions", {"model": "g", "messages": [{"role": "user", "content": "x"}]},
                                 host="api.openai.com"), response("c/1", chat)])
has("arguments within a text", got, lenient=["big_number"],
    tool_calls=[{"id": "a", "name": "f", "arguments": {"id": "18446744073709551615"}}])
events = run("broken", [request("c/1", "/v1/messages", ASK + "}", host="api.anthropic.com"), response("c/1", REPLY)])
same("what is no JSON for JavaScript either is a loss", losses(events), {"bad_body": 1})


# --- tool servers --------------------------------------------------------------
def stdio(n, direction, fd, line):
    return event("stdio.data", n, direction=direction, fd=fd, fd_role="other", fd_target="pipe:[%d]" % (100 + fd),
                 len=len(line.encode()) + 1, data=line + "\n")


for what, args, want, marks in (("an integer beyond 63 bits", '{"id":18446744073709551615}', {"id": "18446744073709551615"}, ["big_number"]),
                                ("half a surrogate pair", '{"id":"\\ud83d"}', {"id": "\ufffd"}, ["surrogate"]),
                                ("a key twice", '{"id":1,"id":2}', {"id": 2}, ["duplicate_key"]),
                                ("nothing unusual", '{"id":1}', {"id": 1}, None)):
    got = [e for e in run(what, [
        stdio(1, "WRITE", 4, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":%s}}' % args),
        stdio(2, "READ", 5, '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')]) if e["type"] == "mcp.call"]
    has("a tool's arguments with " + what, got[0] if got else {}, tool="get", arguments=want, lenient=marks, error_type=None)
got = [e for e in run("result", [
    stdio(1, "WRITE", 4, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{}}}'),
    stdio(2, "READ", 5, '\ufeff{"jsonrpc":"2.0","id":1,"result":{"n":1e999}}')]) if e["type"] == "mcp.call"]
has("a result", got[0] if got else {}, result={"n": "1e999"}, lenient=["big_number", "bom"])
done()
