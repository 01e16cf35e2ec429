"""What the tests of sqlitesink and of the reports share: a run whose truth is
known by construction, ways to store and to ask."""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from llmparse_kit import CHECKER, START, done, report, text, tool_call, tool_response  # noqa: E402,F401

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
scratch = tempfile.TemporaryDirectory(prefix="agentsight-test.")
T = scratch.name


def same(name, got, want):
    if isinstance(got, list) and isinstance(want, list):
        differ = [i for i, (a, b) in enumerate(zip(got, want)) if a != b]
        at = "first difference at %s" % differ[:1] if differ else "lengths %d and %d" % (len(got), len(want))
    else:
        at = ""
    return report(got == want, name, at, "got:    %r" % (got,), "wanted: %r" % (want,))


def at(seconds):
    return START + round(seconds * 1e9)


def event(type_, seconds, pid, comm, **keys):
    return dict({"type": type_, "timestamp_ns": at(seconds), "pid": pid, "tid": pid, "uid": 1000, "comm": comm}, **keys)


def encode(lines):
    return b"".join(json.dumps(x, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for x in lines)


# --- processes ------------------------------------------------------------------
def fork(s, parent, comm, child):
    return event("process.fork", s, parent, comm, ppid=1, child_pid=child)


def execs(s, pid, ppid, argv, cwd="/home/ada/project", **more):
    path = argv[0] if argv[0].startswith("/") else "/usr/bin/" + argv[0]
    return event("process.exec", s, pid, os.path.basename(path)[:15], ppid=ppid, filename=path, argv=argv, cwd=cwd, sid=100, **more)


def exits(s, pid, ppid, comm, code=0, born=None):
    return event("process.exit", s, pid, comm, ppid=ppid, exit_code=code, duration_ms=round((s - born) * 1e3, 3) if born else 1.0,
                 rss_max_kb=2048)


def opens(s, pid, comm, path, mode=("read",), **more):
    return event("file.open", s, pid, comm, path=path, flags=0, mode=list(mode), **more)


def transfer(kind, s, pid, comm, path, nbytes, **more):
    return event("file." + kind, s, pid, comm, path=path, fd=3, bytes=nbytes, count=1, last_ns=at(s), **more)


# --- calls ------------------------------------------------------------------------
def llm(n, s, e, pid=200, comm="node", asks=(), results=(), prompt=None, answer=None, conversation="c1", model="claude-sonnet-4",
        usage=(1000, 50, 800, 100), agent="claude-code", **more):
    """asks: (id, name, arguments); results: (id, name, number of the call that asked, response, is_error)"""
    inputs, outputs = [], []
    if results:
        inputs.append({"role": "tool", "parts": [tool_response(r[3], r[0]) for r in results]})
    if prompt:
        inputs.append({"role": "user", "parts": [text(prompt)]})
    if answer:
        outputs.append(text(answer))
    outputs += [tool_call(a[1], a[2], a[0]) for a in asks]
    o = event("llm.call", s, pid, comm, conn="%d:1:1" % pid, id="%d:1:1/%d" % (pid, n), provider="anthropic", api="messages", operation="chat",
              request_model=model, response_model=model, response_id="msg_%d" % n, stream=True, status_code=200,
              finish_reasons=["tool_call" if asks else "stop"],
              usage=dict(input_tokens=usage[0], output_tokens=usage[1], cache_read_tokens=usage[2], cache_creation_tokens=usage[3],
                         total_tokens=usage[0] + usage[1]),
              output_messages=[{"role": "assistant", "parts": outputs, "finish_reason": "tool_call" if asks else "stop"}])
    if asks:
        o["tool_calls"] = [{"id": a[0], "name": a[1], "arguments": a[2]} for a in asks]
    o["request_max_tokens"] = 4096
    if inputs:
        o["input_messages"] = inputs
    if results:
        o["tool_results"] = [dict({"id": r[0], "name": r[1], "call": "%d:1:1/%d" % (pid, r[2]), "response": r[3]}, **({"is_error": True} if r[4] else {}))
                             for r in results]
    o.update(conversation_id=conversation, conversation_source="sent", agent=agent, agent_version="2.1", server_address="api.anthropic.com",
             first_token_ms=200.0, duration_ms=round((e - s) * 1e3, 3))
    o.update(more)
    return o


def exchange(n, s, e, pid=200, comm="node", status=200, path="/v1/messages", host="api.anthropic.com", body='{"model":"m"}', **more):
    ids = dict(conn="%d:1:1" % pid, id="%d:1:1/%d" % (pid, n))
    return [event("http.request", s, pid, comm, **ids, method="POST", path=path, host=host, protocol="HTTP/1.1",
                  headers={"host": host, "content-type": "application/json"}, body=body, body_len=len(body)),
            event("http.response", s + 0.1, pid, comm, **ids, method="POST", path=path, host=host, status_code=status, status_text="OK",
                  protocol="HTTP/1.1", headers={"content-type": "application/json", "set-cookie": ["a=1", "b=2"]}, body='{"ok":true}',
                  body_len=11, ttfb_ms=100.0, duration_ms=round((e - s) * 1e3, 3), **more)]


P = "/home/ada/project/"


def truth():
    """A session of two prompts. What it comes to is in the tests."""
    return [
        execs(0, 100, 1, ["bash"], seed=True),
        execs(0, 900, 1, ["/usr/sbin/cron"], cwd="/", seed=True),
        fork(0.1, 100, "bash", 200),
        execs(0.2, 200, 100, ["node", "claude", "-p", "Fix the bug"]),
        fork(0.3, 200, "node", 210),
        execs(0.4, 210, 200, ["mcp-files", "--root", P]),
        event("mcp.call", 0.5, 200, "node", transport="stdio", role="client", server="files", client_pid=200, server_pid=210, request_id=1,
              method="tools/call", tool="list", arguments={"path": P}, result={"content": [{"type": "text", "text": "a.c b.c"}]}, duration_ms=20.0),
        # the first prompt
        *exchange(1, 1.0, 2.0),
        llm(1, 1.0, 2.0, prompt="Fix the bug", asks=[("toolu_1", "Bash", {"command": "make test"})],
            system_instructions=[text("You are an agent")]),
        fork(2.1, 200, "node", 300),
        execs(2.15, 300, 200, ["sh", "-c", "make test"]),
        fork(2.2, 300, "sh", 301),
        execs(2.25, 301, 300, ["make", "test"]),
        opens(2.3, 301, "make", P + "out.o", ("write", "create", "truncate"), created=True, fd=3, count=1),
        transfer("write", 2.35, 301, "make", P + "out.o", 4096),
        # somebody else's, at the same time
        fork(2.4, 900, "cron", 901),
        execs(2.41, 901, 900, ["logrotate", "/etc/logrotate.conf"], cwd="/"),
        transfer("write", 2.42, 901, "logrotate", "/var/log/syslog", 100),
        event("net.dns", 2.43, 301, "make", fd=5, kind="answer", dns_id=1, name="mirror.example.com", qtype="A", server="192.0.2.53", rcode="NOERROR",
              addresses=["192.0.2.5"]),
        event("net.connect", 2.45, 301, "make", fd=6, family="inet", transport="tcp", address="192.0.2.5", port=443, local="10.0.0.1:4000", result=0),
        event("net.close", 2.47, 301, "make", fd=6, family="inet", transport="tcp", address="192.0.2.5", port=443, local="10.0.0.1:4000",
              sent_bytes=10, received_bytes=2000),
        exits(2.5, 301, 300, "make", 2, 2.2),
        exits(2.6, 300, 200, "sh", 2, 2.1),
        exits(2.7, 901, 900, "logrotate", 0, 2.4),
        *exchange(2, 3.0, 4.0),
        llm(2, 3.0, 4.0, results=[("toolu_1", "Bash", 1, "make: *** [test] Error 1", True)], answer="I look at the sources.",
            asks=[("toolu_2", "Read", {"file_path": P + "a.c"}), ("toolu_3", "Edit", {"file_path": P + "b.c", "new_string": "x"})]),
        opens(4.1, 200, "node", P + "a.c", fd=7, count=1),
        transfer("read", 4.1, 200, "node", P + "a.c", 300),
        opens(4.2, 200, "node", P + "b.c", ("write",), fd=7, count=1),
        transfer("write", 4.2, 200, "node", P + "b.c", 333),
        opens(4.3, 200, "node", P + "log.txt", ("write", "create"), created=True, fd=8, count=1),
        llm(3, 4.5, 5.5, results=[("toolu_2", "Read", 2, "int main", False), ("toolu_3", "Edit", 2, "ok", False)], answer="The bug is fixed."),
        # the second prompt: outside, with a key, as root, and with another agent
        llm(4, 10.0, 11.0, prompt="Now delete the other one", asks=[("toolu_4", "Bash", {"command": "rm -rf /home/ada/other"})],
            usage=(2000, 100, 1500, 0)),
        fork(11.1, 200, "node", 302),
        execs(11.15, 302, 200, ["sh", "-c", "rm -rf /home/ada/other"]),
        fork(11.2, 302, "sh", 303),
        execs(11.25, 303, 302, ["rm", "-rf", "/home/ada/other"]),
        event("file.delete", 11.3, 303, "rm", path="/home/ada/other/x"),
        event("file.delete", 11.3, 303, "rm", path="/home/ada/other/y", error="EACCES"),
        exits(11.35, 303, 302, "rm", 1, 11.2),
        fork(11.4, 302, "sh", 304),
        execs(11.45, 304, 302, ["sudo", "cat", "/home/ada/.ssh/id_rsa"]),
        opens(11.5, 304, "sudo", "/home/ada/.ssh/id_rsa", fd=3, count=1),
        transfer("read", 11.5, 304, "sudo", "/home/ada/.ssh/id_rsa", 1000),
        exits(11.55, 304, 302, "sudo", 0, 11.4),
        fork(11.6, 302, "sh", 305),
        execs(11.61, 305, 302, ["codex", "exec", "help"]),
        llm(1, 11.65, 11.7, pid=305, comm="codex", prompt="help", answer="no", conversation="c2", model="gpt-5", agent="codex_cli_rs",
            usage=(100, 10, 0, 0), provider="openai"),
        fork(11.72, 305, "codex", 306),
        event("file.chmod", 11.75, 306, "codex", path=P + "sub.sh", permissions="0777"),
        exits(11.76, 306, 305, "codex", 0, 11.72),
        exits(11.78, 305, 302, "codex", 0, 11.6),
        exits(11.8, 302, 200, "sh", 0, 11.1),
        llm(5, 12.0, 13.0, results=[("toolu_4", "Bash", 4, "", False)], answer="Deleted.", usage=(2100, 20, 2000, 0)),
        event("system.process", 13.5, 200, "node", cpu_percent=12.5, rss_bytes=104857600, rss_peak_bytes=209715200, vsz_bytes=1 << 30, threads=11,
              children=1, io_read_bytes=0, io_write_bytes=0, cgroup={}, alert=False),
        exits(14.0, 200, 100, "node", 0, 0.1),
        # a pid that comes again is somebody else
        fork(20.0, 900, "cron", 300),
        execs(20.1, 300, 900, ["backup"], cwd="/"),
        event("process.exit", 20.5, 300, "backup", ppid=900, signal=9, signal_name="SIGKILL", duration_ms=500.0, rss_max_kb=1024),
        {"type": "loss", "timestamp_ns": at(21), "stage": "process", "reason": "ring_full", "events": 7, "bytes": 700},
        {"type": "loss", "timestamp_ns": at(22), "stage": "process", "reason": "ring_full", "events": 4, "bytes": 400},
    ]


# --- storing, asking --------------------------------------------------------------
count = [0]


def store(lines, *options, db=None, status=0, err=None):
    """Stores lines (or bytes) in a file; its name."""
    if not db:
        count[0] += 1
        db = os.path.join(T, "%d.db" % count[0])
    data = lines if isinstance(lines, bytes) else encode(lines)
    p = subprocess.run(["sqlitesink", *options, db], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = p.stderr.decode()
    if p.returncode != status or (said and err is None) or (err and err not in said):
        report(False, "stored as expected", "status %d, wanted %d" % (p.returncode, status), said)
    return db


def booked(lines, stage="process", **end):
    """The lines as a collector writes them: with stage.begin before and stage.end behind."""
    times = [x["timestamp_ns"] for x in lines if "timestamp_ns" in x]
    lost = sum(x["events"] for x in lines if x["type"] == "loss" and x["stage"] == stage)
    first = {"type": "stage.begin", "timestamp_ns": min(times), "pid": 99, "stage": stage, "version": "0"}
    last = {"type": "stage.end", "timestamp_ns": max(times), "pid": 99, "stage": stage, "read": len(lines), "written": len(lines) + 2,
            "lost": lost, "why": "signal"}
    return [first] + lines + [dict(last, **end)]


def rows(db, sql, *parameters):
    c = sqlite3.connect(db)
    try:
        return [list(r) for r in c.execute(sql, parameters)]
    finally:
        c.close()


def one(db, sql, *parameters):
    got = rows(db, sql, *parameters)
    return got[0][0] if len(got) == 1 and len(got[0]) == 1 else got


def sound(db):
    return [one(db, "PRAGMA integrity_check"), rows(db, "PRAGMA foreign_key_check")]


def ask(name, db, *options, status=0, env=None):
    p = subprocess.run(["agentsight-report", name, "--db", db, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, TZ="UTC", XDG_CONFIG_HOME=os.path.join(T, "config"), **(env or {})))
    if p.returncode != status:
        report(False, "report %s: status %d" % (name, status), "status %d" % p.returncode, p.stderr.decode())
    return p.stdout.decode("utf-8", "surrogateescape")


def table(name, db, *options):
    out = ask(name, db, "--json", *options)
    try:
        return json.loads(out)
    except ValueError as e:
        report(False, "report %s is JSON" % name, e, out[:500])
        return []


def pick(table, *keys):
    return [[r[k] for k in keys] for r in table]
