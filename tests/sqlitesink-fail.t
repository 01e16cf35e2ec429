#!/usr/bin/python3
"""sqlitesink when it goes wrong: killed at any moment, no room, no permission,
another writer, a file that is gone or damaged; and readers while it writes."""
import os
import random
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from store_kit import *  # noqa: E402,F401,F403

SHIPPED = os.path.join(BUILD, "bin", "sqlitesink")	# as it is shipped: 200 starts
KILLS = int(os.environ.get("KILLS", "200"))


def deletion(n):
    return event("file.delete", n / 1e6, 5, "x", path="/f/%d" % n)


def wait_rows(db, sql, want):
    """Until a reader sees what is wanted."""
    for _ in range(600):
        try:
            if one(db, sql) >= want:
                return True
        except (sqlite3.OperationalError, TypeError):
            pass
        time.sleep(0.02)
    return False


# --- killed -----------------------------------------------------------------------
def stored(db):
    """The run at hand, and how many of its rows a reader sees."""
    try:
        return rows(db, "SELECT r.id, (SELECT count(*) FROM file_changes c JOIN processes p ON p.id = c.process_id WHERE p.run_id = r.id)"
                        " FROM runs r ORDER BY r.id DESC LIMIT 1")[0]
    except (sqlite3.OperationalError, IndexError):
        return 0, 0


def killed(db, rng):
    """Writes numbered lines to a new run until it is killed, after so many lines, or
    when some are stored; how many a reader saw before, how many are there after, and
    whether those are the first."""
    before = stored(db)[0]
    p = subprocess.Popen([SHIPPED, db], stdin=subprocess.PIPE)
    os.set_blocking(p.stdin.fileno(), False)
    n, rest, acknowledged, end, wait = 0, b"", 0, rng.randrange(4000), rng.random() < 0.5
    look = rng.random() < 0.25
    while n < end or (wait and not (stored(db)[0] > before and stored(db)[1])):
        if not rest:
            rest = encode([deletion(n + i) for i in range(50)])
            n += 50
        try:
            rest = rest[os.write(p.stdin.fileno(), rest):]
        except BlockingIOError:
            time.sleep(0.001)
        except BrokenPipeError:
            break
    if look and n:	# what a reader has seen must stay
        last, acknowledged = stored(db)
    p.send_signal(signal.SIGKILL)
    p.wait()
    try:
        p.stdin.close()
    except BrokenPipeError:
        pass
    run = one(db, "SELECT max(id) FROM runs")
    there = [r[0] for r in rows(db, "SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.path_id JOIN processes s ON s.id = c.process_id"
                                    " WHERE s.run_id = ? ORDER BY c.id", run)]
    if not (acknowledged and last == run):
        acknowledged = 0
    return acknowledged, len(there), there == ["/f/%d" % i for i in range(len(there))], n


def worker(k, times, out):
    db = os.path.join(T, "killed%d.db" % k)
    r = random.Random(k)
    for i in range(times):
        if i % 25 == 0 and os.path.exists(db):	# small files: the check reads them whole
            for f in (db, db + "-wal", db + "-shm"):
                if os.path.exists(f):
                    os.unlink(f)
        if not os.path.exists(db):
            subprocess.run([SHIPPED, db], stdin=subprocess.DEVNULL, check=True)
        seen, there, whole, sent = killed(db, r)
        out.append((sound(db), seen, there, whole, sent))


