#!/usr/bin/python3
"""Calls whose answer comes in an unusual way, or that only look like calls: by
streams and bodies through httpparse's lines, ssemerge and llmparse."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import *  # noqa: E402,F401,F403


def sse(*events):
    return "".join("data: %s\n\n" % (e if isinstance(e, str) else json.dumps(e)) for e in events)


def body(ident, text, ms=50, path="/v1/x", content_type="text/event-stream", last=True, **more):
    line = event("http.body", ms, conn=ident.rsplit("/", 1)[0], id=ident, seq=0, off=0, method=more.pop("method", "POST"),
                 path=path, content_type=content_type, status_code=200, data=text)
    line.update(more)
    return dict(line, last=True) if last else line


def both(name, lines, *options):
    """Through ssemerge and llmparse: the llm.calls."""
    sent = b"".join(json.dumps(x, ensure_ascii=False).encode() + b"\n" for x in lines)
    p = subprocess.run(["ssemerge", "-q"], input=sent, stdout=subprocess.PIPE)
    q = subprocess.run(["llmparse", "-q", "--messages", "all", *options], input=p.stdout, stdout=subprocess.PIPE)
    out = [json.loads(x) for x in q.stdout.splitlines()]
    wrong = [w for w in (CHECKER.check(x) for x in q.stdout.splitlines() if json.loads(x)["type"] in OURS) if w]
    if p.returncode or q.returncode or wrong:
        report(False, name, p.returncode, q.returncode, *wrong)
    return [e for e in out if e["type"] == "llm.call"]


def one(name, lines, **want):
    got = both(name, lines)
    return has(name, got[0] if len(got) == 1 else {"calls": len(got)}, **want)


# --- Anthropic: what is billed ---------------------------------------------------
ASK = {"model": "c", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}


def anthropic(start, *rest):
    return sse({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "c",
                                                     "content": [], "stop_reason": None, "usage": start}},
               {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}}, *rest)


def delta(usage):
    return [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}, {"type": "message_stop"}]


def usage(name, text, want, **more):
    one(name, [request("c/1", "/v1/messages", ASK, host="api.anthropic.com"), body("c/1", text, path="/v1/messages")],
        usage=want, **more)


usage("iterations are summed", anthropic({"input_tokens": 23000, "output_tokens": 1}, *delta({
    "input_tokens": 23000, "output_tokens": 1000, "iterations": [
        {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500, "cache_read_input_tokens": 7},
        {"type": "message", "input_tokens": 23000, "output_tokens": 1000}]})),
    {"input_tokens": 203007, "output_tokens": 4500, "cache_read_tokens": 7, "total_tokens": 207507}, usage_incomplete=None)
usage("one iteration is the call itself", anthropic({"input_tokens": 5, "output_tokens": 1}, *delta({
    "output_tokens": 9, "iterations": [{"type": "message", "input_tokens": 5, "output_tokens": 9}]})),
    {"input_tokens": 5, "output_tokens": 9, "total_tokens": 14})
usage("zeros behind numbers say nothing", anthropic({"input_tokens": 1234, "cache_read_input_tokens": 100, "output_tokens": 1},
                                                   *delta({"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 56})),
      {"input_tokens": 1334, "output_tokens": 56, "cache_read_tokens": 100, "total_tokens": 1390})
usage("tools that run at the vendor's", anthropic({"input_tokens": 2, "output_tokens": 1}, *delta({
    "output_tokens": 5, "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 1}})),
    {"input_tokens": 2, "output_tokens": 5, "web_search_requests": 3, "web_fetch_requests": 1, "total_tokens": 7})
usage("a stream that was cut has no count of its output", anthropic({"input_tokens": 10, "output_tokens": 1}),
      {"input_tokens": 10}, usage_incomplete=True, error_type="incomplete_response")

# --- Chat Completions: imitators ----------------------------------------------------
CHAT = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}


def chunk(d, finish=None, **more):
    return dict({"id": "c", "object": "chat.completion.chunk", "model": "m",
                 "choices": [{"index": 0, "delta": d, "finish_reason": finish}]}, **more)


def thinking(text):
    return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}


def chat(name, events, **want):
    text = sse(*events, chunk({}, "stop"), "[DONE]")
    return one(name, [request("c/1", "/v1/chat/completions", CHAT, host="api.mistral.ai"),
                      body("c/1", text, path="/v1/chat/completions")], **want)


# --- counts that are not the whole ---------------------------------------------------
def counted(n, content="a", finish=None, index=0):
    return dict(chunk({"content": content}, finish, usage={"prompt_tokens": 9, "completion_tokens": n, "total_tokens": 9 + n}),
                choices=[{"index": index, "delta": {"content": content}, "finish_reason": finish}])


for name, events, want in (("cut", [counted(1), counted(2)], True), ("at the end", [counted(1), counted(2, finish="stop")], None),
                           ("cut, one of two choices ended", [counted(1), counted(2, finish="stop"), counted(3, index=1)], True)):
    n = events[-1]["usage"]["completion_tokens"]
    one("counts in every piece: " + name, [request("c/1", "/v1/chat/completions", CHAT), body("c/1", sse(*events), path="/v1/chat/completions",
                                                                                            incomplete="close")],
        usage={"input_tokens": 9, "output_tokens": n, "total_tokens": 9 + n}, usage_incomplete=want)
DASH = "/api/v1/services/aigc/text-generation/generation"
one("DashScope: a reason that is the text null is none", [
    request("c/1", DASH, {"model": "q", "input": {"messages": [{"role": "user", "content": "x"}]}, "parameters": {"incremental_output": True}}),
    body("c/1", sse({"output": {"choices": [{"message": {"content": "a", "role": "assistant"}, "finish_reason": "null"}]},
                     "usage": {"input_tokens": 4, "output_tokens": 1, "total_tokens": 5}, "request_id": "r"}), path=DASH, incomplete="close")],
    finish_reasons=None, error_type="incomplete_response", usage_incomplete=True)
MAX = 2 ** 63 - 1
for name, given, want in (
        ("of the output alone", {"output_tokens": 5}, {"output_tokens": 5}),
        ("of a text and a number", {"input_tokens": "many", "output_tokens": 5}, {"output_tokens": 5}),
        ("that does not fit", {"input_tokens": MAX, "output_tokens": 5}, {"input_tokens": MAX, "output_tokens": 5}),
        ("with a cache that does not fit", {"input_tokens": MAX, "cache_read_input_tokens": 1, "output_tokens": 5},
         {"output_tokens": 5, "cache_read_tokens": 1}),
        ("of iterations that do not fit", {"input_tokens": 3, "output_tokens": 5, "iterations": [{"input_tokens": MAX}, {"input_tokens": 1}]},
         {"output_tokens": 5})):
    one("no total " + name, [request("c/1", "/v1/messages", dict(ASK, stream=False), host="api.anthropic.com"), response("c/1", {
        "id": "m", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn",
        "usage": given})], usage=want)


def said(*parts):
    return [message("assistant", *parts, finish="stop")]


chat("content: lists", [chunk(thinking("a")), chunk(thinking("b")), chunk({"content": [text("c") | {"text": "c"}]})],
     output_messages=said(reasoning("ab"), text("c")))
chat("content: a list, then text", [chunk(thinking("a")), chunk({"content": "b"}), chunk({"content": "c"})],
     output_messages=said(reasoning("a"), text("bc")))
chat("content: text, then a list", [chunk({"content": "a"}), chunk({"content": "b"}),
                                    chunk({"content": [{"type": "reference", "reference_ids": [1]}]}), chunk({"content": "c"})],
     output_messages=said(text("ab"), {"type": "reference", "reference_ids": [1]}, text("c")))
chat("a custom tool's input grows", [
    chunk({"tool_calls": [{"index": 0, "id": "t", "type": "custom", "custom": {"name": "sh", "input": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "custom": {"input": "ls "}}]}), chunk({"tool_calls": [{"index": 0, "custom": {"input": "-l"}}]})],
    tool_calls=[{"id": "t", "name": "sh", "arguments": "ls -l"}])
chat("arguments as an object", [chunk({"tool_calls": [{"index": 0, "id": "t", "type": "function",
                                                       "function": {"name": "f", "arguments": {"a": 1}}}]})],
     tool_calls=[{"id": "t", "name": "f", "arguments": {"a": 1}}])
chat("usage that is zero behind the real one", [chunk({"content": "a"}, usage={"prompt_tokens": 4, "completion_tokens": 2}),
                                                chunk({}, usage={"prompt_tokens": 0, "completion_tokens": 0})],
     usage={"input_tokens": 4, "output_tokens": 2, "total_tokens": 6})
chat("the cost that the provider reports", [chunk({"content": "a"}, usage={"prompt_tokens": 4, "completion_tokens": 2, "cost": 0.0125})],
     usage={"input_tokens": 4, "output_tokens": 2, "total_tokens": 6, "cost_usd": 0.0125})
merged_text = both("text", [request("c/1", "/v1/chat/completions", CHAT, host="api.mistral.ai"),
                            body("c/1", sse(chunk(thinking("a")), chunk({"content": [{"type": "text", "text": "b"}]}),
                                            chunk({}, "stop")), path="/v1/chat/completions")])
same("and one call", len(merged_text), 1)

# --- a stream by what it is -----------------------------------------------------------
STREAM = sse(chunk({"content": "Hi"}), chunk({}, "stop", usage={"prompt_tokens": 4, "completion_tokens": 2}), "[DONE]")
for name, text_ in (("events", STREAM), ("events behind a comment", ": ok\n\n" + STREAM), ("events behind a mark", "\ufeff" + STREAM),
                    ("events with names", STREAM.replace("data:", "event: x\ndata:"))):
    one(name + " without a content type", [request("c/1", "/v1/chat/completions", CHAT),
                                           response("c/1", text_, headers={}, path="/v1/chat/completions", duration_ms=40.0)],
        stream=True, finish_reasons=["stop"], usage={"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}, error_type=None,
        first_token_ms=None)
ndjson = "".join(json.dumps({"model": "q", "message": {"role": "assistant", "content": c}, "done": c == "b",
                             "prompt_eval_count": 3, "eval_count": 2}) + "\n" for c in "ab")
one("lines of values without a content type", [request("c/1", "/api/chat", {"model": "q", "messages": [{"role": "user", "content": "x"}]}),
                                               response("c/1", ndjson, headers={}, path="/api/chat")],
    stream=True, output_messages=[message("assistant", text("ab"), finish="stop")])
one("one that was asked to stream and did not", [request("c/1", "/v1/chat/completions", CHAT),
                                                 response("c/1", {"id": "c", "object": "chat.completion", "model": "m", "choices": [
                                                     {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]})],
    stream=False, output_messages=[message("assistant", text("hi"), finish="stop")])
late = [request("c/s5", "/v1/chat/completions", CHAT, host=None, hpack_incomplete=True, headers={}),
        response("c/s5", STREAM, headers={"date": "x"}, path="/v1/chat/completions")]
one("HTTP/2 joined late", late, hpack_incomplete=True, finish_reasons=["stop"], request_model="m")
late[0].pop("method")
late[0].pop("path")
late[1].pop("method")
late[1].pop("path")
one("... without method and path", late, hpack_incomplete=True, finish_reasons=["stop"], request_model="m", provider="unknown")
for name, answer in (("JSON", response("c/s5", {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "Hi"}],
                                               "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 3}}, headers={})),
                     ("a stream", body("c/s5", anthropic({"input_tokens": 5, "output_tokens": 1}, *delta({"output_tokens": 3})), path=None, method=None))):
    one("... what is asked is two APIs', the answer is one's: " + name, [dict(late[0], body=json.dumps(dict(CHAT, max_tokens=5))), answer],
        api="messages", output_messages=[message("assistant", {"type": "text", "content": "Hi"}, finish="stop")],
        usage={"input_tokens": 5, "output_tokens": 3, "total_tokens": 8})
one("... without an answer", late[:1] + [close("c")], hpack_incomplete=True, error_type="no_response", request_model="m")
same("... one of nobody's", calls("x", [request("c/s5", None, CHAT, host=None, hpack_incomplete=True, headers={}, method=None), response("c/s5", {"ok": True})]), [])

# --- Responses in the background --------------------------------------------------------
USED = {"input_tokens": 10, "output_tokens": 7, "total_tokens": 17}


def resp(status="completed", **more):
    return dict({"id": "resp_1", "object": "response", "status": status, "model": "g", "output": []}, **more)


SAID = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}]
BG = {"model": "g", "input": "x", "background": True}
FINAL = resp(output=SAID, usage=USED)


def asked_for(n, ms, answer, path="/v1/responses/resp_1"):
    ident = "c%d/1" % n
    line = response(ident, answer, ms=ms, host="api.openai.com")
    line.update(method="GET", path=path)
    return [request(ident, path, None, method="GET", ms=ms - 5, host="api.openai.com"), line]


POLL = [request("c/1", "/v1/responses", BG, host="api.openai.com"), response("c/1", resp("queued")), close("c")]
WANT = dict(id="c/1", usage=USED, finish_reasons=["stop"], background=True, request_model="g", error_type=None,
            output_messages=[message("assistant", text("Hello"), finish="stop")])
one("polled", POLL + asked_for(2, 500, resp("in_progress")) + asked_for(3, 1000, FINAL), duration_ms=1000.0, **WANT)
one("polled once more than needed", POLL + asked_for(3, 1000, FINAL) + asked_for(4, 1500, FINAL), **WANT)
one("asked for with a stream", [request("c/1", "/v1/responses", dict(BG, stream=True), host="api.openai.com"),
                                body("c/1", sse({"type": "response.created", "response": resp("in_progress")},
                                                {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "He"}),
                                     path="/v1/responses")] + [
    request("d/1", "/v1/responses/resp_1?stream=true&starting_after=2", None, method="GET", ms=400, host="api.openai.com"),
    body("d/1", sse({"type": "response.completed", "response": FINAL}), ms=500, method="GET",
         path="/v1/responses/resp_1?stream=true&starting_after=2")], **WANT)
one("never asked for again", POLL, background=True, incomplete="eof", response_id="resp_1", usage=None)
same("a response of another run is no call", both("get", asked_for(2, 10, FINAL)), [])
one("ended by [DONE] while in progress", [request("c/1", "/v1/responses", dict(BG, background=False, stream=True), host="api.openai.com"),
                                          body("c/1", sse({"type": "response.created", "response": resp("in_progress")}, "[DONE]"),
                                               path="/v1/responses")], error_type="incomplete_response", finish_reasons=None)
one("compaction", [request("c/1", "/v1/responses/compact", {"model": "g", "input": "x"}, host="api.openai.com"),
                   response("c/1", {"output": SAID, "usage": USED})], finish_reasons=["stop"], usage=USED)

# --- Realtime ------------------------------------------------------------------------------
up = request("w/1", "/v1/realtime?model=gpt-realtime", None, method="GET", host="api.openai.com", upgrade="websocket")
done_event = {"type": "response.done", "response": {"id": "r1", "object": "realtime.response", "status": "completed", "output": [
    {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hello"}]}],
    "usage": {"total_tokens": 20, "input_tokens": 12, "output_tokens": 8,
              "input_token_details": {"text_tokens": 10, "audio_tokens": 2, "cached_tokens": 4},
              "output_token_details": {"text_tokens": 3, "audio_tokens": 5}}}}
created = {"type": "response.created", "response": {"id": "r1", "object": "realtime.response", "status": "in_progress", "output": []}}
one("Realtime", [up, websocket("w/1", 10, {"type": "session.created", "session": {"model": "gpt-realtime", "instructions": "Be nice."}}),
                 websocket("w/1", 20, {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [
                     {"type": "input_text", "text": "hi"}]}}, "WRITE/SEND"),
                 websocket("w/1", 30, {"type": "response.create"}, "WRITE/SEND"), websocket("w/1", 40, created), websocket("w/1", 50, done_event)],
    api="realtime", request_model="gpt-realtime", input_messages=[message("user", text("hi"))],
    system_instructions=[text("Be nice.")], output_messages=[message("assistant", text("Hello"), finish="stop")],
    usage={"input_tokens": 12, "output_tokens": 8, "cache_read_tokens": 4, "input_audio_tokens": 2, "output_audio_tokens": 5, "total_tokens": 20})
one("Realtime: what was heard", [up, websocket("w/1", 20, {"type": "conversation.item.input_audio_transcription.completed", "transcript": "hm"}),
                                 websocket("w/1", 40, created), websocket("w/1", 50, done_event)],
    input_messages=[message("user", text("hm"))], request_model="gpt-realtime")

# --- what only looks like a call -----------------------------------------------------------
ROOM = {"model": "room", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
for name, path, answer in (("a chat server", "/api/messages", {"ok": True, "id": 5}), ("a page", "/v1/chat/completions", "<p>sent</p>")):
    same(name, both(name, [request("c/1", path, ROOM), response("c/1", answer)]), [])
one("a gateway", [request("c/1", "/x/messages", ROOM), response("c/1", {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": "end_turn"})],
    provider="gateway.example", api="messages")
one("a gateway that refuses", [request("c/1", "/x/messages", ROOM), response("c/1", {"error": {"type": "x"}}, status=429)],
    provider="gateway.example", error_type="x", error_class="rate_limit")
one("a gateway that does not answer", [request("c/1", "/x/messages", ROOM), close("c")], error_type="no_response")
same("caching is no generation", both("cached", [
    request("c/1", "/v1beta/cachedContents", {"model": "models/g", "contents": [{"parts": [{"text": "x"}]}]},
            host="generativelanguage.googleapis.com"),
    response("c/1", {"name": "cachedContents/1", "usageMetadata": {"totalTokenCount": 9}})]), [])

# --- Gemini, Bedrock, Cohere -------------------------------------------------------------------
BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}, "modelVersion": "g"}
PARTS = {"contents": [{"parts": [{"text": "x"}]}]}
GEMINI = "generativelanguage.googleapis.com"
one("a blocked prompt", [request("c/1", "/v1beta/models/g:generateContent", PARTS, host=GEMINI), response("c/1", BLOCKED)],
    finish_reasons=["content_filter"], error_type="SAFETY", error_class="safety", request_model="g")
one("a blocked prompt of a stream", [request("c/1", "/v1beta/models/g:streamGenerateContent?alt=sse", PARTS, host=GEMINI),
                                     body("c/1", sse(BLOCKED), path="/v1beta/models/g:streamGenerateContent")],
    finish_reasons=["content_filter"], error_type="SAFETY")
one("Gemini's thoughts in OpenAI's dialect", [
    request("c/1", "/v1beta/openai/chat/completions", dict(CHAT, stream=False), host=GEMINI),
    response("c/1", {"object": "chat.completion", "model": "gemini-3", "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
                     "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 30}})],
    usage={"input_tokens": 5, "output_tokens": 25, "reasoning_tokens": 23, "total_tokens": 30})


def calling(**call):
    return {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": call}]}}]}


one("Gemini's arguments, piece by piece", [
    request("c/1", "/v1beta/models/g:streamGenerateContent?alt=sse", PARTS, host=GEMINI),
    body("c/1", sse(calling(name="f", willContinue=True),
                    calling(partialArgs=[{"jsonPath": "$.city", "stringValue": "Ham", "willContinue": True}], willContinue=True),
                    calling(partialArgs=[{"jsonPath": "$.city", "stringValue": "burg"}, {"jsonPath": "$.at[1].n", "numberValue": 2}], willContinue=True),
                    calling(), calling(name="g", args={"a": 1}),
                    {"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}}),
         path="/v1beta/models/g:streamGenerateContent")],
    tool_calls=[{"name": "f", "arguments": {"city": "Hamburg", "at": [None, {"n": 2}]}}, {"name": "g", "arguments": {"a": 1}}])
AWS = "bedrock-runtime.us-east-1.amazonaws.com"
for model, ask, answer, operation, headers, used in (
        ("amazon.titan-embed-text-v2:0", {"inputText": "x"}, {"embedding": [0.1], "inputTextTokenCount": 3}, "embeddings", {},
         {"input_tokens": 3, "total_tokens": 3}),
        ("arn%3Aaws%3Abedrock%3Aprofile", {"texts": ["x"], "input_type": "search_query"}, {"embeddings": [[0.1]], "id": "x"}, "embeddings",
         {"x-amzn-bedrock-input-token-count": "3"}, {"input_tokens": 3, "total_tokens": 3}),
        ("cohere.rerank-v3-5:0", {"query": "q", "documents": ["a"]}, {"results": [{"index": 0, "relevance_score": .9}]}, "rerank", {}, None),
        ("stability.sd3-5-large-v1:0", {"prompt": "a cat"}, {"images": ["aGk="]}, "image_generation", {}, None),
        ("amazon.nova-canvas-v1:0", {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "x"}}, {"images": ["aGk="]}, "image_generation", {}, None)):
    one("Bedrock: " + model, [request("c/1", "/model/%s/invoke" % model, ask, host=AWS),
                              response("c/1", answer, headers=dict({"content-type": "application/json"}, **headers))],
        operation=operation, usage=used, provider="aws.bedrock")
one("Converse: how long the cache lives", [
    request("c/1", "/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "x"}]}]}, host=AWS),
    response("c/1", {"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}, "stopReason": "end_turn", "usage": {
        "inputTokens": 5, "outputTokens": 2, "cacheWriteInputTokens": 100, "cacheDetails": [{"ttl": "1h", "inputTokens": 100}]}})],
    usage={"input_tokens": 105, "output_tokens": 2, "cache_creation_tokens": 100, "cache_creation_1h_tokens": 100, "total_tokens": 107})
for path, answer in (("/v2/embed", {"id": "x", "embeddings": {"float": [[0.1]]}, "meta": {"billed_units": {"input_tokens": 2}}}),
                     ("/v1/embed", {"id": "x", "embeddings": [[0.1]], "meta": {"billed_units": {"input_tokens": 2}}})):
    one("Cohere " + path, [request("c/1", path, {"model": "e", "texts": ["x"]}, host="api.cohere.com"), response("c/1", answer)],
        operation="embeddings", api="cohere_embed", usage={"input_tokens": 2, "total_tokens": 2})
one("Voyage's rerank", [request("c/1", "/v1/rerank", {"model": "r", "query": "q", "documents": ["a"]}, host="api.voyageai.com"),
                        response("c/1", {"object": "list", "data": [{"relevance_score": 0.4, "index": 0}], "model": "r", "usage": {"total_tokens": 26}})],
    provider="voyage_ai", operation="rerank", usage={"input_tokens": 26, "total_tokens": 26})
one("Vertex embeddings", [request("c/1", "/v1/projects/p/locations/l/publishers/google/models/e:predict", {"instances": [{"content": "x"}]},
                                  host="us-central1-aiplatform.googleapis.com"),
                          response("c/1", {"predictions": [{"embeddings": {"values": [0.1], "statistics": {"token_count": 4}}}]})],
    operation="embeddings", usage={"input_tokens": 4, "total_tokens": 4})
same("other predictions of Vertex", both("predict", [
    request("c/1", "/v1/projects/p/models/fraud:predict", {"instances": [{"amount": 5}]}, host="us-central1-aiplatform.googleapis.com"),
    response("c/1", {"predictions": [0.3]})]), [])

# --- what went wrong, and what headers say ---------------------------------------------------------
for status, error, kind in ((400, {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens"}, "context_overflow"),
                            (429, {"type": "rate_limit_error"}, "rate_limit"), (529, {"type": "overloaded_error"}, "overloaded"),
                            (401, {"type": "authentication_error"}, "auth"), (400, {"code": "content_filter"}, "safety"),
                            (400, {"code": "context_length_exceeded"}, "context_overflow"), (429, {"code": "insufficient_quota"}, "quota"),
                            (500, {"type": "api_error"}, "server"), (418, {"type": "teapot"}, "invalid_request")):
    one("a failure: %s" % (error.get("type") or error["code"]), [
        request("c/1", "/v1/messages", ASK, host="api.anthropic.com"), response("c/1", {"type": "error", "error": error}, status=status)],
        error_class=kind, status_code=status)
one("headers", [request("c/1", "/v1/messages", dict(ASK, stream=False), host="api.anthropic.com"),
                response("c/1", {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn"}, headers={
                    "content-type": "application/json", "request-id": "req_1", "anthropic-ratelimit-tokens-remaining": "99", "retry-after": "3"})],
    provider_request_id="req_1", rate_limit={"tokens_remaining": "99", "retry_after": "3"})

# --- a proxy: whose call was made for which -----------------------------------------------------------
AGENTS, PROXY = {"a": 7, "b": 8}, 99


def ask(who, ms, text):
    """Of the agent: a message of Anthropic's API to the proxy."""
    return request(who + "/1", "/v1/messages", {"model": "alias", "max_tokens": 9, "messages": [{"role": "user", "content": text}]},
                   ms=ms, host="localhost:4000", pid=AGENTS[who])


