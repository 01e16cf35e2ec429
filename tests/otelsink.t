#!/usr/bin/python3
"""otelsink: events become spans, metrics and log records as the conventions say,
with real parents and the same ids each time; content only when asked for."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from otelsink_kit import *  # noqa: E402,F401,F403
import jsonschema  # noqa: E402

with open(os.path.join(HERE, "otel", "messages.schema.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)
SECRETS = ["Fix the tests", "make test", "2 failed", "int x;", "You are an agent", "I run the tests", "numbers"]


def is_valid(what, content):
    try:
        jsonschema.validate(content, {"$defs": SCHEMA["$defs"], "$ref": "#/$defs/" + what})
        return True
    except jsonschema.ValidationError:
        return False


def call(ident, ms=0, pid=100, duration=100, tools=(), results=(), session="s", agent="a", **more):
    keys = dict(conn=ident.split("/")[0], id=ident, provider="openai", api="chat_completions", operation="chat",
                request_model="m", stream=False, status_code=200, conversation_id=session, conversation_source="sent",
                agent=agent, duration_ms=float(duration))
    if tools:
        keys["tool_calls"] = [dict(name=n, arguments=a, **({"id": i} if i else {})) for i, n, a in tools]
    if results:
        keys["tool_results"] = list(results)
    keys.update(more)
    return event("llm.call", ms, pid=pid, **{k: v for k, v in keys.items() if v is not None})


def exec_(ms, pid, ppid, *argv, **more):
    return event("process.exec", ms, comm=argv[0], pid=pid, ppid=ppid, filename="/bin/" + argv[0], argv=list(argv), sid=1, **more)


def exit_(ms, pid, code=0, **more):
    return event("process.exit", ms, pid=pid, ppid=1, exit_code=code, **more)


def tree(all_spans):
    """name: the names of its parents, up to the root."""
    by = {s["spanId"]: s for s in all_spans}
    out = {}
    for s in all_spans:
        path, at = [], s
        while at.get("parentSpanId"):
            at = by.get(at["parentSpanId"])
            path.append(at["name"] if at else "?")
            if not at:
                break
        out[s["name"]] = path
    return out


def get(all_spans, name):
    return next(s for s in all_spans if s["name"] == name)


def ns(ms):
    return str(START + int(ms * MS))


# --- a run, whole ---------------------------------------------------------------------
bare = exported(RUN)
S = spans(bare)
same("every span and its parents", tree(S), {
    "invoke_agent claude-code": [],
    "chat claude-sonnet-5": ["invoke_agent claude-code"],
    "execute_tool Bash": ["invoke_agent claude-code"],
    "bash": ["execute_tool Bash", "invoke_agent claude-code"],
    "make": ["bash", "execute_tool Bash", "invoke_agent claude-code"],
    "execute_tool Read": ["invoke_agent claude-code"],
    "execute_tool mcp__calc__add": ["invoke_agent claude-code"],
    "tools/call add": ["execute_tool mcp__calc__add", "invoke_agent claude-code"],
    "tools/list": ["invoke_agent claude-code"],
    "invoke_agent openai-python": [],
    "embeddings text-embedding-3-small": ["invoke_agent openai-python"]})
same("one trace for each conversation", sorted(len([s for s in S if s["traceId"] == t]) for t in {s["traceId"] for s in S}), [2, 11])
report(len({s["spanId"] for s in S}) == len(S), "every span has an id of its own")
report(all(len(s["traceId"]) == 32 and len(s["spanId"]) == 16 for s in S), "ids are as long as they should be")

chat = S[0]
same("attributes of a call", chat["attributes"], {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.conversation.id": "sess-1",
    "gen_ai.request.model": "claude-sonnet-5", "gen_ai.request.stream": True, "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 1000, "gen_ai.request.stop_sequences": ["END"], "gen_ai.response.id": "msg_1",
    "gen_ai.response.model": "claude-sonnet-5-20260901", "gen_ai.response.finish_reasons": ["tool_call"],
    "gen_ai.response.time_to_first_chunk": 0.2505, "gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 40,
    "gen_ai.usage.cache_read.input_tokens": 1000, "gen_ai.usage.cache_creation.input_tokens": 100,
    "server.address": "api.anthropic.com", "server.port": 443, "gen_ai.agent.name": "claude-code",
    "gen_ai.agent.version": "2.1.0", "http.response.status_code": 200, "process.pid": 100,
    "agentsight.event.id": "100:aa:1/1"})
has("its kind and times", chat, kind=3, startTimeUnixNano=ns(100), endTimeUnixNano=ns(1000.25),
    events=[{"timeUnixNano": ns(350.5), "name": "first_token"}], status=None)
failed = [s for s in S if s.get("status") and s["name"].startswith("chat")][0]
same("a call that failed", [failed["status"], failed["attributes"]["error.type"]],
     [{"message": "Overloaded", "code": 2}, "overloaded_error"])
tool = get(S, "execute_tool Bash")
has("a tool: from the answer to the next request", tool, kind=1, startTimeUnixNano=ns(1000.25), endTimeUnixNano=ns(2000),
    links=[{"traceId": chat["traceId"], "spanId": chat["spanId"], "flags": 257}], status={"code": 2})
same("attributes of a tool", tool["attributes"], {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "Bash", "gen_ai.tool.call.id": "toolu_1",
    "gen_ai.tool.type": "function", "gen_ai.conversation.id": "sess-1", "gen_ai.agent.name": "claude-code",
    "error.type": "tool_error"})
make = get(S, "make")
has("a process", make, kind=1, startTimeUnixNano=ns(1013), endTimeUnixNano=ns(1500), status={"code": 2})
same("attributes of a process", make["attributes"], {
    "process.executable.name": "make", "process.pid": 102, "process.parent_pid": 101,
    "process.executable.path": "/usr/bin/make", "process.working_directory": "/home/ada/p", "process.exit.code": 2,
    "error.type": "2"})
mcp = get(S, "tools/call add")
has("a call of a tool server", mcp, kind=3, startTimeUnixNano=ns(2850), endTimeUnixNano=ns(2870.5))
same("attributes of a call of a tool server", mcp["attributes"], {
    "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add",
    "jsonrpc.request.id": "a7", "network.transport": "pipe", "process.pid": 100})
agent = get(S, "invoke_agent claude-code")
has("the root", agent, kind=1, startTimeUnixNano=ns(100), endTimeUnixNano=ns(3050))
same("attributes of the root: totals", agent["attributes"], {
    "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "anthropic", "gen_ai.agent.name": "claude-code",
    "gen_ai.agent.version": "2.1.0", "gen_ai.conversation.id": "sess-1", "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.usage.input_tokens": 2500, "gen_ai.usage.output_tokens": 70, "process.pid": 100})
has("the resource of an agent", chat["resource"], **{
    "service.name": "claude-code", "service.version": "2.1.0", "process.pid": 100, "process.parent_pid": 1,
    "process.executable.name": "claude", "process.executable.path": "/usr/bin/claude", "os.type": "linux",
    "host.name": os.uname().nodename, "telemetry.sdk.name": "agentsight"})
report(all(x["schemaUrl"] == "https://opentelemetry.io/schemas/1.41.1" and
           x[k][0]["schemaUrl"] == x["schemaUrl"] and x[k][0]["scope"]["name"] == "agentsight"
           for r in bare for top, k in (("resourceSpans", "scopeSpans"), ("resourceMetrics", "scopeMetrics"))
           for x in r.get(top, [])), "scope and schema of all")

# --- the same again ----------------------------------------------------------------------
same("a replay gives the same bytes", exported(RUN), bare)
by_id = lambda l: sorted(l, key=lambda s: s["spanId"])  # noqa: E731
same("batches of one: the same spans", by_id(spans(exported("--batch-size", 1, RUN))), by_id(S))
mixed = [dict([("type", e["type"])] + [(k, str(v) if k == "request_id" else v) for k, v in reversed(e.items()) if k != "type"]) for e in lines()]
mixed = text(mixed).replace(b'"sess-1"', b'"\\u0073ess\\u002d1"').replace(b'"claude-code"', b'"claude\\u002dcode"')
same("the same events written otherwise: the same ids", sorted(s["traceId"] + s["spanId"] for s in spans(exported(data=mixed))),
     sorted(s["traceId"] + s["spanId"] for s in S))
# every request was decoded by Google's protobuf, field by field known
for more in ([], ["--content"]):
    with Receiver() as r:
        p = run("--endpoint", r.url, *more, RUN)
        got, want = received(r), exported(*more, RUN)
    key = lambda x: sorted(x)[0]  # noqa: E731
    same("protobuf and JSON say the same%s" % (", content too" if more else ""),
         sorted(map(plain, got), key=key), sorted(map(plain, want), key=key))

# --- content ---------------------------------------------------------------------------------
text_of = json.dumps(bare, ensure_ascii=False)
same("nothing that was said, unless asked for", [s for s in SECRETS if s in text_of], [])
full = exported("--content", RUN)
C = spans(full)
a = C[0]["attributes"]
said = lines()[1]
same("content of a span is JSON in a string",
     [json.loads(a[k]) for k in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")],
     [said["input_messages"], said["output_messages"], said["system_instructions"]])
a = get(C, "execute_tool Bash")["attributes"]
same("arguments and result of a tool", [json.loads(a["gen_ai.tool.call.arguments"]), json.loads(a["gen_ai.tool.call.result"])],
     [{"command": "make test", "timeout": 1000}, "2 failed"])
a = get(C, "tools/call add")["attributes"]
same("those of a tool server", [json.loads(a["gen_ai.tool.call.arguments"]), json.loads(a["gen_ai.tool.call.result"])],
     [{"numbers": [2, 3]}, {"content": [{"type": "text", "text": "5"}], "isError": False}])
same("the command line of a process", get(C, "make")["attributes"]["process.command_args"], ["make", "test"])
logs = [dict(i, attributes=attributes(i["attributes"])) for _, i in each(full, "logs")]
same("log records: one for each call, at its span", [(x["eventName"], x["spanId"]) for x in logs],
     [("gen_ai.client.inference.operation.details", s["spanId"]) for s in C if s["name"].startswith(("chat", "embed"))])
same("content of a log record has structure", [logs[0]["attributes"][k] for k in ("gen_ai.input.messages", "gen_ai.output.messages",
     "gen_ai.system_instructions")], [said["input_messages"], said["output_messages"], said["system_instructions"]])
kinds = {"gen_ai.input.messages": "input", "gen_ai.output.messages": "output", "gen_ai.system_instructions": "system"}
report(all(is_valid(kinds[k], x["attributes"][k]) for x in logs for k in kinds if k in x["attributes"]),
       "messages are as the conventions' schemas have them")
report(not is_valid("input", [{"role": "user", "parts": [{"type": "tool_call_response", "result": 1}]}]),
       "(and the schemas can say no)")
deep = call("1:a:1/1", input_messages=[{"role": "user", "parts": [{"type": "x", "v": [[[[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]]]]}]}])
with Receiver() as r:
    run("--endpoint", r.url, "--content", events=[deep])
    same("what is nested very deep goes on as text, and every decoder takes it", [b"deep" in x["body"] and decode(x["path"], x["body"]) != {}
         for x in r.requests if x["path"] == "/v1/logs"], [True])
VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
for word, want in (("true", (1, 1)), ("SPAN_ONLY", (1, 0)), ("event_only", (0, 1)), ("SPAN_AND_EVENT", (1, 1)), ("NO_CONTENT", (0, 0)),
                   ("false", (0, 0)), ("nonsense", (0, 0))):
    r = exported(RUN, env={VARIABLE: word})
    same("content by variable: " + word, (int("gen_ai.input.messages" in spans(r)[0]["attributes"]), int(any(each(r, "logs")))), want)

# --- 1.36 --------------------------------------------------------------------------------------
old = exported("--semconv", "1.36", RUN)
O = spans(old)
a = O[0]["attributes"]
same("1.36: gen_ai.system, and nothing that is newer", [a["gen_ai.system"], [k for k in a if k in (
    "gen_ai.provider.name", "gen_ai.request.stream", "gen_ai.response.time_to_first_chunk")],
    "gen_ai.client.operation.time_to_first_chunk" in [m["name"] for _, m in each(old, "metrics")],
    old[0]["resourceSpans"][0]["schemaUrl"]], ["anthropic", [], False, "https://opentelemetry.io/schemas/1.36.0"])
same("1.36 has no place for content", [run("--semconv", "1.36", "--content", RUN).returncode, run("--semconv", "1", RUN).returncode], [2, 2])

# --- metrics -------------------------------------------------------------------------------------
M = {}
for resource, m in each(bare, "metrics"):
    for p in m.get("histogram", m.get("sum"))["dataPoints"]:
        M.setdefault((resource["service.name"], m["name"]), []).append((attributes(p["attributes"]), p, m))
tokens = {a["gen_ai.token.type"]: p for a, p, _ in M["claude-code", "gen_ai.client.token.usage"]}
B = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
has("input tokens", tokens["input"], count="2", sum=2500.0, min=1200.0, max=1300.0, explicitBounds=B,
    bucketCounts=["2" if i == 6 else "0" for i in range(15)], startTimeUnixNano=ns(100), timeUnixNano=ns(2800))
has("output tokens", tokens["output"], count="2", sum=70.0, bucketCounts=["2" if i == 3 else "0" for i in range(15)])
took = {a.get("error.type"): p for a, p, _ in M["claude-code", "gen_ai.client.operation.duration"]}
has("durations, those of failures apart", took[None], count="2", sum=1.70025, max=0.90025,
    bucketCounts=["2" if i == 7 else "0" for i in range(15)],
    explicitBounds=[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92])
has("and these", took["overloaded_error"], count="1", sum=0.05)
a, p, m = M["claude-code", "gen_ai.client.operation.time_to_first_chunk"][0]
same("time to the first chunk, of streams", [p["count"], p["sum"], m["unit"], m["histogram"]["aggregationTemporality"]], ["2", 0.5505, "s", 2])
same("what a point says of itself", a, {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.response.model": "claude-sonnet-5-20260901", "server.address": "api.anthropic.com", "server.port": 443})
same("tokens that are not known are not reported", [a["gen_ai.token.type"] for a, _, _ in M["openai-python", "gen_ai.client.token.usage"]], ["input"])
same("losses of the pipeline", [(a, p["asInt"], m["sum"]["isMonotonic"]) for k in ("agentsight.losses", "agentsight.lost_bytes")
     for a, p, m in M["agentsight", k]],
     [({"agentsight.stage": "sslsniff", "agentsight.reason": "ring_full"}, n, True) for n in ("3", "4096")])
delta = exported(RUN, env={"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"})
same("delta, when that is preferred", sorted({m.get("histogram", m.get("sum"))["aggregationTemporality"] for _, m in each(delta, "metrics")}), [1])
edge = exported(events=[call("1:a:1/%d" % i, usage={"input_tokens": n}) for i, n in enumerate((0, 1, 2, 4, 67108864, 67108865))])
point = [p for _, m in each(edge, "metrics") if "usage" in m["name"] for p in m["histogram"]["dataPoints"]][0]
same("a bound belongs to the bucket below it", point["bucketCounts"], ["2", "2"] + ["0"] * 11 + ["1", "1"])
many = exported(events=[call("1:a:1/%d" % i, request_model="m%d" % i) for i in range(2100)])
points = [attributes(p["attributes"]) for _, m in each(many, "metrics") if "duration" in m["name"] for p in m["histogram"]["dataPoints"]]
same("more than 2000 combinations are added up", [len(points), [a for a in points if "otel.metric.overflow" in a]], [2001, [{"otel.metric.overflow": True}]])

# --- resources ---------------------------------------------------------------------------------------
env = {"OTEL_SERVICE_NAME": "mine", "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,deployment.environment.name=a%20b%2Cc,host.name=h1,os.type=,bad"}
p = run("--file", "-", RUN, env=env)
r = [json.loads(x) for x in p.stdout.splitlines()]
res = spans(r)[0]["resource"]
has("OTEL_SERVICE_NAME, then OTEL_RESOURCE_ATTRIBUTES, then what was seen", res, **{
    "service.name": "mine", "deployment.environment.name": "a b,c", "host.name": "h1", "os.type": None, "process.pid": 100})
report(b"OTEL_RESOURCE_ATTRIBUTES: an entry is not NAME=VALUE" in p.stderr, "an entry without a value is told")
same("the name is the agents', not the pipeline's", sorted({x["service.name"] for x, _ in each(r, "metrics")}), ["agentsight", "mine"])
box = exported(events=[dict(call("1:a:1/1"), container_id="0123456789ab")])
same("container.id", spans(box)[0]["resource"]["container.id"], "0123456789ab")
odd = dict(call("1:a:1/1", agent=None), comm_b64="/2E=")
del odd["comm"]
same("a name that is not UTF-8", spans(exported(events=[odd]))[0]["resource"]["service.name"], "\ufffda")
two = spans(exported(events=[call("1:a:1/1", pid=5), call("2:a:1/1", pid=6), call("1:a:1/2", pid=5)]))
same("one resource for each process", [s["resource"]["process.pid"] for s in two if s["name"] == "chat m"], [5, 5, 6])

# --- conversations ---------------------------------------------------------------------------------------
def traces(*events, args=()):
    return [s["traceId"] for s in spans(exported(*args, events=list(events))) if s["kind"] == 3]

ids = traces(call("1:a:1/1"), call("9:b:1/1", 5000, pid=9), call("2:a:1/1", session="t"))
report(len(set(ids)) == 2, "the same name is the same trace, also in another process", ids)
d = dict(conversation_source="derived", session="1:a:1/1")
once, again = traces(call("1:a:1/1", **d), call("1:a:1/2", 10, **d)), traces(call("1:a:1/1", 1, **d))
report(once[0] == once[1] != again[0], "a name that was not sent is of its recording only", once, again)
report("gen_ai.conversation.id" not in spans(exported(events=[call("1:a:1/1", **d)]))[0]["attributes"], "and is not told as one")
turns = spans(exported(events=[call("1:a:1/1", turn=1), call("1:a:1/1", turn=2)]))
report(len({s["spanId"] for s in turns}) == 3, "turns of a WebSocket are calls of their own")
S2 = spans(exported("--idle", "1m", events=[call("1:a:1/1"), call("1:a:1/2", 61001 + 100), event("bash.readline", 61500, command="x")]))
same("a conversation that goes on after --idle: another root in the same trace",
     [len([s for s in S2 if not s.get("parentSpanId")]), len({s["traceId"] for s in S2}), len({s["spanId"] for s in S2})], [2, 1, 4])
S2 = spans(exported(events=[exec_(0, 100, 1, "a"), call("1:a:1/1"), exit_(200, 100), call("1:a:1/2", 20000, pid=7)]))
same("the end of the agent's process ends it", [s["name"] for s in S2][:2], ["chat m", "invoke_agent a"])
many = [call("1:a:1/%d" % i, session="s%d" % (i % 7)) for i in range(70)]
p = run("--file", "-", "--max-conversations", 3, "-v", events=many)
same("few conversations: roots are told early, counted, and nothing is missing",
     [len([s for s in spans(map(json.loads, p.stdout.splitlines())) if s["kind"] == 3]), b"evicted 67" in p.stderr], [70, True])

# --- tools and processes ------------------------------------------------------------------------------------
ASK = [("t1", "Bash", {"command": "sleep 1"}), ("t2", "Bash", {"command": "ls -la /tmp"}), ("t3", "Read", {"path": "/x"})]
DONE = [{"id": i, "name": n, "call": "1:a:1/1", "response": "ok"} for i, n, _ in ASK]


def story(*middle, ask=ASK, results=DONE, before=(), after=(), args=()):
    evs = [*before, call("1:a:1/1", tools=ask), *middle, call("1:a:1/2", 1000, results=results), *after]
    p = run("--file", "-", "-v", *args, events=evs)
    s = spans(map(json.loads, p.stdout.splitlines()))
    return tree(s), s, p.stderr.decode()


run1 = [exec_(110, 201, 100, "bash", "-c", "eval 'ls -la /tmp'"), exec_(120, 202, 100, "bash", "-c", "sleep 1"), exec_(130, 203, 202, "sleep", "1"),
        exit_(140, 201), exit_(150, 203), exit_(160, 202)]
t, s, _ = story(*run1)
by = {x["attributes"].get("gen_ai.tool.call.id"): x["spanId"] for x in s if x["name"].startswith("execute_tool")}
parents = {x["attributes"]["process.pid"]: x["parentSpanId"] for x in s if x["name"] in ("bash", "sleep")}
same("of several tools, the one whose argument the command line has", [parents[201] == by["t2"], parents[202] == by["t1"], t["sleep"][0]],
     [True, True, "bash"])
t, _, err = story(exec_(110, 201, 100, "git", "status"), exit_(120, 201))
same("of one of them, but which: below the conversation", t["git"], ["invoke_agent a"])
other = call("3:b:1/1", 10, session="z", duration=50, tools=[("t9", "Bash", {"command": "true"})])
t, _, err = story(exec_(110, 201, 100, "git", "status"), exit_(120, 201), before=[other])
same("of one of two conversations: not at all, and counted", ["git" in t, "unplaced 1" in err], [False, True])
late = story(call("1:a:1/1", tools=ASK[:1]), ask=None, results=DONE[:1], before=run1[1:3] + run1[4:])[0]
same("lines of processes that come before that of the call", [late["bash"], late["sleep"]],
     [["execute_tool Bash", "invoke_agent a"], ["bash", "execute_tool Bash", "invoke_agent a"]])
t, _, _ = story(event("process.fork", 101, comm="a", pid=100, ppid=1, child_pid=150), exec_(102, 151, 150, "ls"),
                event("process.fork", 102, pid=150, ppid=100, child_pid=152), exec_(103, 152, 150, "wc"),
                exit_(104, 151), exit_(105, 152), ask=ASK[:1], results=DONE[:1])
same("children of one that was only forked", [t["ls"][0], t["wc"][0]], ["execute_tool Bash"] * 2)
t, _, _ = story(exec_(50, 201, 100, "hook"), exit_(60, 201), exec_(1500, 202, 100, "hook2"), exit_(1600, 202), ask=ASK[:1], results=DONE[:1])
same("processes before and behind a tool are not its own", [k for k in t if "hook" in k], [])
t, _, _ = story(exec_(110, 201, 77, "cron"), exit_(120, 201), ask=ASK[:1], results=DONE[:1])
same("nor those of others", "cron" in t, False)
t, _, _ = story(exec_(110, 201, 100, "old", seed=True), exit_(120, 201), ask=ASK[:1], results=DONE[:1])
same("nor those that ran before", "old" in t, False)
_, s, _ = story(exec_(110, 201, 100, "server"), ask=ASK[:1], results=DONE[:1], after=[event("bash.readline", 3000, command="x")])
has("one that runs on until the end of the input", dict(get(s, "server"), code=get(s, "server")["attributes"].get("process.exit.code", "none")),
    endTimeUnixNano=ns(3000), code="none")
_, s, _ = story(exec_(110, 201, 100, "bash"), exec_(111, 201, 100, "git", "log"), exit_(120, 201, 0), ask=ASK[:1], results=DONE[:1])
same("a process that executes another program is one process", [x["name"] for x in s if x["attributes"].get("process.pid") == 201], ["git"])
_, s, _ = story(exec_(110, 201, 100, "bash"), event("process.exit", 120, pid=201, ppid=100, signal=9, signal_name="SIGKILL"), ask=ASK[:1], results=DONE[:1])
a = get(s, "bash")
same("one that was killed", [a["status"], a["attributes"]["error.type"], a["attributes"]["process.exit.code"]], [{"code": 2}, "signal_9", 137])
t, _, err = story(results=DONE[:1])
same("a tool without a result has no span", [sorted(k for k in t if "tool" in k), "2 tools without a result" in err], [["execute_tool Bash"], True])
t, s, _ = story(exec_(110, 201, 100, "bash", "-c", "sleep 1"), exit_(700, 201), results=[])
same("unless something belongs to it", t["bash"], ["execute_tool Bash", "invoke_agent a"])
inner = [exec_(110, 201, 100, "codex"), call("4:d:1/1", 120, pid=201, session="in", agent="codex", duration=10), exec_(125, 202, 201, "hook"),
         exit_(130, 202), exec_(133, 203, 100, "mcpcli"),
         event("mcp.call", 135, pid=203, transport="stdio", role="client", method="ping", client_pid=203, duration_ms=1.0), exit_(140, 203), exit_(500, 201)]
t, s, _ = story(*inner, ask=ASK[:1], results=DONE[:1])
same("an agent that a tool runs: a conversation of its own, and a process of the tool's", [t["invoke_agent codex"], t["codex"], t["hook"]],
     [[], ["execute_tool Bash", "invoke_agent a"], ["codex", "execute_tool Bash", "invoke_agent a"]])
same("a call of a tool server by a process of the tool's", t["ping"], ["mcpcli", "execute_tool Bash", "invoke_agent a"])
big = [("t1", "Bash", {"command": "x" * 100000}), ("t2", "Bash", {"command": "y"})]
_, s, err = story(ask=big, results=DONE[:2], args=["--content", "--max-memory", "64k"])
same("--max-memory: what finds no room is left out, and counted", [sorted("gen_ai.tool.call.arguments" in x["attributes"] for x in s
     if x["name"].startswith("execute_tool")), "max_memory 1" in err], [[False, True], True])
flood = [exec_(110 + i / 10, 300 + i, 100 if i % 3 == 0 else 299 + i, "p%d" % i) for i in range(300)] + [exit_(200 + i / 10, 300 + i) for i in range(300)]
t, s, err = story(*flood, ask=ASK[:1], results=DONE[:1], args=["--max-processes", 32])
same("--max-processes: those that are told have parents, and the rest are counted", ["?" in sum(t.values(), []), len(t) > 32, "procs_full" in err,
     "execute_tool Bash" in t], [False, True, True, True])
t, s, err = story(*flood, ask=ASK[:1], results=DONE[:1])
same("with room for them all are told", [len([x for x in s if x["name"][0] == "p"]), "lost: nothing" in err], [300, True])
named = [(None, "f", {}), (None, "g", {}), (None, "f", {"x": 1})]
_, s, _ = story(ask=named, results=[{"name": n, "response": i} for i, n in enumerate(("f", "g", "f"))], args=["--content"])
same("tools without ids are matched by name, in order", [(x["attributes"]["gen_ai.tool.call.arguments"], x["attributes"]["gen_ai.tool.call.result"])
     for x in s if x["name"].startswith("execute_tool")], [("{}", "0"), ("{}", "1"), ('{"x":1}', "2")])
http = event("mcp.call", 1, pid=9, transport="http", server="[::1]:8080", method="tools/call", tool="add", request_id=3, session_id="s9",
             protocol_version="2025-11-25", status_code=200, error={"code": -32602, "message": "no"}, error_type="-32602", duration_ms=2.0)
s = spans(exported(events=[http, dict(http, server="tools.example", role="server", error=None)]))
same("a tool server over HTTP", [s[0]["status"], {k: v for k, v in s[0]["attributes"].items() if k[:3] in ("rpc", "err", "net", "ser", "mcp")}],
     [{"message": "no", "code": 2}, {"mcp.method.name": "tools/call", "error.type": "-32602", "rpc.response.status_code": "-32602",
      "mcp.protocol.version": "2025-11-25", "mcp.session.id": "s9", "network.transport": "tcp", "network.protocol.name": "http",
      "server.address": "[::1]", "server.port": 8080}])
same("and its server's side", [s[1]["kind"], s[1]["attributes"]["server.address"], "server.port" in s[1]["attributes"]], [2, "tools.example", False])

# --- a sink ------------------------------------------------------------------------------------------------------
data = open(RUN, "rb").read()
with Receiver() as r:
    p = run("--endpoint", r.url, RUN)
    same("writes nothing on its own", [p.returncode, p.stdout, p.stderr], [0, b"", b""])
    junk = b'not json\n{"a":1}\n' + data + b'{"type":"x"'
    p = run("--endpoint", r.url, "--tee", data=junk)
    same("--tee: every line goes on", [x for x in p.stdout.split(b"\n") if b'"stage":"otelsink"' not in x], (junk + b"\n").split(b"\n"))
    p = run("--endpoint", r.url, "--fail-on-loss", data=junk)
    same("bad lines are told, and what is good beside them is not lost", [p.returncode, b"line 1 is not a JSON object" in p.stderr,
         len(spans([decode(x["path"], x["body"]) for x in r.requests[-2:] if x["path"] == "/v1/traces"]))], [3, True, len(S)])
    p = run("--endpoint", r.url, RUN, env={"OTEL_SDK_DISABLED": "TRUE"})
    n = len(r.requests)
    same("OTEL_SDK_DISABLED", [p.returncode, len(r.requests) - n, b"OTEL_SDK_DISABLED" in p.stderr], [0, 0, True])
    n = len(r.requests)
    run("--endpoint", r.url, RUN, env={"OTEL_TRACES_EXPORTER": "none"})
    same("OTEL_TRACES_EXPORTER=none", sorted({x["path"] for x in r.requests[n:]}), ["/v1/metrics"])
    run("--endpoint", r.url, data=b"")
    same("nothing to say, nothing sent", len(r.requests), n + 1)
p = run("--endpoint", "http://localhost:9", os.path.join(T, "nowhere.ndjson"))
same("an input that is not there", [p.returncode, b"nowhere.ndjson: No such file" in p.stderr], [1, True])
path = os.path.join(T, "out.json")
os.umask(0)
run("--file", path, RUN)
run("--file", path, RUN)
same("--file appends, for its owner alone", [len(open(path).readlines()), os.stat(path).st_mode & 0o777], [2 * len(bare), 0o600])
p = run("--file", "/dev/full", RUN)
same("a full disk is a message and exit 1", [p.returncode, b"write /dev/full: No space left" in p.stderr], [1, True])
for args, word in ((["--endpoint", "ftp://x"], b"not an http or https URL"), (["--protocol", "grpc"], b"4318"), (["--protocol", "x"], b"not known"),
                   (["--compression", "br"], b"not known"), (["--header", "a b=c"], b"NAME=VALUE"), (["--header", "a=b\nc: d"], b"NAME=VALUE"),
                   (["--ca-cert", "/nowhere"], b"No such file"), (["-o", os.path.join(T, "x")], b"--tee"), (["--file", "-", "--tee"], b"standard output"), (["--file", "x", "--spool", "y"], b"spool")):
    p = run(*args, data=b"")
    report(p.returncode == 2 and word in p.stderr, "refused: " + " ".join(args).replace("\n", "\\n"), p)
done()
