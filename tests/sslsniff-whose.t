#!/usr/bin/python3
"""sslsniff-whose.t - nobody's plaintext is told as another one's

Two processes pass text of their own through TLS on one CPU. The buffer of one is not
in memory when its write ends, so that the probe sleeps; meanwhile the other one calls.
Then many at once, which preempt each other where the kernel does that."""
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
WHOSE = cc("whose", "-Wall", "tests/sslsniff/whose.c", "-lssl", "-lcrypto", "-lpthread")


def text(pid, writes, size):
    """All that a process wrote, one after the other."""
    out = bytearray()
    for i in range(writes):
        one = b"<%07d:%06d>" % (pid, i)
        out += (one * (size // len(one) + 1))[:size]
    return bytes(out)


def case(name, size, *args, options=(), lost=False):
    p = subprocess.Popen([WHOSE, *certificate(), args[0], str(size), *map(str, args[1:])],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Sniffer("-p", str(p.pid), "--ring-size", "256M", *options) as s:
        out, err = p.communicate("go\n", timeout=300)
    if not ok(p.returncode == 0, name + ": it ran", err):
        return
    wanted = {int(a): int(b) for a, b in (line.split() for line in out.splitlines())}
    seen = [e for e in s.events if e["type"] == "ssl.data"]
    ok({e["pid"] for e in seen} <= set(wanted), name + ": processes that are there")
    got, wrong = {}, []
    for e in seen:
        b = got.setdefault((e["pid"], e["conn"], e["function"]), {})
        b[e["off"]] = data(e)
    for pid, writes in wanted.items():
        whole = text(pid, writes, size)
        mine = {k[2]: v for k, v in got.items() if k[0] == pid}
        if len(mine) != len([k for k in got if k[0] == pid]):
            wrong.append("%d: more than two connections" % pid)
        for function in "WRITE/SEND", "READ/RECV":
            pieces = mine.get(function, {})
            for off, b in pieces.items():
                if whole[off:off + len(b)] != b:
                    wrong.append("%d %s at %d: %r" % (pid, function, off, b[:40]))
            if not lost and sum(map(len, pieces.values())) != len(whole):
                wrong.append("%d %s: %d bytes of %d" % (pid, function, sum(map(len, pieces.values())), len(whole)))
    ok(not wrong, name + ": each byte is whose it says, in its place", *wrong[:5])
    balanced(s.stderr, name)
    if lost:
        ok("lost fault " in s.stderr, name + ": what was not in memory is counted", s.stderr)
    else:
        equal(books(s.stderr)[2], (0, 0), name + ": nothing lost")


case("a write that sleeps", 16000, "late", 4)
case("a write that sleeps, in three pieces", 48000, "late", 2)
case("a write that may not sleep", 16000, "late", 3, options=["--no-sleep"], lost=True)
case("perf uprobes", 16000, "late", 2, options=["--attach", "perf"])
case("twelve on one CPU", 16000, "crowd", 12, 40)
done()
