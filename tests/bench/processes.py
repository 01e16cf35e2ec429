"""processes.py - what process and sysmon cost, and what they miss; a part of bench.py

The load runs on CPU 0, the collector on CPU 1, except a build, which has both.
Both are kept awake: an exec interrupts the other CPU, and to wake a virtual one
costs more than the exec.
"""
import json, os, shutil, signal, statistics as st, subprocess, sys, tempfile, time

MED = lambda l: st.median(l) if l else float('nan')
EXECS, OPENS = 2000, 40000


def cpu_of(pid):
    return sum(int(open('/proc/%d/task/%s/schedstat' % (pid, t)).read().split()[0])
               for t in os.listdir('/proc/%d/task' % pid)) / 1e9


def start(cmd, out):
    """A collector on CPU 1 that is attached."""
    pin = ['taskset', '-c', '1']
    if cmd[0] in ('process', 'sysmon'):
        if cmd[0] == 'sysmon':
            return subprocess.Popen(pin + cmd, stdout=out, stderr=subprocess.DEVNULL)
        r, w = os.pipe()
        p = subprocess.Popen(pin + cmd + ['--ready-fd', str(w)], stdout=out, stderr=subprocess.DEVNULL, pass_fds=(w,))
        os.close(w)
        if os.read(r, 1) != b'\n':
            sys.exit('%s did not start' % cmd[0])
        os.close(r)
        return p
    p = subprocess.Popen(pin + cmd, stdout=out, stderr=subprocess.DEVNULL)
    # these do not say when they are ready: once they use no more CPU
    last, quiet = -1, 0
    while quiet < 5:
        time.sleep(0.1)
        now = cpu_of(p.pid)
        quiet = quiet + 1 if now > 0.01 and now - last < 0.001 else 0
        last = now
    return p


def stop(p):
    """CPU so far, once it has caught up; then ends it."""
    last, quiet = cpu_of(p.pid), 0
    while quiet < 3:
        time.sleep(0.1)
        now = cpu_of(p.pid)
        quiet = quiet + 1 if now - last < 0.005 else 0
        last = now
    p.send_signal(signal.SIGINT)
    p.wait(60)
    time.sleep(1)       # the kernel tidies up behind it
    return last


