#!/bin/sh
# sqlitesink --rotate, --keep: new files, nothing lost between them, processes that
# live are in each.
. tests/lib.sh
need sqlitesink sqlite3 agentsight

# An agent that lives for 600 seconds, and starts a program each second.
"$PYTHON" - >"$T/in" <<'END'
import json
start = 1795650000_000000000
def event(kind, ns, pid, comm, **keys):
    print(json.dumps({"type": kind, "timestamp_ns": ns, "pid": pid, "tid": pid, "uid": 0, "comm": comm, **keys}))
print(json.dumps({"type": "run.begin", "timestamp_ns": start, "run": "0123456789abcdef", "version": "0", "kernel": "6.12",
                  "stages": ["process", "sqlitesink"], "command": ["agent"]}))
print(json.dumps({"type": "stage.begin", "timestamp_ns": start, "stage": "process", "version": "0", "pid": 9}))
event("process.exec", start, 100, "agent", ppid=1, filename="/bin/agent", argv=["agent"], cwd="/", sid=100)
for i in range(600):
    ns, child = start + i * 1_000_000_000, 1000 + i
    event("process.fork", ns + 1, 100, "agent", ppid=1, child_pid=child)
    event("process.exec", ns + 2, child, "ls", ppid=100, filename="/bin/ls", argv=["ls", str(i)], cwd="/", sid=100)
    event("process.exit", ns + 3_000_000, child, "ls", ppid=100, exit_code=0, duration_ms=3, rss_max_kb=1)
