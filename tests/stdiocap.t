#!/usr/bin/python3
"""stdiocap.t - what passes stdin, stdout and stderr, held against its SHA-256"""
import hashlib, os, re, signal, socket, subprocess, sys, tempfile
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
sha = lambda b: hashlib.sha256(b).hexdigest()


def streams(events):
    """Bytes by process, descriptor, target and direction; complains about holes."""
    out = {}
    for e in events:
        if e['type'] != 'stdio.data':
            continue
        k = (e['pid'], e['fd'], text_of(e, 'fd_target'), e['direction'])
        have = out.setdefault(k, bytearray())
        if e['off'] != len(have):
            print('# hole in %r at %d' % (k, len(have)))
        data = text_of(e, 'data')
        have += data + b'?' * (e['len'] - len(data))
    return out


def find(all_, fd, direction, role=None):
    return [bytes(v) for k, v in all_.items() if k[1] == fd and k[3] == direction]


# --- pipes: a child between two of them, all bytes there are
data = bytes(range(256)) * 4096 + 'grüße\n'.encode() * 1000
child = 'import sys,shutil\nsys.stdin.buffer.readline()\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)\nsys.stderr.write("done\\n")'
p = subprocess.Popen([PYTHON, '-c', child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
c = Collector('stdiocap', '-p', p.pid, '--max-bytes', '0')
out, err = p.communicate(b'\n' + data, timeout=60)
ev = c.stop()
s = streams(ev)
equal([sha(x) for x in find(s, 0, 'READ')], [sha(b'\n' + data)], 'stdin, byte for byte')
equal([sha(x) for x in find(s, 1, 'WRITE')], [sha(data)], 'stdout, byte for byte')
equal(find(s, 2, 'WRITE'), [b'done\n'], 'stderr')
equal({(e['fd'], e['fd_role']) for e in ev}, {(0, 'stdin'), (1, 'stdout'), (2, 'stderr')}, 'their roles')
ok(all(text_of(e, 'fd_target').startswith(b'pipe:[') for e in ev), 'they are pipes')
ok(all('latency_ms' in e for e in ev if e['off']), 'how long the calls took')
ok('lost nothing' in c.messages, 'nothing is lost', c.messages)
ok(max(e['len'] for e in ev) <= 16384, 'large calls come in pieces')

# --- the limit
big = 'import os,sys\nsys.stdin.readline()\nos.write(1, b"x" * 60000); os.write(1, b"y" * 60000)'
ev, c, h = observe('stdiocap', ['--max-bytes', '20000'], [PYTHON, '-c', big], stdout=subprocess.PIPE)
w = of(ev, 'stdio.data', fd=1)
equal([(e['off'], e['len'], len(e['data']), e.get('truncated'), e.get('captured')) for e in w],
      [(0, 16384, 16384, None, None), (16384, 43616, 3616, True, 3616),
       (60000, 16384, 16384, None, None), (76384, 43616, 3616, True, 3616)], 'calls longer than --max-bytes')
equal(sum(e['bytes'] for e in of(ev, 'loss', reason='max_bytes')), 80000, 'what was cut is counted')

# --- without a limit given, what speaks JSON-RPC is whole, and the rest is cut
RPC = r"""
import os, sys
sys.stdin.readline()
def put(fd, data):
    while data:
        data = data[os.write(fd, data):]
put(1, b'{"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}}},"jsonrpc":"2.0","id":0}\n')
put(1, b'{"result":{"content":[{"type":"text","text":"' + b"x" * 300000 + b'"}]},"jsonrpc":"2.0","id":1}\n')
put(2, b'{"text":"' + b"y" * 300000 + b'"}\n')
"""
for options, cut in ((), 1), (('--max-bytes', '65536'), 2):
    ours = [socket.socketpair() for i in range(2)]
    for a, b in ours:
        a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        b.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    drain = [subprocess.Popen(['cat'], stdin=a, stdout=subprocess.DEVNULL) for a, b in ours]
    ev, c, h = observe('stdiocap', options, [PYTHON, '-c', RPC], stdout=ours[0][1], stderr=ours[1][1])
    for (a, b), d in zip(ours, drain):
        b.close()
        d.wait()
        a.close()
    cuts = {e['fd'] for e in of(ev, 'stdio.data') if e.get('truncated')}
    equal(cuts, {2} if cut == 1 else {1, 2}, 'which descriptors are cut, %s' % (options,))
    w = b''.join(text_of(e, 'data') for e in of(ev, 'stdio.data', fd=1))
    equal(len(w) > 300000, cut == 1, 'a long message of JSON-RPC is whole, unless a limit is given')

# --- the books balance when nobody reads: pieces of calls, and descriptors that cannot be told
flood = r'''
import os, sys
sys.stdin.readline()
for i in range(30):
    os.write(1, b"x" * 50000)
    os.close(2); os.open("/dev/null", os.O_WRONLY); os.write(2, b"y" * 50000)
'''
held = Held([PYTHON, '-c', flood], stdout=subprocess.DEVNULL)
c = Collector('stdiocap', '-p', held.pid, '--ring-size', '64k', '--max-bytes', '0')
os.kill(c.p.pid, signal.SIGSTOP)
held.go()
os.kill(c.p.pid, signal.SIGCONT)
ev = c.stop()
events, size, *written = map(int, re.search(r'seen (\d+) events \((\d+) bytes\), written (\d+) \((\d+) bytes\)', c.messages).groups())
lost = [total(ev, 'loss', k) for k in ('events', 'bytes')]
ok(lost[0] > 60, 'a full ring loses some', c.messages)
equal((events, size), (written[0] + lost[0], written[1] + lost[1]), 'seen = written + lost, in events and in bytes')
equal((events, size), (2 * 30 * 4 + 1, 2 * 30 * 50000 + 1), 'as many as there were')

# --- every call of the family, after dup, vectors, sockets, a file
every = r'''
import fcntl, os, socket, sys
sys.stdin.readline()
T = sys.argv[1]
os.write(1, b"write,"); os.writev(1, [b"write", b"v", b"", b","])
saved = os.dup(1); os.dup2(2, 1)                        # stdout saved elsewhere, 1 is stderr's
os.write(saved, b"saved,"); os.write(1, b"as stderr,")
high = fcntl.fcntl(saved, fcntl.F_DUPFD, 40); os.write(high, b"high,")
other = os.open(T + "/other", os.O_RDWR | os.O_CREAT); os.write(other, b"not ours")
if os.fork() == 0:
    os.write(saved, b"child,"); os._exit(0)
os.wait()
os.dup2(other, saved); os.write(saved, b"not ours either")
f = os.open(T + "/file", os.O_RDWR | os.O_CREAT); os.dup2(f, 1)
os.pwrite(1, b"pwrite,", 0); os.pwritev(1, [b"pw", b"ritev,"], 7); os.pread(1, 6, 0); os.preadv(1, [bytearray(3), bytearray(3)], 7)
a, b = socket.socketpair(); os.dup2(a.fileno(), 0)
b.send(b"to be received"); s = socket.socket(fileno=os.dup(0))
os.read(0, 3); s.recv(3); s.recvmsg(100)
s.send(b"send,"); s.sendmsg([b"send", b"msg,"])
'''
with tempfile.TemporaryDirectory() as T:
    ev, c, h = observe('stdiocap', [], [PYTHON, '-c', every, T], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
by = {}
for e in of(ev, 'stdio.data'):
    by.setdefault((e['fd_role'], e['direction']), []).append(e['data'])
equal(by.get(('stdout', 'WRITE')), ['write,', 'writev,', 'saved,', 'as stderr,', 'high,', 'child,', 'pwrite,', 'pwritev,'],
      'write, writev, pwrite, pwritev, and what was duplicated from stdout')
equal(by.get(('stdout', 'READ')), ['pwrite', 'pwrite'], 'pread, preadv')
equal(by.get(('stdin', 'READ')), ['\n', 'to ', 'be ', 'received'], 'read, recv, recvmsg, also after dup')
equal(by.get(('stdin', 'WRITE')), ['send,', 'sendmsg,'], 'send, sendmsg')
equal({e['fd_target'].split('/')[-1] for e in of(ev, 'stdio.data') if e['fd'] == 1 and 'pwrite' in e['data']}, {'file'},
      'the path of a file')
ok(any(e['fd_target'].startswith('socket:[') for e in of(ev, 'stdio.data', fd=0)), 'a socket')
ok(not any('not ours' in e['data'] for e in of(ev, 'stdio.data')), 'other descriptors are left alone')

# --- what never passes the process's memory
moved = r'''
import os, sys
sys.stdin.readline()
f = os.open(sys.argv[1] + "/f", os.O_RDWR | os.O_CREAT); os.write(f, b"x" * 1000)
os.write(1, b"before"); os.sendfile(1, f, 0, 300); os.splice(f, 1, 200, offset_src=0); os.write(1, b"after")
'''
with tempfile.TemporaryDirectory() as T:
    ev, c, h = observe('stdiocap', [], ['/usr/bin/python3', '-c', moved, T], stdout=subprocess.PIPE)
equal([(e['off'], e['data']) for e in of(ev, 'stdio.data', fd=1)], [(0, 'before'), (506, 'after')], 'a hole where bytes were moved within the kernel')
equal((total(ev, 'loss', 'events', reason='spliced'), total(ev, 'loss', 'bytes', reason='spliced')), (2, 500), 'which are counted')

# --- off begins again with another file under the same number
again = 'import os,sys\nsys.stdin.readline()\nfor i in range(3):\n os.close(2); os.open("/dev/null", 1); os.write(2, b"abc"); os.write(2, b"de")'
ev, c, h = observe('stdiocap', ['--fd', '2'], [PYTHON, '-c', again])
equal([(e['off'], e['data'], e['fd_target']) for e in of(ev, 'stdio.data')], [(0, 'abc', '/dev/null'), (3, 'de', '/dev/null')] * 3,
      'off counts from the open of a descriptor')
ev, c, h = observe('stdiocap', ['--all-fds'], [PYTHON, '-c', 'import os,sys\nsys.stdin.readline()\nr,w=os.pipe()\nos.write(w,b"inner")\nos.read(r,9)'])
equal([(e['direction'], e['fd_role'], e['data']) for e in of(ev, 'stdio.data') if e['fd'] > 2 and e['data'] == 'inner'],
      [('WRITE', 'fd', 'inner'), ('READ', 'fd', 'inner')], '--all-fds')

# --- a terminal, and a call that began before we did
if shutil.which('script'):
    p = subprocess.Popen(['script', '-qec', 'cat; echo "ends: $?"', '/dev/null'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while not subprocess.run(['pgrep', '-P', str(p.pid)], capture_output=True).stdout: pass
    c = Collector('stdiocap', '-p', p.pid)
    out = p.communicate(b'hello terminal\n\x04', timeout=30)[0]
    ev = c.stop()
    inside = [e for e in of(ev, 'stdio.data') if e['comm'] == 'cat']
    equal([e['data'] for e in inside if e['direction'] == 'WRITE'], ['hello terminal\n'], 'a program on a terminal')
    ok(all(e['fd_target'].startswith('/dev/pts/') for e in inside), 'the terminal is named')
    first = [e for e in inside if e['direction'] == 'READ'][:1]
    ok(first and first[0]['data'] == 'hello terminal\n', 'a read that was waiting when we began', ev)

# --- a session, as the original's test has it
p = subprocess.Popen(['setsid', PYTHON, '-c', 'import os,sys,subprocess\nsys.stdin.readline()\nsubprocess.run(["sh","-c","echo from the child"])'],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
while os.getsid(p.pid) != p.pid: pass
c = Collector('stdiocap', '--session', p.pid)
out = p.communicate(b'\n', timeout=30)[0]
ev = c.stop()
equal([e['data'] for e in of(ev, 'stdio.data', comm='sh', direction='WRITE')], ['from the child\n'], '--session')

# --- usage
equal(subprocess.run(['stdiocap', '--fd', 'x'], capture_output=True).returncode, 2, 'a wrong --fd')
equal(subprocess.run(['stdiocap', '--fd', '1', '--all-fds'], capture_output=True).returncode, 2, '--fd with --all-fds')
done()
