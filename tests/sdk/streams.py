"""Streams that nobody has recorded: made up at random, as the vendors' servers
could send them, for test-sdk to hold ssemerge against the SDKs.

write(folder, seed, n) makes n of them, NAME.body and NAME.json as the recorded
ones have them, but for what is wanted.
"""
import json
import os
import random

ODD = ["a", "\u00e9", "\\", "\"", "\n", "\U0001f642", "\u2028", " ", "0", "{", "}", "<"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def text(self, most=8):
        return "".join(self.r.choice(ODD) for _ in range(self.r.randint(0, most)))

    def times(self, most, least=0):
        return range(self.r.randint(least, most))

    def value(self, depth=0):
        r, kind = self.r, self.r.randint(0, 7 if depth < 3 else 5)
        if kind == 6:
            return {self.text(): self.value(depth + 1) for _ in self.times(3)}
        if kind == 7:
            return [self.value(depth + 1) for _ in self.times(3)]
        return [None, True, r.randint(-5, 10**6), self.text(), r.choice([0.5, 1e-3, -2.25]), {}][kind]

    def arguments(self):
        return json.dumps({self.text(): self.value() for _ in self.times(3)}, ensure_ascii=self.r.random() < .5)

    def pieces(self, text):
        at, out = 0, [] if self.r.random() < .8 else [""]
        while at < len(text):
            n = self.r.randint(1, 6)
            out.append(text[at:at + n])
            at += n
        return out

    def sse(self, events, names=True, done=False):
        out = []
        for e in events:
            if self.r.random() < .1:
                out.append(": keep-alive\n\n")
            name = "event: %s\n" % e["type"] if names else ""
            out.append("%sdata: %s\n\n" % (name, json.dumps(e, ensure_ascii=self.r.random() < .5)))
        return "".join(out) + ("data: [DONE]\n\n" if done else "")

    # --- Anthropic Messages -------------------------------------------------------
    def block(self, i):
        kind = self.r.choice(["text", "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result"])
        if kind == "text":
            citations = [{"type": "citations_delta", "citation": {"type": "char_location", "cited_text": self.text(), "document_index": n}}
                         for n in self.times(2)]
            return {"type": kind, "text": self.r.choice(["", "pre"])}, citations + [{"type": "text_delta", "text": self.text()} for _ in self.times(4)]
        if kind == "thinking":
            return {"type": kind, "thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": self.text()} for _ in self.times(3)] + \
                [{"type": "signature_delta", "signature": "s" + self.text()}]
        if kind == "redacted_thinking":
            return {"type": kind, "data": "zz"}, []
        if kind == "web_search_tool_result":
            return {"type": kind, "tool_use_id": "x", "content": [{"type": "web_search_result", "title": self.text()}]}, []
        return {"type": kind, "id": "t%d" % i, "name": "n", "input": {}}, [
            {"type": "input_json_delta", "partial_json": p} for p in self.pieces(self.arguments())]

    def anthropic(self):
        r = self.r
        events = [{"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": 9, "cache_read_input_tokens": r.choice([None, 3]), "output_tokens": 1}}}]
        for i in self.times(5):
            block, deltas = self.block(i)
            events += [{"type": "content_block_start", "index": i, "content_block": block}, *(
                {"type": "content_block_delta", "index": i, "delta": d} for d in deltas), {"type": "content_block_stop", "index": i}]
            events += [{"type": "ping"}] * (r.random() < .2)
        for _ in self.times(2, 1):
            usage = {"output_tokens": r.randint(1, 50), "input_tokens": r.choice([None, 77]), "server_tool_use": r.choice([None, {"web_search_requests": 2}])}
            events.append({"type": "message_delta", "usage": usage, "delta": {
                "stop_reason": r.choice(["end_turn", "tool_use", "refusal", "pause_turn"]), "stop_sequence": None}})
        return "/v1/messages", self.sse(events + [{"type": "message_stop"}])

    # --- OpenAI Chat Completions ----------------------------------------------------
    def choice(self, index):
        r = self.r
        kind = r.choice(["text", "tools", "refusal", "both"])
        deltas = [{"role": "assistant", **r.choice([{}, {"content": ""}, {"content": None, "refusal": None}])}]
        if kind in ("text", "both"):
            deltas += [{"content": self.text()} for _ in self.times(4)]
        if kind == "refusal":
            deltas += [{"refusal": self.text()} for _ in self.times(3, 1)]
        for t in self.times(3, 1) if kind in ("tools", "both") else ():
            deltas += [{"tool_calls": [{"index": t, "id": "c%d" % t, "type": "function", "function": {"name": "f", "arguments": ""}}]}, *(
                {"tool_calls": [{"index": t, "function": {"arguments": p}}]} for p in self.pieces(self.arguments()))]
        logprobs = {"content": [{"token": "t", "logprob": -0.5, "bytes": [1], "top_logprobs": []}], "refusal": None}
        out = [{"index": index, "delta": d, "logprobs": logprobs if d.get("content") and r.random() < .2 else None, "finish_reason": None}
               for d in deltas]
        return out + [{"index": index, "delta": {}, "logprobs": None, "finish_reason": "tool_calls" if kind in ("tools", "both") else "stop"}]

    def chat(self):
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "g", "system_fingerprint": "fp"}
        queues, events = [self.choice(i) for i in self.times(3, 1)], []
        while queues:
            q = self.r.choice(queues)
            events.append(dict(base, choices=[q.pop(0)]))
            queues = [q for q in queues if q]
        if self.r.random() < .6:
            events.append(dict(base, choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}))
        return "/v1/chat/completions", self.sse(events, names=False, done=True)

    # --- OpenAI Responses -------------------------------------------------------------
    def grown(self, e, kind, added, done, key, text, **where):
        """A string that grows: the events, and what it is part of in the end."""
        e(added[0], **where, **added[1])
        for p in self.pieces(text):
            e("response.%s.delta" % kind, delta=p, **where)
        e("response.%s.done" % kind, **where, **{key: text})
        return dict(done, **{key: text})

    def item(self, e, i):
        kind = self.r.choice(["message", "function_call", "reasoning", "custom_tool_call"])
        at = {"output_index": i, "item_id": "i%d" % i}
        if kind in ("function_call", "custom_tool_call"):
            key = "arguments" if kind == "function_call" else "input"
            item = {"id": "i%d" % i, "type": kind, "call_id": "c%d" % i, "name": "n", key: ""}
            return self.grown(e, "function_call_arguments" if key == "arguments" else "custom_tool_call_input",
                              ("response.output_item.added", {"item": item}), item, key, self.arguments(), **at)
        item = {"id": "i%d" % i, "type": kind, **({"summary": []} if kind == "reasoning" else {
            "role": "assistant", "status": "in_progress", "content": []})}
        e("response.output_item.added", output_index=i, item=item)
        parts = []
        for c in self.times(2):
            if kind == "reasoning":
                part, name, key = {"type": "summary_text", "text": ""}, "reasoning_summary", "text"
                where, text = dict(at, summary_index=c), "reasoning_summary_text"
            else:
                part, name, key, text = self.r.choice([
                    ({"type": "output_text", "text": "", "annotations": [], "logprobs": []}, "content", "text", "output_text"),
                    ({"type": "refusal", "refusal": ""}, "content", "refusal", "refusal")])
                where = dict(at, content_index=c)
            parts.append(self.grown(e, text, ("response.%s_part.added" % name, {"part": part}), part, key, self.text(), **where))
            e("response.%s_part.done" % name, part=parts[-1], **where)
        return dict(item, **({"summary": parts} if kind == "reasoning" else {"content": parts, "status": "completed"}))

    def responses(self):
        events, output = [], []
        base = {"id": "resp_1", "object": "response", "created_at": 1, "status": "in_progress", "error": None, "model": "g", "output": [],
                "parallel_tool_calls": True, "tools": [], "usage": None, "metadata": {}}

        def e(kind, **keys):
            events.append({"type": kind, "sequence_number": len(events), **keys})

        e("response.created", response=base)
        for i in self.times(4):
            output.append(self.item(e, i))
            if self.r.random() < .9:
                e("response.output_item.done", output_index=i, item=output[-1])
        if self.r.random() < .5:
            status = self.r.choice(["completed", "incomplete"])
            e("response." + status, response=dict(base, status=status, output=output, usage={"input_tokens": 1, "output_tokens": 2}))
        return "/v1/responses", self.sse(events)

    # --- Gemini -------------------------------------------------------------------------
    def gemini(self):
        r, events = self.r, []
        for _ in self.times(6, 1):
            parts = [r.choice([{"text": self.text()}, {"text": self.text(), "thought": True}, {"functionCall": {"name": "f", "args": json.loads(self.arguments())}}])
                     for _ in self.times(3)]
            events.append({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}], "modelVersion": "g",
                           "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": len(events), "totalTokenCount": 5 + len(events)}})
        events[-1]["candidates"][0]["finishReason"] = r.choice(["STOP", "MAX_TOKENS", "SAFETY"])
        return "/v1beta/models/gemini:streamGenerateContent?alt=sse", self.sse(events, names=False)

    def interactions(self):
        base = {"id": "int_1", "object": "interaction", "model": "g", "status": "in_progress"}
        events = [{"event_type": "interaction.created", "interaction": base}]
        for i in self.times(5):
            kind = self.r.choice(["thought", "model_output", "function_call"])
            step = {"type": kind, **({"id": "f%d" % i, "name": "n", "arguments": {}} if kind == "function_call" else {})}
            deltas = {"thought": lambda: [{"type": "thought_summary", "content": {"type": "text", "text": self.text()}} for _ in self.times(3)] +
                      [{"type": "thought_signature", "signature": "c2ln"}],
                      "model_output": lambda: [{"type": "text", "text": self.text()} for _ in self.times(4)],
                      "function_call": lambda: [{"type": "arguments_delta", "arguments": p} for p in self.pieces(self.arguments())]}[kind]()
            events += [{"event_type": "step.start", "index": i, "step": step}, *({"event_type": "step.delta", "index": i, "delta": d} for d in deltas),
                       {"event_type": "step.stop", "index": i}]
        status = self.r.choice(["completed", "requires_action", "incomplete"])
        events.append({"event_type": "interaction.completed", "interaction": dict(base, status=status, usage={"total_input_tokens": 3, "total_output_tokens": 4})})
        return "/v1beta/interactions", "".join("event: %s\ndata: %s\n\n" % (e["event_type"], json.dumps(e, ensure_ascii=False)) for e in events) + "data: [DONE]\n\n"

    # --- Ollama ---------------------------------------------------------------------------
    def ollama(self):
        base = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
        lines = [dict(base, message=dict({"role": "assistant", "content": self.text()}, **self.r.choice([
            {}, {"thinking": self.text()}, {"tool_calls": [{"function": {"name": "f", "arguments": json.loads(self.arguments())}}]}])), done=False) for _ in self.times(6)]
        lines.append(dict(base, message={"role": "assistant", "content": ""}, done=True, done_reason=self.r.choice(["stop", "length"]), prompt_eval_count=7, eval_count=9))
        return "/api/chat", "".join(json.dumps(x, ensure_ascii=self.r.random() < .5) + "\n" for x in lines)

    # --- Mistral --------------------------------------------------------------------------
    def content(self):
        """A piece of a content: text, or chunks; the type changes on the way, both ways."""
        return self.r.choice([lambda: self.text(), lambda: [{"type": "text", "text": self.text()}],
                              lambda: [{"type": "thinking", "thinking": [{"type": "text", "text": self.text()}]}],
                              lambda: [{"type": "text", "text": self.text()}, {"type": "reference", "reference_ids": [self.r.randint(0, 9)]}]])()

    def mistral(self):
        r, base = self.r, {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        deltas = [{"role": "assistant", "content": ""}] + [{"content": self.content()} for _ in self.times(7)]
        for t in self.times(3):
            args, at = self.arguments(), r.randint(0, 3)
            deltas += [{"tool_calls": [{"id": "call%05d" % t, "index": t, "function": {"name": "f", "arguments": p}}]} for p in (args[:at], args[at:])]
        events = [dict(base, choices=[{"index": 0, "delta": d, "finish_reason": None}]) for d in deltas]
        events.append(dict(base, choices=[{"index": 0, "delta": {"content": ""}, "finish_reason": r.choice(["stop", "tool_calls", "length"])}],
                           usage={"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}))
        return "/v1/chat/completions", self.sse(events, names=False, done=True)

    def conversation(self):
        events = [{"type": "conversation.response.started", "conversation_id": "conv_1"}]
        for i in self.times(4):
            if self.r.random() < .6:
                for _ in self.times(4):
                    piece = self.content()
                    for c in piece if isinstance(piece, list) else [piece]:
                        if not isinstance(c, dict) or c["type"] != "reference":
                            events.append({"type": "message.output.delta", "output_index": i, "id": "m%d" % i, "content_index": 0, "role": "assistant", "model": "m", "content": c})
            else:
                events += [{"type": "function.call.delta", "output_index": i, "id": "f%d" % i, "name": "n", "tool_call_id": "t%d" % i, "arguments": p}
                           for p in self.pieces(self.arguments())]
        events.append({"type": "conversation.response.done", "usage": {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}})
        return "/v1/conversations", self.sse(events)


def write(folder, seed, n):
    m = Maker(seed)
    for i in range(n):
        sdk, make = m.r.choice([("anthropic", m.anthropic), ("openai-chat", m.chat), ("openai-responses", m.responses), ("gemini", m.gemini),
                                ("ollama", m.ollama), ("mistral", m.mistral), ("conversations", m.conversation), ("interactions", m.interactions)])
        path, text = make()
        name = os.path.join(folder, "random-%d-%03d" % (seed, i))
        with open(name + ".body", "w", encoding="utf-8", newline="") as f:
            f.write(text)
        with open(name + ".json", "w", encoding="utf-8") as f:
            json.dump({"sdk": sdk, "content_type": "application/x-ndjson" if sdk == "ollama" else "text/event-stream", "path": path}, f)