def told(who, ms, text, began, **more):
    return dict(response(who + "/1", {"id": "m", "type": "message", "role": "assistant", "model": "alias", "content": [{"type": "text", "text": text}],
                                      "stop_reason": "end_turn"}, ms=ms, pid=AGENTS[who], peer_pid=PROXY, **more), duration_ms=float(ms - began))


def passed(ident, ms, text):
    """Of the proxy: the same in OpenAI's dialect, escaped otherwise."""
    line = request(ident, "/v1/chat/completions", {"model": "real", "messages": [{"role": "user", "content": text}]}, ms=ms, pid=PROXY,
                   host="api.openai.com")
    return dict(line, body=json.dumps(json.loads(line["body"]), ensure_ascii=True))


def answered(ident, ms, text, began, status=200):
    body_ = {"object": "chat.completion", "model": "real", "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                                                                       "finish_reason": "stop"}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 4}} if status == 200 else {"error": {"type": "server_error"}}
    return dict(response(ident, body_, ms=ms, pid=PROXY, status=status), duration_ms=float(ms - began))


def relays(lines):
    return {e["id"]: e.get("relayed_to", e.get("relayed_for", "counts")) for e in both("relays", lines)}


first = [ask("a", 0, "Grüße"), passed("x/1", 2, "Grüße"), answered("x/1", 8, "ja", 2), told("a", 10, "ja", 0)]
same("the call of a proxy counts, the one it was made for does not", relays(first), {"x/1": "counts", "a/1": ["x/1"]})
same("... without the process at the other end, both do", relays([{k: v for k, v in x.items() if k != "peer_pid"} for x in first]),
     {"x/1": "counts", "a/1": "counts"})
same("... the line of the inner one last: then the outer one counts", relays([first[0], first[1], first[3], first[2]]),
     {"a/1": "counts", "x/1": "a/1"})
same("tried again by the proxy", relays([ask("a", 0, "q"), passed("x/1", 2, "q"), answered("x/1", 4, "", 2, 500), passed("y/1", 5, "q"),
                                         answered("y/1", 8, "ja", 5), told("a", 10, "ja", 0)]),
     {"x/1": "counts", "y/1": "counts", "a/1": ["x/1", "y/1"]})
same("two at a time: by what was said", relays([
    ask("a", 0, "first"), ask("b", 1, "second"), passed("x/1", 2, "first"), passed("y/1", 3, "second"), answered("y/1", 5, "2", 3),
    answered("x/1", 6, "1", 2), told("a", 8, "1", 0), told("b", 9, "2", 1)]),
     {"x/1": "counts", "y/1": "counts", "a/1": ["x/1"], "b/1": ["y/1"]})
same("... which the proxy rewrites: each once", sorted(map(str, relays([
    ask("a", 0, "first"), ask("b", 1, "second"), passed("x/1", 2, "new"), passed("y/1", 3, "newer"), answered("y/1", 5, "p", 3),
    answered("x/1", 6, "q", 2), told("a", 8, "1", 0), told("b", 9, "2", 1)]).values())),
     ["['x/1']", "['y/1']", "counts", "counts"])
same("what a proxy asks later is its own", relays(first + [passed("z/1", 20, "q"), answered("z/1", 22, "r", 20)])["z/1"], "counts")
done()
