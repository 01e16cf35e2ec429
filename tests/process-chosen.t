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

# --- what people call a program: argv[0], and the script of an interpreter
script = scratch + '/gemini.py'
open(script, 'w').write('import sys\nsys.stdin.readline()\n')
other = scratch + '/other'
shutil.copy(script, other)
CALLED = ([PYTHON, script], [PYTHON, '-S', script], ['bash', '-c', 'exec -a gemini cat'])
OTHERS = ([PYTHON, other, 'gemini'], ['cat', '-', '/dev/null'])


def named(order):
    """The processes that -c gemini finds, which begin before the collector or later."""
    c = Collector('process', '-c', 'gemini') if order == 'later' else None
    held = [Held(argv, stdout=subprocess.DEVNULL) for argv in CALLED + OTHERS]
    for h in held if not c else ():
        while b'gemini' not in open('/proc/%d/cmdline' % h.pid, 'rb').read() and h.p.args[0] == 'bash':
            os.sched_yield()
    c = c or Collector('process', '-c', 'gemini')
    for h in held:
        h.go()
    seen = {e['pid'] for e in c.stop() if e['type'] == 'process.exit'}
    equal([h.pid in seen for h in held], [True] * len(CALLED) + [False] * len(OTHERS), '-c: a script, and argv[0]; begun ' + order)


named('before')
named('later')

# --- from the next program on
held = Held(['sh', '-c', 'read x; : >"$1/shell"; exec sh -c \': >"$1/program"; cd "$1/none"\' sh "$1"', 'sh', scratch])
c = Collector('process', '-p', held.pid, '--from-exec')
io = Collector('stdiocap', '-p', held.pid, '--from-exec')
held.go()
ev, said = c.stop(), io.stop()
equal([os.path.basename(e['path']) for e in of(ev, 'file.open') if 'created' in e], ['program'], '--from-exec: nothing of the program before')
equal([e.get('argv', [0])[1:2] for e in of(ev, 'process.exec')], [['-c']], 'the next program is the first event')
equal([e['direction'] for e in said], ['WRITE'] * len(said), 'what was read before it is not captured')

# --- containers, as they are called
root = next((x.split()[1] for x in open('/proc/mounts') if x.split()[2] == 'cgroup2'), None)
ID = '7c0ffee7' * 8
if root and os.access(root, os.W_OK):
    POD = '12345678-1234-1234-1234-123456789abc'
    group = '%s/agentsight-test-%d/kubepods-pod%s.slice/docker-%s.scope' % (root, os.getpid(), POD.replace('-', '_'), ID)
    os.makedirs(group)
    ENTER = 'echo $$ >"$0/cgroup.procs"; echo; read x; exec true'
    held = Held(['sh', '-c', ENTER, group], stdout=subprocess.PIPE)
    held.p.stdout.readline()
    c = Collector('process', '--container', ID[:12])
    later = subprocess.run(['sh', '-c', 'echo $$ >"$0/cgroup.procs"; exec sh -c "exit 3"', group])
    subprocess.run(['true'])
    runtime = 'mount -t tmpfs t /var/lib && mkdir -p /var/lib/docker/containers/$0 && ' \
        'echo "{\\"ID\\":\\"$0\\",\\"Name\\":\\"/my-agent\\",\\"io.kubernetes.pod.name\\":\\"no\\"}" >/var/lib/docker/containers/$0/config.v2.json && exec "$@"'
    by_name = subprocess.run(['unshare', '-m', 'sh', '-c', runtime, ID, 'sysmon', '--container', 'my-agent', '-i', '50ms', '-d', '60ms', '-q'],
                             capture_output=True, text=True)
    named = subprocess.run(['unshare', '-m', 'sh', '-c', runtime, ID, 'process', '--container', 'my-agent', '--duration', '50ms', '-q'], capture_output=True, text=True)
    held.go()
    ev = c.stop()
    seed = [json.loads(x) for x in named.stdout.splitlines() if '"process.exec"' in x]
    equal([[e.get(k) for k in ('container_id', 'container_name', 'pod_name', 'pod_uid')] for e in seed], [[ID[:12], 'my-agent', None, POD]],
          'what it is called, and its pod')
    pids = {e['pid'] for e in ev if 'pid' in e and e['type'] != 'loss'}
    ok(held.pid in pids and len(pids) == 2, '--container: its processes, and no other', ev)
    equal([e['exit_code'] for e in of(ev, 'process.exit')], [3, 0], 'who enters it later, too')
    ok('"container_id":"%s"' % ID[:12] in by_name.stdout, 'by its name', by_name)
    p = subprocess.run(['process', '--container', 'no-such-container'], capture_output=True, text=True)
    ok(p.returncode == 2 and 'none that runs has this id or name' in p.stderr, 'one that does not run is refused', p.stderr)
    os.rmdir(group)
    os.rmdir(os.path.dirname(group))
    os.rmdir(os.path.dirname(os.path.dirname(group)))

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