def turn(a, load, cmd, seen):
    """One load under one collector: seconds, the collector's CPU, how much of it was seen."""
    storm = subprocess.Popen(['taskset', '-c', '0', a.dir + '/storm', *load], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with tempfile.NamedTemporaryFile(dir='/dev/shm') as out:
        p = start([str(storm.pid) if x == 'PID' else x for x in cmd], out) if cmd else None
        before = cpu_of(p.pid) if p else 0
        secs = float(storm.communicate(b'\n')[0])
        cpu = stop(p) - before if p else 0
        out.seek(0)
        return secs, cpu, seen(out, storm.pid) if seen else 0


def ours(kind):
    def count(out, pid):
        n = 0
        for line in out:
            if kind in line[:30]:
                e = json.loads(line)
                if e['type'] == 'process.exec':
                    n += e['ppid'] == pid and e['argv'][-1].startswith('number-')
                elif e['pid'] == pid:
                    n += e['count']
        return n
    return count


def lines_with(what):
    return lambda out, pid: sum(what in line for line in out)


def table(a, title, load, n, contestants):
    contestants = list(available(contestants))
    spinner = subprocess.Popen(['taskset', '-c', '1', a.dir + '/storm', 'spin'])
    try:
        return turns(a, title, load, n, contestants)
    finally:
        spinner.kill()
        spinner.wait()


def turns(a, title, load, n, contestants):
    print('%-28s %9s %11s %8s %9s' % (title, 'rate/s', 'rate kept', 'seen %', 'us/event'))
    base, rows = [], {name: [] for name, _, _ in contestants}
    for i in range(a.turns):
        order = [('none', None, None)] + contestants
        got = {name: turn(a, load, cmd, seen) for name, cmd, seen in (order if i % 2 else order[::-1])}
        base.append(got['none'][0])
        for name in rows:
            secs, cpu, seen = got[name]
            rows[name].append((got['none'][0] / secs, cpu / n * 1e6, 100 * seen / n))
    print('%-28s %9.0f %11s' % ('  alone', n / MED(base), 1))
    for name, r in rows.items():
        kept = [x[0] for x in r]
        print('%-28s %9s %5.3f %s %8.2f %9.2f' % ('  ' + name, '', MED(kept), '[%.2f-%.2f]' % (min(kept), max(kept)), min(x[2] for x in r),
              MED([x[1] for x in r])), flush=True)
    return rows


def available(contestants):
    for name, cmd, seen in contestants:
        if shutil.which(cmd[0]):
            yield name, cmd, seen
        else:
            print('# no %s: %s is left out' % (cmd[0], name))


def build_once(a, cmd):
    """make -j2 of forty small files on both CPUs: wall time, and CPU time with the collector's."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as d:
        names = range(40)
        for i in names:
            with open('%s/f%d.c' % (d, i), 'w') as f:
                f.write('#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int x) { return printf("%%d", x) + rand(); }\n' % i)
        with open(d + '/Makefile', 'w') as f:
            f.write('lib.a: %s\n\tar rcs $@ $^\n' % ' '.join('f%d.o' % i for i in names))
        p = start(cmd, subprocess.DEVNULL) if cmd else None
        before = cpu_of(p.pid) if p else 0
        t = time.monotonic()
        make = subprocess.Popen(['make', '-s', '-j2', '-C', d])
        _, make.returncode, used = os.wait4(make.pid, 0)
        t = time.monotonic() - t
        return t, used.ru_utime + used.ru_stime + (stop(p) - before if p else 0)


def build(a):
    wall, cpu = [], []
    for i in range(a.turns):
        order = [None, ['process']]
        got = {bool(c): build_once(a, c) for c in (order if i % 2 else order[::-1])}
        wall.append(got[False][0] / got[True][0])
        cpu.append(got[False][1] / got[True][1])
    print('%-28s %9s %5.3f [%.2f-%.2f]; by CPU time %.3f [%.2f-%.2f]' % ('make -j2 under process', '', MED(wall), min(wall), max(wall),
          MED(cpu), min(cpu), max(cpu)), flush=True)


def samples(a):
    """sysmon at 1 s on a tree of 200 processes: share of one core."""
    storm = subprocess.Popen([a.dir + '/storm', 'tree', '199'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    storm.stdout.readline()
    p = start(['sysmon', '-p', str(storm.pid), '-i', '1s'], subprocess.DEVNULL)
    time.sleep(2.5)
    before, t = cpu_of(p.pid), time.monotonic()
    time.sleep(10)
    share = 100 * (cpu_of(p.pid) - before) / (time.monotonic() - t)
    p.send_signal(signal.SIGINT)
    p.wait(60)
    storm.communicate()
    print('%-28s %9s %.3f %% of one core' % ('sysmon, 200 processes, 1 s', '', share), flush=True)


def execs(a):
    table(a, 'posix_spawn and wait', ['exec', str(EXECS)], EXECS, [
        ('process', ['process'], ours(b'process.exec"')),
        ('execsnoop.bt', ['execsnoop.bt'], lines_with(b' child number-')),
    ])


def opens(a):
    with tempfile.TemporaryDirectory(dir='/dev/shm') as d:
        for title, what in (('open, close, unlink', 'make'), ('open, close of one file', 'open')):
            table(a, title, [what, str(OPENS), d], OPENS, [
                ('process, out of scope', ['process', '-p', str(os.getpid()), '--no-children'], None),
                ('process', ['process', '-p', 'PID'], ours(b'file.open"')),
                ('opensnoop', ['opensnoop'], lines_with(b'/storm-')),
            ])


def processes(a):
    """Execs, opens, a build, a tree: rates kept, completeness, CPU per event."""
    for part in (execs, opens, build, samples):
        part(a)
