#!/usr/bin/python3
"""sqlitesink: whether a recording is whole, or what is missing and why, in the file itself."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from store_kit import *  # noqa: E402,F401,F403

RUN = "0123456789abcdef"


def begin(stages=("sslsniff", "httpparse", "sqlitesink"), run=RUN, s=0):
    return {"type": "run.begin", "timestamp_ns": at(s), "pid": 1, "run": run, "version": "0", "kernel": "6.12.1", "stages": list(stages),
            "command": ["claude", "-p", "hi"], "options": ["--ssl"]}


def end(failed=(), run=RUN, s=9):
    return {"type": "run.end", "timestamp_ns": at(s), "pid": 1, "run": run, "status": 0, "failed": [{"stage": a, "how": b} for a, b in failed]}


def opens_(stage, s=0, **keys):
    return dict({"type": "stage.begin", "timestamp_ns": at(s), **keys, "stage": stage, "version": "0"})


def closes(stage, why="input_end", lost=0, s=9, **keys):
    return {"type": "stage.end", "timestamp_ns": at(s), **keys, "stage": stage, "read": 5, "written": 7, "lost": lost, "why": why}


def loss(stage, reason, events, bytes_=0, s=5):
    return {"type": "loss", "timestamp_ns": at(s), "stage": stage, "reason": reason, "events": events, "bytes": bytes_}


EVENT = execs(1, 5, 1, ["ls"])
SNIFF = {"pid": 7}
WHOLE = [opens_("httpparse"), begin(), opens_("sslsniff", **SNIFF), EVENT, closes("sslsniff", "signal", **SNIFF), end(), closes("httpparse")]
wrong = [w for w in (CHECKER.check(x) for x in encode(WHOLE).split(b"\n")[:-1]) if w]
same("the lines are as the schema has them", wrong, [])


def gaps(lines, **keys):
    """The verdict, and what is missing but what only follows; of the last run."""
    db = store(lines, "-q", err="", **keys)
    run = one(db, "SELECT max(id) FROM runs")
    return [one(db, "SELECT verdict FROM verdicts WHERE run_id = ?", run)] + \
        rows(db, "SELECT kind, stage, reason, events FROM run_gaps WHERE run_id = ? AND NOT follows ORDER BY place, stage, reason", run)


def without(*types, stage=None):
    return [x for x in WHOLE if x["type"] not in types or (stage and x.get("stage") != stage)]


same("whole", gaps(WHOLE), ["WHOLE"])
db = store(WHOLE)
same("what was said of the run is kept", rows(db, "SELECT run, began_ns, ended_ns, kernel, stages, command, options, status, failed, complete, input_ended, part FROM runs"),
     [[RUN, at(0), at(9), "6.12.1", '["sslsniff","httpparse","sqlitesink"]', '["claude","-p","hi"]', '["--ssl"]', 0, "[]", 1, 1, 1]])
same("and of its stages", rows(db, "SELECT stage, pid, began_ns, ended_ns, lines_read, lines_written, lost, why FROM stages ORDER BY stage"),
     [["httpparse", None, at(0), at(9), 5, 7, 0, "input_end"], ["sqlitesink", None, None, at(9), 7, 0, 0, "input_end"], ["sslsniff", 7, at(0), at(9), 5, 7, 0, "signal"]])
same("a filter named by its role", gaps([begin(["sslsniff", "httpparse", "merge", "sqlitesink"]) if x["type"] == "run.begin" else x for x in WHOLE]), ["WHOLE"])
same("run.end twice is one", gaps(WHOLE + [end()]), ["WHOLE"])

# --- something is missing -----------------------------------------------------------
same("no run.end: agentsight was killed", gaps(without("run.end")), ["INCOMPLETE", ["no_end", "agentsight", None, None]])
same("a collector that was cut off", gaps(without("stage.end", stage="sslsniff")), ["INCOMPLETE", ["cut", "sslsniff", None, None]])
same("a filter that was", gaps(without("stage.end", stage="httpparse")), ["INCOMPLETE", ["cut", "httpparse", None, None]])
same("a stage of which nothing is known", gaps(without("stage.end", "stage.begin", stage="httpparse")), ["INCOMPLETE", ["unknown", "httpparse", None, None]])
same("a stage that failed, told by the driver: once",
     gaps([x if x["type"] != "run.end" else end([("sslsniff", "was killed by SIGKILL")]) for x in without("stage.end", stage="sslsniff")]),
     ["INCOMPLETE", ["failed", "sslsniff", None, None]])
same("also when its own last line says that it was asked to", gaps([x if x["type"] != "run.end" else end([("sslsniff", "ended with status 0")]) for x in WHOLE]),
     ["INCOMPLETE", ["failed", "sslsniff", None, None]])
for why in ("signal", "output_closed", "failed"):
    same("a filter that ended by %s" % why, gaps(without("stage.end", stage="httpparse") + [closes("httpparse", why)]), ["INCOMPLETE", ["stopped", "httpparse", why, None]])
same("no books at all", gaps([EVENT]), ["INCOMPLETE", ["unknown", None, None, None]])
same("a pipeline by hand: its stages' books count", gaps([opens_("httpparse"), opens_("sslsniff", **SNIFF), EVENT, closes("sslsniff", "duration", **SNIFF), closes("httpparse")]),
     ["WHOLE"])
same("one whose collector was left out on the way", gaps([opens_("httpparse"), EVENT, closes("httpparse")]), ["INCOMPLETE", ["unknown", None, None, None]])
db = os.path.join(T, "killed.db")
p = subprocess.Popen(["sqlitesink", db], stdin=subprocess.PIPE)
p.stdin.write(encode(WHOLE))
p.stdin.flush()
while not os.path.exists(db) or not rows(db, "SELECT 1 FROM sqlite_schema WHERE name = 'stages'") or one(db, "SELECT count(*) FROM stages WHERE why IS NOT NULL") != 2:
    pass
p.kill()
p.wait()
p.stdin.close()
same("sqlitesink itself was killed", [one(db, "SELECT verdict FROM verdicts"), rows(db, "SELECT kind FROM run_gaps"), one(db, "SELECT complete FROM runs")],
     ["INCOMPLETE", [["not_ended"]], 0])
p = subprocess.Popen(["sqlitesink", db], stdin=subprocess.PIPE)
p.stdin.write(encode(WHOLE))
p.stdin.flush()
while one(db, "SELECT count(*) FROM stages WHERE run_id = 2 AND why IS NOT NULL") != 2:
    pass
p.terminate()
p.wait()
p.stdin.close()
same("or ended before its input was", rows(db, "SELECT kind, stage FROM run_gaps WHERE run_id = 2"), [["stopped", "sqlitesink"]])

# --- losses, each cause once -----------------------------------------------------------
lossy = [loss("sslsniff", "ring_full", 332288, 5000), loss("httpparse", "hole", 100000, 40), loss("httpparse", "evicted", 29552), loss("httpparse", "repeat", 3)]
run = WHOLE[:3] + [EVENT] + lossy + [closes("sslsniff", "signal", 332288, **SNIFF), end(), closes("httpparse", lost=129555)]
same("what follows from a loss before is not counted again", gaps(run), ["INCOMPLETE", ["loss", "sslsniff", "ring_full", 332288]])
db = store(run)
same("but shown", [rows(db, "SELECT stage, reason, events FROM run_gaps WHERE follows ORDER BY events"), rows(db, "SELECT lost_events, lost_bytes, verdict FROM verdicts")],
     [[["httpparse", "evicted", 29552], ["httpparse", "hole", 100000]], [[332288, 5000, "INCOMPLETE"]]])
same("nothing but counted losses is missing", one(db, "SELECT complete FROM runs"), 1)
same("what is no longer remembered is no loss of the recording", gaps(WHOLE[:4] + [loss("llmparse", "forgotten", 30)] + WHOLE[4:]), ["WHOLE"])
said = table("losses", db)
report(said[0]["missing"] == "332,288 events (5,000 bytes) lost by sslsniff (ring_full): no room in the ring buffer: the reader was too slow, or what reads from it was"
       and "--ring-size" in said[0]["helps"] and [x["follows"] for x in said] == [0, 1, 1], "report losses says what, how much, why, and what helps", said)
same("without one before, a hole is a cause", gaps(WHOLE[:4] + [loss("httpparse", "hole", 2)] + WHOLE[4:6] + [closes("httpparse", lost=2)]),
     ["INCOMPLETE", ["loss", "httpparse", "hole", 2]])
same("what is counted and not told", gaps(WHOLE[:6] + [closes("httpparse", lost=4)]), ["INCOMPLETE", ["unsaid", "httpparse", None, 4]])
same("a sink's loss is one", gaps([begin(["sslsniff", "httpparse", "otelsink", "sqlitesink"]) if x["type"] == "run.begin" else x for x in WHOLE] +
                                  [opens_("otelsink"), loss("otelsink", "unsent", 60), closes("otelsink", lost=60)]), ["INCOMPLETE", ["loss", "otelsink", "unsent", 60]])
same("report losses of a whole run", [table("losses", store(WHOLE)), "WHOLE: nothing was lost" in ask("recorded", store(WHOLE))], [[], True])

# --- several recordings in one input ------------------------------------------------------
OTHER = "fedcba9876543210"
second = [dict(x, run=OTHER) if "run" in x else x for x in WHOLE]
db = store(WHOLE[:4] + second)
same("one that was cut off, and one behind it: two runs",
     [rows(db, "SELECT id, run, complete FROM runs"), rows(db, "SELECT run_id, kind, stage FROM run_gaps ORDER BY 1, place, 3"),
      rows(db, "SELECT run_id, count(*) FROM processes GROUP BY 1"), sound(db)],
     [[[1, RUN, 0], [2, OTHER, 1]], [[1, "no_end", "agentsight"], [1, "cut", "httpparse"], [1, "cut", "sslsniff"]], [[1, 1], [2, 1]], ["ok", []]])

# --- a time that makes no sense -----------------------------------------------------------
calm = [execs(n, 50 + n, 1, ["x"]) for n in range(9)]
odd = dict(execs(1, 90, 1, ["y"]), timestamp_ns=4102444800000000000)
for where, lines_, n in (("in the middle", calm[:4] + [odd] + calm[4:], 1), ("first", [odd] + calm, 1), ("last", calm + [odd], 1), ("before all", calm[:4] + [dict(odd, timestamp_ns=5)] + calm[4:], 1)):
    db = store(booked(calm)[:1] + lines_ + booked(calm)[-1:] if where != "first" else lines_, "-q", err="")
    same("a line with an absurd time does not bend the run: %s" % where,
         [rows(db, "SELECT first_ns, last_ns FROM runs"), one(db, "SELECT sum(events) FROM losses WHERE reason = 'odd_time'"), one(db, "SELECT count(*) FROM execs")],
         [[[at(0), at(8)]], n, 10])
later = [dict(x, timestamp_ns=x["timestamp_ns"] + 3 * 86400 * 10**9) for x in calm]
db = store(calm + later)
same("a laptop that slept for days is no such line", [rows(db, "SELECT first_ns, last_ns FROM runs"), one(db, "SELECT count(*) FROM losses")],
     [[[at(0), later[-1]["timestamp_ns"]]], 0])

# --- another program has it for a moment; a version before this one -------------------------
db = store(WHOLE)
c = sqlite3.connect(db, isolation_level=None)
c.execute("BEGIN EXCLUSIVE")
p = subprocess.Popen(["sqlitesink", db], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdin.write(encode(WHOLE))
p.stdin.close()
# until it has opened the file and waits, or has given up
while p.poll() is None and not (open("/proc/%d/stat" % p.pid).read().split(") ")[1].startswith("S") and
                                any(os.path.realpath("/proc/%d/fd/%s" % (p.pid, x)) == db for x in os.listdir("/proc/%d/fd" % p.pid))):
    pass
c.execute("COMMIT")
c.close()
same("a database that another program has for a moment: waited for", [p.wait(), p.stderr.read(), one(db, "SELECT count(*) FROM runs")], [0, b"", 2])
old = os.path.join(T, "old.db")
c = sqlite3.connect(old)
with open(os.path.join(ROOT, "sqlitesink", "schema.sql")) as f:
    c.executescript(f.read())
c.executescript("PRAGMA user_version=1; PRAGMA application_id=1634169716; INSERT INTO runs(version, complete) VALUES('0.1.0', 1);"
                " INSERT INTO processes(id, run_id, pid, start_ns, seen) VALUES(1, 1, 7, 5, 'fork'); INSERT INTO paths VALUES(3, '/x/y');"
                " INSERT INTO file_changes(process_id, timestamp_ns, op, path_id) VALUES(1, 6, 'create', 3)")
c.close()
store(WHOLE, db=old)
same("a file of version 1 is brought to this one", [rows(old, "SELECT run_id, verdict FROM verdicts"), sound(old)], [[[1, "INCOMPLETE"], [2, "WHOLE"]], ["ok", []]])
same("with what its rows refer to", rows(old, "SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.path_id WHERE c.process_id = 1"), [["/x/y"]])
done()
