#!/usr/bin/python3
"""Each vendor's request and answer, as they come over the wire, and the
llm.call that they make."""
import base64
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import *  # noqa: E402,F401,F403

# --- Anthropic Messages -------------------------------------------------------
ASK = {
    "model": "claude-sonnet-5", "max_tokens": 1024, "stream": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5,
    "stop_sequences": ["END"], "system": [{"type": "text", "text": "Be brief.",
                                           "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "read", "description": "Reads.", "input_schema": {"type": "object"}},
              {"type": "web_search_20250305", "name": "web_search"}],
    "messages": [{"role": "user", "content": [
        {"type": "text", "text": "Look \u2713"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
        {"type": "document", "source": {"type": "url", "url": "https://a.example/x.pdf"}}]}],
}
ANSWER = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-20260101",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "text", "text": "I read it."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "/a", "n": [1, 2]}}],
    "stop_reason": "tool_use", "stop_sequence": None,
    "usage": {"input_tokens": 10, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 2000,
              "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
              "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 7},
              "service_tier": "standard", "server_tool_use": {"web_search_requests": 1}},
}
LINES = [request("c/1", "/v1/messages?beta=true", ASK, host="api.anthropic.com",
                 headers={"anthropic-version": "2023-06-01", "user-agent": "claude-cli/2.1.3 (external, cli)"}),
         merged("c/1", "anthropic", ANSWER), streamed("c/1")]
got = call("Anthropic", LINES)
has("Anthropic: who and what", got, provider="anthropic", api="messages", operation="chat", stream=True,
    request_model="claude-sonnet-5", response_model="claude-sonnet-5-20260101", response_id="msg_1",
    status_code=200, error_type=None, finish_reasons=["tool_call"], agent="claude-code", agent_version="2.1.3",
    server_address="api.anthropic.com", service_tier="standard", conn="c", id="c/1", timestamp_ns=START,
    first_token_ms=53.5, duration_ms=90.0)
has("Anthropic: sampling", got, request_max_tokens=1024, request_temperature=0.7, request_top_p=0.9,
    request_top_k=5, request_stop=["END"])
same("Anthropic: input has what the cache gave and took", got.get("usage"), {
    "input_tokens": 2310, "output_tokens": 50, "cache_read_tokens": 2000, "cache_creation_tokens": 300,
    "cache_creation_5m_tokens": 100, "cache_creation_1h_tokens": 200, "reasoning_tokens": 7,
    "web_search_requests": 1, "total_tokens": 2360})
same("Anthropic: instructions", got.get("system_instructions"), [text("Be brief.")])
same("Anthropic: input", got.get("input_messages"), [message(
    "user", text("Look \u2713"),
    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw=="},
    {"type": "uri", "modality": "document", "uri": "https://a.example/x.pdf"})])
same("Anthropic: output", got.get("output_messages"), [message(
    "assistant", reasoning("Hm."), {"type": "redacted_thinking", "data": "eA=="}, text("I read it."),
    {"type": "server_tool_call", "id": "srvtoolu_1", "name": "web_search", "server_tool_call": {
        "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}},
    {"type": "server_tool_call_response", "id": "srvtoolu_1", "server_tool_call_response": {
        "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}},
    tool_call("read", {"path": "/a", "n": [1, 2]}, "toolu_1"), finish="tool_call")])
same("Anthropic: tool calls", got.get("tool_calls"),
     [{"id": "toolu_1", "name": "read", "arguments": {"path": "/a", "n": [1, 2]}}])
has("Anthropic: definitions only when all is wanted", got, tools=None)
same("Anthropic: definitions", call("all", LINES, "--messages", "all").get("tools"), [
    {"type": "function", "name": "read", "description": "Reads.", "parameters": {"type": "object"}},
    {"type": "function", "name": "web_search"}])
none = call("none", LINES, "--messages", "none")
has("Anthropic: no content when none is wanted", none, system_instructions=None, input_messages=None,
    output_messages=None, tools=None, tool_calls=[{"id": "toolu_1", "name": "read"}])

got = call("complete", [
    request("c/1", "/v1/complete", {"model": "claude-2", "prompt": "\n\nHuman: hi\n\nAssistant:",
                                    "max_tokens_to_sample": 9}, host="api.anthropic.com"),
    response("c/1", {"type": "completion", "id": "compl_1", "completion": " Hello", "stop_reason": "stop_sequence",
                     "model": "claude-2.1"}, duration_ms=12.5)])
has("Anthropic: text completion", got, api="complete", operation="text_completion", finish_reasons=["stop"],
    request_max_tokens=9, output_messages=[message("assistant", text(" Hello"), finish="stop")], duration_ms=12.5,
    stream=False, usage=None)

got = call("vertex", [
    request("c/1", "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x@20260101:streamRawPredict",
            {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "stream": True,
             "messages": [{"role": "user", "content": "hi"}]}, host="us-east5-aiplatform.googleapis.com"),
    merged("c/1", "anthropic", dict(ANSWER, content=[]))])
has("Anthropic on Vertex", got, provider="gcp.vertex_ai", api="messages", request_model="claude-x@20260101")

# --- OpenAI Chat Completions --------------------------------------------------------
ASK = {
    "model": "gpt-5", "stream": True, "max_completion_tokens": 77, "seed": 4, "n": 2, "reasoning_effort": "low",
    "stop": "X", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "messages": [
        {"role": "developer", "content": "Rules."},
        {"role": "user", "content": [
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4A=="}},
            {"type": "image_url", "image_url": {"url": "https://a.example/i.png"}},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"type": "file", "file": {"file_id": "file-1"}}]}],
}
ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5-2026", "service_tier": "default",
    "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": None, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1.10}"}},
                {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "not json"}}]}},
        {"index": 1, "finish_reason": "length", "message": {
            "role": "assistant", "content": "cut", "reasoning_content": "why", "refusal": None}}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
              "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 3},
              "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 2}},
}
got = call("chat", [request("c/1", "/v1/chat/completions", ASK, host="api.openai.com",
                            headers={"user-agent": "OpenAI/Python 1.0"}, comm="aider"),
                    merged("c/1", "openai-chat", ANSWER)])
