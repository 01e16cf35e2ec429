"""process_kit - what process.t and stdiocap.t share: TAP, a collector on a command

A command under observation is started stopped at its first read of standard
input; once the collector is attached it gets a line and runs.
"""
import base64
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

PYTHON = '/usr/bin/python3'
count = failed = 0
scratch = tempfile.mkdtemp(prefix='agentsight-test.')
# What is done thousands of times is done so many times less often: for machines that
# are emulated, see tests/kernels.
SCALE = int(os.environ.get('TEST_SCALE', 1))
lines_seen = open(os.path.join(scratch, 'lines.ndjson'), 'wb')


def ok(good, what, note=''):
    global count, failed
    count += 1
    failed += not good
    print('%sok %d - %s' % ('' if good else 'not ', count, what), flush=True)
    if not good:
        print('\n'.join('# %s' % x for x in str(note)[:3000].split('\n')), flush=True)
    return good


def equal(got, wanted, what):
    return ok(got == wanted, what, 'got:    %r\nwanted: %r' % (got, wanted))


def skip_all(why):
    if os.environ.get('AGENTSIGHT_NO_SKIP'):
        print('not ok 1 - cannot run: %s\n1..1' % why)
        sys.exit(1)
    print('1..0 # SKIP %s' % why)
    sys.exit(0)


def need_bpf():
    p = subprocess.run([PYTHON, 'tests/bpf_works.py'], capture_output=True, text=True)
    if p.returncode:
        skip_all('BPF does not work here: ' + p.stdout.strip())


def need(*commands):
    for c in commands:
        if not shutil.which(c):
            skip_all('no ' + c)


def done():
    lines_seen.close()
    p = subprocess.run([PYTHON, 'tests/validate.py', lines_seen.name], capture_output=True, text=True)
    ok(p.returncode == 0, 'all lines are as the schema says', p.stdout + p.stderr)
    print('1..%d' % count)
    shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failed else 0)


def compiled(source, *flags):
    out = os.path.join(scratch, os.path.basename(source)[:-2])
    if not os.path.exists(out):
        subprocess.run(['cc', '-O1', '-Wall', '-o', out, source, *flags], check=True)
    return out


class Collector:
    """A collector that is attached; stop() gives its events."""

    def __init__(self, *args, pass_fds=()):
        r, w = os.pipe()
        self.out = tempfile.TemporaryFile(dir=scratch)
        self.err = tempfile.TemporaryFile(dir=scratch)
        self.p = subprocess.Popen([*map(str, args), '--ready-fd', str(w)], stdout=self.out,
                                  stderr=self.err, pass_fds=(w, *pass_fds))
        os.close(w)
        self.ready = os.read(r, 1) == b'\n'
        os.close(r)
        if not self.ready:
            self.p.wait()
            self.err.seek(0)
            print('# %s: %s' % (args[0], self.err.read().decode()))

    def stop(self, sig=15):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        self.status = self.p.wait(60)
        self.err.seek(0)
        self.messages = self.err.read().decode()
        self.out.seek(0)
        raw = self.out.read()
        lines_seen.write(raw)
        events = [json.loads(line) for line in raw.splitlines()]
        self.first, self.last = events[:1], events[-1:]
        return [e for e in events if not e['type'].startswith('stage.')]


class Held:
    """A command that waits for a line on standard input before it begins."""

    def __init__(self, argv, **kw):
        self.p = subprocess.Popen([*map(str, argv)], stdin=subprocess.PIPE, **kw)
        self.pid = self.p.pid

    def go(self, timeout=120):
        self.p.stdin.write(b'\n')
        self.p.stdin.close()
        self.p.stdin = None
        out = self.p.communicate(timeout=timeout)[0]
        self.status = self.p.returncode
        return out


def observe(tool, options, argv, **kw):
    """Runs a command under a collector: events, the collector, the command."""
    held = Held(argv, **kw)
    c = Collector(tool, '-p', held.pid, *options)
    held.stdout = held.go()
    return c.stop(), c, held


def text_of(e, key):
    """The bytes of a key."""
    if key in e:
        return os.fsencode(e[key]) if isinstance(e[key], str) else e[key]
    return base64.b64decode(e[key + '_b64']) if key + '_b64' in e else None


def of(events, kind, **want):
    return [e for e in events if e['type'] == kind and all(e.get(k) == v for k, v in want.items())]


def total(events, kind, key, **want):
    return sum(e[key] for e in of(events, kind, **want))


def counts(events):
    return dict(collections.Counter(e['type'] for e in events))
