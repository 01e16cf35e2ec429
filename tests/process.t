#!/usr/bin/python3
"""process.t - against a program that does a known number of known things"""
import sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
truth = compiled('tests/process/truth.c', '-static', '-pthread')
T = os.path.realpath(os.path.join(scratch, 'work'))


def run(mode, *args, options=(), prefix=()):
    shutil.rmtree(T, ignore_errors=True)
    os.mkdir(T)
    return observe('process', options, [*prefix, truth, mode, *args], stdout=subprocess.PIPE)


def paths(events, kind, **want):
    return [text_of(e, 'path').decode(errors='surrogateescape').replace(T + '/', '') for e in of(events, kind, **want)]


def nothing_lost(c, what):
    m = re.search(r'seen (\d+) events \((\d+) bytes\), written (\d+) \((\d+) bytes\), lost nothing', c.messages)
    ok(m and m[1] == m[3] and m[2] == m[4], what + ': nothing is lost, the books balance', c.messages)


import re

# --- lifecycle
ev, c, h = run('forks', 300, T)
equal(len(of(ev, 'process.fork', pid=h.pid)), 300, 'forks that never exec')
exits = of(ev, 'process.exit', ppid=h.pid)
equal(sorted(e['exit_code'] for e in exits), sorted(i % 256 for i in range(300)), 'their exit codes')
equal(sorted(paths(ev, 'file.open')), sorted(map(str, range(300))), 'files that they wrote')
equal((total(ev, 'file.write', 'bytes'), total(ev, 'file.write', 'count')), (300, 300), 'and what')
children = {e['child_pid']: e for e in of(ev, 'process.fork')}
ok(all(text_of(e, 'path').decode().startswith(T) and e['pid'] in children for e in of(ev, 'file.open')), 'by whom')
seed = ev[0]
ok(seed['type'] == 'process.exec' and seed['seed'] and seed['argv'] == [truth, 'forks', '300', T] and
   seed['filename'] == truth and seed['cwd'] == os.getcwd() and seed['ppid'] == os.getpid() and
   seed['sid'] == os.getsid(0) and seed['pid'] == h.pid, 'what ran already is told first', seed)
equal(len([e for e in ev if e.get('seed')]), 1, 'once')
nothing_lost(c, 'forks')

many = 10000 // SCALE
ev, c, h = run('execs', many)
ran = [e['argv'][2] for e in of(ev, 'process.exec') if not e.get('seed')]
equal((len(ran), len(set(ran))), (many, many), '%d execs by vfork' % many)
equal(len(of(ev, 'process.exit')), many + 1, 'and as many exits')
ok(all(e['filename'] == truth and e['ppid'] == h.pid and 'exe' not in e for e in of(ev, 'process.exec') if not e.get('seed')), 'of that program')
nothing_lost(c, 'execs')

many = 4000 // SCALE
ev, c, h = run('shorts', many)
equal((len(of(ev, 'process.fork')), len(of(ev, 'process.exit', ppid=h.pid))), (many, many), '%d short-lived children' % many)
nothing_lost(c, 'short-lived children')

ev, c, h = run('ends')
who = {k: int(v) for k, v in (line.split() for line in h.stdout.decode().split('\n') if line)}
end = {k: of(ev, 'process.exit', pid=v) for k, v in who.items()}
equal({k: len(v) for k, v in end.items()}, {k: 1 for k in who}, 'every process ends once; threads are none')
end = {k: v[0] for k, v in end.items()}
equal(len(of(ev, 'process.fork')), len(who), 'as many forks')
equal((end['code']['exit_code'], end['thread']['exit_code'], end['vfork']['exit_code'], end['clone3']['exit_code'],
       end['leader']['exit_code']), (200, 42, 7, 8, 0), 'exit codes')
equal((end['killed']['signal'], end['killed']['signal_name'], 'exit_code' in end['killed']), (9, 'SIGKILL', False), 'a signal is no exit code')
ok(65536 <= end['memory']['rss_max_kb'] < 131072, 'most memory', end['memory'])
ok(0 < end['memory']['duration_ms'] < 60000, 'duration', end['memory'])

