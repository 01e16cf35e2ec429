#!/usr/bin/python3
"""llmparse: what is a call, which conversation, whose result, what went wrong;
each call told once, everything else passed on."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import *  # noqa: E402,F401,F403

USER = {"role": "user", "content": "hi"}
CLAUDE = "api.anthropic.com"
MESSAGES = "/v1/messages"


def ask(*messages, **more):
    return dict({"model": "claude-x", "max_tokens": 10, "messages": list(messages) or [USER]}, **more)


def said(*content, stop="end_turn", ident="msg_1", **more):
    return dict({"id": ident, "type": "message", "role": "assistant", "model": "claude-x", "content": [
        {"type": "text", "text": c} if isinstance(c, str) else c for c in content], "stop_reason": stop,
        "usage": {"input_tokens": 1, "output_tokens": 1}}, **more)


def use(ident, name="tool", **arguments):
    return {"type": "tool_use", "id": ident, "name": name, "input": arguments}


def result(ident, content="done", **more):
    return dict({"type": "tool_result", "tool_use_id": ident, "content": content}, **more)


def chat_answer(content="yo"):
    return {"id": "x", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}


CHAT = {"model": "m", "messages": [USER]}

# --- what is a call -------------------------------------------------------------
is_call = [
    ("a gateway's host, an API's path, a body of its shape", "/proxy/v1/messages", ask(), "gw.local", said()),
    ("localhost", MESSAGES, ask(), "localhost:4000", said()),
    ("no host at all", MESSAGES, ask(), None, said()),
    ("a vendor's host and a body, a path of its own", "/secret/llm", ask(system="s"), CLAUDE, said()),
    ("a vendor's host and a path, no body", MESSAGES, None, CLAUDE, said()),
    ("neither host nor path, but request and answer of one shape", "/llm", CHAT, "gw.local", chat_answer()),
    ("only the path, but the answer has the shape", "/v1/chat/completions", {"odd": 1}, "gw.local", chat_answer()),
]
for name, path, body, host, answer in is_call:
    has("a call: " + name, call(name, [request("c/1", path, body, host=host), response("c/1", answer)]),
        id="c/1", finish_reasons=["stop"])
no_call = [
    ("count_tokens", "/v1/messages/count_tokens", ask(), CLAUDE, {"input_tokens": 3}),
    ("Gemini's countTokens", "/v1beta/models/g:countTokens", {"contents": [{"parts": [{"text": "x"}]}]},
     "generativelanguage.googleapis.com", {"totalTokens": 3}),
    ("telemetry", "/api/event_logging/batch", {"events": [{"input": "x"}]}, CLAUDE, {"accepted_count": 1}),
    ("a chat of people", "/channels/1/messages", {"content": "hi"}, "chat.example", {"id": "1", "content": "hi"}),
    ("moderation", "/v1/moderations", {"model": "m", "input": "x"}, "api.openai.com", {"id": "m", "results": []}),
    ("an image", "/api/v1/services/aigc/text2image/image-synthesis", {"model": "m", "input": {"prompt": "x"}},
     "dashscope.aliyuncs.com", {"output": {"task_id": "t"}, "request_id": "r"}),
    ("a form with messages", "/send", {"messages": ["a"], "model": "b"}, "shop.example", {"ok": True}),
    ("a body that only looks like one", "/llm", CHAT, "gw.local", {"ok": True}),
    ("a batch of requests", "/v1/messages/batches", {"requests": [{"params": ask()}]}, CLAUDE, {"id": "b"}),
]
for name, path, body, host, answer in no_call:
    same("no call: " + name, run(name, [request("c/1", path, body, host=host), response("c/1", answer, host=host,
                                                                                        path=path)]), [])
same("no call: a list of models", run("models", [
    request("c/1", "/v1/models", None, host=CLAUDE, method="GET"),
    response("c/1", {"data": [{"type": "model", "id": "claude-x"}]}, host=CLAUDE, path="/v1/models")]), [])
same("no call: looking at an old response", run("get", [
    request("c/1", "/v1/responses/resp_1", None, host="api.openai.com", method="GET"),
    response("c/1", {"id": "resp_1", "object": "response", "status": "completed", "output": []},
             host="api.openai.com", path="/v1/responses/resp_1", method="GET")]), [])
has("Anthropic's shape is known by its header", call("header", [
    request("c/1", "/x", ask(), host=CLAUDE, headers={"anthropic-version": "2023-06-01"}),
    response("c/1", said())]), api="messages")
has("... or by its answer", call("answer", [request("c/1", "/x", ask()), merged("c/1", "anthropic", said("yo"))]),
    api="messages", provider="gateway.example", request_model="claude-x")
has("the provider is the host's", call("openrouter", [
    request("c/1", "/api/v1/chat/completions", CHAT, host="openrouter.ai"), response("c/1", chat_answer())]),
    provider="openrouter", api="chat_completions", server_address="openrouter.ai", server_port=None)
has("an address with a port", call("ipv6", [
    request("c/1", MESSAGES, ask(), host="[::1]:8080"), response("c/1", said())]),
    server_address="[::1]", server_port=8080, provider="[::1]")

# --- parts that are not there --------------------------------------------------------
has("an answer without its request, streamed", call("late", [merged("c/1", "anthropic", said("x"))]),
    api="messages", provider="anthropic", response_id="msg_1", stream=True, request_model=None, input_messages=None,
    duration_ms=None, first_token_ms=None, conversation_id=None, request_incomplete="unknown")
has("an answer without its request, as JSON", call("late", [response("c/1", chat_answer())]),
    api="chat_completions", output_messages=[message("assistant", text("yo"), finish="stop")])
same("JSON that is nobody's answer", run("late", [response("c/1", {"id": "x", "usage": 1, "choices": 3})]), [])
same("an error without its request, from who knows where", run("late", [
    response("c/1", {"type": "error", "error": {"type": "x", "message": "y"}}, status=400)]), [])
has("an error whose path and host are known", call("late", [
    response("c/1", {"type": "error", "error": {"type": "x", "message": "y"}}, status=400, path=MESSAGES,
             host=CLAUDE)]), error_type="x", error_message="y")
has("a request without its answer, at the end", call("eof", [request("c/1", MESSAGES, ask(stream=True))]),
    error_type="no_response", incomplete="eof", stream=True, status_code=None, output_messages=None, duration_ms=None)
has("a request whose connection closes", call("close", [request("c/1", MESSAGES, ask()), close("c"),
                                                      close("other")]), error_type="no_response", incomplete="close")
got = calls("idle", [request("c/1", MESSAGES, ask()), event("x.y", 16 * 60000), request("d/1", MESSAGES, ask(), ms=16 * 60000)])
has("a request that waits for too long", got[0], id="c/1", error_type="no_response", incomplete="idle")
got = run("evicted", [request("c/%d" % i, MESSAGES, ask(dict(USER, content="n%d" % i))) for i in (1, 2, 3)],
          "--max-calls", "1")
same("a request that has to go for another", [(x["id"], x["incomplete"]) for x in got if x["type"] == "llm.call"],
     [("c/1", "evicted"), ("c/2", "evicted"), ("c/3", "eof")])
same("what went is counted", losses(got).get("evicted"), 2)
has("a stream whose message never came", call("lost", [request("c/1", MESSAGES, ask(stream=True)), streamed("c/1")]),
    error_type="incomplete_response", status_code=200, incomplete="eof")
has("what the recording lacks is no failure of the call", call("hole", [
    request("c/1", MESSAGES, ask(stream=True)), merged("c/1", "anthropic", said("Half", stop=None), incomplete="hole")]),
    error_type=None, incomplete="hole", finish_reasons=None, request_incomplete=None)
has("an answer longer than what is kept", call("long", [
    request("c/1", MESSAGES, ask()), response("c/1", '{"id":"msg_1","type":"mess', truncated=True)]),
    error_type=None, incomplete="truncated", request_incomplete=None)
for key, value in (("incomplete", "hole"), ("truncated", True)):
    has("a request that is not whole: " + key, call("part", [
        request("c/1", MESSAGES, json.dumps(ask())[:30], host=CLAUDE, **{key: value}), response("c/1", said())]),
        request_incomplete="hole" if key == "incomplete" else "truncated", incomplete=None, response_id="msg_1")
got = calls("behind a hole", [request("c/%d" % i, MESSAGES, ask()) for i in (1, 2, 10, 11)] + [request("d/1", MESSAGES, ask())] +
            [response("c/10", said(), pairing_uncertain=True), response("c/11", said()), response("d/1", said())])
same("those whose answers were in a hole", [(c["id"], c.get("incomplete"), c.get("pairing_uncertain"), c.get("error_type")) for c in got],
     [("c/2", "hole", True, None), ("c/1", "hole", True, None), ("c/10", None, True, None), ("c/11", None, None, None), ("d/1", None, None, None)])
has("a stream's head may come first", call("order", [
    request("c/1", MESSAGES, ask(stream=True)), streamed("c/1"), merged("c/1", "anthropic", said("x"))]),
    error_type=None, stream=True, finish_reasons=["stop"])
same("the same exchange twice, as two recordings are", [x["response_id"] for x in calls("twice", [
    request("c/1", MESSAGES, ask()), response("c/1", said(ident="a")),
    request("c/1", MESSAGES, ask()), response("c/1", said(ident="b"))])], ["a", "b"])

# --- what goes wrong --------------------------------------------------------------------


def error(name, status, body, host=CLAUDE, path=MESSAGES, body_asked=None, **more):
    return call(name, [request("c/1", path, body_asked or ask(), host=host), response("c/1", body, status=status, **more)])


has("429 of Anthropic", error("429", 429, {"type": "error", "error": {
    "type": "rate_limit_error", "message": "slow down"}}), error_type="rate_limit_error", status_code=429,
    error_message="slow down", output_messages=None, usage=None, finish_reasons=None)
has("529 of Anthropic", error("529", 529, {"type": "error", "error": {
    "type": "overloaded_error", "message": "Overloaded"}}), error_type="overloaded_error", status_code=529)
has("OpenAI: the code says more than the type", error("openai", 429, {"error": {
    "message": "m", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}, "api.openai.com",
    "/v1/chat/completions", CHAT), error_type="rate_limit_exceeded")
has("OpenAI: no code", error("openai", 400, {"error": {
    "message": "m", "type": "invalid_request_error", "param": None, "code": None}}, "api.openai.com",
    "/v1/chat/completions", CHAT), error_type="invalid_request_error")
has("Google: the status", error("google", 429, [{"error": {
    "code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}], "generativelanguage.googleapis.com",
    "/v1beta/models/g:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}), error_type="RESOURCE_EXHAUSTED")
has("Ollama: just text", error("ollama", 404, {"error": "model 'x' not found"}, "localhost", "/api/chat", CHAT),
    error_type="404", error_message="model 'x' not found")
has("a proxy's page", error("html", 502, "<html>bad gateway</html>"), error_type="502", error_message=None)
has("no content of errors either when none is wanted", call("none", [
    request("c/1", MESSAGES, ask(), host=CLAUDE),
    response("c/1", {"type": "error", "error": {"type": "e", "message": "secret"}}, status=400)],
    "--messages", "none"), error_type="e", error_message=None)
has("an error in the stream", call("stream", [
    request("c/1", MESSAGES, ask(stream=True)),
    merged("c/1", "anthropic", said("Half", stop=None), incomplete="error",
           error={"type": "overloaded_error", "message": "Overloaded"})]), error_type="overloaded_error",
    status_code=200, incomplete="error", output_messages=[message("assistant", text("Half"), finish="incomplete")],
    usage={"input_tokens": 1}, usage_incomplete=True)
has("a cut stream", call("cut", [
    request("c/1", MESSAGES, ask(stream=True)), merged("c/1", "anthropic", said("Half", stop=None), incomplete="close")]),
    error_type="incomplete_response", incomplete="close", finish_reasons=None)
has("cut behind the finish: nothing is missing of the answer", call("cut", [
    request("c/1", MESSAGES, ask(stream=True)), merged("c/1", "anthropic", said("All"), incomplete="eof")]),
    error_type=None, incomplete="eof", finish_reasons=["stop"])
has("an answer of JSON that was cut", call("cut", [
    request("c/1", MESSAGES, ask()), response("c/1", '{"id":"msg_1","type":"mess', incomplete="close")]),
    error_type="incomplete_response", incomplete="close", status_code=200)
got = run("bad", [request("c/1", MESSAGES, '{"model":"x",,}', host=CLAUDE), response("c/1", said())])
has("a body that is not JSON: told without it", [x for x in got if x["type"] == "llm.call"][0], request_model=None, response_id="msg_1",
    request_incomplete="not_json", incomplete=None)
got = run("bad answer", [request("c/1", MESSAGES, ask(), host=CLAUDE), dict(response("c/1", None), body_b64="eJxVjUE=", body_len=5)])
has("an answer that is not JSON: the call says so", [x for x in got if x["type"] == "llm.call"][0], incomplete="not_json", error_type=None, usage=None)
same("... and it is counted", losses(got).get("bad_body"), 1)
same("... and counted", losses(got), {"bad_body": 1})

# --- turns, retries, parallel calls --------------------------------------------------------
ONE = ask(USER)
TWO = ask(USER, {"role": "assistant", "content": [use("toolu_1", "read", path="/a")]},
          {"role": "user", "content": [result("toolu_1", [{"type": "text", "text": "A"}], is_error=True)]})
THREE = ask(*TWO["messages"], {"role": "assistant", "content": [{"type": "text", "text": "ok"}]},
            {"role": "user", "content": "more"})
LINES = [request("c/1", MESSAGES, ONE, 0), response("c/1", said(use("toolu_1", "read", path="/a"), stop="tool_use"), 10),
         request("c/2", MESSAGES, TWO, 20), response("c/2", said("ok"), 30),
         request("d/1", MESSAGES, THREE, 40), response("d/1", said("sure"), 50)]
got = calls("turns", LINES)
same("a growing list is one conversation, on any connection", [
    (x["conversation_id"], x["conversation_source"]) for x in got], [("c/1", "derived")] * 3)
same("last: what the request adds", [x.get("input_messages") for x in got], [
    [message("user", text("hi"))], [message("tool", tool_response("A", "toolu_1"))], [message("user", text("more"))]])
same("results know their call", [x.get("tool_results") for x in got], [None, [
    {"id": "toolu_1", "name": "read", "call": "c/1", "response": "A", "is_error": True}], None])
got = calls("all", LINES, "--messages", "all")
same("all: the whole list", [len(x["input_messages"]) for x in got], [1, 3, 5])
same("all: results are told once all the same", [len(x.get("tool_results", [])) for x in got], [0, 1, 0])
got = calls("none", LINES, "--messages", "none")
same("none: tools without content", [(x.get("tool_calls"), x.get("tool_results")) for x in got], [
    ([{"id": "toolu_1", "name": "read"}], None),
    (None, [{"id": "toolu_1", "name": "read", "call": "c/1", "is_error": True}]), (None, None)])
got = calls("late", LINES[2:])
has("attached late: the list itself has the tool's name", got[0], conversation_id="c/2",
    tool_results=[{"id": "toolu_1", "name": "read", "response": "A", "is_error": True}])
same("... and all of it is new", len(got[0]["input_messages"]), 3)

CACHED = ask({"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]})
MOVED = ask(USER, {"role": "assistant", "content": "yo"},
            {"role": "user", "content": [{"cache_control": {"type": "ephemeral"}, "type": "text", "text": "b"}]})
AGAIN = ask(USER, {"role": "assistant", "content": "yo"}, {"role": "user", "content": "b"},
            {"role": "assistant", "content": [{"type": "text", "text": "c"}]},
            {"role": "user", "content": [dict(result("t9", [{"type": "text", "text": "A", "cache_control": {}}]),
                                              cache_control={"type": "ephemeral"})]})
got = calls("cache", [request("c/%d" % i, MESSAGES, b, i * 10) if j == 0 else response("c/%d" % i, said(), i * 10 + 5)
                      for i, b in enumerate((CACHED, MOVED, AGAIN), 1) for j in (0, 1)])
same("marks for caching that move make no other conversation", [x["conversation_id"] for x in got], ["c/1"] * 3)
same("... nor more that is new", [len(x["input_messages"]) for x in got], [1, 1, 1])

got = calls("retry", [request("c/1", MESSAGES, TWO, 0), response("c/1", None, 1, status=529),
                      request("c/2", MESSAGES, TWO, 2), response("c/2", said(), 3)])
same("a retry says the same again", [(x["conversation_id"], x.get("error_type"), len(x["input_messages"]))
                                     for x in got], [("c/1", "529", 3), ("c/1", None, 3)])
got = calls("afresh", [request("c/1", MESSAGES, ONE, 0), response("c/1", said(), 1),
                       request("c/2", MESSAGES, ONE, 2), response("c/2", said(), 3)])
same("the same question again begins anew", [x["conversation_id"] for x in got], ["c/1", "c/2"])
got = calls("other", [request("c/1", MESSAGES, ONE, 0), response("c/1", said(), 1),
                      request("c/2", MESSAGES, ask(dict(USER, content="ho")), 2), response("c/2", said(), 3)])
same("another question is another conversation", [x["conversation_id"] for x in got], ["c/1", "c/2"])

PARALLEL = [ask({"role": "user", "content": "q%d" % i}) for i in range(20)]
lines = [request("h:1/s%d" % (2 * i + 1), MESSAGES, b, i) for i, b in enumerate(PARALLEL)]
lines += [merged("h:1/s%d" % (2 * i + 1), "anthropic", said("a%d" % i, ident="m%d" % i), 100 + i)
          for i in reversed(range(20))]
got = calls("parallel", lines)
same("parallel calls on one connection", sorted(
    (x["id"], x["input_messages"][0]["parts"][0]["content"], x["output_messages"][0]["parts"][0]["content"])
    for x in got), sorted(("h:1/s%d" % (2 * i + 1), "q%d" % i, "a%d" % i) for i in range(20)))
got = calls("two tools", [
    request("c/1", MESSAGES, ONE), response("c/1", said(use("t1", "a"), use("t2", "b"), stop="tool_use")),
    request("c/2", MESSAGES, ask(USER, {"role": "assistant", "content": [use("t1", "a"), use("t2", "b")]}, {
        "role": "user", "content": [result("t2", "B"), result("t1", "A"), {"type": "text", "text": "go"}]}))])
same("two tools at once, answered in another order", got[1]["tool_results"], [
    {"id": "t2", "name": "b", "call": "c/1", "response": "B"}, {"id": "t1", "name": "a", "call": "c/1", "response": "A"}])
same("results and text are the user's", got[1]["input_messages"][0]["role"], "user")
same("instructions once, as long as they stay", [bool(x.get("system_instructions")) for x in calls("system", [
    request("c/1", MESSAGES, dict(ONE, system="S")), response("c/1", said()),
    request("c/2", MESSAGES, dict(TWO, system=[{"type": "text", "text": "S"}])), response("c/2", said()),
    request("c/3", MESSAGES, dict(THREE, system="T")), response("c/3", said())])], [True, False, True])

# --- conversations that clients name -------------------------------------------------------------


def named(headers=None, path=MESSAGES, **more):
    c = call("named", [request("c/1", path, dict(ask(), **more), headers=headers), response("c/1", said())])
    return c.get("conversation_id"), c.get("conversation_source")


UUID = "0b4445e1-f5be-49e1-87ce-62bbc28ad705"
for name, got in (
        ("Claude Code's user_id", named(metadata={"user_id": "user_0a_account_%s_session_%s" % (UUID[::-1], UUID)})),
        ("... as JSON", named(metadata={"user_id": json.dumps({"device_id": "d", "session_id": UUID})})),
        ("a session in metadata", named(metadata={"session_id": UUID})),
        ("a header", named({"X-Claude-Code-Session-Id".lower(): UUID})),
        ("Codex's header", named({"session_id": UUID})),
        ("Codex's metadata of the turn", named({"x-codex-turn-metadata": json.dumps({"session_id": UUID, "turn": 1})})),
        ("a conversation", named(conversation=UUID, path="/v1/responses", input="x")),
        ("a conversation as an object", named(conversation={"id": UUID}, path="/v1/responses", input="x")),
        ("a cache key", named(prompt_cache_key=UUID)),
        ("a session in the body", named(session_id=UUID))):
    same("named by " + name, got, (UUID, "sent"))
same("a user is no conversation", named(metadata={"user_id": "alice"})[1], "derived")
same("the conversation's own name comes before the cache's",
     named({"session_id": UUID}, prompt_cache_key="k")[0], UUID)
got = calls("rewritten", [
    request("c/1", MESSAGES, ask(metadata={"session_id": UUID})), response("c/1", said()),
    request("c/2", MESSAGES, ask({"role": "user", "content": "summary"}, {"role": "assistant", "content": "ok"},
                                 {"role": "user", "content": "go on"}, metadata={"session_id": UUID}))])
same("a named list that was rewritten: what stands behind the last answer", got[1]["input_messages"],
     [message("user", text("go on"))])
# --- chains: one name for a session, several lists of messages --------------------------------------
SESSION = {"metadata": {"session_id": UUID}}
TOOLS = {"tools": [{"name": "read", "input_schema": {"type": "object"}}]}
SUB = ask(dict(USER, content="read it"), **SESSION, **TOOLS)
SUB_TWO = ask(dict(USER, content="read it"), {"role": "assistant", "content": [use("toolu_2", "read", path="/b")]},
              {"role": "user", "content": [result("toolu_2", "B")]}, **SESSION, **TOOLS)
got = calls("chains", [
    request("c/1", MESSAGES, dict(ONE, **SESSION), 0), request("c/2", MESSAGES, dict(ONE, **SESSION, **TOOLS), 1),
    response("c/1", said("A title"), 2), response("c/2", said(use("toolu_1", "read", path="/a"), stop="tool_use"), 3),
    request("c/3", MESSAGES, SUB, 4), response("c/3", said(use("toolu_2", "read", path="/b"), stop="tool_use"), 5),
    request("c/4", MESSAGES, SUB_TWO, 6), response("c/4", said("b"), 7),
    request("c/5", MESSAGES, dict(TWO, **SESSION, **TOOLS), 8), response("c/5", None, 9, status=529),
    request("c/6", MESSAGES, dict(TWO, **SESSION, **TOOLS), 10), response("c/6", said("ok"), 11),
    request("c/7", MESSAGES, dict(THREE, **SESSION), 12), response("c/7", said("a summary"), 13)])
same("a title, a sub-agent and the work in one session are chains of their own",
     sorted((x["id"], x["conversation_id"] == UUID, x["chain_id"], x.get("request_tools", False)) for x in got),
     [("c/1", True, "c/1", False), ("c/2", True, "c/2", True), ("c/3", True, "c/3", True), ("c/4", True, "c/3", True),
      ("c/5", True, "c/2", True), ("c/6", True, "c/2", True), ("c/7", True, "c/2", False)])
same("a chain that is the conversation has no other name", [x.get("chain_id") for x in calls("derived", LINES)], [None] * 3)
RESPONSES = "/v1/responses"


def responded(ident, *output):
    return {"id": ident, "object": "response", "status": "completed", "model": "m", "output": list(output)}


got = calls("previous", [
    request("c/1", RESPONSES, {"model": "m", "input": "a", "store": True}),
    response("c/1", responded("r1", {"type": "function_call", "call_id": "k1", "name": "f", "arguments": "{}"})),
    request("d/1", RESPONSES, {"model": "m", "previous_response_id": "r1", "input": [
        {"type": "function_call_output", "call_id": "k1", "output": "out"}]}),
    response("d/1", responded("r2")),
    request("e/1", RESPONSES, {"model": "m", "previous_response_id": "r2", "input": "b"}), response("e/1", responded("r3")),
    request("e/2", RESPONSES, {"model": "m", "previous_response_id": "gone", "input": "b"})])
same("previous_response_id leads back", [x["conversation_id"] for x in got], ["c/1", "c/1", "c/1", "e/2"])
same("... and to the tool", got[1]["tool_results"], [{"id": "k1", "name": "f", "call": "c/1", "response": "out"}])
got = run("forgotten", [x for i in range(9) for x in (
    request("c/%d" % i, MESSAGES, ask(dict(USER, content="n%d" % i))), response("c/%d" % i, said(ident="m%d" % i)))],
    "--max-history", "4")
same("what is forgotten is counted", losses(got).get("forgotten", 0) > 0, True)

# --- agents ----------------------------------------------------------------------------------------


def agent(ua, comm="node"):
    c = call("agent", [request("c/1", MESSAGES, ask(), headers={"user-agent": ua}, comm=comm), response("c/1", said())])
    return c.get("agent"), c.get("agent_version")


for ua, comm, want in (
        ("claude-cli/2.1.3 (external, cli)", "node", ("claude-code", "2.1.3")),
        ("codex_exec/0.169.0 (Linux)", "codex", ("codex", "0.169.0")),
        ("opencode/1.18.33 ai-sdk/5", "bun", ("opencode", "1.18.33")),
        ("QwenCode/0.24.4 (linux; x64)", "node", ("qwen-code", "0.24.4")),
        ("Anthropic/JS 0.60.0", "claude", ("claude-code", None)),
        ("OpenAI/Python 1.1", "python3", ("python3", None)),
        ("my-agent/3 extra", "python3", ("my-agent", "3")),
        ("gooseberry/1", "x", ("gooseberry", "1")),
        ("", "curl", ("curl", None))):
    same("agent: %s from %s" % (ua or "nothing", comm), agent(ua, comm), want)

# --- texts that are hard ------------------------------------------------------------------------------
pretty = json.dumps(ask({"role": "user", "content": "a\nb \"c\" \\ \u0000 \u2713"}, tools=[
    {"name": "t", "input_schema": {"type": "object", "properties": {"a": [1, 2]}}}]), indent=2, ensure_ascii=True)
got = call("pretty", [request("c/1", MESSAGES, pretty), response("c/1", json.dumps(said(use("t", x=[1, {"y": "z "}])),
                                                                           indent=2))], "--messages", "all")
has("indented bodies stay on one line", got, input_messages=[message("user", text("a\nb \"c\" \\ \u0000 \u2713"))],
    tools=[{"type": "function", "name": "t", "parameters": {"type": "object", "properties": {"a": [1, 2]}}}],
    tool_calls=[{"id": "t", "name": "tool", "arguments": {"x": [1, {"y": "z "}]}}])
rc, out, _ = raw(b"".join(json.dumps(x).encode() + b"\n" for x in (
    request("c/1", MESSAGES, ask()), response("c/1", '{"id":"m","type":"message","role":"assistant","content":[{"type":'
                                              '"tool_use","id":"t","name":"n","input":{"r":1.10,"e":1E2,"u":"\\u00e9"}}]}'))))
same("numbers and escapes stay as they were written", b'"arguments":{"r":1.10,"e":1E2,"u":"\\u00e9"}' in out, True)
deep = "[" * 2000 + "]" * 2000
got = call("deep", [request("c/1", MESSAGES, ask()), response("c/1", '{"id":"m","type":"message","role":"assistant",'
                                                     '"content":[{"type":"tool_use","id":"t","name":"n","input":%s}],'
                                                     '"stop_reason":"tool_use"}' % deep)])
same("what nests too deep for a line becomes text", got["tool_calls"][0]["arguments"], deep)
odd = [request("c/1", MESSAGES, ask("x", 3, None, {"role": 7}, {"content": {}}, {"role": "user", "content": [4, "s", {}]},
                                    {"role": "alien", "content": ""}), host=CLAUDE),
       response("c/1", {"type": "message", "role": "assistant", "content": [3, {"type": 9}, {"type": "tool_use"},
                                                                          {"type": "text"}], "usage": {
                            "input_tokens": -1, "output_tokens": "many", "cache_read_input_tokens": 9e99},
                        "stop_reason": {"no": 1}, "model": 3, "id": []})]
has("shapes that nobody sends", call("odd", odd), api="messages", usage=None, finish_reasons=None)

# --- lines that are no events --------------------------------------------------------------------------
mess = b'not JSON\n{"a":1}\n{"type":"http.request","id":3}\n{"type":"sse.message"}\n{"type":"stdio.data","pid":"x"}\n' \
       b'{"type":"ws.message","id":"w/1","data":"{\\"type\\":\\"response.create\\"}"}\n{"type":"http.response","id":[]}\n'
rc, out, _ = raw(mess)
same("bad lines pass", [rc, str(b"".join(x + b"\n" for x in out.splitlines() if b'"loss"' not in x))], [0, str(mess)])
same("... and are refused when asked to", raw(mess, "--strict")[0], 1)
with open("/dev/full", "wb") as full:
    same("a full disk is an error", subprocess.run(["llmparse", "-q"], input=mess, stdout=full,
                                                    stderr=subprocess.PIPE).returncode, 1)

# --- position, times -------------------------------------------------------------------------------------
lines = [json.dumps(x) for x in (request("c/1", MESSAGES, ask()), event("x.y", 1), response("c/1", said()), event("x.y", 99))]
rc, out, _ = raw("".join(x + "\n" for x in lines).encode())
kinds = [json.loads(x)["type"] for x in out.splitlines()]
same("a call comes right behind the line that completes it", kinds,
     ["http.request", "x.y", "http.response", "llm.call", "x.y"])
same("the same input gives the same output", raw("".join(x + "\n" for x in lines).encode())[1] == out, True)
for options, status in ((["--messages", "some"], 2), (["--max-calls", "0"], 2), (["--messages", "none"], 0)):
    same("status of " + " ".join(options), raw(b"", *options)[0], status)
done()
