#!/usr/bin/python3
"""priv.py - nobody's words in another's mouth: what priv.c's processes write, under sslsniff

Every piece is told under the process, connection and direction that it belongs to; each
call is told whole, or what is missing is counted.
"""
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
SIZE = 16000


def wrong(e):
    """Why a piece is not what its process passed there, or None."""
    text = data(e).decode(errors="replace")
    m = re.search(r"<(\d{7}):(\d{6})>", text)
    if not m:
        return "no word of ours"
    whole = m[0] * (len(text) // len(m[0]) + 2)
    at = -m.start() % len(m[0])
    if whole[at:at + len(text)] != text:
        return "mixed"
    if int(m[1]) != e["pid"]:
        return "of another process"
    return None


def run(name, mode, *options):
    p = subprocess.Popen([os.path.join(os.environ["BUILD"], "priv"), *map(str, mode)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: "libssl" in open("/proc/%d/maps" % p.pid).read())
    with Sniffer("-p", str(p.pid), "--ring-size", "256M", *options) as s:
        out, _ = p.communicate("\n", timeout=900)
    equal(p.returncode, 0, name + ": the processes did it")
    wrote = {int(a): int(b) for a, b in (line.split() for line in out.splitlines())}
    pieces = [e for e in s.events if e["type"] == "ssl.data" and e["pid"] in wrote]
    bad = [(why, e["pid"], e["function"], e["len"], data(e)[:40]) for e in pieces if (why := wrong(e))]
    equal(bad[:3], [], name + ": %d pieces, all its own" % len(pieces))
    got = dict.fromkeys(((pid, f) for pid in wrote for f in ("WRITE/SEND", "READ/RECV")), 0)
    for e in pieces:
        got[e["pid"], e["function"]] += len(data(e))
    over = {k: n for k, n in got.items() if n > wrote[k[0]] * SIZE}
    equal(over, {}, name + ": nothing is told twice, or in the wrong direction")
    missing = 2 * SIZE * sum(wrote.values()) - sum(got.values())
    lost = sum(e.get("bytes", 0) for e in s.events if e["type"] == "loss")
    skipped = sum(e.get("events", 0) for e in s.events if e["type"] == "loss" and "bytes" not in e)
    ok(missing == lost or (skipped and missing <= lost + skipped * SIZE),
       name + ": what is missing is counted",
       "missing: %d bytes, counted: %d bytes and %d events without a size" % (missing, lost, skipped), s.stderr)


run("a buffer that comes late", ("sleep", 4))
run("a buffer that comes late, --no-sleep", ("sleep", 4), "--no-sleep")
for options in ((), ("--no-sleep",)):
    run(" ".join(("twelve on one processor", *options)), ("crowd", 12, 40), *options)
done()
