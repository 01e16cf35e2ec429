#!/usr/bin/python3
"""ssemerge against the vendors' own SDKs: both get the same recorded bytes.

Needs node and npm; SDK_MODULES is a node_modules directory with
@anthropic-ai/sdk, openai, @google/genai and ollama, made when it is not given.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data", "ssemerge")
PACKAGES = ["@anthropic-ai/sdk", "openai", "@google/genai", "ollama"]


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def summary(o):
    """What accumulate.mjs sums up for SDKs that do not accumulate."""
    m = o["message"]
    if o["format"] == "gemini":
        c = m["candidates"][0]
        return {"text": o["text"], "calls": [p["functionCall"] for p in c["content"]["parts"] if "functionCall" in p],
                "usage": m["usageMetadata"], "finish": c["finishReason"]}
    return {"text": o["text"], "calls": m["message"]["tool_calls"], "thinking": m["message"]["thinking"],
            "reason": m["done_reason"], "input": m["prompt_eval_count"], "output": m["eval_count"]}


def lines(names):
    for name in names:
        with open(os.path.join(DATA, name + ".json"), encoding="utf-8") as f:
            meta = json.load(f)
        with open(os.path.join(DATA, name + ".body"), "rb") as f:
            body = f.read()
        for n, at in enumerate(range(0, len(body), 7)):
            o = {"type": "http.body", "timestamp_ns": n + 1, "conn": "c", "id": name, "seq": n, "off": at,
                 "data_b64": base64.b64encode(body[at:at + 7]).decode(), "last": at + 7 >= len(body)}
            if n == 0:
                o.update(content_type=meta["content_type"], path=meta["path"])
            yield json.dumps(o) + "\n"


def main():
    if subprocess.run(["sh", "-c", "command -v node && command -v npm"], stdout=subprocess.DEVNULL).returncode:
        print("1..0 # SKIP no node or npm")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        modules = os.environ.get("SDK_MODULES")
        if not modules:
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", scratch, *PACKAGES], check=True)
            modules = os.path.join(scratch, "node_modules")
        out = subprocess.run(["node", os.path.join(HERE, "accumulate.mjs"), modules, DATA], check=True, stdout=subprocess.PIPE).stdout
    theirs = [json.loads(x) for x in out.decode().splitlines()]
    text = "".join(lines([o["name"] for o in theirs])).encode()
    out = subprocess.run(["ssemerge", "-q"], input=text, check=True, stdout=subprocess.PIPE).stdout
    ours = {o["id"]: o for o in map(json.loads, out.decode().splitlines()) if o["type"] == "sse.message"}
    failed = 0
    for n, sdk in enumerate(theirs, 1):
        o = ours[sdk["name"]]
        good = same(sdk["message"], o["message"]) if "message" in sdk else "sum" in sdk and same(sdk["sum"], summary(o))
        print("%sok %d - %s" % ("" if good else "not ", n, sdk["name"]))
        if not good:
            failed += 1
            print("# theirs: %s" % json.dumps(sdk, ensure_ascii=False))
            print("# ours:   %s" % json.dumps(o, ensure_ascii=False))
    print("1..%d" % len(theirs))
    return failed != 0


sys.exit(main())
