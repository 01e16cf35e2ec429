#!/usr/bin/python3
"""The price table: models by all their names, and no version that it does not name."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import done, event, report, same  # noqa: E402

os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
M = 1000000


def priced(*calls):
    """(model, provider, usage, more) to {model: (cost, unpriced)}."""
    with tempfile.TemporaryDirectory() as t:
        db = os.path.join(t, "x.db")
        lines = [event("llm.call", i * 1000, conn="c", id="c/%d" % i, provider=provider, api="messages", operation="chat",
                       request_model=model, stream=False, usage=dict(usage, total_tokens=usage.get("input_tokens", 0) + usage.get("output_tokens", 0)), **more)
                 for i, (model, provider, usage, more) in enumerate(calls)]
        subprocess.run(["sqlitesink", "-q", db], input="".join(json.dumps(x) + "\n" for x in lines).encode(), check=True)
        p = subprocess.run(["agentsight-report", "--db", db, "--json", "tokens"], stdout=subprocess.PIPE, check=True)
        text = p.stdout.decode()
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(x) for x in text.splitlines()]
        return {r["group"]: (r.get("cost_usd"), r["unpriced"]) for r in rows}


def one(name, model, cost, usage=None, provider="anthropic", **more):
    got = priced((model, provider, usage or {"input_tokens": 100000, "output_tokens": 10000}, more))
    same(name + ": " + model, got.get(model), (None, 1) if cost is None else (round(cost, 6), 0))


sonnet, opus, old = 0.3 + 0.15, 0.5 + 0.25, 1.5 + 0.75
one("a name", "claude-sonnet-4-5", sonnet)
one("a date", "claude-sonnet-4-5-20250929", sonnet)
one("a date behind an at sign", "claude-sonnet-4-5@20250929", sonnet, provider="gcp.vertex_ai")
one("a gateway's name", "anthropic/claude-sonnet-4-5", sonnet, provider="gateway.example")
one("case", "Claude-Opus-4-5", opus)
one("a version apart", "claude-opus-4-1", old)
one("a version apart", "claude-opus-4-7", opus)
one("a version that has no price", "claude-opus-4-999", None)
one("a model that has no price", "room-1", None)
one("one that only begins like another", "gpt-5-nonesuch", None, provider="openai")
one("a long prompt", "claude-sonnet-4-5", 6 * 0.3 + 22.5 * 0.01, {"input_tokens": 300000, "output_tokens": 10000})
one("written to a cache for an hour", "claude-haiku-4-5", 2 * 0.1, {
    "input_tokens": 100000, "output_tokens": 0, "cache_creation_tokens": 100000, "cache_creation_1h_tokens": 100000})
one("... for five minutes", "claude-haiku-4-5", 1.25 * 0.1, {
    "input_tokens": 100000, "output_tokens": 0, "cache_creation_tokens": 100000, "cache_creation_5m_tokens": 100000})
one("what the provider says counts first", "claude-haiku-4-5", 0.5, {"input_tokens": 5, "output_tokens": 5, "cost_usd": 0.5})
one("... also where there is no price", "room-1", 0.25, {"input_tokens": 5, "output_tokens": 5, "cost_usd": 0.25}, provider="gateway.example")
one("an answer that was cut has no price", "claude-haiku-4-5", None, {"input_tokens": 5}, error_type="incomplete_response")
got = priced(("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", {"input_tokens": M // 10, "output_tokens": 0}, {}))
cost = list(got.values())[0]
report(cost[0] is not None and cost[0] >= 0.3 and cost[1] == 0, "Bedrock's own price, by region, maker and version", got)



def cost_line(*models):
    """The line of the summary about cost."""
    with tempfile.TemporaryDirectory() as t:
        db = os.path.join(t, "x.db")
        lines = [event("llm.call", i * 1000, conn="c", id="c/%d" % i, provider="anthropic", api="messages", operation="chat", request_model=m,
                       stream=False, usage=dict({"input_tokens": n, "output_tokens": 0, "total_tokens": n}, **more)) for i, (m, n, more) in enumerate(models)]
        subprocess.run(["sqlitesink", "-q", db], input="".join(json.dumps(x) + "\n" for x in lines).encode(), check=True)
        p = subprocess.run(["agentsight-report", "--db", db, "--json", "summary"], stdout=subprocess.PIPE, check=True)
        return [list(x.values())[0] for x in json.loads(p.stdout) if str(list(x.values())[0]).startswith("cost in USD")]


DAY = [x for x in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sqlitesink", "prices.csv"), encoding="utf-8")
       if not x.startswith("#")][0].split(",")[5]
same("the day of the prices, and what share has one", [cost_line(("claude-haiku-4-5", 300, {}), ("room-1", 100, {})), cost_line(("claude-haiku-4-5", 300, {})),
                                                       cost_line(("room-1", 5, {"cost_usd": 0.5})), cost_line(("room-1", 5, {}))],
     [["cost in USD, by prices of %s, for 75%% of the tokens, calls without a price: 1" % DAY], ["cost in USD, by prices of %s, for 100%% of the tokens" % DAY],
      ["cost in USD, as providers say, for 100% of the tokens"], []])

# the table itself: every line is a price, and the page reads it as the report does
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "sqlitesink", "prices.csv"), encoding="utf-8") as f:
    lines = [x.rstrip("\n") for x in f]
rows = [x.split(",") for x in lines if not x.startswith("#")]
report(len(rows) > 1000 and all(len(r) == 10 for r in rows), "all models of the list", len(rows))
names = [set(n.rstrip("~") for n in r[0].split("|")) for r in rows if not r[9] and not r[7] and not r[8]]
report(not any(n in ("claude-opus-4*", "claude") for s in names for n in s), "no name for a family")
keys = ("model", "input", "output", "cache_read", "cache_creation", "as_of", "cache_creation_1h", "above", "since", "provider")
table = [{k: (v if k in ("model", "as_of", "since", "provider") else float(v)) for k, v in zip(keys, r) if v} for r in rows]
script = """
import { setPrices, costOf } from %s;
const { table, calls } = JSON.parse(require("fs").readFileSync(0, "utf8"));
""" % json.dumps("file://" + os.path.join(HERE, "..", "websink", "ui", "price.js"))
script = script.replace('require("fs").readFileSync', "readFileSync").replace("import {", 'import { readFileSync } from "node:fs";\nimport {', 1)
calls = [{"model": m, "at": 1795493553000, "usage": u, "ev": {"provider": p}} for m, p, u in (
    ("claude-sonnet-4-5-20250929", "anthropic", {"input_tokens": 100000, "output_tokens": 10000}),
    ("anthropic/claude-opus-4-7", "x", {"input_tokens": 100000, "output_tokens": 10000}),
    ("claude-sonnet-4-5", "anthropic", {"input_tokens": 300000, "output_tokens": 10000}),
    ("claude-haiku-4-5", "anthropic", {"input_tokens": 100000, "output_tokens": 0, "cache_creation_tokens": 100000, "cache_creation_1h_tokens": 100000}),
    ("claude-opus-4-999", "anthropic", {"input_tokens": 1, "output_tokens": 1}),
    ("room-1", "x", {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.25}))]
p = subprocess.run(["node", "--input-type=module", "-e", script + "setPrices(table); console.log(JSON.stringify(calls.map(costOf)));"],
                   input=json.dumps({"table": table, "calls": calls}).encode(), stdout=subprocess.PIPE)
same("the page has the same prices", [x if x is None else round(x, 6) for x in json.loads(p.stdout)],
     [round(sonnet, 6), round(opus, 6), round(6 * 0.3 + 22.5 * 0.01, 6), 0.2, None, 0.25])
done()
