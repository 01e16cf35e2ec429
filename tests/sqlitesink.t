#!/usr/bin/python3
"""sqlitesink: a run known by construction, in its tables; the same however it
arrives; bytes, wrong values, runs, options, the tables of AgentSight 0.2."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from store_kit import *  # noqa: E402,F401,F403

lines = truth()
wrong = [w for w in (CHECKER.check(x) for x in encode(lines).split(b"\n")[:-1]) if w]
same("the run is made of events as the schema has them", wrong, [])
db = store(booked(lines))
same("the file is sound", sound(db), ["ok", []])
same("the log is folded in", sorted(f for f in os.listdir(T) if f.startswith("1.db")), ["1.db"])
same("mode", oct(os.stat(db).st_mode & 0o777), "0o600")
same("versions", rows(db, "SELECT * FROM pragma_user_version, pragma_application_id"), [[3, 0x61677374]])
same("runs", rows(db, "SELECT id, first_ns, last_ns, lines, unstored, complete FROM runs"),
     [[1, at(0), at(22), len(lines) + 2, 0, 1]])

# --- processes ------------------------------------------------------------------
same("one row per life, with parents, agents and ends",
     rows(db, "SELECT p.pid, q.pid, a.pid, p.comm, p.seen, p.exit_code, p.signal, (p.start_ns - ?) / 1000000, (p.end_ns - ?) / 1000000"
          " FROM processes p LEFT JOIN processes q ON q.id = p.parent_id LEFT JOIN processes a ON a.id = p.agent_id ORDER BY p.start_ns, p.pid",
          START, START),
     [[100, None, None, "bash", "seed", None, None, 0, None], [900, None, None, "cron", "seed", None, None, 0, None],
      [200, 100, 200, "node", "fork", 0, None, 100, 14000], [210, 200, 200, "mcp-files", "fork", None, None, 300, None],
      [300, 200, 200, "sh", "fork", 2, None, 2100, 2600], [301, 300, 200, "make", "fork", 2, None, 2200, 2500],
      [901, 900, None, "logrotate", "fork", 0, None, 2400, 2700], [302, 200, 200, "sh", "fork", 0, None, 11100, 11800],
      [303, 302, 200, "rm", "fork", 1, None, 11200, 11350], [304, 302, 200, "sudo", "fork", 0, None, 11400, 11550],
      [305, 302, 305, "codex", "fork", 0, None, 11600, 11780], [306, 305, 305, "codex", "fork", 0, None, 11720, 11760],
      [300, 900, None, "backup", "fork", None, 9, 20000, 20500]])
same("agents, one under the other",
     rows(db, "SELECT p.pid, q.pid, a.name, a.version FROM agents a JOIN processes p ON p.id = a.process_id"
          " LEFT JOIN processes q ON q.id = a.parent_id ORDER BY p.pid"), [[200, None, "claude-code", "2.1"], [305, 200, "codex_cli_rs", "2.1"]])
same("programs", rows(db, "SELECT command, cwd, seed FROM execs ORDER BY id LIMIT 4"),
     [["bash", "/home/ada/project", 1], ["/usr/sbin/cron", "/", 1], ["node claude -p Fix the bug", "/home/ada/project", 0],
      ["mcp-files --root " + P, "/home/ada/project", 0]])

# --- files, network ----------------------------------------------------------------
same("files, summed up",
     rows(db, "SELECT s.pid, replace(p.path, ?, ''), opens, reads, read_bytes, writes, written_bytes, created, deleted, attributes, failed, last_error"
          " FROM files f JOIN paths p ON p.id = f.path_id JOIN processes s ON s.id = f.process_id ORDER BY f.first_ns, p.path", P),
     [[301, "out.o", 1, 0, 0, 1, 4096, 1, 0, 0, 0, None], [901, "/var/log/syslog", 0, 0, 0, 1, 100, 0, 0, 0, 0, None],
      [200, "a.c", 1, 1, 300, 0, 0, 0, 0, 0, 0, None], [200, "b.c", 1, 0, 0, 1, 333, 0, 0, 0, 0, None],
      [200, "log.txt", 1, 0, 0, 0, 0, 1, 0, 0, 0, None], [303, "/home/ada/other/x", 0, 0, 0, 0, 0, 0, 1, 0, 0, None],
      [303, "/home/ada/other/y", 0, 0, 0, 0, 0, 0, 0, 0, 1, "EACCES"],
      [304, "/home/ada/.ssh/id_rsa", 1, 1, 1000, 0, 0, 0, 0, 0, 0, None], [306, "sub.sh", 0, 0, 0, 0, 0, 0, 0, 1, 0, None]])
both = store([event("file.write", 1, 100, "sed", path=P + "b", fd=3, bytes=40, count=2, read_bytes=300, reads=5),
              event("file.read", 2, 100, "sed", path=P + "b", fd=3, bytes=7, count=1, opens=1)])
same("what was read by a descriptor that writes, once", rows(both, "SELECT opens, reads, read_bytes, writes, written_bytes FROM files"),
     [[1, 6, 307, 2, 40]])
same("connections, with names",
     rows(db, "SELECT kind, host, address, port, sent_bytes, received_bytes, (closed_ns - opened_ns) / 1000000 FROM connections"),
     [["connect", "mirror.example.com", "192.0.2.5", 443, 10, 2000, 20]])

# --- calls ----------------------------------------------------------------------------
same("calls", rows(db, "SELECT exchange, request_model, input_tokens, cache_read_tokens, parameters, prompt_id FROM model_calls ORDER BY started_ns"),
     [["200:1:1/1", "claude-sonnet-4", 1000, 800, '{"request_max_tokens":4096}', 1], ["200:1:1/2", "claude-sonnet-4", 1000, 800, '{"request_max_tokens":4096}', 1],
      ["200:1:1/3", "claude-sonnet-4", 1000, 800, '{"request_max_tokens":4096}', 1], ["200:1:1/4", "claude-sonnet-4", 2000, 1500, '{"request_max_tokens":4096}', 2],
      ["305:1:1/1", "gpt-5", 100, 0, '{"request_max_tokens":4096}', 3], ["200:1:1/5", "claude-sonnet-4", 2100, 2000, '{"request_max_tokens":4096}', 2]])
same("prompts", rows(db, "SELECT q.id, q.conversation_id, x.text FROM prompts q JOIN texts x ON x.id = q.text_id ORDER BY q.id"),
     [[1, "c1", "Fix the bug"], [2, "c1", "Now delete the other one"], [3, "c2", "help"]])
same("what was said",
     rows(db, "SELECT g.direction, g.message, g.part, g.role, g.type, g.text_key, g.text_json, x.text, g.attributes FROM messages g"
          " LEFT JOIN texts x ON x.id = g.text_id WHERE call_id = (SELECT id FROM model_calls WHERE exchange = '200:1:1/1') ORDER BY 1, 2, 3"),
     [["input", 0, 0, "user", "text", "content", 0, "Fix the bug", None],
      ["output", 0, 0, "assistant", "tool_call", "arguments", 1, '{"command":"make test"}', '{"id":"toolu_1","name":"Bash"}'],
      ["system", 0, 0, None, "text", "content", 0, "You are an agent", None]])
same("tools", rows(db, "SELECT tool_call_id, tool_name, status, start_timestamp_ms - ?, end_timestamp_ms - ?, input_json, output_json FROM tool_calls",
                   START // 1000000, START // 1000000),
     [["toolu_1", "Bash", "failure", 2000, 3000, '{"command":"make test"}', '"make: *** [test] Error 1"'],
      ["toolu_2", "Read", "success", 4000, 4500, '{"file_path":"%sa.c"}' % P, '"int main"'],
      ["toolu_3", "Edit", "success", 4000, 4500, '{"file_path":"%sb.c","new_string":"x"}' % P, '"ok"'],
      ["toolu_4", "Bash", "success", 11000, 12000, '{"command":"rm -rf /home/ada/other"}', '""']])
same("each text once", rows(db, "SELECT count(*) - count(DISTINCT text) FROM texts"), [[0]])
same("bodies of calls are left out, others kept",
     rows(db, "SELECT exchange, request_body, response_body FROM http_exchanges"),
     [["200:1:1/1", None, None], ["200:1:1/2", None, None]])
same("--bodies keeps them", rows(store(lines, "--bodies"), "SELECT request_body, response_body FROM http_exchanges LIMIT 1"),
     [['{"model":"m"}', '{"ok":true}']])

# --- what nobody else has ----------------------------------------------------------------
same("what each tool did, within the tree of its agent",
     rows(db, "SELECT tool_use_id, kind, replace(target, ?, ''), pid, evidence FROM tool_effects ORDER BY tool_use_id, timestamp_ns, kind", P),
     [[1, "exec", "sh -c make test", 300, "process"], [1, "exec", "make test", 301, "process"], [1, "create", "out.o", 301, "process"],
      [1, "write", "out.o", 301, "process"], [1, "connect", "mirror.example.com:443", 301, "process"], [2, "create", "log.txt", 200, "shared"],
      [3, "write", "b.c", 200, "named"], [3, "create", "log.txt", 200, "shared"],
      [4, "exec", "sh -c rm -rf /home/ada/other", 302, "process"], [4, "exec", "rm -rf /home/ada/other", 303, "process"],
      [4, "delete", "/home/ada/other/x", 303, "process"], [4, "exec", "sudo cat /home/ada/.ssh/id_rsa", 304, "process"],
      [4, "exec", "codex exec help", 305, "process"], [4, "chmod", "sub.sh", 306, "process"]])
same("what each prompt did",
     rows(db, "SELECT prompt_id, count(*), group_concat(DISTINCT pid) FROM (SELECT * FROM prompt_effects ORDER BY prompt_id, pid) GROUP BY prompt_id"),
     [[1, 7, "200,300,301"], [2, 6, "302,303,304,305,306"]])

# --- AgentSight 0.2 ------------------------------------------------------------------------
same("its tables, with all their columns", [rows(db, "SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?) LIMIT ?)", t, n)[0][0]
                                           for t, n in (("llm_calls", 14), ("token_usage", 15), ("audit_events", 11), ("process_nodes", 14), ("tool_calls", 16),
                                                        ("network_targets", 9), ("resource_samples", 5))],
     ["id,start_timestamp_ms,end_timestamp_ms,pid,comm,provider,model,host,path,status_code,request_body_json,response_body_json,view_source,confidence",
      "id,llm_call_id,timestamp_ms,pid,comm,provider,model,input_tokens,output_tokens,cache_creation_tokens,cache_read_tokens,total_tokens,source,view_source,confidence",
      "id,timestamp_ms,audit_type,pid,comm,subject,action,target,status,summary,details_json",
      "id,pid,ppid,root_pid,start_timestamp_ms,end_timestamp_ms,comm,command,argv_json,cwd,exit_code,status,view_source,confidence",
      "id,session_id,conversation_id,timestamp_ms,start_timestamp_ms,end_timestamp_ms,duration_ms,tool_name,tool_call_id,status,input_json,output_json,related_pid,related_event_id,view_source,confidence",
      "id,pid,comm,host,path,count,error_count,first_timestamp_ms,last_timestamp_ms", "timestamp_ms,pid,comm,cpu_percent,rss_mb"])
same("tokens without the cache, and all four",
     rows(db, "SELECT model, sum(input_tokens), sum(output_tokens), sum(cache_creation_tokens), sum(cache_read_tokens), sum(total_tokens), count(*)"
          " FROM token_usage GROUP BY model ORDER BY 6 DESC"),
     [["claude-sonnet-4", 900, 270, 300, 5900, 7370, 5], ["gpt-5", 100, 10, 0, 0, 110, 1]])
same("calls join their tokens", rows(db, "SELECT c.host, sum(t.total_tokens) FROM llm_calls c JOIN token_usage t ON t.llm_call_id = c.id GROUP BY 1"),
     [["api.anthropic.com", 7480]])
same("audit", rows(db, "SELECT audit_type, action, status, count(*) FROM audit_events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"),
     [["file", "chmod", "observed", 1], ["file", "delete", "observed", 1], ["file", "write", "observed", 6], ["llm", "call", "success", 6],
      ["network", "NET_CONNECT", "success", 1], ["process", "exec", "observed", 10], ["process", "exit", "failure", 4], ["process", "exit", "success", 6]])
same("ids of processes survive that a pid comes again", one(db, "SELECT count(DISTINCT id) FROM process_nodes WHERE pid = 300"), 2)
same("summaries", rows(db, "SELECT summary FROM audit_events WHERE pid = 300 AND action = 'exit' ORDER BY timestamp_ms"), [["exit code 2 (500ms)"], ["signal 9 (500ms)"]])
same("hosts", rows(db, "SELECT host, path, count, error_count FROM network_targets"), [["api.anthropic.com", "/v1/messages", 2, 0]])
same("samples", rows(db, "SELECT comm, cpu_percent, rss_mb FROM resource_samples"), [["node", 12.5, 100]])
same("losses", rows(db, "SELECT stage, reason, sum(events), sum(bytes) FROM losses GROUP BY 1, 2"), [["process", "ring_full", 11, 1100]])
same("words", [one(db, "SELECT count(*) FROM search WHERE search MATCH ?", '"%s"' % w) for w in ("rm -rf", "fix the bug", "id_rsa", "nowhere")], [3, 2, 2, 0])

# --- however it arrives ------------------------------------------------------------------------
def dump(name):
    return [rows(name, "SELECT * FROM " + t) for (t,) in map(tuple, rows(
        name, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search%' ORDER BY 1"))]


data = encode(booked(lines))
whole = dump(db)
slow = os.path.join(T, "slow.db")
p = subprocess.Popen(["sqlitesink", slow], stdin=subprocess.PIPE)
for i in range(0, len(data), len(data) // 6 + 1):	# cut anywhere, a batch or more for each piece
    p.stdin.write(data[i:i + len(data) // 6 + 1])
    p.stdin.flush()
    time.sleep(0.25)
p.stdin.close()
same("in pieces: it ends well", p.wait(), 0)
same("in pieces: the same tables", [t for t in dump(slow) if t not in whole], [])
shuffled = [lines[i ^ 1] if (i ^ 1) < len(lines) and abs(lines[i ^ 1].get("timestamp_ns", 0) - lines[i]["timestamp_ns"]) < 6e7 else x
            for i, x in enumerate(lines)]
other = store(shuffled)
same("neighbours swapped: the same lives",
     rows(other, "SELECT p.pid, q.pid, a.pid, p.exit_code, p.signal, p.end_ns FROM processes p LEFT JOIN processes q ON q.id = p.parent_id"
          " LEFT JOIN processes a ON a.id = p.agent_id ORDER BY p.start_ns, p.pid"),
     rows(db, "SELECT p.pid, q.pid, a.pid, p.exit_code, p.signal, p.end_ns FROM processes p LEFT JOIN processes q ON q.id = p.parent_id"
          " LEFT JOIN processes a ON a.id = p.agent_id ORDER BY p.start_ns, p.pid"))
late = store([fork(1, 1, "a", 50), execs(1.1, 50, 1, ["first"]), exits(2, 50, 1, "first"), fork(3, 1, "a", 50), execs(3.1, 50, 1, ["second"]),
              transfer("write", 1.5, 50, "first", "/late", 1), exchange(1, 1.2, 1.3, pid=50, comm="first")[0]])
same("what comes late belongs to the life that it was of",
     rows(late, "SELECT e.command FROM files f JOIN processes p ON p.id = f.process_id JOIN execs e ON e.id = p.exec_id UNION ALL"
          " SELECT e.command FROM http_exchanges x JOIN processes p ON p.id = x.process_id JOIN execs e ON e.id = p.exec_id"), [["first"], ["first"]])
named = store([fork(1, 1, "sh", 50), execs(2, 50, 1, ["python3"]), event("stdio.data", 1.5, 50, "sh", direction="READ", fd=0, len=0, data=""),
               exits(3, 50, 1, "python3", born=1), event("system.process", 9, 50, "sh", ended=True)])
same("an old name that comes late, a sample of what is gone", rows(named, "SELECT p.comm, p.exit_code, count(s.id) FROM processes p LEFT JOIN samples s"
                                                                        " ON s.process_id = p.id WHERE p.pid = 50 GROUP BY p.id"), [["python3", 0, 1]])
devices = store([opens(1, 5, "sh", "/dev/null", ("write", "create", "truncate"), fd=3, count=1), transfer("write", 1, 5, "sh", "/dev/pts/3", 5),
                 transfer("write", 2, 5, "dd", "/dev/sda", 512), opens(3, 5, "x", "/dev/shm/y", ("write", "create"), created=True, fd=3, count=1)])
same("what is written to /dev/null changes nothing", rows(devices, "SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.path_id"), [["/dev/sda"], ["/dev/shm/y"]])
unanswered = store([llm(1, 1, 2, prompt="x", asks=[("t", "Bash", {})]), transfer("write", 3, 200, "node", "/a", 1), exits(4, 200, 1, "node")])
same("a tool that was not answered", rows(unanswered, "SELECT 'tool', target FROM tool_effects UNION ALL SELECT 'prompt', target FROM prompt_effects"),
     [["tool", "/a"], ["prompt", "/a"]])
many = store([fork(1 + i / 1e4, 1, "init", 1000 + i) for i in range(9000)] + [exits(3 + i / 1e4, 1000 + i, 1, "init", i % 7) for i in range(9000)])
same("more processes than are remembered", rows(many, "SELECT count(*), sum(exit_code), sum(seen = 'fork') FROM processes WHERE pid >= 1000"),
     [[9000, sum(i % 7 for i in range(9000)), 9000]])
before = store([fork(1, 1, "a", 50), fork(1.1, 50, "a", 51), llm(1, 2, 3, pid=51, comm="inner", conversation="i"), fork(3.5, 51, "inner", 52),
                llm(1, 4, 5, pid=50, comm="outer", conversation="o"), fork(6, 50, "outer", 53), fork(6.1, 51, "inner", 54)])
same("an agent above another, known later",
     rows(before, "SELECT p.pid, a.pid, u.pid FROM processes p LEFT JOIN processes a ON a.id = p.agent_id LEFT JOIN agents g ON g.process_id = p.agent_id"
          " LEFT JOIN processes u ON u.id = g.parent_id WHERE p.pid > 1 ORDER BY 1"),
     [[50, 50, None], [51, 51, 50], [52, 51, 50], [53, 50, None], [54, 51, 50]])

# --- --messages all: the list comes again with every request ---------------------------------------
u = {"role": "user", "parts": [text("hi")]}
a = {"role": "assistant", "parts": [text("yo")]}
again = store([dict(llm(1, 1, 2), input_messages=[u]), dict(llm(2, 3, 4), input_messages=[u, a, u]), dict(llm(3, 5, 6), input_messages=[u, a, u, a, u])])
same("a prompt is told once, a repeated one as often as it was said",
     rows(again, "SELECT m.exchange FROM prompts q JOIN model_calls m ON m.id = q.call_id"), [["200:1:1/1"], ["200:1:1/2"], ["200:1:1/3"]])
same("only the last is new, with --messages last too",
     rows(store([dict(llm(1, 1, 2), input_messages=[u]), dict(llm(2, 3, 4), input_messages=[u])]), "SELECT count(*) FROM prompts"), [[2]])

# --- who, where, with whom ------------------------------------------------------------------------
named = store([execs(0, 5, 1, ["bash", "x.sh"]), fork(1, 5, "bash", 6), *[event("file.create", n, 6, comm, path="/by-" + comm)
               for n, comm in ((2, "bash"), (4, "sed"), (6, "rm"))], execs(3, 6, 5, ["sed"]), execs(5, 6, 5, ["rm"]),
               *[event("net.connect", n, 6, comm, family="ipv4", transport="tcp", address="192.0.2.1", port=1, fd=n, result=0)
                 for n, comm in ((2, "bash"), (4, "sed"), (6, "rm"))]])
same("who did it is the program that ran then, not the last: timeline, network, audit",
     [[[r["comm"] for r in table("timeline", named) if r["what"] == "create"], sorted(table("network", named)[0]["processes"].split(","))],
      rows(named, "SELECT DISTINCT comm, target FROM audit_events WHERE audit_type = 'file' ORDER BY timestamp_ms")],
     [[["bash", "sed", "rm"], ["bash", "rm", "sed"]], [["bash", "/by-bash"], ["sed", "/by-sed"], ["rm", "/by-rm"]]])
mounts = store([execs(0, 5, 1, ["sh"]), transfer("write", 1, 5, "sh", "/etc/passwd", 3),
                event("file.delete", 2, 5, "sh", path="/etc/passwd", mnt_ns=4026531999)])
same("a path of another mount namespace is another file",
     [rows(mounts, "SELECT path, mnt_ns, shown FROM paths ORDER BY id"), [[r["path"], r["change"]] for r in table("files", mounts)[1:]]],
     [[["/etc/passwd", 0, "/etc/passwd"], ["/etc/passwd", 4026531999, "/etc/passwd (mount namespace 4026531999)"]],
      [["/etc/passwd", "changed"], ["/etc/passwd (mount namespace 4026531999)", "deleted"]]])
both = store([execs(0, 5, 1, ["a"]), execs(0, 6, 1, ["b"]), event("file.read", 1, 5, "a", path="/r", fd=3, bytes=10, count=2, opens=1, last_ns=at(2), pids=[5, 6, 7]),
              transfer("write", 3, 5, "a", "/w", 4, reads=2, read_bytes=7)])
same("a file that several read is everybody's, and counted once",
     rows(both, "SELECT s.pid, p.path, reads, read_bytes, opens, shared FROM files f JOIN paths p ON p.id = f.path_id JOIN processes s ON s.id = f.process_id ORDER BY 2, 1"),
     [[5, "/r", 2, 10, 1, 0], [6, "/r", 0, 0, 0, 1], [5, "/w", 2, 7, 0, 0]])

pods = store([dict(execs(n, 5, 1, ["a"]), container_id="aaaa1111bbbb", **names) for n, names in ((1, {"pod_uid": "u"}), (2, {"container_name": "web", "pod_name": "p", "pod_namespace": "s"}))])
same("containers by their names", [rows(pods, "SELECT * FROM containers"), [r["container"] for r in table("processes", pods)]],
     [[[1, "aaaa1111bbbb", "web", "p", "s", "u"]], ["s/p/web"]])
udp = dict(fd=3, family="inet", transport="udp")
sends = store([execs(0, 5, 1, ["a"]), *[event("net.send", n, 5, "a", address=to, port=53, bytes=10, count=1, last_ns=at(n), **udp)
               for n, to in ((1, "192.0.2.1"), (2, "192.0.2.2"), (3, "192.0.2.1"))], event("net.close", 4, 5, "a", sent_bytes=30, received_bytes=7, **udp),
               event("net.connect", 5, 5, "a", fd=4, family="vsock", transport="stream", cid=2, port=9, result=0)])
same("datagrams: a row for each that they went to, what came back is nobody's, no byte twice",
     rows(sends, "SELECT kind, address, sent_bytes, received_bytes, closed_ns IS NULL FROM connections ORDER BY id"),
     [["send", "192.0.2.1", 20, None, 0], ["send", "192.0.2.2", 10, None, 0], ["received", None, None, 7, 0], ["connect", "cid 2", None, None, 1]])

tcp = dict(family="inet", transport="tcp", address="192.0.2.9", port=80, local="192.0.2.8:4000")
copies = [execs(0, 5, 1, ["a"]), event("net.connect", 1, 5, "a", fd=3, result=0, **tcp), event("net.close", 2, 5, "a", fd=1, sent_bytes=3, received_bytes=1, **tcp),
          event("net.close", 3, 5, "a", fd=3, sent_bytes=2, received_bytes=0, **tcp)]
over = event("net.close", 4, 5, "a", fd=1, family="inet", transport="udp", address="192.0.2.7", port=9, local="192.0.2.8:5000", sent_bytes=4, received_bytes=0)
same("what passed a copy of a descriptor is the connection's; a datagram that only the end shows was sent",
     rows(store(copies + [over]), "SELECT kind, address, sent_bytes, received_bytes FROM connections ORDER BY id"),
     [["connect", "192.0.2.9", 5, 1], ["send", "192.0.2.7", 4, 0]])
blind = {"type": "loss", "timestamp_ns": at(5), "pid": 5, "stage": "process", "reason": "io_uring", "events": 1, "bytes": 0}
same("nothing was sent: only where nothing can have been", ["nothing was sent" in ask("recorded", store(booked(x))) for x in (copies[:1], [copies[0], over], [copies[0], blind])],
     [True, False, False])

# --- bytes ------------------------------------------------------------------------------------------
odd = store([event("file.delete", 1, 5, "x", path_b64="L2EvgP8="), event("file.delete", 2, 5, "x", path="/a\u0000b"),
             event("stdio.data", 3, 5, "x", direction="WRITE", fd=1, fd_role="stdout", fd_target="pipe:[1]", off=0, len=2, data_b64="gP8="),
             event("process.exec", 4, 6, "y", ppid=5, filename="/y", argv_b64=["L3k=", "gA=="], cwd="/"),
             event("bash.readline", 5, 5, "x", command="echo \u00e9\u4e2d \U0001f600"),
             {k: v for k, v in event("bash.readline", 6, 7, "z", command="c", comm_b64="gP8=").items() if k != "comm"}])
same("every byte comes back", rows(odd, "SELECT path FROM (SELECT path FROM paths ORDER BY id) UNION ALL SELECT data FROM stdio UNION ALL SELECT command FROM execs"
                                   " UNION ALL SELECT command FROM shell_lines"),
     [[b"/a/\x80\xff"], [b"/a\x00b"], [b"\x80\xff"], [b"/y \x80"], ["echo \u00e9\u4e2d \U0001f600"], ["c"]])
same("and names", rows(odd, "SELECT comm FROM processes WHERE pid = 7"), [[b"\x80\xff"]])

# --- wrong values -------------------------------------------------------------------------------------
bad = [event("net.connect", 1, 5, "x", fd="seven", family="inet", address="192.0.2.1", port=1), event("file.delete", 2, 5, "x"),
       event("system.process", 2, 5, "x", rss_bytes="much"), {"type": "file.delete", "path": "/no/envelope"},
       event("process.fork", 3, 5, "x", child_pid="abc"), event("llm.call", 4, 5, "x", usage=7, output_messages={"role": 1}, tool_calls=[1, {"id": 5}]),
       event("process.exec", 5, 5, "x", argv="no array"), event("http.request", 6, 5, "x", id=[1], headers="no")]
wrongdb = store(bad + [event("file.delete", 9, 5, "x", path="/good")] , err="bad_event")
same("wrong values are counted, the rest is stored", [sound(wrongdb), one(wrongdb, "SELECT count(*) FROM paths WHERE path = '/good'")], [["ok", []], 1])
report(one(wrongdb, "SELECT sum(events) FROM losses WHERE stage = 'sqlitesink' AND reason = 'bad_event'") >= 3, "and the loss is in the file",
       rows(wrongdb, "SELECT * FROM losses"))
store(bad, "--fail-on-loss", status=3, err="bad_event")
mixed = store(b'not json\n{"no":"type"}\n' + encode(lines[:3]) + b'{"type":"cut', err="bad_json 1")
same("lines that are none", rows(mixed, "SELECT reason, events FROM losses ORDER BY 1"), [["bad_json", 1], ["no_type", 1], ["partial_line", 1]])

# --- options --------------------------------------------------------------------------------------------
strange = encode(lines[:5]) + b'{"type":"new.thing","timestamp_ns":1,"x":[1,2]}\n{"type":"ssl.close","pid":1}\nnot json\n'
kept = store(strange, "--events", err="")
same("--events keeps every event byte for byte", b"".join((r[0] if isinstance(r[0], bytes) else r[0].encode()) + b"\n" for r in rows(kept, "SELECT line FROM events ORDER BY id")),
     strange[:-len(b"not json\n")])
same("what has no table is counted", one(kept, "SELECT unstored FROM runs"), 1)
p = subprocess.run(["sqlitesink", "-q", "--tee", os.path.join(T, "tee.db")], input=strange, stdout=subprocess.PIPE)
begin, rest = p.stdout.split(b"\n", 1)
last = rest.splitlines()[-1]
rest = rest[:-len(last) - 1]
same("--tee passes every line", [p.returncode, rest[:len(strange)], rest[len(strange):].count(b'"type":"loss"')], [0, strange, 2])
same("and says of itself that it was there", [json.loads(x)["type"] for x in (begin, last)], ["stage.begin", "stage.end"])
same("without, nothing is written", subprocess.run(["sqlitesink", "-q", os.path.join(T, "quiet.db")], input=strange, stdout=subprocess.PIPE).stdout, b"")
same("--no-search indexes nothing", one(store(lines, "--no-search"), "SELECT count(*) FROM search WHERE search MATCH 'bug'"), 0)

store(booked(lines), db=db)
same("a second run is added", [rows(db, "SELECT id, lines, complete FROM runs"), sound(db), one(db, "SELECT count(*) FROM model_calls"), one(db, "SELECT count(*) FROM texts"),
                               one(db, "SELECT count(*) FROM tool_effects WHERE run_id = 2")],
     [[[1, len(lines) + 2, 1], [2, len(lines) + 2, 1]], ["ok", []], 12, one(slow, "SELECT count(*) FROM texts"), 14])
with open("docs/events.md") as f:
    examples = "".join(part.split("```")[0] for part in f.read().split("```ndjson\n")[1:])
every = store(re.sub(r'"timestamp_ns":\d+', '"timestamp_ns":%d' % START, examples).encode())     # of many days
same("the examples of docs/events.md are stored", [sound(every), one(every, "SELECT unstored FROM runs")],
     [["ok", []], sum(1 for x in examples.splitlines() if not re.fullmatch(
         r"(llm|mcp)\.call|http\.re.*|sse\.(message|delta)|(process|file|net|stdio|system)\..*|dir\.(create|delete)|bash\.readline|(ssl|tcp)\.close|loss|(run|stage)\..*", json.loads(x)["type"]))])

# --- owner, and how soon ------------------------------------------------------------------------------------
soon = os.path.join(T, "soon.db")
owner = dict(os.environ, SUDO_UID="65534", SUDO_GID="65533") if os.geteuid() == 0 else os.environ
p = subprocess.Popen(["sqlitesink", soon], stdin=subprocess.PIPE, env=owner)
p.stdin.write(encode(lines[:3]))
p.stdin.flush()
for _ in range(400):
    if os.path.exists(soon + "-wal") and os.stat(soon).st_size and one(soon, "SELECT count(*) FROM sqlite_schema") and one(soon, "SELECT count(*) FROM processes") == 3:
        break
    time.sleep(0.05)
same("rows are there while more is waited for", one(soon, "SELECT count(*) FROM processes"), 3)
same("nobody else may read", [oct(os.stat(soon + x).st_mode & 0o777) for x in ("", "-wal", "-shm")], ["0o600"] * 3)
if os.geteuid() == 0:
    same("under sudo the files are the user's", [(os.stat(soon + x).st_uid, os.stat(soon + x).st_gid) for x in ("", "-wal", "-shm")], [(65534, 65533)] * 3)
p.stdin.close()
same("and it ends", p.wait(), 0)
done()