ev, c, h = run('orphan', T)
equal(paths(ev, 'file.open'), ['orphan'], 'a child whose parent ends first')

ev, c, h = run('reuse', T)
pid = int(h.stdout)
if pid:
    equal([(e['type'], e.get('exit_code')) for e in ev if e['pid'] == pid and e['type'] in ('file.write', 'process.exit')],
          [('file.write', None), ('process.exit', 1), ('file.write', None), ('process.exit', 2)], 'one pid, two lives')
    equal([e['path'][len(T) + 1:] for e in ev if e['pid'] == pid and e['type'] == 'file.write'], ['first', 'second'], 'each with its own file')
# a pid of ours that comes again elsewhere is not ours any more
gone = Held([truth, 'shorts', 0])
c = Collector('process', '-p', gone.pid)
gone.go()
shutil.rmtree(T); os.mkdir(T)
again = subprocess.run([PYTHON, '-c', '''
import ctypes, os, struct, sys
libc, pid = ctypes.CDLL(None), int(sys.argv[1])
tid = ctypes.c_int(pid)
args = ctypes.create_string_buffer(struct.pack("QQQQQQQQQQQ", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(tid), 1, 0))
got = libc.syscall(435, args, 88)
if got == 0:
    open(sys.argv[2] + "/stranger", "w").write("x")
    os._exit(0)
os.wait()
print(got)
''', str(gone.pid), T], capture_output=True, text=True)
ev = c.stop()
equal(again.stdout.strip(), str(gone.pid), 'a stranger got the pid of one of ours')
equal([e for e in ev if e['type'].startswith('file.') and 'stranger' in e['path']], [], 'and is not told')

# --- arguments
for size in (1000, 60000, 100000):
    ev, c, h = run('args', size)
    big, odd, invalid = [e for e in of(ev, 'process.exec') if not e.get('seed')]
    if size < 65536:
        equal(len('\0'.join(big['argv'])) + 1, size, '%d bytes of arguments' % size)
    else:
        ok(big['truncated'] and big['argv_bytes'] == size and len('\0'.join(big['argv'])) == 65536 and
           total(ev, 'loss', 'bytes', reason='args_long') == size - 65536, 'too many arguments are cut, and counted')
equal(odd['argv'][1:], ['child', 'quote"', 'line\nfeed', '', 'grüß'], 'odd arguments')
equal([base64.b64decode(a) for a in invalid['argv_b64']][1:], [b'child', b'\xff', b'fine'], 'arguments that are no UTF-8')

# --- files
ev, c, h = run('opens', T)
equal([p for p in paths(ev, 'file.open') if p != 'moved/sub/relative' and not p.endswith('place')],
      ['created', 'sub/by-dirfd', 'up', 'sub/by-openat2', 'moved/sub/after-move', 'moved/sub/tidy',
       'created/x'], 'where files are, however it was said')
equal(total(ev, 'file.open', 'count', path=T + '/moved/sub/no/such/place', error='ENOENT'), 5, 'opens that fail are no opens')
equal([e['error'] for e in of(ev, 'file.open', path=T + '/created/x')], ['ENOTDIR'], 'nor with ..')
again = of(ev, 'file.open', path=T + '/moved/sub/relative', flags=2)
equal(sum(e['count'] for e in again), 1000, 'a thousand opens of the same file are counted')
ok(len(again) < 100, 'not repeated', len(again))
equal([e.get('created', False) for e in of(ev, 'file.open', path=T + '/moved/sub/relative') if e['flags'] != 2], [True, False],
      'the first of the others made it, the second came by a symbolic link')
nothing_lost(c, 'opens')
ev, c, h = run('opens', T, options=['--window', '0'])
equal(len(of(ev, 'file.open', path=T + '/moved/sub/relative', flags=2)), 1000, '--window 0 writes every one')

ev, c, h = run('names', T)
changes = [(e['type'], *(text_of(e, k).decode().replace(T + '/', '') for k in ('path', 'to', 'target') if k in e), *[e[k] for k in ('error',) if k in e])
           for e in ev if e['type'].split('.')[0] in ('file', 'dir') and e['type'] not in ('file.open', 'file.write')]
