"""What the tests of otelsink share: events, runs of the tool, and what it sent,
decoded by Google's protobuf."""
import atexit
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "otel")]
from llmparse_kit import MS, START, done, event, has, report  # noqa: E402,F401
from receiver import Receiver  # noqa: E402,F401

RUN = os.path.join(HERE, "data", "otelsink", "run.ndjson")
T = tempfile.mkdtemp(prefix="agentsight-test.")
atexit.register(shutil.rmtree, T, True)
PATHS = {"/v1/traces": "Traces", "/v1/metrics": "Metrics", "/v1/logs": "Logs"}


def same(name, got, want):
    return report(got == want, name, "got:    %r" % (got,), "wanted: %r" % (want,))


def lines(path=RUN):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def text(events):
    return "".join(json.dumps(e, separators=(",", ":"), ensure_ascii=False) + "\n" for e in events).encode()


def environment(**more):
    """Of the caller's nothing that the tool reads."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_") and not k.lower().endswith("_proxy")}
    env.update(more)
    return env


def run(*args, events=None, data=None, env=None, timeout=60):
    data = text(events) if events is not None else data
    return subprocess.run(["otelsink", *map(str, args)], input=data, capture_output=True, timeout=timeout,
                          env=environment(**(env or {})), stdin=subprocess.DEVNULL if data is None else None)


def start(*args, env=None):
    return subprocess.Popen(["otelsink", *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment(**(env or {})))


# --- protobuf -----------------------------------------------------------------------
_classes = {}


def message(name):
    """A message class of otel/otlp.proto."""
    if not _classes:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
        out = os.path.join(T, "otlp.pb")
        subprocess.run(["protoc", "-I", os.path.join(HERE, "otel"), "--descriptor_set_out", out, "otlp.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet()
        with open(out, "rb") as f:
            files.ParseFromString(f.read())
        pool = descriptor_pool.DescriptorPool()
        pool.Add(files.file[0])
        factory = message_factory.MessageFactory(pool)
        for m in files.file[0].message_type:
            _classes[m.name] = factory.GetPrototype(pool.FindMessageTypeByName("otlp." + m.name))
    return _classes[name]


def _unknown(m):
    found = [f.field_number for f in m.UnknownFields()]
    for field, value in m.ListFields():
        if field.message_type:
            for one in value if field.label == field.LABEL_REPEATED else [value]:
                found += _unknown(one)
    return found


def _hex_ids(o):
    if isinstance(o, dict):
        return {k: base64.b64decode(v).hex() if k in ("traceId", "spanId", "parentSpanId") else _hex_ids(v)
                for k, v in o.items()}
    return [_hex_ids(v) for v in o] if isinstance(o, list) else o


def decode(path, body):
    """The protobuf body of a request as OTLP/JSON has it."""
    from google.protobuf import json_format
    m = message(PATHS[path])()
    m.ParseFromString(body)
    if _unknown(m):
        raise ValueError("unknown fields %s" % _unknown(m))
    return _hex_ids(json_format.MessageToDict(m))


def plain(o):
    """OTLP/JSON with what is only another way to write the same made equal."""
    if isinstance(o, dict):
        return {k: plain(v) for k, v in o.items()}
    if isinstance(o, list):
        return [plain(v) for v in o]
    return float(o) if isinstance(o, int) and not isinstance(o, bool) else o


# --- what was sent --------------------------------------------------------------------
def value(v):
    """An AnyValue as Python has it."""
    if "arrayValue" in v:
        return [value(x) for x in v["arrayValue"].get("values", [])]
    if "kvlistValue" in v:
        return attributes(v["kvlistValue"].get("values", []))
    if "intValue" in v:
        return int(v["intValue"])
    return next(iter(v.values()), None)


def attributes(kvs):
    out = {}
    for kv in kvs:
        assert kv["key"] not in out, "twice: " + kv["key"]
        out[kv["key"]] = value(kv["value"])
    return out


def each(requests, kind):
    """(resource, item) of spans, metrics or logs."""
    names = {"spans": ("resourceSpans", "scopeSpans", "spans"), "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
             "logs": ("resourceLogs", "scopeLogs", "logRecords")}[kind]
    for r in requests:
        for res in r.get(names[0], []):
            for scope in res[names[1]]:
                for item in scope[names[2]]:
                    yield attributes(res["resource"]["attributes"]), item


def spans(requests):
    out = []
    for resource, s in each(requests, "spans"):
        out.append(dict(s, attributes=attributes(s.get("attributes", [])), resource=resource))
    return out


def exported(*args, events=None, data=None, env=None, status=0):
    """The requests that --file writes."""
    p = run("--file", "-", *args, events=events, data=data, env=env)
    assert p.returncode == status, (p.returncode, p.stderr)
    return [json.loads(line) for line in p.stdout.splitlines()]


def received(receiver):
    """The requests that a receiver got, decoded, in the order of their arrival."""
    return [decode(r["path"], r["body"]) if "protobuf" in r["headers"]["content-type"] else json.loads(r["body"])
            for r in receiver.requests]
