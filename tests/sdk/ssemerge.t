#!/usr/bin/python3
"""ssemerge against the vendors' own SDKs: node runs them over TLS, sslsniff
sees the bytes, and what we make of these is what the SDK made. The streams are
the recorded ones, and 200 that SEED (any, when not set) makes up."""
import json
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402
from sdk_kit import HERE, Collector, Program, done, modules, ok, same, server  # noqa: E402

SEED = int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 20)
DATA = os.path.join(HERE, "..", "data", "ssemerge")


def chunks(content):
    """Text, thoughts and the number of other chunks, of a content that is text or a list."""
    if not isinstance(content, list):
        return content or "", "", 0
    return ("".join(c["text"] for c in content if c["type"] == "text"),
            "".join(t.get("text", "") for c in content if c["type"] == "thinking" for t in c["thinking"]),
            sum(c["type"] not in ("text", "thinking") for c in content))


def mistral(m):
    c = m["choices"][0]
    text, thinking, others = chunks(c["message"]["content"])
    return {"text": text, "thinking": thinking, "others": others, "finish": c["finish_reason"],
            "calls": [dict(t["function"], id=t["id"]) for t in c["message"].get("tool_calls", [])],
            "input": m["usage"]["prompt_tokens"], "output": m["usage"]["completion_tokens"]}


def conversation(m):
    said = [chunks(e["content"]) for e in m["outputs"] if e["type"] == "message.output"]
    return {"text": "".join(s[0] for s in said), "thinking": "".join(s[1] for s in said), "others": sum(s[2] for s in said),
            "calls": [{"id": e["tool_call_id"], "name": e["name"], "arguments": e["arguments"]} for e in m["outputs"] if e["type"] == "function.call"],
            "id": m["conversation_id"], "input": m["usage"]["prompt_tokens"], "output": m["usage"]["completion_tokens"]}


def interactions(m):
    return {"text": "".join(c["text"] for s in m.get("steps", []) if s["type"] == "model_output" for c in s.get("content", []) if c["type"] == "text"),
            "thoughts": "".join(c["text"] for s in m.get("steps", []) if s["type"] == "thought" for c in s.get("summary", [])),
            "calls": [{"name": s["name"], "arguments": s["arguments"]} for s in m.get("steps", []) if s["type"] == "function_call"],
            "status": m["status"], "input": m["usage"]["total_input_tokens"], "output": m["usage"]["total_output_tokens"]}


def summary(o, sdk):
    """What accumulate.mjs sums up for SDKs that do not accumulate."""
    m = o["message"]
    own = {"mistral": mistral, "conversations": conversation, "interactions": interactions}
    if sdk in own:
        return own[sdk](m)
    if o["format"] == "gemini":
        c = m["candidates"][0]
        return {"text": o["text"], "calls": [p["functionCall"] for p in c.get("content", {}).get("parts", []) if "functionCall" in p],
                "usage": m["usageMetadata"], "finish": c["finishReason"]}
    return {"text": o["text"], "calls": m["message"].get("tool_calls", []), "thinking": m["message"].get("thinking", ""),
            "reason": m["done_reason"], "input": m["prompt_eval_count"], "output": m["eval_count"]}


def error_text(e):
    """The message of an SDK's error, which wraps what came."""
    while isinstance(e, dict) and isinstance(e.get("error"), dict):
        e = e["error"]
    return e.get("message") if isinstance(e, dict) else e


def final(m):
    """A chat completion that was not finished, as the SDK would have finished it."""
    if m.get("object") == "chat.completion.chunk":
        m["object"] = "chat.completion"
        for c in m["choices"]:
            for k in ("content", "refusal"):
                c["message"].setdefault(k, None)
    return m


def judge(sdk, o, call, kind):
    """Why ours is not theirs; None when it is."""
    if "sum" in sdk:
        return None if same(sdk["sum"], summary(o, kind)) else "sums differ"
    if "message" in sdk and not same(final(sdk["message"]), o["message"]):
        return "messages differ"
    if "error" in sdk:
        told = error_text(o.get("error"))
        said = told in str(error_text(sdk["error"])) if told else o.get("incomplete") == "no_end"
        return None if said and not o["complete"] and call.get("error_type") else "an error, not told"
    if sdk["leave"]:
        return None if not o["complete"] and call.get("incomplete") else "left early, not told so"
    whole = "message" in sdk and sdk["message"].get("status") != "in_progress"
    return None if o["complete"] == whole == ("incomplete" not in call) else "not complete"


def main():
    with tempfile.TemporaryDirectory() as scratch:
        path = modules()
        streams.write(shutil.copytree(DATA, os.path.join(scratch, "data")), SEED, 200)
        kinds = {n[:-5]: json.load(open(os.path.join(scratch, "data", n), encoding="utf-8")).get("sdk")
                 for n in os.listdir(os.path.join(scratch, "data")) if n.endswith(".json")}
        llm, url, cert = server(scratch, "--recorded", os.path.join(scratch, "data"))
        node = Program("node", os.path.join(HERE, "accumulate.mjs"), path, os.path.join(scratch, "data"), url, NODE_EXTRA_CA_CERTS=cert)
        sniff = Collector("sslsniff", node)
        theirs = node.go()
        events = sniff.through("httpparse", "ssemerge", "llmparse")
        llm.end()
    asked = {e["id"]: (e["headers"]["x-recorded"], int(e["headers"].get("x-events", 0))) for e in events if e["type"] == "http.request"}
    ours = {asked[e["id"]]: e for e in events if e["type"] == "sse.message"}
    calls = {}
    for e in events:
        if e["type"] == "llm.call":
            calls.setdefault(asked[e["id"]], []).append(e)
    for sdk in theirs:
        which = (sdk["name"], sdk["leave"])
        o, call = ours.get(which), calls.get(which, [])
        why = "no message" if not o else "%d calls" % len(call) if len(call) != 1 else judge(sdk, o, call[0], kinds.get(sdk["name"]))
        ok(sdk["name"] + (", left after event %d" % sdk["leave"] if sdk["leave"] else ""), not why, why, "theirs:", sdk, "ours:", o, "call:", call)
    cut = sum("-cut" in sdk["name"] for sdk in theirs)     # their last event is half an event
    lost = [e for e in events if e["type"] == "loss"]
    ok("each stream once, and nothing lost", len(ours) == len(theirs) == len(asked) and
       sum(e["events"] for e in lost) == cut and {e["reason"] for e in lost} <= {"bad_data"}, len(ours), len(theirs), len(asked), lost)
    done()


main()