has("Chat: who and what", got, provider="openai", api="chat_completions", operation="chat",
    finish_reasons=["tool_call", "length"], request_max_tokens=77, request_seed=4, request_choices=2,
    request_reasoning="low", request_stop="X", service_tier="default", agent="aider", agent_version=None)
MORE = {"frequency_penalty": 0.5, "presence_penalty": -1, "response_format": {"type": "json_schema", "json_schema": {}}}
for name, path, body in (
        ("Chat", "/v1/chat/completions", dict(ASK, **MORE)),
        ("Responses", "/v1/responses", {"model": "m", "input": "x", "store": False, "frequency_penalty": 0.5, "presence_penalty": -1,
                                        "text": {"format": {"type": "json_object"}}}),
        ("Gemini", "/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "generationConfig": {
            "frequencyPenalty": 0.5, "presencePenalty": -1, "responseMimeType": "application/json"}}),
        ("Ollama", "/api/chat", {"model": "m", "messages": [], "format": "json", "options": {
            "frequency_penalty": 0.5, "presence_penalty": -1}})):
    has(name + ": penalties, JSON asked for, tried before", call(name, [request(
        "c/1", path, body, headers={"x-stainless-retry-count": "2"})]),
        request_frequency_penalty=0.5, request_presence_penalty=-1, request_output="json", retry=2)
has("Chat: none of these", got, request_frequency_penalty=None, request_output=None, retry=None)
same("Chat: input includes what was cached", got.get("usage"), {
    "input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 64, "reasoning_tokens": 8,
    "input_audio_tokens": 3, "output_audio_tokens": 2, "total_tokens": 120})
same("Chat: input", got.get("input_messages"), [
    message("developer", text("Rules.")),
    message("user", text("see"),
            {"type": "blob", "modality": "image", "mime_type": "image/jpeg", "content": "/9j/4A=="},
            {"type": "uri", "modality": "image", "uri": "https://a.example/i.png"},
            {"type": "blob", "modality": "audio", "content": "UklGRg=="},
            {"type": "file", "modality": "document", "file_id": "file-1"})])
same("Chat: output, one message per choice", got.get("output_messages"), [
    message("assistant", tool_call("f", {"a": 1.1}, "call_1"), tool_call("g", "not json", "call_2"),
            finish="tool_call"),
    message("assistant", reasoning("why"), text("cut"), finish="length")])
