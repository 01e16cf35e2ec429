#!/usr/bin/python3
"""probe.t - what all eBPF collectors share, seen through one made for tests"""
import os, re, signal, subprocess, sys, time
sys.path.insert(0, 'tests')
import process_kit
from process_kit import *

need_bpf()
SKIPPED, REFUSED, PLACES = (os.path.join(os.environ.get('BUILD', 'build'), 'tests/probe', t) for t in ('skipped', 'refused', 'places'))


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=600)


def like(got, pattern, what):
    return ok(re.search(pattern, got), what, 'got:    %s\nwanted: %s' % (got, pattern))

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
equal([c.first[0]['type'], c.first[0]['stage'], c.first[0]['pid']], ['stage.begin', 'skipped', c.p.pid], 'stage.begin is the first line')
equal([c.last[0].get(k) for k in ('type', 'stage', 'pid', 'read', 'lost', 'why')],
      ['stage.end', 'skipped', c.p.pid, seen, skipped, 'signal'], 'stage.end the last, and it counts the same')
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

# --- a flood says who: one process makes a few events, another so many that nobody could read them
few, many = (Held([PYTHON, '-c', faults.replace('range(%d)' % N, 'range(%d)' % n), 'x']) for n in (N, 5000))
c = Collector(SKIPPED, '-p', few.pid, '-p', many.pid, '--ring-size', '64k')
c.p.send_signal(signal.SIGSTOP)
few.go()
many.p.stdin.write(b'\n')
many.p.stdin.flush()
many.p.wait()
c.p.send_signal(signal.SIGCONT)
full = [e for e in of(c.stop(), 'loss') if e['reason'] == 'ring_full']
ok(full and all(e.get('pid') == many.pid and 0 < e['pid_events'] <= e['events'] for e in full), 'a flood says who', full)
like(c.messages, 'ring_full: most by process %d, \\d+ of %d events\n' % (many.pid, sum(e['events'] for e in full)), 'and so does the summary')

# --- a program that runs while another one on that CPU is not done: each writes into a place of its own
held = Held([PYTHON, '-c', faults])
c = Collector(PLACES, '-p', held.pid)
held.go()
ev = of(c.stop(), 'test.place')
programs = [e['program'] for e in ev]
ok(programs.count(1) >= N and programs.count(2) >= N, 'a program runs while another one is not done', c.messages)
equal({(e['program'], e['mark']) for e in ev}, {(1, 1), (2, 2)}, 'each finds its own mark in its place')

# --- a program that the verifier refuses: its reason, and never a word of privilege
release = re.escape(os.uname().release)
p = run(REFUSED, '-c', 'name')
equal(p.returncode, 1, 'a program that is refused: the status')
like(p.stderr, r"^refused: load BPF program on_return: this kernel's verifier refuses it: R\d invalid mem access "
     r"'map_value_or_null' \(Linux %s\)\n$" % release, "the verifier's reason, the program, the kernel")
equal(run(REFUSED).returncode, 0, 'it loads with other options')

# --- --check finds the sets of options that it is refused with
p = run(REFUSED, '--check')
equal(p.returncode, 1, '--check: the status')
like(p.stderr, r'^refused: load BPF program on_return: .* \(Linux %s\) \[with 5 of 1[12] sets of options, as -c name\]\n'
     r'refused: BPF programs load with [67] of 1[12] sets of options\n$' % release, '... the reason once, and with which options')
like(p.stdout, r'^Linux %s: ring buffers, task storage, bpf_loop[^\n]*\n$' % release, '... what the kernel has')

# --- the real ones load, whatever the options
for tool in 'sslsniff', 'process', 'stdiocap', 'tcpsniff':
    p = run(tool, '--check', '-v')
    equal((p.returncode, p.stdout.split('\n')[1:]), (0, ['all BPF programs load, with each of %d sets of options' %
          len(re.findall('^%s ' % tool, p.stderr, re.M)), '']), tool + ' --check')
    stacks = re.findall(r'^    \w+: stack .*', p.stderr, re.M)
    ok(len(stacks) >= 5 * 14, '... -v tells the stack of each program with each set', p.stderr)
    equal(sorted({s for s in stacks if not re.search(r': stack [0-9+]+, 0 private$', s)}), [],
          '... no program has variables in memory of the CPU, where another task could write')

# --- agentsight doctor tells all of that, whatever the tools are called
tools = os.path.join(scratch, 'tools')
os.mkdir(tools)
for name, real in ('sslsniff', REFUSED), ('process', REFUSED), ('stdiocap', REFUSED), ('tcpsniff', REFUSED), ('sysmon', shutil.which('sysmon')):
    os.symlink(os.path.abspath(real), os.path.join(tools, name))
p = subprocess.run(['agentsight-doctor'], capture_output=True, text=True, env={**os.environ, 'AGENTSIGHT_TOOLS': tools})
equal(p.returncode, 1, 'agentsight doctor: the status when a program is refused')
for name in 'sslsniff', 'process', 'stdiocap', 'tcpsniff':
    like(p.stdout, r"(?m)^NO    %s: load BPF program on_return: this kernel's verifier refuses it: R\d .* \(Linux %s\) \[with 5 of" %
         (name, release), '... which and why: ' + name)
p = run('agentsight-doctor')
equal((p.returncode, re.findall('(?m)^NO .*', p.stdout)), (0, []), 'agentsight doctor: all is well here')
equal(re.findall(r'(?m)^ok    (\w+): all BPF programs load', p.stdout), ['sslsniff', 'tcpsniff', 'process', 'stdiocap'], '... each loads all')
like(p.stdout, '(?m)^ok    BPF has ring buffers, task storage, bpf_loop', '... what the kernel has')

# --- without privilege it says what is missing
p = run('setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--no-new-privs', shutil.which('stdiocap'), '-d', '1ms')
equal((p.returncode, p.stderr), (1, 'stdiocap: load BPF programs: Operation not permitted (lacks CAP_BPF and CAP_PERFMON: '
      'needs root, or CAP_BPF and CAP_PERFMON on Linux 6.6 or newer, else CAP_SYS_ADMIN)\n'), 'lacking privilege is told as such')
print("1..%d" % process_kit.count)
shutil.rmtree(scratch, ignore_errors=True)
sys.exit(1 if process_kit.failed else 0)
