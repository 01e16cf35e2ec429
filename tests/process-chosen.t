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

# --- a pid namespace: numbers are as the collector's own has them, who is outside is not seen
INSIDE = r"""
sleep 60 & held=$!
exec 3<>"$1/fifo"
process --trace-signals --ready-fd 4 -o "$1/lines" -q 4>&3 & collector=$!
read -r go <&3
sh -c 'echo $$ >"$1/pid"; exec sh -c ": >\"\$1/file\"" sh "$1"' sh "$1"
kill -TERM "$held"; wait "$held"
touch "$1/outside" && while [ -e "$1/outside" ]; do sleep 0.01; done
kill -INT "$collector"; wait "$collector"
"""
for depth in (1, 2):
    d = os.path.join(scratch, 'ns%d' % depth)
    os.mkdir(d)
    os.mkfifo(d + '/fifo')
    p = subprocess.Popen(['unshare', '-pf', '--mount-proc'] * depth + ['bash', '-c', INSIDE, 'inside', d])
    while p.poll() is None and not os.path.exists(d + '/outside'):
        os.sched_yield()
    subprocess.run(['touch', d + '/unseen'])
    os.path.exists(d + '/outside') and os.unlink(d + '/outside')
    p.wait()
    ev = [json.loads(line) for line in open(d + '/lines')]
    pid = int(open(d + '/pid').read())
    made = of(ev, 'file.open', path=d + '/file')
    equal([e['pid'] for e in made], [pid], 'in a pid namespace (%d): a process has its number there' % depth)
    ok(made and 'ns_pid' not in made[0], 'and no second one')
    ok(of(ev, 'process.exit', pid=pid) and of(ev, 'process.fork', child_pid=pid), 'its beginning and end have it, too')
    ok(of(ev, 'process.signal', signal=15), 'signals within it are seen')
    equal(of(ev, 'file.open', path=d + '/unseen'), [], 'processes outside are not')

# --- cgroups of version 1
v1 = [x.split()[1] for x in open('/proc/mounts') if x.split()[2] == 'cgroup']
if v1:
    p = subprocess.run(['process', '--cgroup', v1[0]], capture_output=True, text=True)
    ok(p.returncode == 2 and 'is of cgroup v1' in p.stderr, 'a cgroup of version 1 is refused, and why', p.stderr)
done()