same("Chat: tool calls", got.get("tool_calls"), [{"id": "call_1", "name": "f", "arguments": {"a": 1.1}},
                                                 {"id": "call_2", "name": "g", "arguments": "not json"}])


def chat(name, answer, **ask):
    return call(name, [request("c/1", "/v1/chat/completions",
                               dict({"model": "m", "messages": [{"role": "user", "content": "hi"}]}, **ask)),
                       response("c/1", dict({"id": "x", "object": "chat.completion", "choices": [
                           {"message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}]}, **answer))])


same("Chat: reasoning apart from the completion (xAI)",
     chat("xai", {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35,
                            "completion_tokens_details": {"reasoning_tokens": 20}}}).get("usage"),
     {"input_tokens": 10, "output_tokens": 25, "reasoning_tokens": 20, "total_tokens": 35})
same("Chat: cache hits of DeepSeek",
     chat("deepseek", {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                                 "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4}}).get("usage"),
     {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 6, "total_tokens": 15})
same("Chat: usage of Groq's streams", chat("groq", {"x_groq": {"usage": {
    "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}}).get("usage"),
     {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
has("Chat: no usage is no zeros", chat("nousage", {"usage": None}), usage=None,
    output_messages=[message("assistant", text("yo"), finish="stop")])
has("Chat: a refusal", chat("refusal", {"choices": [{"finish_reason": "content_filter", "message": {
    "role": "assistant", "content": None, "refusal": "No."}}]}), finish_reasons=["content_filter"],
    output_messages=[message("assistant", {"type": "refusal", "content": "No."}, finish="content_filter")])
has("Chat: Azure, the model in the path", call("azure", [
    request("c/1", "/openai/deployments/my%20gpt/chat/completions?api-version=1", {
        "messages": [{"role": "user", "content": "hi"}]}, host="x.openai.azure.com"),
    response("c/1", ANSWER)]), provider="azure.ai.openai", request_model="my gpt", api="chat_completions")
got = call("completions", [
    request("c/1", "/v1/completions", {"model": "m", "prompt": "def f(", "max_tokens": 4}),
    response("c/1", {"id": "cmpl", "object": "text_completion", "model": "m", "choices": [
        {"text": "x):", "index": 0, "finish_reason": "length"}], "usage": {
            "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})])
has("Completions", got, operation="text_completion", api="completions", finish_reasons=["length"],
    input_messages=[message("user", text("def f("))],
    output_messages=[message("assistant", text("x):"), finish="length")])
got = call("embeddings", [
    request("c/1", "/v1/embeddings", {"model": "e", "input": ["a", "b"]}, host="api.openai.com"),
    response("c/1", {"object": "list", "model": "e-1", "data": [{"embedding": [0.1], "index": 0}],
                     "usage": {"prompt_tokens": 2, "total_tokens": 2}})])
has("Embeddings", got, operation="embeddings", api="embeddings", output_messages=None, response_model="e-1",
    usage={"input_tokens": 2, "total_tokens": 2}, error_type=None, conversation_id=None)

# --- OpenAI Responses ---------------------------------------------------------------
ASK = {
    "model": "gpt-5-codex", "stream": True, "store": False, "instructions": "You are Codex.",
    "max_output_tokens": 500, "reasoning": {"effort": "high"}, "prompt_cache_key": "conv-1",
    "tools": [{"type": "function", "name": "shell", "parameters": {"type": "object"}}, {"type": "web_search"},
              {"type": "local_shell"}],
    "input": [
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "do it"},
            {"type": "input_image", "image_url": "https://a.example/i.png"},
            {"type": "input_file", "file_id": "file-9"}]}],
}
ANSWER = {
    "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5-codex-1", "error": None,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Plan."}],
         "encrypted_content": "eA=="},
        {"type": "message", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Doing.", "annotations": []}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": "{\"command\":[\"ls\"]}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin"},
        {"type": "local_shell_call", "call_id": "call_3", "status": "completed",
         "action": {"type": "exec", "command": ["pwd"]}}],
    "usage": {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 900, "cache_write_tokens": 50},
              "output_tokens": 60, "output_tokens_details": {"reasoning_tokens": 40}, "total_tokens": 1060},
}
LINES = [request("c/1", "/backend-api/codex/responses", ASK, host="chatgpt.com", headers={
    "user-agent": "codex_cli_rs/0.169.0 (Debian 12; x86_64)", "session_id": "sess-1"}),
    merged("c/1", "openai-responses", ANSWER)]
got = call("responses", LINES)
has("Responses: who and what", got, provider="openai", api="responses", finish_reasons=["tool_call"],
    request_max_tokens=500, request_reasoning="high", agent="codex", agent_version="0.169.0",
    conversation_id="sess-1", conversation_source="sent", system_instructions=[text("You are Codex.")])
same("Responses: usage", got.get("usage"), {
    "input_tokens": 1000, "output_tokens": 60, "cache_read_tokens": 900, "cache_creation_tokens": 50,
    "reasoning_tokens": 40, "total_tokens": 1060})
same("Responses: input", got.get("input_messages"), [message(
    "user", text("do it"), {"type": "uri", "modality": "image", "uri": "https://a.example/i.png"},
    {"type": "file", "modality": "document", "file_id": "file-9"})])
same("Responses: output", got.get("output_messages"), [message(
    "assistant", reasoning("Plan."), text("Doing."),
    {"type": "server_tool_call", "id": "ws_1", "name": "web_search", "server_tool_call": {
        "type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}},
    tool_call("shell", {"command": ["ls"]}, "call_1"), tool_call("apply_patch", "*** Begin", "call_2"),
    tool_call("local_shell", {"type": "exec", "command": ["pwd"]}, "call_3"), finish="tool_call")])
same("Responses: definitions", call("all", LINES, "--messages", "all").get("tools"), [
    {"type": "function", "name": "shell", "parameters": {"type": "object"}}, {"type": "web_search"},
    {"type": "local_shell"}])
got = call("responses text", [
    request("c/1", "/v1/responses", {"model": "m", "input": "hi"}),
    response("c/1", dict(ANSWER, status="incomplete", incomplete_details={"reason": "max_output_tokens"},
                         output=[{"type": "message", "role": "assistant", "content": [
                             {"type": "refusal", "refusal": "No."}]}]))])
has("Responses: plain text in, cut out", got, finish_reasons=["length"], input_messages=[message("user", text("hi"))],
    output_messages=[message("assistant", {"type": "refusal", "content": "No."}, finish="length")])
got = call("responses failed", [
    request("c/1", "/v1/responses", {"model": "m", "input": "hi"}),
    merged("c/1", "openai-responses", dict(ANSWER, status="failed", output=[], usage=None, error={
        "code": "server_error", "message": "Sorry."}))])
has("Responses: failed", got, error_type="server_error", error_message="Sorry.", finish_reasons=["error"])

# --- Google -----------------------------------------------------------------------------
ASK = {
    "contents": [{"role": "user", "parts": [
        {"text": "see"}, {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.example/v"}}]}],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}, {"name": "g"}]},
              {"googleSearch": {}}],
    "generationConfig": {"maxOutputTokens": 99, "temperature": 1, "topP": 0.5, "topK": 3, "stopSequences": ["Z"]},
}
ANSWER = {
    "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
        {"text": "Think.", "thought": True}, {"text": "Say."},
        {"functionCall": {"name": "f", "args": {"x": 1}}},
        {"executableCode": {"language": "PYTHON", "code": "1"}}]}}],
    "usageMetadata": {"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 7,
                      "thoughtsTokenCount": 13, "toolUsePromptTokenCount": 5, "totalTokenCount": 125,
                      "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90},
                                              {"modality": "AUDIO", "tokenCount": 10}]},
    "modelVersion": "gemini-3-pro-001", "responseId": "r1",
}
GEMINI = "/v1beta/models/gemini-3-pro:%s?key=x"
LINES = [request("c/1", GEMINI % "streamGenerateContent", ASK, host="generativelanguage.googleapis.com"),
         merged("c/1", "gemini", ANSWER)]
got = call("gemini", LINES)
has("Gemini: who and what", got, provider="gcp.gemini", api="generate_content", operation="generate_content",
    request_model="gemini-3-pro", response_model="gemini-3-pro-001", response_id="r1", finish_reasons=["stop"],
    request_max_tokens=99, request_temperature=1, request_top_p=0.5, request_top_k=3, request_stop=["Z"],
    system_instructions=[text("Be kind.")])
same("Gemini: output is candidates and thoughts", got.get("usage"), {
    "input_tokens": 105, "output_tokens": 20, "cache_read_tokens": 40, "reasoning_tokens": 13,
    "input_audio_tokens": 10, "total_tokens": 125})
same("Gemini: input", got.get("input_messages"), [message(
    "user", text("see"), {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="},
    {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "https://a.example/v"})])
same("Gemini: output", got.get("output_messages"), [message(
    "assistant", reasoning("Think."), text("Say."), tool_call("f", {"x": 1}),
    {"type": "server_tool_call", "name": "code_execution", "server_tool_call": {
        "type": "call", "language": "PYTHON", "code": "1"}}, finish="stop")])
same("Gemini: definitions", call("all", LINES, "--messages", "all").get("tools"), [
    {"type": "function", "name": "f", "parameters": {"type": "OBJECT"}}, {"type": "function", "name": "g"},
    {"type": "extension", "definition": {"googleSearch": {}}}])
got = call("code assist", [
    request("c/1", "/v1internal:streamGenerateContent?alt=sse", {
        "model": "gemini-3-pro", "project": "p", "user_prompt_id": "u", "request": dict(ASK, session_id="s-1")},
        host="cloudcode-pa.googleapis.com", headers={"user-agent": "GeminiCLI/0.61.0/gemini-3-pro (linux; x64)"}),
    merged("c/1", "gemini", {"response": ANSWER})])
has("Gemini: Code Assist's wrapper", got, provider="gcp.gen_ai", request_model="gemini-3-pro", stream=True,
    response_id="r1", finish_reasons=["stop"], agent="gemini-cli", agent_version="0.61.0", conversation_id="s-1",
    request_max_tokens=99)
got = call("array", [
    request("c/1", GEMINI % "streamGenerateContent", ASK),
    response("c/1", [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}}],
         "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1, "totalTokenCount": 10}},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"}],
         "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12},
         "modelVersion": "g"}])])
has("Gemini: an array of pieces, cumulative usage", got, finish_reasons=["length"], response_model="g",
    output_messages=[message("assistant", text("a"), text("b"), finish="length")],
    usage={"input_tokens": 9, "output_tokens": 3, "total_tokens": 12})
got = call("blocked", [
    request("c/1", GEMINI % "generateContent", ASK),
    response("c/1", {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}})])
has("Gemini: a blocked prompt", got, error_type="SAFETY", usage={"input_tokens": 9, "total_tokens": 9},
    output_messages=None)
got = call("embed", [
    request("c/1", "/v1beta/models/e-1:embedContent", {"content": {"parts": [{"text": "x"}]}}),
    response("c/1", {"embedding": {"values": [0.1]}})])
has("Gemini: embeddings", got, operation="embeddings", api="embed_content", request_model="e-1")

# --- Ollama -------------------------------------------------------------------------------
got = call("ollama", [
    request("c/1", "/api/chat", {"model": "llama4", "options": {"num_predict": 9, "temperature": 0.1}, "messages": [
        {"role": "user", "content": "see", "images": ["aGk="]},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "t", "arguments": {"a": 1}}}]},
        {"role": "tool", "tool_name": "t", "content": "42"}]}, host="localhost:11434"),
    merged("c/1", "ollama", {"model": "llama4", "created_at": "t", "message": {
        "role": "assistant", "content": "yes", "thinking": "hm", "tool_calls": [
            {"function": {"name": "u", "arguments": {"b": 2}}}]}, "done": True, "done_reason": "stop",
        "prompt_eval_count": 11, "eval_count": 5})])
has("Ollama: who and what", got, provider="localhost", api="ollama_chat", stream=True, request_max_tokens=9,
    request_temperature=0.1, server_address="localhost", server_port=11434, finish_reasons=["stop"],
    usage={"input_tokens": 11, "output_tokens": 5, "total_tokens": 16},
    tool_calls=[{"name": "u", "arguments": {"b": 2}}], tool_results=[{"name": "t", "response": "42"}])
same("Ollama: messages", got.get("input_messages"), [
    message("user", text("see"), {"type": "blob", "modality": "image", "content": "aGk="}),
    message("assistant", tool_call("t", {"a": 1})), message("tool", tool_response("42"))])
got = call("generate", [
    request("c/1", "/api/generate", {"model": "m", "prompt": "1+1", "system": "math", "stream": False}),
    response("c/1", {"model": "m", "response": "2", "done": True, "prompt_eval_count": 1, "eval_count": 1})])
has("Ollama: generate", got, operation="text_completion", api="ollama_generate", stream=False,
    system_instructions=[text("math")], output_messages=[message("assistant", text("2"), finish="stop")])
has("Ollama: embeddings", call("embed", [
    request("c/1", "/api/embed", {"model": "m", "input": "x"}),
    response("c/1", {"model": "m", "embeddings": [[0.1]], "prompt_eval_count": 1})]), operation="embeddings",
    usage={"input_tokens": 1, "total_tokens": 1})

# --- Bedrock ------------------------------------------------------------------------------
BEDROCK = "bedrock-runtime.us-east-1.amazonaws.com"
got = call("converse", [
    request("c/1", "/model/us.anthropic.claude-x-v1%3A0/converse-stream", {
        "system": [{"text": "S"}], "inferenceConfig": {"maxTokens": 5, "topP": 0.5},
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]},
        "messages": [{"role": "user", "content": [{"text": "hi"}, {"cachePoint": {"type": "default"}}]},
                     {"role": "assistant", "content": [{"toolUse": {
                         "toolUseId": "t1", "name": "f", "input": {}}}]},
                     {"role": "user", "content": [{"toolResult": {
                         "toolUseId": "t1", "content": [{"text": "bad"}], "status": "error"}}]}]}, host=BEDROCK),
    merged("c/1", "bedrock-converse", {
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}}, {"text": "yo"},
            {"toolUse": {"toolUseId": "t2", "name": "f", "input": {"k": True}}}]}}, "stopReason": "tool_use",
        "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 165, "cacheReadInputTokens": 100,
                  "cacheWriteInputTokens": 50}, "metrics": {"latencyMs": 1}})], "--messages", "all")
