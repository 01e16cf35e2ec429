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
has("Gemini: a blocked prompt", got, error_type="SAFETY", usage={"input_tokens": 9},
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
V1 = {"response_id": "r1", "generation_id": "g1", "text": "ok", "finish_reason": "COMPLETE", "tool_calls": [{"name": "f", "parameters": {"a": 1}}],
      "meta": {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": {"input_tokens": 66, "output_tokens": 3}}}
RESULTS = [{"call": {"name": "f", "parameters": {"a": 1}}, "outputs": [{"x": 2}]}]
got = call("cohere v1", [
    request("c/1", "/v1/chat", {"message": "and now?", "model": "command-r", "preamble": "Be brief.", "p": 0.5, "k": 2, "stream": False, "chat_history": [
        {"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "yo", "tool_calls": [{"name": "f", "parameters": {"a": 1}}]},
        {"role": "TOOL", "tool_results": RESULTS}]}, host="api.cohere.com"), response("c/1", V1)])
has("Cohere v1: the message is behind the history", got, provider="cohere", api="cohere_chat_v1", request_model="command-r", request_top_p=0.5,
    request_top_k=2, response_id="r1", finish_reasons=["stop"], usage={"input_tokens": 5, "output_tokens": 3, "total_tokens": 8},
    system_instructions=[text("Be brief.")], input_messages=[
        message("user", text("hi")), message("assistant", text("yo"), tool_call("f", {"a": 1})), message("tool", tool_response([{"x": 2}])),
        message("user", text("and now?"))],
    output_messages=[message("assistant", text("ok"), tool_call("f", {"a": 1}), finish="stop")])
got = call("cohere v1 results", [request("c/1", "/v1/chat", {"message": "", "stream": False, "tool_results": RESULTS}, host="api.cohere.com"),
                                 response("c/1", V1)])
same("Cohere v1: results instead of a message", got.get("input_messages"), [message("tool", tool_response([{"x": 2}]))])
same("what looks like it and is answered otherwise is no call", calls("room", [
    request("c/1", "/v1/chat", {"message": "hi", "model": "room", "stream": False}), response("c/1", {"reply": "yo"})]), [])
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

# --- Google Interactions ----------------------------------------------------------------
INT = {"id": "int_1", "object": "interaction", "model": "gemini-3-flash", "status": "requires_action", "steps": [
    {"type": "user_input", "content": [{"type": "text", "text": "q"}]}, {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
    {"type": "model_output", "content": [{"type": "text", "text": "yo"}, {"type": "image", "data": "aGk=", "mime_type": "image/png"}]},
    {"type": "google_search_call", "id": "g1", "arguments": {"queries": ["q"]}}, {"type": "google_search_result", "call_id": "g1", "result": []},
    {"type": "function_call", "id": "f1", "name": "look", "arguments": {"a": 1}}],
    "usage": {"total_input_tokens": 7, "total_output_tokens": 20, "total_thought_tokens": 22, "total_cached_tokens": 3, "total_tokens": 49}}
got = call("Interactions", [request("c/1", "/v1beta/interactions", {
    "model": "gemini-3-flash", "input": [{"type": "function_result", "call_id": "f0", "name": "look", "result": "3"}, {"type": "text", "text": "go on"}],
    "system_instruction": "Be brief.", "previous_interaction_id": "int_0", "generation_config": {"max_output_tokens": 9, "thinking_level": "low"}},
    host="generativelanguage.googleapis.com"), response("c/1", INT)])
has("Interactions", got, provider="gcp.gemini", api="interactions", operation="generate_content", request_model="gemini-3-flash", response_id="int_1",
    request_max_tokens=9, request_reasoning="low", finish_reasons=["tool_call"], system_instructions=[text("Be brief.")],
    usage={"input_tokens": 7, "output_tokens": 42, "cache_read_tokens": 3, "reasoning_tokens": 22, "total_tokens": 49},
    input_messages=[message("tool", {"type": "tool_call_response", "id": "f0", "response": "3"}), message("user", text("go on"))],
    tool_calls=[{"id": "f1", "name": "look", "arguments": {"a": 1}}],
    output_messages=[message("assistant", reasoning("hm"), text("yo"), {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
                             {"type": "server_tool_call", "id": "g1", "name": "google_search_call", "server_tool_call": INT["steps"][3]},
                             {"type": "server_tool_call_response", "id": "g1", "server_tool_call_response": INT["steps"][4]},
                             tool_call("look", {"a": 1}, "f1"), finish="tool_call")])
got = calls("Interactions, asked for later", [
    request("c/1", "/v1beta/interactions", {"agent": "deep-research", "input": "q", "background": True}), response("c/1", {"id": "int_2", "status": "in_progress", "agent": "deep-research", "steps": []}),
    request("c/2", "/v1beta/interactions/int_2", None, method="GET"), response("c/2", {"id": "int_2", "status": "in_progress", "agent": "deep-research", "steps": []}, method="GET"),
    request("c/3", "/v1beta/interactions/int_2", None, method="GET"), response("c/3", {"id": "int_2", "status": "completed", "agent": "deep-research", "steps": [
        {"type": "model_output", "content": [{"type": "text", "text": "found"}]}]}, method="GET", ms=900)])
same("Interactions, asked for later: one call", [(c["id"], c["request_model"], c["finish_reasons"], c["output_messages"][0]["parts"]) for c in got],
     [("c/1", "deep-research", ["stop"], [text("found")])])

# --- Gemini Live ---------------------------------------------------------------------------
LIVE = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k"
PART = lambda *parts, **more: {"serverContent": dict({"modelTurn": {"parts": list(parts)}}, **more)}
got = calls("Live", [
    request("c/1", LIVE, None, method="GET", host="generativelanguage.googleapis.com", upgrade="websocket"),
    websocket("c/1", 5, {"setup": {"model": "models/gemini-live-2.5", "systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"temperature": 0.5}}}, "WRITE/SEND"),
    websocket("c/1", 6, {"setupComplete": {}}),
    websocket("c/1", 10, {"clientContent": {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": True}}, "WRITE/SEND"),
    websocket("c/1", 20, PART({"text": "h\u00e9"}, {"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}})), websocket("c/1", 30, PART({"text": "llo"})),
    websocket("c/1", 40, {"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokenCount": 7, "responseTokenCount": 5, "totalTokenCount": 12, "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}]}}),
    websocket("c/1", 50, {"serverContent": {"inputTranscription": {"text": "look "}}}), websocket("c/1", 51, {"serverContent": {"inputTranscription": {"text": "there"}}}),
    websocket("c/1", 60, {"toolCall": {"functionCalls": [{"id": "f1", "name": "look", "args": {"a": 1}}]}}),
    websocket("c/1", 70, {"toolResponse": {"functionResponses": [{"id": "f1", "name": "look", "response": {"output": 3}}]}}, "WRITE/SEND"),
    websocket("c/1", 80, {"serverContent": {"outputTranscription": {"text": "It is "}}}), websocket("c/1", 81, {"serverContent": {"outputTranscription": {"text": "3"}}}),
    websocket("c/1", 82, {"serverContent": {"interrupted": True}}), websocket("c/1", 83, {"serverContent": {"turnComplete": True}}),
    websocket("c/1", 90, {"realtimeInput": {"text": "bye"}}, "WRITE/SEND"), websocket("c/1", 91, PART({"text": "I was"})), close("c")])
same("Live: each turn is a call", [(c["api"], c["turn"], c["request_model"], c.get("finish_reasons"), c.get("incomplete"), c["input_messages"][-1]["parts"], c["output_messages"][0]["parts"]) for c in got], [
    ("live", 1, "gemini-live-2.5", ["stop"], None, [text("hi")], [text("h\u00e9llo")]),
    ("live", 2, "gemini-live-2.5", ["stop"], None, [text("look there")], [tool_call("look", {"a": 1}, "f1")]),
    ("live", 3, "gemini-live-2.5", None, "interrupted", [tool_response({"output": 3}, "f1")], [text("It is 3")]),
    ("live", 4, "gemini-live-2.5", None, "close", [text("bye")], [text("I was")])])
has("Live: the first", got[0], provider="gcp.gemini", operation="generate_content", stream=True, system_instructions=[text("Be brief.")], request_temperature=0.5,
    usage={"input_tokens": 7, "output_tokens": 5, "output_audio_tokens": 3, "total_tokens": 12}, first_token_ms=10.0, duration_ms=30.0)

# --- Mistral's conversations ------------------------------------------------------------
CONV = {"object": "conversation.response", "conversation_id": "conv_1", "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, "outputs": [
    {"type": "message.output", "role": "assistant", "model": "mistral-medium-2505", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yo"}]},
    {"type": "function.call", "tool_call_id": "t1", "name": "look", "arguments": "{\"a\":1}"}]}
got = calls("conversations", [
    request("c/1", "/v1/conversations", {"model": "mistral-medium", "inputs": "hi", "instructions": "Be brief.", "completion_args": {"max_tokens": 9}}, host="api.mistral.ai"), response("c/1", CONV),
    request("c/2", "/v1/conversations/conv_1", {"inputs": [{"object": "entry", "type": "function.result", "tool_call_id": "t1", "result": "3"}], "stream": False}, host="api.mistral.ai", ms=200),
    response("c/2", dict(CONV, outputs=CONV["outputs"][:1]), ms=250)])
has("conversations", got[0], provider="mistral_ai", api="conversations", request_model="mistral-medium", response_model="mistral-medium-2505", request_max_tokens=9,
    finish_reasons=["tool_call"], usage={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}, tool_calls=[{"id": "t1", "name": "look", "arguments": {"a": 1}}],
    output_messages=[message("assistant", reasoning("hm"), text("yo"), tool_call("look", {"a": 1}, "t1"), finish="tool_call")])
has("conversations: what follows", got[1], conversation_id="c/1", finish_reasons=["stop"], tool_results=[{"id": "t1", "name": "look", "call": "c/1", "response": "3"}])
same("conversations: one that was begun before", [c["conversation_id"] for c in calls("x", [
    request("c/1", "/v1/conversations/conv_7", {"inputs": "hi", "stream": False}, host="api.mistral.ai"), response("c/1", CONV)])], ["conv_7"])
same("OpenAI's conversations hold items, and generate nothing", calls("x", [
    request("c/1", "/v1/conversations", {"items": [{"type": "message", "role": "user", "content": "hi"}]}, host="api.openai.com"), response("c/1", {"id": "conv_1", "object": "conversation", "metadata": {}}),
    request("c/2", "/v1/conversations/conv_1/items", {"items": []}, host="api.openai.com"), response("c/2", {"object": "list", "data": []})]), [])
HI = [{"role": "user", "content": "hi"}]
for name, host, path, asked, want in (
        ("watsonx", "us-south.ml.cloud.ibm.com", "/ml/v1/text/chat?version=2024-10-08", {"model_id": "ibm/granite", "project_id": "p"}, "ibm/granite"),
        ("Databricks", "dbc-1.cloud.databricks.com", "/serving-endpoints/my-model/invocations", {}, "my-model")):
    has("no model in the body: " + name, call("x", [request("c/1", path, dict(asked, messages=HI), host=host), response("c/1", {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}]}, host=host, path=path)]),
        api="chat_completions", request_model=want, request_incomplete=None, input_messages=[message("user", text("hi"))])
has("Mistral's agents", call("x", [request("c/1", "/v1/agents/completions", {"agent_id": "ag_1", "messages": [{"role": "user", "content": "hi"}]}, host="api.mistral.ai"),
                                   response("c/1", {"id": "x", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}]})]),
    api="chat_completions", operation="chat", request_model="ag_1", response_model="m")

# --- OpenAI's Assistants ------------------------------------------------------------------
RUN = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "assistant_id": "asst_1", "status": "queued", "model": "gpt-4o", "usage": None}
got = calls("assistants", [
    request("c/1", "/v1/threads/thread_1/runs", {"assistant_id": "asst_1", "additional_messages": [{"role": "user", "content": "hi"}]}, host="api.openai.com"), response("c/1", RUN),
    request("c/2", "/v1/threads/thread_1/runs/run_1", None, method="GET", host="api.openai.com"), response("c/2", dict(RUN, status="in_progress"), method="GET"),
    request("c/3", "/v1/threads/thread_1/runs/run_1", None, method="GET", host="api.openai.com"),
    response("c/3", dict(RUN, status="requires_action", usage={"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}, required_action={"type": "submit_tool_outputs", "submit_tool_outputs": {
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}}), method="GET", ms=900)])
same("Assistants: a run is one call, when it is done", [(c["id"], c["api"], c["request_model"], c["response_model"], c["conversation_id"], c["finish_reasons"], c["usage"]["total_tokens"], c["tool_calls"]) for c in got],
     [("c/1", "assistants", "asst_1", "gpt-4o", "thread_1", ["tool_call"], 15, [{"id": "t1", "name": "look", "arguments": {}}])])
same("a server with the same path and another answer is none", calls("x", [
    request("c/1", "/threads/t/runs", {"assistant_id": "agent", "input": {"messages": []}}, host="langgraph.local"), response("c/1", {"run_id": "1", "thread_id": "t", "assistant_id": "agent", "status": "pending"})]), [])

# --- servers of one's own -----------------------------------------------------------------
got = call("llama.cpp", [request("c/1", "/completion", {"prompt": "hi", "n_predict": 8}, host="localhost:8080"), response("c/1", {
    "content": "yo", "stop": True, "model": "m.gguf", "tokens_predicted": 2, "tokens_evaluated": 9, "generation_settings": {}, "stop_type": "limit", "timings": {"cache_n": 4, "prompt_n": 5}})])
has("llama.cpp", got, provider="localhost", api="llamacpp_completion", operation="text_completion", response_model="m.gguf", request_max_tokens=8, finish_reasons=["length"],
    usage={"input_tokens": 9, "output_tokens": 2, "cache_read_tokens": 4, "total_tokens": 11}, input_messages=[message("user", text("hi"))])
got = call("llama.cpp chat", [request("c/1", "/v1/chat/completions", {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}, host="localhost:8080"), merged("c/1", "openai-chat", {
    "id": "x", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}], "timings": {"cache_n": 236, "prompt_n": 1, "predicted_n": 35}})])
has("llama.cpp's timings, where there is no usage", got, usage={"input_tokens": 237, "output_tokens": 35, "cache_read_tokens": 236, "total_tokens": 272})
got = call("TGI", [request("c/1", "/", {"inputs": "hi", "parameters": {"max_new_tokens": 8, "details": True}}, host="tgi.local"), response("c/1", [
    {"generated_text": "yo", "details": {"finish_reason": "eos_token", "generated_tokens": 3, "prefill": [{"id": 1, "text": "h"}, {"id": 2, "text": "i"}]}}])])
has("TGI", got, provider="tgi.local", api="tgi_generate", operation="text_completion", request_max_tokens=8, finish_reasons=["stop"], usage={"input_tokens": 2, "output_tokens": 3, "total_tokens": 5},
    output_messages=[message("assistant", text("yo"), finish="stop")])
same("what has inputs is not all TGI's", calls("x", [request("c/1", "/generate", {"prompt": "hi"}, host="a.local"), response("c/1", {"ok": True}),
                                                request("c/2", "/predict", {"inputs": "hi", "parameters": {}}, host="a.local"), response("c/2", [{"label": "x", "score": 1}])]), [])
got = call("LM Studio", [request("c/1", "/api/v1/chat", {"model": "qwen3-8b", "input": "hi", "system_prompt": "Be brief.", "max_output_tokens": 9, "reasoning": "low"}, host="localhost:1234"), response("c/1", {
    "model_instance_id": "qwen3-8b:2", "output": [{"type": "reasoning", "content": "hm"}, {"type": "tool_call", "tool": "search", "arguments": {}, "output": "[]"}, {"type": "message", "content": "yo"}],
    "stats": {"input_tokens": 359, "total_output_tokens": 218, "reasoning_output_tokens": 24, "tokens_per_second": 41.1}, "response_id": "resp_1"})])
has("LM Studio", got, provider="localhost", api="lmstudio_chat", operation="chat", request_model="qwen3-8b", response_model="qwen3-8b:2", response_id="resp_1", request_max_tokens=9, request_reasoning="low",
    usage={"input_tokens": 359, "output_tokens": 218, "reasoning_tokens": 24, "total_tokens": 577}, system_instructions=[text("Be brief.")], tool_calls=None,
    output_messages=[message("assistant", reasoning("hm"), {"type": "server_tool_call", "name": "search", "server_tool_call": {"type": "tool_call", "tool": "search", "arguments": {}, "output": "[]"}}, text("yo"), finish="stop")])

# --- what others add to Chat Completions ----------------------------------------------------
def chat(host, path="/v1/chat/completions", headers=None, **more):
    return call(host, [request("c/1", path, {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, host=host), response("c/1", {
        "id": "x", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}], **more}, headers=headers)])


has("Groq", chat("api.groq.com", "/openai/v1/chat/completions", x_groq={"id": "req_1", "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}}),
    provider="groq", usage={"input_tokens": 4, "output_tokens": 2, "total_tokens": 6})
has("OpenRouter", chat("openrouter.ai", "/api/v1/chat/completions", usage={"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6, "cost": 0.00012}),
    provider="openrouter", usage={"input_tokens": 4, "output_tokens": 2, "total_tokens": 6, "cost_usd": 0.00012})
has("Copilot", chat("api.individual.githubcopilot.com", "/chat/completions", {"x-github-request-id": "AB:1"}, usage={"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}),
    provider="github_copilot", provider_request_id="AB:1")
has("Azure", chat("r.openai.azure.com", "/openai/deployments/dep-1/chat/completions?api-version=2025-01-01", {"apim-request-id": "ap-1", "x-ratelimit-remaining-tokens": "99"}),
    provider="azure.ai.openai", provider_request_id="ap-1", rate_limit={"tokens_remaining": "99"})
has("Bedrock's OpenAI", chat("bedrock-mantle.us-east-1.api.aws"), provider="aws.bedrock", api="chat_completions")

# --- what went wrong, by the vendors' words ---------------------------------------------------
for host, path, status, body, kind in (
        ("api.openai.com", "/v1/chat/completions", 400, {"error": {"message": "m", "type": "invalid_request_error", "code": "context_length_exceeded"}}, "context_overflow"),
        ("api.openai.com", "/v1/chat/completions", 429, {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}, "quota"),
        ("api.openai.com", "/v1/chat/completions", 429, {"error": {"message": "m", "type": "requests", "code": "rate_limit_exceeded"}}, "rate_limit"),
        ("api.openai.com", "/v1/chat/completions", 401, {"error": {"message": "m", "type": "invalid_request_error", "code": "invalid_api_key"}}, "auth"),
        ("api.openai.com", "/v1/chat/completions", 400, {"error": {"message": "m", "type": "invalid_request_error", "code": "content_policy_violation"}}, "safety"),
        ("api.anthropic.com", "/v1/messages", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}, "context_overflow"),
        ("api.anthropic.com", "/v1/messages", 529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded"),
        ("api.anthropic.com", "/v1/messages", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "messages: x"}}, "invalid_request"),
        ("api.anthropic.com", "/v1/messages", 500, {"type": "error", "error": {"type": "api_error", "message": "x"}}, "server"),
        ("generativelanguage.googleapis.com", GEMINI % "generateContent", 429, {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}, "rate_limit"),
        ("generativelanguage.googleapis.com", GEMINI % "generateContent", 400, {"error": {"code": 400, "message": "The input token count (2000) exceeds the maximum number of tokens allowed (1000).", "status": "INVALID_ARGUMENT"}}, "context_overflow"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse", 400, {"__type": "ValidationException", "message": "Input is too long for requested model."}, "context_overflow"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse", 403, {"__type": "AccessDeniedException", "message": "m"}, "auth"),
        ("dashscope.aliyuncs.com", "/api/v1/services/aigc/text-generation/generation", 400, {"code": "DataInspectionFailed", "message": "m", "request_id": "x"}, "safety"),
        ("api.mistral.ai", "/v1/chat/completions", 422, {"object": "error", "message": "m", "type": "invalid_request_error"}, "invalid_request")):
    got = call("error", [request("c/1", path, {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "contents": [{"parts": [{"text": "x"}]}], "input": {"messages": []}}, host=host),
                         response("c/1", body, status=status)])
    same("error of %s: %s" % (host, kind), got.get("error_class"), kind)

# --- streams of all vendors, merged by ssemerge --------------------------------------------
# The visible text that ssemerge found is what stands in the answer's parts.
PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "gemini": GEMINI % "streamGenerateContent",
         "responses": "/v1/responses", "ollama-generate": "/api/generate", "ollama": "/api/chat", "cohere-v1": "/v1/chat", "cohere": "/v2/chat",
         "dashscope": "/api/v1/services/aigc/text-generation/generation", "bedrock-converse": "/model/m/converse-stream",
         "bedrock-invoke": "/model/m/invoke-with-response-stream", "sse-c": "/v1/messages", "interactions": "/v1beta/interactions",
         "conversations": "/v1/conversations", "assistants": "/v1/threads/t/runs", "llamacpp": "/completion", "tgi": "/generate_stream",
         "lmstudio": "/api/v1/chat"}
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
            {"role": "user", "content": "hi"}], "contents": [{"parts": []}], "input": [] if name.startswith(("inter", "lm")) else {"messages": []},
            "inputs": "hi", "prompt": "hi", "assistant_id": "a"} if not name.startswith("cohere-v1") else {"message": "hi", "stream": True})] + sse)
        said = [p["content"] for m in got.get("output_messages", [])[:1] for p in m["parts"] if p["type"] == "text"]
        same("merged: " + name, ["".join(said), got.get("error_type") is not None],
             [sse[0]["text"], "error" in sse[0] or not sse[0]["complete"] and not got.get("finish_reasons")
              or name in ("responses-failed", "gemini-blocked")])
else:
    report(True, "streams merged by ssemerge # SKIP no ssemerge")
done()