equal(changes, [
    ('dir.create', 'a'), ('dir.create', 'b'), ('file.rename', 'a/one', 'a/two'), ('file.rename', 'a/two', 'b/three'),
    ('file.rename', 'b/three', 'b/four'), ('file.link', 'b/four', 'five'), ('file.symlink', 's', 'b'),
    ('file.delete', 'five'), ('file.delete', 'b/four'), ('file.truncate', 'b/four'), ('file.chmod', 'b/four'),
    ('file.chown', 'b/four'), ('file.truncate', 't'), ('file.chmod', 't'), ('file.chown', 't'),
    ('file.delete', 'nothing', 'ENOENT'), ('file.rename', 'nothing', 'x', 'ENOENT'), ('dir.create', 'a', 'EEXIST'),
    ('dir.delete', 'a'), ('dir.create', 'b/c'), ('dir.delete', 'b/c')], 'changes of names, in order')
gone = of(ev, 'file.write', path=T + '/b/four')
equal([(e['bytes'], e.get('deleted')) for e in gone], [(4, True)], 'an open file that was deleted')
equal([(e['user'], 'group' in e) for e in of(ev, 'file.chown', path=T + '/b/four')], [(0, False)], 'an owner')

ev, c, h = run('leads', T)
equal(paths(ev, 'file.delete')[-1], 'b/two', 'a symbolic link that leads elsewhere')

# names by way of /proc/self, which is another when we look; files without a name; links that are not followed
ODD = '''
import ctypes, os, sys, time
sys.stdin.readline()
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
fd = os.open("f", os.O_RDWR | os.O_CREAT); link = "/proc/self/fd/%d" % fd
os.chmod(link, 0o640); os.truncate(link, 5)
os.mkdir("/proc/thread-self/cwd/d"); os.mkdir("d/d"); os.rmdir("/proc/self/cwd/./d/d")
os.symlink("f", "l"); os.lchown("l", 0, 0); os.chown("l", 0, 0); time.sleep(0.2)
libc.renameat2(-100, b"f", -100, b"l", 2)
t = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600); os.write(t, b"123")
libc.linkat(-100, b"/proc/self/fd/%d" % t, -100, b"linked", 0x400)
m = os.memfd_create("memory"); os.write(m, b"4567"); os.ftruncate(m, 2)
for call in (lambda: os.mkdir(""), lambda: os.unlink("/proc/self/cwd/none")):
    try: call()
    except OSError: pass
libc.unlink(ctypes.c_void_p(1))
os.makedirs("jail/x"); os.close(os.open("jail/x/g", os.O_CREAT)); os.rename(sys.argv[1] + "/jail/x/g", "jail/x/h")
os.chroot("jail"); os.unlink("/x/h")
time.sleep(1)
'''
shutil.rmtree(T); os.mkdir(T)
ev, c, h = observe('process', [], [PYTHON, '-c', ODD, T])
odd = [(e['type'], *(text_of(e, k).decode().replace(T + '/', '') for k in ('path', 'to') if k in e), *[e[k] for k in ('exchanged', 'error', 'bytes') if k in e])
       for e in ev if e['type'].split('.')[0] in ('file', 'dir') and e['type'] != 'file.open']
tmp = [p for p in paths(ev, 'file.open') if p.startswith('#')][0]
equal([o for o in odd if o[0] != 'file.write'], [('file.chmod', 'f'), ('file.truncate', 'f'), ('dir.create', 'd'), ('dir.create', 'd/d'), ('dir.delete', 'd/d'),
            ('file.symlink', 'l'), ('file.chown', 'l'), ('file.chown', 'f'), ('file.rename', 'f', 'l', True), ('file.link', tmp, 'linked'),
            ('file.truncate', '/memfd:memory'), ('dir.create', '', 'ENOENT'), ('file.delete', '/proc/self/cwd/none', 'ENOENT'),
            ('file.delete', '', 'EFAULT'), ('dir.create', 'jail'), ('dir.create', 'jail/x'), ('file.rename', 'jail/x/g', 'jail/x/h'),
            ('file.delete', 'jail/x/h')], 'odd ways of saying where')
