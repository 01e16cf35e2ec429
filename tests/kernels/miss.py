#!/usr/bin/python3
"""miss.py - twelve processes, 1 500 writes each, on one processor that switches between them

Where a kernel preempts, it skips a BPF program while the same one is under way on that
processor. At most a thousandth may be missing, and whatever is missing is counted.
"""
import sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
PROCESSES, WRITES, SIZE = 12, 1500, 100
LOAD = '''
import os, sys
os.sched_setaffinity(0, {0})
sys.stdin.readline()
for i in range(%d):
    if os.fork() == 0:
        fd = %s
        for _ in range(%d):
            os.write(fd, b"x" * %d)
        os._exit(0)
while True:
    try: os.wait()
    except ChildProcessError: break
'''


def held_against(name, ev, c, wanted, got):
    lost = [e for e in ev if e['type'] == 'loss']
    counted = sum(e.get('events', 0) for e in lost)
    missing = wanted - got
    ok(0 <= missing <= wanted // 1000, '%s: %d of %d' % (name, got, wanted),
       'loss: %s\n%s' % ([(e['reason'], e.get('events')) for e in lost], c.messages))
    ok(missing <= counted, name + ': what is missing is counted', 'missing %d, counted %d' % (missing, counted))


wanted = PROCESSES * WRITES
files = LOAD % (PROCESSES, 'os.open("%s/f%%d" %% i, os.O_WRONLY | os.O_CREAT)' % scratch, WRITES, SIZE)
for turn in 1, 2:
    ev, c, h = observe('process', ['--interval', '0'], [PYTHON, '-c', files])
    held_against('process, writes', ev, c, wanted, total(ev, 'file.write', 'count'))
    held_against('process, opens', ev, c, PROCESSES,
                 sum(e['count'] if 'count' in e else 1 for e in of(ev, 'file.open') if e['path'].startswith(scratch + '/f')))
    held_against('process, forks', ev, c, PROCESSES, len(of(ev, 'process.fork', pid=h.pid)))
    held_against('process, ends', ev, c, PROCESSES, len(of(ev, 'process.exit', ppid=h.pid)))
pipes = LOAD % (PROCESSES, '1', WRITES, SIZE)
ev, c, h = observe('stdiocap', ['--ring-size', '64M'], [PYTHON, '-c', pipes], stdout=subprocess.DEVNULL)
held_against('stdiocap, writes', ev, c, wanted, len(of(ev, 'stdio.data', fd=1)))
done()