has("Converse", got, provider="aws.bedrock", api="converse", request_model="us.anthropic.claude-x-v1:0", stream=True,
    usage={"input_tokens": 160, "output_tokens": 5, "cache_read_tokens": 100, "cache_creation_tokens": 50,
           "total_tokens": 165}, finish_reasons=["tool_call"], request_max_tokens=5,
    tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    tool_results=[{"id": "t1", "name": "f", "response": "bad", "is_error": True}],
    output_messages=[message("assistant", reasoning("hm"), text("yo"), tool_call("f", {"k": True}, "t2"),
                             finish="tool_call")],
    input_messages=[message("user", text("hi")), message("assistant", tool_call("f", {}, "t1")),
                    message("tool", tool_response("bad", "t1"))])
got = call("invoke", [
    request("c/1", "/model/anthropic.claude-x/invoke-with-response-stream", {
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}]}, host=BEDROCK),
    merged("c/1", "bedrock-invoke", {
        "id": "msg", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [{"type": "text", "text": "yo"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2},
        "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 2,
                                             "cacheReadInputTokenCount": 4}})])
has("Invoke: Claude", got, provider="aws.bedrock", api="invoke", request_model="anthropic.claude-x", stream=True,
    usage={"input_tokens": 7, "output_tokens": 2, "cache_read_tokens": 4, "total_tokens": 9},
    output_messages=[message("assistant", text("yo"), finish="stop")])