equal(sorted(o for o in odd if o[0] == 'file.write'), [('file.write', '/memfd:memory', 4), ('file.write', 'linked', 3)],
      'and what was written there, by the name that a file got')

ev, c, h = run('gigabyte', T, options=['--trace-fs'])
big = of(ev, 'file.write', path=T + '/gigabyte')
equal((sum(e['bytes'] for e in big), sum(e['count'] for e in big)), (1 << 30, 1024), '1 GiB in pieces')
piece = dict(path=T + '/piece')		# what was read while it was written goes with that
equal((total(ev, 'file.read', 'bytes', **piece) + sum(e.get('read_bytes', 0) for e in of(ev, 'file.write', **piece)),
       total(ev, 'file.read', 'count', **piece) + sum(e.get('reads', 0) for e in of(ev, 'file.write', **piece))),
      (409 << 20, 409), 'what was read for it by sendfile and copy_file_range')
ok(all(e['timestamp_ns'] <= e['last_ns'] for e in big), 'first and last time')
nothing_lost(c, '1 GiB')

ev, c, h = run('odd', T)
got = [text_of(e, 'path') for e in of(ev, 'file.open')]
equal([p[len(T) + 1:] for p in got[:4]], [b'quote"back\\slash', b'line\nfeed\ttab', b'\xff\xfe invalid', 'grüß'.encode()], 'odd names')
equal((len(got[4]), set(got[4][len(T):])), (4095, set(b'/d')), 'a path of 4095 bytes')
equal([text_of(e, 'path') for e in of(ev, 'file.write')], got, 'the same for what was written')

ev, c, h = run('closes', T)
equal(sorted((e['path'][len(T) + 1:], e['bytes']) for e in of(ev, 'file.write')),
      [('by-exec', 1), ('by-exit', 2), ('by-range', 7), ('other', 5), ('replaced', 3)], 'totals without close')

# --- signals
ev, c, h = run('signals', options=['--trace-signals'])
pid = int(h.stdout)
equal([(e['target_pid'], e['signal_name'], e['result'], e.get('error'), e.get('outcome')) for e in of(ev, 'process.signal')],
      [(1 << 22, 'SIGUSR1', -3, 'ESRCH', None), (pid, 'SIGTERM', 0, None, 'delivered')], 'signals')

# --- in a container: namespaces of its own, and a root of its own
jail = os.path.join(scratch, 'jail')
os.makedirs(jail + '/work')
shutil.copy(truth, jail + '/truth')
ev, c, h = observe('process', [], ['unshare', '-pmnf', 'chroot', jail, '/truth', 'opens', '/work'])
jail = os.path.realpath(jail)
inside = of(ev, 'file.open', comm='truth')
ok(inside and all(e['path'].startswith(jail + '/work') and e['root'] == jail and e['ns_pid'] == 1 for e in inside if 'error' not in e),
   'paths, root and pid of a process in a container', inside[:3])
equal(paths(inside, 'file.open', path=jail + '/work/moved/sub/after-move') != [], True, 'also after a move')

# --- modes and selection
ev, c, h = run('forks', 3, T, options=['-d', '60000'])
equal([e['type'] for e in ev if e['type'] in ('process.exec', 'process.exit')], [], '-d: only those that live long')
held = Held([truth, 'forks', 2, T])
shutil.rmtree(T); os.mkdir(T)
c = Collector('process', '-m', '1')
held.go()
stranger = subprocess.run([PYTHON, '-c', 'open("%s/new", "w").write("x")' % T])
ev = c.stop()
equal(len(of(ev, 'process.fork', pid=held.pid)), 2, '-m 1: lifecycle of all')
mine = [text_of(e, 'path').decode() for e in of(ev, 'file.open')]
equal([p in mine for p in (T + '/0', T + '/new')], [False, True], '-m 1: files of those that exec from now on')
held = Held([truth, 'forks', 2, T])
shutil.rmtree(T); os.mkdir(T)
c = Collector('process', '--seed-pid', '%d:77' % held.pid, '--seed-pid', '4194303')
held.go()
ev = c.stop()
equal([e['ppid'] for e in of(ev, 'process.exec', pid=held.pid)], [77], '--seed-pid with a parent')
equal(len(of(ev, 'file.open')), 2, '--seed-pid follows')
held = Held([truth, 'forks', 1, T])
c = Collector('process', '-c', 'nobody, truth ,x')
held.go()
ev = c.stop()
equal(({e['comm'] for e in ev}, len(of(ev, 'process.fork', pid=held.pid))), ({'truth'}, 1), '-c with a list of names')
held = Held([truth, 'opens', T])
shutil.rmtree(T); os.mkdir(T)
c = Collector('process', '-p', '1', '-m', '0')
held.go()
ev = c.stop()
ok([e for e in of(ev, 'file.open', pid=held.pid) if e['path'] == T + '/sub' and e['mode'] == ['read']], '-m 0 behind -p: everything')
for bad in (['-m', '3'], ['-m', '2'], ['--seed-pid', 'x'], ['--seed-pid', '5:'], ['-d', '-1'], ['-c', ' ,'], ['x']):
    equal(subprocess.run(['process', *bad], capture_output=True).returncode, 2, 'a wrong ' + ' '.join(bad))

