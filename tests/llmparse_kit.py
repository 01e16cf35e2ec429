"""What the tests of llmparse share: lines as the stages before write them, a
run of the tool with its contract checked, TAP."""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import validate  # noqa: E402

MS = 1000000
START = 1795493553000000000
CHECKER = validate.Checker(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                        "..", "docs", "events.schema.json"))
OURS = {"llm.call", "mcp.call", "loss"}
state = {"n": 0, "failed": 0}


def report(good, name, *why):
    state["n"] += 1
    print("%sok %d - %s" % ("" if good else "not ", state["n"], name))
    if not good:
        state["failed"] += 1
        for w in why:
            for line in str(w).splitlines()[:30]:
                print("# " + line[:600])
    return good


def same(name, got, want):
    return report(got == want, name, "got:    " + json.dumps(got, ensure_ascii=False),
                  "wanted: " + json.dumps(want, ensure_ascii=False))


def has(name, got, **want):
    """The event has these keys with these values; None: it has not that key."""
    wrong = {k: got.get(k) for k, v in want.items() if got.get(k) != v}
    return report(not wrong, name, "got:    " + json.dumps(wrong, ensure_ascii=False),
                  "wanted: " + json.dumps({k: want[k] for k in wrong}, ensure_ascii=False))


def done():
    print("1..%d" % state["n"])
    sys.exit(1 if state["failed"] else 0)


# --- lines ------------------------------------------------------------------
def event(kind, ms, comm="node", pid=7, **keys):
    return dict({"type": kind, "timestamp_ns": START + int(ms * MS), "pid": pid, "tid": pid, "uid": 1000,
                 "comm": comm}, **keys)


def text_of(body):
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def request(ident, path, body, ms=0, host="gateway.example:8443", headers=None, method="POST", **more):
    data = text_of(body) if body is not None else None
    line = event("http.request", ms, conn=ident.rsplit("/", 1)[0], id=ident, method=method, path=path,
                 protocol="HTTP/1.1", headers=dict({"user-agent": "test/1.0"}, **(headers or {})),
                 body_len=len(data.encode()) if data else 0)
    if host:
        line["host"] = host
    if data is not None:
        line["body"] = data
    line.update(more)
    return line


def response(ident, body, ms=50, status=200, path=None, host=None, headers=None, **more):
    data = text_of(body) if body is not None else None
    line = event("http.response", ms, conn=ident.rsplit("/", 1)[0], id=ident, protocol="HTTP/1.1",
                 status_code=status, headers=headers or {"content-type": "application/json"},
                 body_len=len(data.encode()) if data else 0)
    if path:
        line.update(method="POST", path=path)
    if host:
        line["host"] = host
    if data is not None:
        line["body"] = data
    line.update(more)
    return line


def streamed(ident, ms=90, **more):
    return response(ident, None, ms=ms, streaming=True, **more)


def merged(ident, form, message, ms=50, status=200, first=3.5, length=40.0, **more):
    line = event("sse.message", ms, conn=ident.rsplit("/", 1)[0], id=ident, format=form, status_code=status,
                 message=message, text="", events=9, first_token_ms=first, duration_ms=length,
                 complete="incomplete" not in more)
    line.update(more)
    return line


def websocket(ident, ms, data, direction="READ/RECV"):
    text = text_of(data)
    return event("ws.message", ms, conn=ident.rsplit("/", 1)[0], id=ident, direction=direction, opcode="text",
                 data=text)


def close(conn, ms=99):
    return event("ssl.close", ms, conn=conn, read_bytes=1, written_bytes=1)


def unbooked(text):
    """The lines without those that stages write about themselves."""
    return b"".join(x for x in text.splitlines(True) if not x.startswith((b'{"type":"stage.', b'{"type":"run.')))


# --- runs ---------------------------------------------------------------------
def raw(data, *options):
    p = subprocess.run(["llmparse", "-q", *options], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, unbooked(p.stdout), p.stderr.decode()


def run(name, lines, *options, validate_all=True):
    """The new events. Checks that it ends well, that the lines of the input
    pass byte for byte in their order, and that what is new is as the schema
    says."""
    sent = [json.dumps(x, ensure_ascii=False, separators=(",", ":")).encode() for x in lines]
    rc, out, err = raw(b"".join(x + b"\n" for x in sent), *options)
    got = out.split(b"\n")[:-1]
    old = [x for x in got if json.loads(x)["type"] not in OURS]
    new = [json.loads(x) for x in got if json.loads(x)["type"] in OURS]
    wrong = [w for w in (CHECKER.check(x) for x in got if validate_all and json.loads(x)["type"] in OURS) if w]
    if rc or old != sent or wrong or err:
        report(False, name + ": runs, passes, is valid", "status %d" % rc, err, *wrong,
               "" if old == sent else "passed lines differ")
    return new


def calls(name, lines, *options):
    return [x for x in run(name, lines, *options) if x["type"] == "llm.call"]


def call(name, lines, *options):
    got = calls(name, lines, *options)
    if len(got) != 1:
        report(False, name + ": one call", "%d calls" % len(got), json.dumps(got, indent=1))
    return got[0] if got else {}


def losses(events):
    out = {}
    for e in events:
        if e["type"] == "loss":
            out[e["reason"]] = out.get(e["reason"], 0) + e["events"]
    return out


def message(role, *parts, finish=None):
    m = {"role": role, "parts": list(parts)}
    if finish:
        m["finish_reason"] = finish
    return m


def text(content):
    return {"type": "text", "content": content}


def reasoning(content):
    return {"type": "reasoning", "content": content}


def tool_call(name, arguments, ident=None):
    part = {"type": "tool_call"}
    if ident:
        part["id"] = ident
    return dict(part, name=name, arguments=arguments)


def tool_response(value, ident=None):
    part = {"type": "tool_call_response"}
    if ident:
        part["id"] = ident
    return dict(part, response=value)
