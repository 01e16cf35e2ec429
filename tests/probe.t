#!/usr/bin/python3
"""probe.t - what all eBPF collectors share, seen through one made for tests"""
import os, re, subprocess, sys, time
sys.path.insert(0, 'tests')
import process_kit
from process_kit import *

need_bpf()
SKIPPED = os.path.join(os.environ.get('BUILD', 'build'), 'tests/probe/skipped')

# --- what the kernel skips is told: each fault that the program sees causes one that it cannot see
N = 97
faults = 'import ctypes,sys\nsys.stdin.readline()\nc = ctypes.CDLL(None)\nfor i in range(%d): c.stat(ctypes.c_void_p(8), None)' % N
held = Held([PYTHON, '-c', faults])
c = Collector(SKIPPED, '-p', held.pid, '-v')
held.go()
ev = c.stop()
books = re.search(r'seen (\d+) events \(0 bytes\), written (\d+) \(0 bytes\), lost skipped (\d+)\n', c.messages)
seen, written, skipped = map(int, books.groups()) if books else (0, 0, 0)
ok(written >= N, 'faults are seen', c.messages)
ok(skipped >= written, 'what the kernel skipped meanwhile is lost', c.messages)
equal(seen, written + skipped, 'seen = written + lost')
equal(len(of(ev, 'test.fault')), written, 'as many lines as are said to be written')
equal({(e['stage'], e['reason'], e['bytes']) for e in of(ev, 'loss')}, {('skipped', 'skipped', 0)}, 'loss events tell it')
equal(total(ev, 'loss', 'events', reason='skipped'), skipped, 'all of it, once')
ok('skipped by the kernel: on_fault %d\n' % skipped in c.messages, '-v says which program', c.messages)

# --- --fail-on-loss, and while it runs
held = Held([PYTHON, '-c', faults + '\nprint("done", flush=True)\nsys.stdin.read()'], stdout=subprocess.PIPE)
c = Collector(SKIPPED, '-p', held.pid, '--fail-on-loss')
held.p.stdin.write(b'\n')
held.p.stdin.flush()
held.p.stdout.readline()
told = b''  # the collector writes on where a read would leave the file
while b'"reason":"skipped"' not in told and c.p.poll() is None:
    told = os.pread(c.out.fileno(), 1 << 20, 0)
    time.sleep(0.05)
ok(c.p.poll() is None, 'it is told while the collector runs', told.decode())
held.go()
c.stop()
equal(c.status, 3, '--fail-on-loss')
print("1..%d" % process_kit.count)
shutil.rmtree(scratch, ignore_errors=True)
sys.exit(1 if process_kit.failed else 0)