# --- a reader that stands still: the ring fills, the books say so, and balance
r, w = os.pipe()
held = Held([truth, 'forks', 1500, T])
shutil.rmtree(T); os.mkdir(T)
p = subprocess.Popen(['process', '-p', str(held.pid), '--ring-size', '64k', '--ready-fd', str(w)], stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, pass_fds=(w,))
os.read(r, 1)
held.go()
p.send_signal(15)
out, err = p.communicate(timeout=60)
m = re.search(r'seen (\d+) events \((\d+) bytes\), written (\d+) \((\d+) bytes\), lost (.*)', err.decode())
lost = {r_: (int(n), int(b or 0)) for r_, n, b in re.findall(r'(\w+) (\d+)(?: \((\d+) bytes\))?', m[5])}
ok('ring_full' in lost, 'a full ring is counted', err)
equal(int(m[1]), int(m[3]) + sum(n for n, b in lost.values()), 'seen = written + lost, in events')
equal(int(m[2]), int(m[4]) + sum(b for n, b in lost.values()), 'and in bytes')
# --- what fails, and which program did it
HARD = r'''
read x; cd "$1" || exit
mkdir small; mount -t tmpfs -o size=64k t small; head -c 200000 /dev/zero >small/f; umount small
exec 5>both; echo shell >&5
sh -c 'exec no-such-program one two'
"$1/none" three
unshare -m sh -c 'mount -t tmpfs t small; : >small/private'
exec "$2" -c 'import os; os.write(5, b"python"); os.mknod("pipe", 0o10644)'
'''
H = os.path.realpath(os.path.join(scratch, 'hard'))
os.mkdir(H)
held = Held(['sh', '-c', HARD, 'sh', H, PYTHON], stderr=subprocess.DEVNULL)
c = Collector('process', '-p', held.pid)
held.go()
ev = c.stop()
equal([(e['path'], e['bytes']) for e in of(ev, 'file.write', error='ENOSPC')], [(H + '/small/f', 0)], 'a write that found no room')
failed_execs = [(os.path.basename(e['filename']), e['argv'][1:], e['error']) for e in of(ev, 'process.exec') if 'error' in e]
equal(failed_execs, [('no-such-program', ['one', 'two'], 'ENOENT'), ('none', ['three'], 'ENOENT')], 'programs that were not executed, once each')
equal([(e['comm'], e['bytes']) for e in of(ev, 'file.write', path=H + '/both')], [('sh', 6), ('python3', 6)], 'bytes of one descriptor, by the program that wrote them')
equal(['mnt_ns' in e for e in of(ev, 'file.open', path=H + '/small/private')], [True], 'a file of another mount namespace')
equal([(e['kind'], e['permissions']) for e in of(ev, 'file.create')], [('fifo', '0644')], 'mknod')
equal([(e['source'], e['fs_type']) for e in of(ev, 'fs.mount', path=H + '/small') if 'mnt_ns' not in e], [('t', 'tmpfs')], 'mounts')
ok('lost nothing' in c.messages, 'the books balance', c.messages)

done()
