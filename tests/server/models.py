"""The two model APIs: a request in, an answer made from it out.

The answer is computed from the prompt (its words backwards, its hash), the
token counts from the texts, so that nothing that a test sees can be canned.
A message is made first, then cut into the events of a stream, so the message
is what a reader of the stream must come to.
"""
import hashlib
import json
import re
import time


def tokens(text):
    return len(re.findall(r"\w+|[^\w\s]", text))


def pieces(text):
    """Text as a stream carries it: word by word."""
    return re.findall(r"\S+\s*|\s+", text)


def plain(content):
    """The text of a message's content, which is a string or a list of blocks."""
    if isinstance(content, str):
        return content
    out = []
    for block in content or []:
        if block.get("type") == "text":
            out.append(block.get("text", ""))
        elif block.get("type") == "tool_result":
            out.append(plain(block.get("content")))
    return "\n".join(out)


def reply(prompt):
    words = prompt.split()
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    return "You said: %s\n%d words; backwards: %s. \u2014 sha256 %s \u2713" % (
        prompt, len(words), " ".join(reversed(words)), digest[:16])


def limited(text, limit):
    """Text cut to a number of tokens; whether it was."""
    ends = [m.end() for m in re.finditer(r"\w+|[^\w\s]", text)]
    if limit is None or len(ends) <= limit:
        return text, False
    return text[:ends[limit - 1]] if limit else "", True


def tool_wanted(tools, prompt, name):
    """A tool is used when the prompt names it."""
    for tool in tools or []:
        if name(tool) and name(tool) in prompt:
            return tool
    return None


class Refused(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def need(request, *keys):
    for key in keys:
        if not request.get(key):
            raise Refused(400, "invalid_request_error", "%s: field required" % key)


# --- Anthropic Messages -------------------------------------------------------
def anthropic_message(request, ident):
    need(request, "model", "max_tokens", "messages")
    prompt = plain(request["messages"][-1].get("content"))
    system = plain(request.get("system", ""))
    content, made = [], 0
    if request.get("thinking", {}).get("type") == "enabled":
        thought = "The user wrote %d words. I turn them around." % len(prompt.split())
        content.append({"type": "thinking", "thinking": thought,
                        "signature": hashlib.sha256(thought.encode()).hexdigest()})
        made += tokens(thought)
    tool = tool_wanted(request.get("tools"), prompt, lambda t: t.get("name"))
    text, cut = limited(reply(prompt), request["max_tokens"])
    content.append({"type": "text", "text": text})
    made += tokens(text)
    stop = "max_tokens" if cut else "end_turn"
    if tool and not cut:
        given = {"query": prompt, "words": len(prompt.split())}
        content.append({"type": "tool_use", "id": "toolu_" + ident, "name": tool["name"], "input": given})
        made += tokens(json.dumps(given))
        stop = "tool_use"
    asked = tokens(system) + sum(tokens(plain(m.get("content"))) for m in request["messages"])
    return {
        "id": "msg_" + ident, "type": "message", "role": "assistant", "model": request["model"],
        "content": content, "stop_reason": stop, "stop_sequence": None,
        "usage": {"input_tokens": asked, "cache_creation_input_tokens": 0,
                  "cache_read_input_tokens": 0, "output_tokens": made},
    }


def anthropic_block(index, block):
    kind = block["type"]
    if kind == "text":
        empty, deltas = {"type": "text", "text": ""}, [
            {"type": "text_delta", "text": p} for p in pieces(block["text"])]
    elif kind == "thinking":
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    else:
        given = json.dumps(block["input"], ensure_ascii=False)
        empty = dict(block, input={})
        deltas = [{"type": "input_json_delta", "partial_json": given[i:i + 5]}
                  for i in range(0, len(given), 5)]
    yield "content_block_start", {"index": index, "content_block": empty}
    for delta in deltas:
        yield "content_block_delta", {"index": index, "delta": delta}
    yield "content_block_stop", {"index": index}


def anthropic_events(message):
    """The stream: (event name, data text) one after the other."""
    def line(name, data):
        return name, json.dumps(dict({"type": name}, **data), ensure_ascii=False)

    usage = message["usage"]
    yield line("message_start", {"message": dict(
        message, content=[], stop_reason=None, usage=dict(usage, output_tokens=1))})
    yield line("ping", {})
    for index, block in enumerate(message["content"]):
        for name, data in anthropic_block(index, block):
            yield line(name, data)
    yield line("message_delta", {
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": usage["output_tokens"]}})
    yield line("message_stop", {})


def anthropic_error(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}}


# --- OpenAI Chat Completions ----------------------------------------------------
def openai_message(request, ident):
    need(request, "model", "messages")
    prompt = plain(request["messages"][-1].get("content"))
    limit = request.get("max_completion_tokens", request.get("max_tokens"))
    text, cut = limited(reply(prompt), limit)
    message, made = {"role": "assistant", "content": text, "refusal": None}, tokens(text)
    stop = "length" if cut else "stop"
    tool = tool_wanted(request.get("tools"), prompt, lambda t: t.get("function", {}).get("name"))
    if tool and not cut:
        given = json.dumps({"query": prompt}, ensure_ascii=False)
        message["tool_calls"] = [{"id": "call_" + ident, "type": "function", "function": {
            "name": tool["function"]["name"], "arguments": given}}]
        made += tokens(given)
        stop = "tool_calls"
    asked = sum(tokens(plain(m.get("content"))) for m in request["messages"])
    return {
        "id": "chatcmpl-" + ident, "object": "chat.completion", "created": int(time.time()),
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": stop}],
        "usage": {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made},
    }


def openai_events(message, with_usage):
    choice = message["choices"][0]

    def chunk(delta, finish=None):
        return None, json.dumps(dict(
            {k: message[k] for k in ("id", "created", "model")}, object="chat.completion.chunk",
            choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]), ensure_ascii=False)

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in pieces(choice["message"]["content"]):
        yield chunk({"content": piece})
    for i, call in enumerate(choice["message"].get("tool_calls", [])):
        given = call["function"]["arguments"]
        yield chunk({"tool_calls": [dict(call, index=i, function=dict(call["function"], arguments=""))]})
        for at in range(0, len(given), 5):
            yield chunk({"tool_calls": [{"index": i, "function": {"arguments": given[at:at + 5]}}]})
    yield chunk({}, choice["finish_reason"])
    if with_usage:
        yield None, json.dumps(dict(
            {k: message[k] for k in ("id", "created", "model", "usage")},
            object="chat.completion.chunk", choices=[]))
    yield None, "[DONE]"


def openai_error(kind, message):
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
