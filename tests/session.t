#!/usr/bin/python3
"""A recorded session of a scripted agent, whose truth its server wrote down: 35 calls, 25 tool
calls, a sub-agent in a process of its own, a tool server, tools side by side, retries, helper
calls, an upload. Every number of the reports is the truth's, in whatever order lines come."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from store_kit import *  # noqa: E402,F401,F403

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "session")


def lines_of(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return [json.loads(x) for x in f]


with open(os.path.join(HERE, "truth.json"), encoding="utf-8") as f:
    TRUTH = json.load(f)["calls"]
lines = lines_of("events.ndjson")
db = store(lines)
asked = [t for c in TRUTH for t in c[8]]
total = [sum(c[i] or 0 for c in TRUTH) for i in (4, 5, 6, 7)]

# --- calls, tools, tokens --------------------------------------------------------------------
same("calls: as many, their tokens", rows(db, "SELECT count(*), sum(input_tokens), sum(cache_creation_tokens), sum(cache_read_tokens),"
                                         " sum(output_tokens) FROM model_calls WHERE error_type IS NULL"),
     [[sum(1 for c in TRUTH if not c[3])] + total])
same("calls that failed", one(db, "SELECT count(*) FROM model_calls WHERE error_type IS NOT NULL"), sum(1 for c in TRUTH if c[3]))
calls = table("calls", db, "--limit", "0")
same("report calls", [len(calls), sum(c["output_tokens"] or 0 for c in calls)], [35, total[3]])
same("tool calls: no retry makes another", [one(db, "SELECT count(*) FROM tool_uses"), one(db, "SELECT count(*) FROM tool_uses WHERE result_call_id IS NULL")],
     [len(asked), 0])
same("report tools", {r["tool"]: r["calls"] for r in table("tools", db) if r["by"] == "model"}, {n: asked.count(n) for n in asked})
tokens = table("tokens", db)
# of the call that broke off in the middle the server had told its input, and no output
broken = rows(db, "SELECT input_tokens, cache_creation_tokens, cache_read_tokens FROM model_calls WHERE error_type IS NOT NULL AND input_tokens > 0")
same("report tokens", [sum(r[k] for r in tokens) for k in ("calls", "input_tokens", "cache_creation_tokens", "cache_read_tokens", "output_tokens")],
     [35] + [a + b for a, b in zip(total, broken[0] + [0])])

# --- prompts, sub-agents, helpers ----------------------------------------------------------------
FIRST, SECOND, THIRD = ("The price test fails. Please fix it and commit.",
                        "Now look at ticket SHOP-17, have the docs written, and check negative prices.",
                        "Here is a screenshot of the price table: write a script that prints it.")
prompts = table("prompts", db)
same("how a sub-agent's is known", [(p["evidence"], p["tool_call"] is not None) for p in prompts], [(None, False), (None, False), ("process", True), (None, False)])
same("processes: which tool call each was started for", rows(db, "SELECT count(*) FROM processes WHERE tool_use_id IS NOT NULL")[0][0],
     sum(1 for p in table("processes", db, "--limit", "0") if p["tool_call"]))
same("prompts are what the user typed, with the sub-agent's below", [(p["text"][:48], p["calls"], p["tools"], p["under"] is not None) for p in prompts],
     [(FIRST[:48], 12, 9, False), (SECOND[:48], 12, 11, False), ("Write docs/price.md that explains total_cents. R", 4, 3, True), (THIRD[:48], 2, 2, False)])
same("answers go to the prompt of their own messages", [p["answer"][:20] for p in prompts],
     ["Fixed: `total_cents`", "All green: rounding ", "docs/price.md is wri", "Done. `tools/table.p"])
same("tokens with sub-agents and helpers, each once",
     [sum(p["all_tokens"] or 0 for p in prompts), sum(p["tokens"] for p in prompts)],
     [one(db, "SELECT sum(t.total_tokens) FROM call_work w JOIN token_usage t ON t.llm_call_id = 'llm-' || w.call_id WHERE w.prompt_id IS NOT NULL"),
      one(db, "SELECT sum(t.total_tokens) FROM call_work w JOIN token_usage t ON t.llm_call_id = 'llm-' || w.call_id WHERE w.kind <> 'helper'")])
who = {"main": "main", "sub": "sub-agent", "title": "helper", "sum": "helper", "openai": "helper"}
same("whose each call is", rows(db, "SELECT kind, count(*) FROM call_work GROUP BY 1 ORDER BY 1"),
     [[k, sum(1 for c in TRUTH if who[c[1]] == k)] for k in ("helper", "main", "sub-agent")])
same("what began them", rows(db, "SELECT h.kind, h.evidence, u.name, count(*) FROM chains h LEFT JOIN tool_uses u ON u.id = h.tool_use_id"
                                 " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"),
     [["helper", None, None, 1], ["helper", "named", "SecondOpinion", 1], ["helper", "named", "Summarize", 3], ["main", None, None, 1],
      ["sub-agent", "process", "Task", 1]])
same("agents have names that people use", rows(db, "SELECT DISTINCT agent FROM model_calls"), [["agent"]])

# --- effects, files --------------------------------------------------------------------------------
OUT = "/home/ada/session/out"       # the agent's own standard output
EFFECTS = ("SELECT u.tool_call_id, e.evidence, e.kind, e.target FROM tool_effects e JOIN tool_uses u ON u.id = e.tool_use_id"
           " WHERE e.target <> '%s' ORDER BY 1, e.timestamp_ns, 3, 4" % OUT)
effects = rows(db, EFFECTS)
same("all that programs did is their tool's by the tree", sorted({e[1] for e in effects}), ["named", "process"])
same("what the agent did itself is named", [e for e in effects if e[1] == "named"],
     [["toolu_16_0", "named", "mkdir", "/home/ada/shop/docs"], ["toolu_16_0", "named", "create", "/home/ada/shop/docs/price.md"],
      ["toolu_16_0", "named", "write", "/home/ada/shop/docs/price.md"], ["toolu_31_0", "named", "truncate", "/home/ada/shop/src/price.c"],
      ["toolu_31_0", "named", "write", "/home/ada/shop/src/price.c"], ["toolu_34_0", "named", "mkdir", "/home/ada/shop/tools"],
      ["toolu_34_0", "named", "create", "/home/ada/shop/tools/table.py"], ["toolu_34_0", "named", "write", "/home/ada/shop/tools/table.py"],
      ["toolu_8_0", "named", "truncate", "/home/ada/shop/src/price.c"], ["toolu_8_0", "named", "write", "/home/ada/shop/src/price.c"]])
same("side by side: each its own", [e[3] for e in effects if e[0] == "toolu_31_1" and e[2] == "exec"][:2],
     ['/bin/bash -c sed -i "1i #include <math.h>" src/price.c && make test', "sed -i 1i #include <math.h> src/price.c"])
same("hosts, not those of its models", [e[3] for e in effects if e[2] == "connect" and e[0] == "toolu_27_0"],
     ["paste.example.com:443", "docs.example.com:443"])
same("no effect twice", len(effects), len({tuple(x) for x in rows(db, EFFECTS.replace("e.target FROM", "e.target, e.timestamp_ns, e.process_id FROM"))}))
files = {r["path"].replace("/home/ada/shop/", ""): (r["change"], r["tool"], r["evidence"]) for r in table("files", db)}
same("files as an outcome", {k: files.get(k) for k in ("src/price.c", "Makefile", "docs/price.md", "tools/table.py", "build/test", ".git/logs/HEAD")},
     {"src/price.c": ("changed", "Bash", "process"), "Makefile": ("changed", "Bash", "process"), "docs/price.md": ("created", "Write", "named"),
      "tools/table.py": ("created", "Write", "named"), "build/test": ("created", "Bash", "process"), ".git/logs/HEAD": ("changed", "Bash", "process")})
report("page.html" not in files and "36 temporary files" in files, "what was made and is gone again is temporary", repr(files))
same("each host once", one(db, "SELECT count(*) FROM (SELECT CAST(host AS TEXT) FROM http_exchanges UNION SELECT coalesce(host, address)"
                               " FROM connections WHERE family <> 'unix')"), 4)
summary = {r["item"]: r["value"] for r in table("summary", db, "--limit", "0")}
same("summary", {k: summary.get(k) for k in ("model calls", "model calls that failed", "prompts", "tool calls", "sub-agents", "model calls of sub-agents",
                                             "tool calls of sub-agents", "agents")},
     {"model calls": 35, "model calls that failed": 5, "prompts": 3, "tool calls": 25, "sub-agents": 1, "model calls of sub-agents": 4,
      "tool calls of sub-agents": 3, "agents": "agent"})

# --- the page ----------------------------------------------------------------------------------------
PAGE = """import { readFileSync } from 'fs'; import { Model, outcome } from './websink/ui/model.js';
const m = new Model(); readFileSync(process.argv[1], 'utf8').split('\\n').filter(Boolean).forEach((l, i) => m.add(i + 1, JSON.parse(l)));
console.log(JSON.stringify([m.counted.length, m.tools.length, m.counted.reduce((n, c) => n + (c.usage.input_tokens || 0) + (c.usage.output_tokens || 0), 0),
  [...m.conversations.values()].map((c) => [c.tools, c.calls.length, c.under ? c.under.name : null]).sort(), m.lives.filter((l) => !l.before).length,
  ['created', 'changed', 'deleted', 'temporary'].map((what) => [...m.files.values()].filter((f) => outcome(f) === what).length)]));"""
if shutil.which("node"):
    page = subprocess.run(["node", "--input-type=module", "-e", PAGE, os.path.join(HERE, "events.ndjson")], stdout=subprocess.PIPE)
    same("the page: the same numbers, sub-agents and helpers under their tool calls", json.loads(page.stdout or "null"),
         [35, 25, sum(r["total_tokens"] for r in tokens), [[False, 1, None], [False, 1, "SecondOpinion"], [False, 1, "Summarize"],
          [False, 1, "Summarize"], [False, 1, "Summarize"], [True, 26, None], [True, 4, "Task"]], summary["processes"],
          [summary["files created"], summary["files changed"], summary.get("files deleted", 0), summary["temporary files, made and gone again"]]])

# --- however the lines come ---------------------------------------------------------------------------
def said(name):
    return [rows(name, q) for q in (
        "SELECT u.tool_call_id, u.name, a.exchange, r.exchange, u.asked_ns, u.answered_ns, u.is_error FROM tool_uses u"
        " LEFT JOIN model_calls a ON a.id = u.call_id LEFT JOIN model_calls r ON r.id = u.result_call_id ORDER BY 1",
        "SELECT x.text, m.exchange, q.timestamp_ns FROM prompts q JOIN texts x ON x.id = q.text_id JOIN model_calls m ON m.id = q.call_id ORDER BY 2, 1",
        "SELECT m.exchange, w.kind, x.text FROM model_calls m JOIN call_work w ON w.call_id = m.id LEFT JOIN prompts q ON q.id = w.prompt_id"
        " LEFT JOIN texts x ON x.id = q.text_id ORDER BY 1", EFFECTS)]


want = said(db)
is_call = [x for x in lines if x["type"] == "llm.call"]
others = [x for x in lines if x["type"] != "llm.call"]
for name, order in (("calls behind all else", others + is_call),
                    ("calls behind all else, the last first", others + is_call[::-1]),
                    ("every other call 40 lines later", sorted(lines, key=lambda x, n={id(x): i for i, x in enumerate(lines)}:
                                                               n[id(x)] + (40 if x["type"] == "llm.call" and n[id(x)] % 2 else 0)))):
    got = said(store(order))
    for what, a, b in zip(("tools", "prompts", "whose calls", "effects"), got, want):
        same("%s: the same %s" % (name, what), a, b)

# --- calls of real agents -------------------------------------------------------------------------------
gemini = store(lines_of("gemini.ndjson"))
same("Gemini gives no ids: by name and place", rows(gemini, "SELECT name, tool_call_id, call_id, result_call_id FROM tool_uses"),
     [["run_shell_command", None, 1, 2], ["run_shell_command", None, 2, 3]])
same("... and what it adds to a prompt is kept apart", [(p["text"], p["added"]) for p in table("prompts", gemini)],
     [("Please list the root folder, then write the file.", 67)])
again = lines_of("gemini.ndjson")
again.insert(1, dict(again[1], id=again[1]["id"] + "b", timestamp_ns=again[1]["timestamp_ns"] - 1000, error_type="503", status_code=503))
for key in ("tool_calls", "output_messages", "usage", "finish_reasons"):
    del again[1][key]
same("... a retry makes no other one", rows(store(again), "SELECT name, result_id IS NOT NULL FROM tool_uses"), [["run_shell_command", 1]] * 2)
codex = store(lines_of("codex-0.20.ndjson"))
same("codex 0.20: the first call's line comes behind the second's",
     rows(codex, "SELECT u.tool_call_id, a.exchange, r.exchange FROM tool_uses u JOIN model_calls a ON a.id = u.call_id"
                 " JOIN model_calls r ON r.id = u.result_call_id ORDER BY a.started_ns"),
     [["call_A_MARK31bd683e_1", "11431:7f425fd22380:1/1", "11431:7f425fd221d0:2/1"],
      ["call_B_MARK31bd683e_2", "11431:7f425fd221d0:2/1", "11431:7f425fd20610:3/1"]])
same("... one prompt, of all three calls", [(p["text"], p["calls"], p["agent"]) for p in table("prompts", codex)],
     [("Please list the root folder, then write the file.", 3, "codex")])

# --- what is typed, and what is not ---------------------------------------------------------------------
for name, parts, want in (
        ("Claude Code", ["<system-reminder>\nToday is Monday.\n</system-reminder>", "Fix it"], ("Fix it", True)),
        ("in one text", ["<system-reminder>a</system-reminder>\nFix <b>it</b>\n<system-reminder>b</system-reminder>"], ("Fix <b>it</b>", True)),
        ("Cline", ["<task>\nFix it\n</task>", "# task_progress", "<environment_details>x</environment_details>"], ("Fix it", True)),
        ("Copilot", ["<context>d</context>\n<userRequest>\nFix it\n</userRequest>"], ("Fix it", True)),
        ("codex", ["# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>y</INSTRUCTIONS>"], None),
        ("interrupted", ["[Request interrupted by user]"], None),
        ("markup of the user's", ["<div>\nFix it\n</div>"], ("<div>\nFix it\n</div>", False)),
        ("cut off", ["Fix it\n<system-reminder>never clo"], ("Fix it", True))):
    call_ = llm(1, 1, 2, prompt="x")
    call_["input_messages"][0]["parts"] = [text(p) for p in parts]
    got = [(p["text"], p["added"] is not None) for p in table("prompts", store([execs(0, 200, 1, ["node"]), call_]))]
    same("typed: " + name, got, [want] if want else [])

# --- a sub-agent in the background: its tool call has its result before it begins -----------------------
behind = store([execs(0, 200, 1, ["node"]),
                llm(1, 1, 2, prompt="Go", asks=[("t1", "Agent", {"prompt": "Write the docs."}), ("t2", "Bash", {"command": "Write"})], request_tools=True),
                llm(2, 3, 4, results=[("t1", "Agent", 1, "in the background", False), ("t2", "Bash", 1, "ok", False)], request_tools=True),
                llm(3, 3.5, 5, prompt="Write the docs.", chain_id="sub", request_tools=True),
                llm(4, 6, 7, prompt="Write it all again", chain_id="other", request_tools=True)])
same("a sub-agent in the background", rows(behind, "SELECT h.chain_id, h.kind, u.name, h.evidence FROM chains h LEFT JOIN tool_uses u"
                                                   " ON u.id = h.tool_use_id ORDER BY 1 DESC"),
     [["sub", "sub-agent", "Agent", "named"], ["other", "main", None, None], ["c1", "main", None, None]])

# --- calls that another process makes than the agent ---------------------------------------------------
def spoken(name, lines, want, **kinds):
    """Whose the calls, the prompts and the effects are, in whatever order the lines come."""
    calls_ = [x for x in lines if x["type"] == "llm.call"]
    for how, order in (("", lines), (", calls behind all else", [x for x in lines if x["type"] != "llm.call"] + calls_)):
        db_ = store(order)
        same(name + how, [[(c["agent"], c["prompt"]) for c in table("calls", db_)], sorted((p["agent"], p["text"]) for p in table("prompts", db_)),
                          sorted((e["tool"], e["kind"], e["target"], e["evidence"]) for e in table("effects", db_))], want)


def run(s, parent, pid, argv, comm="sh"):
    return [fork(s, parent, comm, pid), execs(s + 0.01, pid, parent, argv)]


def wrote(s, pid, comm, path):
    return [opens(s, pid, comm, path, ("write", "create"), created=True), transfer("write", s + 0.01, pid, comm, path, 5)]


MAKE = {"command": "make test"}
curls = [execs(0, 50, 1, ["bash"], seed=True), *run(0.1, 50, 60, ["bash", "/w/assist.sh"], "bash"),
         fork(0.9, 60, "bash", 61), *run(1, 61, 62, ["curl", "-sd", "@-", "https://api.anthropic.com"], "bash"),
         llm(1, 1.1, 2, pid=62, comm="curl", agent="curl", prompt="Fix it", asks=[("t1", "Bash", MAKE), ("t2", "Write", {"path": "/w/a.txt"})]),
         exits(2.1, 62, 61, "curl"), exits(2.2, 61, 60, "bash"),
         *run(2.3, 60, 63, ["bash", "-c", "make test"], "bash"), *run(2.4, 63, 64, ["make", "test"], "bash"), *wrote(2.5, 64, "make", "/w/out.o"),
         exits(2.6, 64, 63, "make"), exits(2.7, 63, 60, "bash"), *wrote(2.8, 60, "bash", "/w/a.txt"),
         *run(3, 60, 66, ["sh", "-c", "curl -sd '{\"text\":\"make test\"}' https://api.anthropic.com | tee -a log"], "bash"),
         *run(3.05, 66, 67, ["curl", "-sd", "{\"text\":\"make test\"}", "https://api.anthropic.com"]),
         llm(2, 3.1, 4, pid=67, comm="curl", agent="curl", results=[("t1", "Bash", 1, "ok", False), ("t2", "Write", 1, "ok", False)], answer="Done")]
for r in curls[-1]["tool_results"]:
    r["call"] = "62:1:1/1"
spoken("a curl for each call: the script is the agent", curls,
       [[("assist", 1), ("assist", 1)], [("assist", "Fix it")],
        [("Bash", "create", "/w/out.o", "process"), ("Bash", "exec", "bash -c make test", "process"), ("Bash", "exec", "make test", "process"),
         ("Bash", "write", "/w/out.o", "process"), ("Write", "create", "/w/a.txt", "named"), ("Write", "write", "/w/a.txt", "named")]])

side = [*run(0.1, 1, 20, ["python3", "/opt/speaker.py"]), *run(0.2, 1, 30, ["python3", "/opt/red.py"]), *run(0.3, 1, 40, ["python3", "/opt/blue.py"])]
for k, (pid, name) in enumerate(((30, "red"), (40, "blue"))):
    ask_ = llm(10 * k + 1, 1 + k / 10, 2 + k / 10, pid=20, comm="python3", agent="speaker", conversation=name, prompt="Build " + name,
               asks=[("t" + name, "Bash", {"command": "make " + name}), ("w" + name, "Write", {"path": "/w/%s.txt" % name})])
    back = llm(10 * k + 2, 5 + k / 10, 6 + k / 10, pid=20, comm="python3", agent="speaker", conversation=name, answer="Done",
               results=[("t" + name, "Bash", 10 * k + 1, "ok", False), ("w" + name, "Write", 10 * k + 1, "ok", False)])
    side += [ask_, *run(3 + k / 10, pid, pid + 1, ["sh", "-c", "make " + name], "python3"), *wrote(3.5 + k / 10, pid + 1, "sh", "/w/%s.o" % name),
             *wrote(4 + k / 10, pid, "python3", "/w/%s.txt" % name), back]
side.sort(key=lambda x: x["timestamp_ns"])
spoken("one process speaks for two agents: each has its own", side,
       [[("red", 1), ("blue", 2), ("red", 1), ("blue", 2)], [("blue", "Build blue"), ("red", "Build red")],
        sorted(x for name in ("red", "blue") for x in (
            ("Bash", "create", "/w/%s.o" % name, "process"), ("Bash", "exec", "sh -c make " + name, "process"),
            ("Bash", "write", "/w/%s.o" % name, "process"), ("Write", "create", "/w/%s.txt" % name, "named"),
            ("Write", "write", "/w/%s.txt" % name, "named")))])

# --- a program that did not start ----------------------------------------------------------------------
failed = store([execs(0, 5, 1, ["agent"]), execs(1, 5, 1, ["nothing"], error="ENOENT"), execs(2, 5, 1, ["ls"])])
same("a failed exec is no program that ran", [rows(failed, "SELECT command FROM execs"), rows(failed, "SELECT command, error FROM failed_execs"),
                                             one(failed, "SELECT e.command FROM processes p JOIN execs e ON e.id = p.exec_id")],
     [[["agent"], ["ls"]], [["nothing", "ENOENT"]], "ls"])
# --- reads that were not recorded --------------------------------------------------------------------------
def books(*collects):
    return [{"type": "stage.begin", "timestamp_ns": at(0), "pid": 9, "stage": "process", "version": "1", "collects": ["changes", *collects]}]


agent = [execs(0, 5, 1, ["agent"]), llm(1, 1, 2, pid=5, prompt="x"), opens(3, 5, "agent", "/w", ("write",), created=True)]
without, having = store(books() + agent), store(books("reads") + agent)
for name, want in ((without, True), (having, False)):
    text_ = [next((str(r["value"]) for r in table("summary", name, "--limit", "0") if r["item"] == "files read"), ""),
             table("files", name)[0]["path"], str([r["what"] for r in table("risk", name)])]
    same("summary, files and risk say that reads were not recorded: %s" % want, ["reads were not recorded" in x for x in text_], [want] * 3)
same("access: no bytes are not known bytes", [table("access", x)[0]["read_bytes"] for x in (without, having)], [None, 0])
done()
