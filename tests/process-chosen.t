#!/usr/bin/python3
"""process-chosen.t - who is chosen: by the number of a thread, by names, by cgroups"""
import sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()

# --- a thread's number stands for its process
THREAD = r"""
import os, sys, threading
def work():
    print(threading.get_native_id(), flush=True)
    sys.stdin.readline()
    os.mkdir(sys.argv[1])
t = threading.Thread(target=work); t.start(); t.join(); os.rmdir(sys.argv[1])
"""
held = Held([PYTHON, '-c', THREAD, scratch + '/dir'], stdout=subprocess.PIPE)
tid = int(held.p.stdout.readline())
c = Collector('process', '-p', tid)
held.go()
ev = c.stop()
ok(tid != held.pid, 'a thread that is not the first of its process')
equal([e['type'] for e in ev if e['type'].startswith('dir.')], ['dir.create', 'dir.delete'], '-p with its number: what the process did')
equal({e['pid'] for e in ev if 'pid' in e}, {held.pid}, 'and nothing else')

# --- names that nobody had
c = Collector('process', '-c', 'no-such-name,nor-this')
c.stop()
ok('no process was named no-such-name, nor-this' in c.messages, '-c that matched nothing is said', c.messages)
named = shutil.copy('/bin/true', scratch + '/named-now')
c = Collector('process', '-c', 'named-now')
subprocess.run([named], check=True)
ev = c.stop()
equal(len(of(ev, 'process.exit')), 1, 'a process that begins later has the name')
ok('no process was named' not in c.messages, 'then nothing is said', c.messages)
c = Collector('process', '-c', os.readlink('/proc/self/exe').split('/')[-1])
c.stop()
ok('no process was named' not in c.messages, 'nor when it ran before', c.messages)

# --- cgroups of version 1
v1 = [x.split()[1] for x in open('/proc/mounts') if x.split()[2] == 'cgroup']
if v1:
    p = subprocess.run(['process', '--cgroup', v1[0]], capture_output=True, text=True)
    ok(p.returncode == 2 and 'is of cgroup v1' in p.stderr, 'a cgroup of version 1 is refused, and why', p.stderr)
done()