results, workers = [], []
for k in range(2):
    w = threading.Thread(target=worker, args=(k, KILLS // 2, results))
    w.start()
    workers.append(w)
for w in workers:
    w.join()
same("killed %d times: each file is sound" % KILLS, [r[0] for r in results if r[0] != ["ok", []]] + [len(results)], [KILLS])
same("what is there are the first lines, without a hole", [r for r in results if not r[3]], [])
same("what a reader had seen is there", [r[1:3] for r in results if r[2] < r[1]], [])
report(sum(0 < r[2] < r[4] for r in results) > KILLS // 10, "some were cut in the middle of their lines", [r[1:] for r in results[:20]])
again = os.path.join(T, "killed0.db")
store(booked(truth()), db=again)
same("a killed file takes another run", [sound(again), one(again, "SELECT complete FROM runs ORDER BY id DESC LIMIT 1"),
                                         one(again, "SELECT count(*) FROM tool_effects")], [["ok", []], 1, 14])

# --- one line, exit 1 -------------------------------------------------------------------


def fails(name, db, says, data=encode(truth()), wrap=(), *options):
    p = subprocess.run([*wrap, shutil.which("sqlitesink"), *options, db], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = p.stderr.decode()
    report(p.returncode == 1 and says in said and said.count("\n") == 1 and os.path.basename(db) in said, name, p.returncode, said)
    return p.stdout


folder = os.path.join(T, "ro")
os.mkdir(folder)
store(truth()[:3], db=os.path.join(folder, "old.db"))
nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
os.chmod(T, 0o755)
os.chmod(folder, 0o555)
if os.geteuid() == 0 and subprocess.run([*nobody, shutil.which("sqlitesink"), "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
    print("# nobody may not run the build; the folder is read-only for nobody else either")
else:
    fails("a folder that cannot be written", os.path.join(folder, "new.db"), "Permission denied", wrap=nobody)
    fails("a file that cannot be written", os.path.join(folder, "old.db"), "Permission denied", wrap=nobody)
    if os.geteuid() == 0:
        os.chown(os.path.join(folder, "old.db"), 65534, 65534)
        fails("a folder where no log can be", os.path.join(folder, "old.db"), "SQLite keeps", wrap=nobody)
fails("a folder is no file", folder, "s a directory")
fails("no such folder", os.path.join(T, "none", "x.db"), "No such file")

damaged = os.path.join(T, "damaged.db")
with open(damaged, "wb") as f:
    f.write(b"this is not a database\n" * 500)
fails("something else", damaged, "not a database")
store(truth(), db=os.path.join(T, "good.db"))
with open(os.path.join(T, "good.db"), "rb") as f:
    good = f.read()
with open(damaged, "wb") as f:
    f.write(good[:4096] + b"\xa5" * (len(good) - 4096))
fails("a damaged file", damaged, "damaged")
with open(damaged, "wb") as f:
    f.write(good[:len(good) // 2])
p = subprocess.run(["sqlitesink", damaged], input=encode(truth()), stderr=subprocess.PIPE)
report(p.returncode == 1 and b"damaged" in p.stderr, "half a file", p.returncode, p.stderr)

other = os.path.join(T, "other.db")
c = sqlite3.connect(other)
c.execute("CREATE TABLE token_usage(id)")
c.commit()
fails("a database of another program", other, "another program")
same("and it is left as it was", [rows(other, "SELECT name FROM sqlite_schema"), one(other, "PRAGMA journal_mode")], [[["token_usage"]], "delete"])
c.close()
newer = os.path.join(T, "newer.db")
shutil.copy(os.path.join(T, "good.db"), newer)
c = sqlite3.connect(newer)
c.execute("PRAGMA user_version = 99")
c.close()
fails("a newer version", newer, "newer version")

# --- two writers, readers, a file that goes -------------------------------------------------
busy = os.path.join(T, "busy.db")
p = subprocess.Popen(["sqlitesink", busy], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdin.write(encode(truth()[:5]))
p.stdin.flush()
wait_rows(busy, "SELECT count(*) FROM execs", 3)
fails("a second writer", busy, "another sqlitesink")
p.stdin.write(encode(truth()[5:]))
p.stdin.close()
same("and the first goes on", [p.wait(), one(busy, "SELECT count(*) FROM model_calls"), sound(busy)], [0, 6, ["ok", []]])
p.stderr.close()

read = os.path.join(T, "read.db")
p = subprocess.Popen(["sqlitesink", read], stdin=subprocess.PIPE)
p.stdin.write(encode([deletion(0)]))
p.stdin.flush()
wait_rows(read, "SELECT count(*) FROM file_changes", 1)
c = sqlite3.connect(read)
c.execute("BEGIN")
snapshot = c.execute("SELECT count(*) FROM file_changes").fetchone()[0]	# open all the time
seen = []
for k in range(20):
    p.stdin.write(encode([deletion(1 + 500 * k + i) for i in range(500)]))
    p.stdin.flush()
    seen.append(one(read, "SELECT count(*) FROM file_changes"))
wait_rows(read, "SELECT count(*) FROM file_changes", 10001)
same("a reader sees more and more", [seen == sorted(seen), one(read, "SELECT count(*) FROM file_changes")], [True, 10001])
same("one that holds a transaction sees what it saw", c.execute("SELECT count(*) FROM file_changes").fetchone()[0], snapshot)
p.stdin.close()
same("and keeps nobody from ending", p.wait(), 0)
c.close()
same("the report reads it", [json.loads(ask("runs", read, "--json"))[0]["calls"], sound(read)], [0, ["ok", []]])

gone, moved = os.path.join(T, "gone.db"), os.path.join(T, "moved.db")


def meanwhile(act, more=()):
    """What sqlitesink says when act is done to its file."""
    p = subprocess.Popen(["sqlitesink", gone], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(encode(truth()[:5]))
    p.stdin.flush()
    wait_rows(gone, "SELECT count(*) FROM execs", 3)
    act()
    try:
        p.stdin.write(encode(truth()[5:]))
        p.stdin.close()
    except BrokenPipeError:
        pass
    said = p.stderr.read().decode()
    return p.wait(), said, sorted(x for x in os.listdir(T) if x.startswith("gone"))


rc, said, left = meanwhile(lambda: os.unlink(gone))
report(rc == 1 and "was deleted while it was written: what was recorded is gone with it" in said, "a file that was deleted meanwhile", said)
same("its log, which another file would be taken to have, is gone, too", left, [])
rc, said, left = meanwhile(lambda: os.rename(gone, moved))
report(rc == 1 and "was moved or replaced" in said, "a file that was moved meanwhile", said)
same("it has what was recorded until then, and the log is in it", [one(moved, "SELECT count(*) >= 3 FROM execs"), sound(moved), left],
     [1, ["ok", []], []])
foreign = os.path.join(T, "foreign.db")
sqlite3.connect(foreign).execute("CREATE TABLE theirs(a)")
os.chmod(foreign, 0o644)
p = subprocess.run(["sqlitesink", foreign], input=b"", stderr=subprocess.PIPE)
same("another program's database is left as it is", [p.returncode, oct(os.stat(foreign).st_mode & 0o777)], [1, "0o644"])

# --- a reader that does not end: the log is bounded -------------------------------------------
held = os.path.join(T, "held.db")
p = subprocess.Popen(["sqlitesink", "--max-log", "1M", held], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdin.write(encode([deletion(0)]))
p.stdin.flush()
wait_rows(held, "SELECT count(*) FROM file_changes", 1)
c = sqlite3.connect(held)
c.execute("BEGIN")
c.execute("SELECT count(*) FROM file_changes").fetchone()


def write_until(true, k):
    """Lines, until that is true; the number of all that were written."""
    for _ in range(400):
        p.stdin.write(encode([deletion(k + i) for i in range(500)]))
        p.stdin.flush()
        k += 500
        time.sleep(0.02)
        if true():
            break
    return k


said = []
threading.Thread(target=lambda: said.extend(iter(p.stderr.readline, b""))).start()
n = write_until(lambda: said, 1)
for _ in range(20):
    n = write_until(lambda: True, n)
log = os.stat(held + "-wal").st_size
report(said and b"in one transaction" in said[0] and log < 6 << 20, "a reader that does not end: said, and the log is bounded", said, log)
c.rollback()
c.close()
n = write_until(lambda: len(said) > 1, n)
report(len(said) > 1 and b"stored again" in said[1], "when it ends, events are stored again", said)
n = write_until(lambda: True, n)
p.stdin.close()
same("and what was left out is counted", [p.wait(), one(held, "SELECT (SELECT count(*) FROM file_changes) + (SELECT sum(events) FROM losses WHERE reason = 'log_full')")], [0, n])

# --- memory is short ----------------------------------------------------------------------------
short = os.path.join(T, "short.db")
large = event("process.exec", 2, 6, "x", ppid=1, filename="/bin/x", argv=["x" * (24 << 20)], cwd="/", sid=5)
p = subprocess.run(["sqlitesink", "--tee", "--max-memory", "16M", short], input=encode([deletion(1), large, deletion(3)]), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
same("no memory for a line: counted, and it passes", [p.returncode, len([x for x in p.stdout.split(b"\n") if b'"process.exec"' in x]),
     one(short, "SELECT sum(events) FROM losses WHERE reason = 'no_memory'"), one(short, "SELECT count(*) FROM file_changes"), sound(short)],
     [0, 1, 1, 2, ["ok", []]])

# --- no room -----------------------------------------------------------------------------------
mounts = ["unshare", "-m", "sh", "-c"]
small = os.path.join(T, "small")
os.mkdir(small)
lines = encode([deletion(i) for i in range(30000)])
with open(os.path.join(T, "many"), "wb") as f:
    f.write(lines)
script = 'mount -t tmpfs -o size=1m none "$1" || exit 99; "$2" $3 "$1/full.db" <"$4" >"$5"; rc=$?; sqlite3 "$1/full.db" "PRAGMA integrity_check" >"$6" 2>&1; exit $rc'


def full(tee):
    return subprocess.run([*mounts, script, "sh", small, shutil.which("sqlitesink"), tee, os.path.join(T, "many"), os.path.join(T, "out"), os.path.join(T, "check")],
                          stderr=subprocess.PIPE)


p = full("")
if p.returncode == 99 or b"unshare" in p.stderr:
    print("# no file system can be mounted here: %s" % p.stderr.decode()[:100])
else:
    said = p.stderr.decode()
    report(p.returncode == 1 and "make room" in said and said.count("\n") == 1, "a full disk", p.returncode, said)
    with open(os.path.join(T, "check")) as f:
        same("what was written before is kept, and sound", f.read(), "ok\n")
    p = full("--tee")
    with open(os.path.join(T, "out"), "rb") as f:
        same("with --tee the pipeline goes on: every line, then exit 1", [p.returncode, b"".join(x for x in f if not x.startswith(b'{"type":"stage.')) == lines], [1, True])
p = subprocess.run(["sh", "-c", 'sqlitesink --tee "$1" >/dev/full', "sh", os.path.join(T, "devfull.db")], input=encode(truth()), stderr=subprocess.PIPE)
report(p.returncode == 1 and b"No space" in p.stderr, "an output that is full", p.returncode, p.stderr)
same("and the file has its lines all the same", sound(os.path.join(T, "devfull.db")), ["ok", []])
p = subprocess.run(["sqlitesink"], stderr=subprocess.PIPE)
report(p.returncode == 2 and b"no database" in p.stderr, "no name", p.stderr)
done()