got = call("titan", [
    request("c/1", "/model/amazon.titan-text/invoke", {
        "inputText": "hi", "textGenerationConfig": {"maxTokenCount": 4}}, host=BEDROCK),
    response("c/1", {"inputTextTokenCount": 2, "results": [
        {"tokenCount": 3, "outputText": "yo", "completionReason": "FINISH"}]})])
has("Invoke: Titan", got, operation="text_completion", request_max_tokens=4, finish_reasons=["stop"],
    usage={"input_tokens": 2, "output_tokens": 3, "total_tokens": 5})
got = call("throttled", [
    request("c/1", "/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "x"}]}]}, host=BEDROCK),
    response("c/1", {"message": "Too many requests"}, status=429, headers={
        "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"})])
has("Bedrock: throttled", got, error_type="ThrottlingException", error_message="Too many requests", status_code=429)

# --- Cohere, DashScope ----------------------------------------------------------------------
got = call("cohere", [
    request("c/1", "/v2/chat", {"model": "command", "stream": True, "p": 0.5, "k": 2, "messages": [
        {"role": "user", "content": "hi"}]}, host="api.cohere.com"),
    merged("c/1", "cohere", {"id": "co1", "finish_reason": "TOOL_CALL", "message": {
        "role": "assistant", "tool_plan": "I will.", "content": [{"type": "text", "text": "ok"}],
        "tool_calls": [{"id": "f0", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        "usage": {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": {
            "input_tokens": 50, "output_tokens": 9}}})])
has("Cohere: what is billed", got, provider="cohere", api="cohere_chat", request_top_p=0.5, request_top_k=2,
    usage={"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}, finish_reasons=["tool_call"],
    output_messages=[message("assistant", reasoning("I will."), text("ok"), tool_call("f", {}, "f0"),
                             finish="tool_call")])
got = call("dashscope", [
    request("c/1", "/api/v1/services/aigc/text-generation/generation", {
        "model": "qwen-max", "input": {"messages": [{"role": "user", "content": "hi"}]},
        "parameters": {"max_tokens": 7, "incremental_output": True}}, host="dashscope.aliyuncs.com"),
    merged("c/1", "dashscope", {"request_id": "rq", "output": {"choices": [{"finish_reason": "stop", "message": {
        "role": "assistant", "content": "yo", "reasoning_content": "hm"}}]}, "usage": {
            "input_tokens": 4, "output_tokens": 6, "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 1}}})])
has("DashScope", got, provider="alibaba_cloud", api="dashscope", request_max_tokens=7, response_id="rq",
    usage={"input_tokens": 4, "output_tokens": 6, "cache_read_tokens": 2, "reasoning_tokens": 1, "total_tokens": 10},
    output_messages=[message("assistant", reasoning("hm"), text("yo"), finish="stop")])

# --- streams of all vendors, merged by ssemerge --------------------------------------------
# The visible text that ssemerge found is what stands in the answer's parts.
PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "gemini": GEMINI % "streamGenerateContent",
         "responses": "/v1/responses", "ollama-generate": "/api/generate", "ollama": "/api/chat", "cohere": "/v2/chat",
         "dashscope": "/api/v1/services/aigc/text-generation/generation", "bedrock-converse": "/model/m/converse-stream",
         "bedrock-invoke": "/model/m/invoke-with-response-stream", "sse-c": "/v1/messages"}
HERE = os.path.dirname(os.path.abspath(__file__))
if shutil.which("ssemerge"):
    for body in sorted(glob.glob(os.path.join(HERE, "data", "ssemerge", "*.body"))):
        name = os.path.basename(body)[:-5]
        path = next((p for k, p in PATHS.items() if name.startswith(k)), None)
        if not path or name == "chat-audio":  # what was said aloud is text for us
            continue
        with open(body, "rb") as f:
            data = f.read()
        piece = event("http.body", 50, conn="c", id="c/1", seq=0, off=0, content_type="text/event-stream",
                      method="POST", path=path, host="gateway.example", status_code=200, last=True)
        try:
            piece["data"] = data.decode()
        except UnicodeDecodeError:
            piece["data_b64"] = base64.b64encode(data).decode()
        out = subprocess.run(["ssemerge", "-q"], input=json.dumps(piece).encode() + b"\n", stdout=subprocess.PIPE).stdout
        sse = [x for x in map(json.loads, out.splitlines()) if x["type"] == "sse.message"]
        got = call(name, [request("c/1", path, {"model": "m", "max_tokens": 5, "stream": True, "messages": [
            {"role": "user", "content": "hi"}], "contents": [{"parts": []}], "input": {"messages": []}})] + sse)
        said = [p["content"] for m in got.get("output_messages", [])[:1] for p in m["parts"] if p["type"] == "text"]
        same("merged: " + name, ["".join(said), got.get("error_type") is not None],
             [sse[0]["text"], "error" in sse[0] or not sse[0]["complete"] and not got.get("finish_reasons")
              or name in ("responses-failed", "gemini-blocked")])
else:
    report(True, "streams merged by ssemerge # SKIP no ssemerge")
done()