print(json.dumps({"type": "stage.end", "timestamp_ns": ns + 4_000_000, "stage": "process", "pid": 9, "read": 1, "written": 1, "lost": 0, "why": "signal"}))
print(json.dumps({"type": "run.end", "timestamp_ns": ns + 4_000_000, "run": "0123456789abcdef", "status": 0, "failed": []}))
END
# each FILE...: one value of each, with a blank between.
each() { sql=$1; shift; for db; do sqlite3 -readonly "$db" "$sql"; done | tr '\n' ' '; }
sqlitesink -q --rotate 2m "$T/by-time.db" "$T/in"
set -- "$T"/by-time.*.db
is "by time: files of two minutes, and the last" "$# $(test -e "$T/by-time.db" && echo last)" "4 last"
is "named by the time of their first event" "$(for db; do echo "${db##*/}"; done | tr '\n' ' ')" \
	"$(each "SELECT 'by-time.' || strftime('%Y%m%d-%H%M%S', first_ns / 1000000000, 'unixepoch') || format('-%03d.db', first_ns / 1000000 % 1000) FROM runs" "$@")"
is "each spans that time, however fast it is read" "$(each 'SELECT (last_ns - first_ns) / 1000000000 FROM runs' "$@" "$T/by-time.db")" \
	"120 120 120 120 118 "
set -- "$@" "$T/by-time.db"
is "every program is in one of them" "$(for db; do sqlite3 -readonly "$db" "SELECT argv FROM execs WHERE filename = '/bin/ls'"; done | sort -u | wc -l)" 600
is "the agent, which lives, is in each" "$(each "SELECT count(*) FROM processes p JOIN execs e ON e.id = p.exec_id
	WHERE pid = 100 AND filename = '/bin/agent'" "$@")" "1 1 1 1 1 "
is "children have their parent in each" "$(each "SELECT count(*) FROM processes c LEFT JOIN processes p ON p.id = c.parent_id
	WHERE c.pid >= 1000 AND p.pid IS NOT 100" "$@")" "0 0 0 0 0 "
is "each is whole" "$(each 'SELECT min(complete) FROM runs; PRAGMA foreign_key_check; PRAGMA integrity_check' "$@")" "1 ok 1 ok 1 ok 1 ok 1 ok "
is "they are parts of one recording" "$(each "SELECT run || ' ' || part || ' ' || continued || ' ' || command FROM runs" "$@" | tr -d '\n')" \
	"$(for n in 1 2 3 4 5; do printf '0123456789abcdef %s %s ["agent"] ' $n $((n < 5)); done)"
is "the last says how it ended, the others that it goes on" "$(each "SELECT verdict FROM verdicts" "$@")" "WHOLE WHOLE WHOLE WHOLE WHOLE "
is "each is of its owner alone, and one file" "$(stat -c %a "$@" | sort -u) $(find "$T" -name 'by-time*' ! -name '*.db')" "600 "

touch "$T/kept.not-ours.db" "$T/kept-20250101-000000.db"
sqlitesink -q --rotate 1m --keep 2 "$T/kept.db" "$T/in"
is "--keep: the last ones" "$(find "$T" -name 'kept.2*.db' | wc -l)" 2
is "--keep: the newest" "$(sqlite3 -readonly "$(find "$T" -name 'kept.2*.db' | sort | tail -n 1)" "SELECT max(CAST(json_extract(argv, '\$[1]') AS INTEGER)) > 450 FROM execs")" 1
ok "--keep: no others" test -e "$T/kept.not-ours.db" -a -e "$T/kept-20250101-000000.db"

# --- reports read them as one -----------------------------------------------------------
mkdir "$T/set" "$T/whole"
sqlitesink -q "$T/whole/r.db" tests/data/session/events.ndjson
sqlitesink -q --rotate 5s "$T/set/r.db" tests/data/session/events.ndjson
ok "a session in several files" test "$(find "$T/set" -name 'r.*.db' | wc -l)" -ge 4
for report in recorded summary tokens calls tools loops mcp network risk runs losses access audit timeline; do
	( cd "$T/whole" && agentsight report r.db "$report" --limit 0 ) >"$T/want" 2>&1
	( cd "$T/set" && agentsight report r.db "$report" --limit 0 ) >"$T/got" 2>&1
	same "report $report: as of one file" "$T/want" "$T/got"
done
# The tool call of a process is not always in the file of the process, agentsight-report(1) says.
for of in whole set; do
	agentsight report "$T/$of/r.db" processes --limit 0 --json >"$T/$of.json"
	"$PYTHON" -c 'import json, sys
for row in json.load(sys.stdin):
    del row["tool_call"]
    print(row)' <"$T/$of.json" >"$T/$of.processes"
done
same "report processes: as of one file, but for its tool calls" "$T/whole.processes" "$T/set.processes"
first=$(find "$T/set" -name 'r.*.db' | sort | head -n 1)
like "files that are named, with some between them missing: said" "$(agentsight report "$first" "$T/set/r.db" recorded 2>&1)" \
	'[23] of the [45] files of this recording are not here .*numbers 2, 3'
like "the first alone: said" "$(agentsight report "$first" recorded 2>&1)" 'the recording goes on behind number 1'
# An event that comes late makes no file of its own.
"$PYTHON" - >"$T/late" <<'END'
import json
start = 1795650000_000000000
for i in range(200):
    for ns in (start + i * 1_000_000_000, start + max(0, i - 9) * 1_000_000_000):
        print(json.dumps({"type": "process.exec", "timestamp_ns": ns, "pid": 1000 + i, "tid": 1, "uid": 0, "comm": "a", "filename": "/a", "argv": ["a"]}))
END
sqlitesink -q --rotate 5s "$T/late.db" "$T/late"
is "events that come late: as many files as it takes" "$(find "$T" -name 'late.*.db' | wc -l)" 39
is "their names sort as they follow each other" "$(for db in "$T"/late.*.db; do sqlite3 -readonly "$db" 'SELECT part FROM runs'; done | tr '\n' ' ')" \
	"$(seq 39 | tr '\n' ' ')"

sqlitesink -q --rotate 100k "$T/by-size.db" "$T/in"
set -- "$T"/by-size*.db
ok "by size: several" test $# -ge 2
is "by size: nothing is lost" "$(for db; do sqlite3 -readonly "$db" "SELECT argv FROM execs WHERE filename = '/bin/ls'"; done | sort -u | wc -l)" 600

# --- a database that another recorder has written into since --------------------------------
head -n 3 "$T/in" | sed 's/0123456789abcdef/fedcba9876543210/; s/1795650000/1795750000/g' >"$T/other"
sqlitesink -q "$T/two.db" "$T/in"
sqlitesink -q "$T/two.db" "$T/other"
like "recorded RUN: that run, not what came later" "$(agentsight report "$T/two.db" recorded 0123456789abcdef)" ' 601 programs'
like "recorded: else the last one" "$(agentsight report "$T/two.db" recorded)" ' 1 programs'
exits 2 "recorded RUN: of another recording" agentsight report "$T/two.db" recorded 0000000000000000 2>/dev/null

for wrong in 5 0m 3x m -1m; do
	exits 2 "--rotate $wrong: a wrong option" sqlitesink --rotate "$wrong" "$T/no.db" /dev/null 2>/dev/null
done
done_testing
