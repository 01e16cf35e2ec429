#!/usr/bin/python3
"""process-once.t - what counts as lost, and what counts once: io_uring, peeked messages"""
import re, sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
uring = compiled('tests/process/uring.c')
T = os.path.realpath(os.path.join(scratch, 'work'))
os.mkdir(T)


def lost(events):
    return {k: total(events, 'loss', 'events', reason=k) for k in {e['reason'] for e in of(events, 'loss')}}


# --- io_uring: what moves no data is no loss; what does is, to the one who would have told it
for mode, process, stdio in (('i', {}, {}), ('f', {'io_uring': 8}, {}), ('s', {}, {'io_uring': 1}),
                             ('ip', {}, {}), ('fp', {'io_uring': 8}, {}), ('sp', {}, {'io_uring': 1})):
    for tool, wanted in (('process', process), ('stdiocap', stdio)):
        ev, c, h = observe(tool, [], [uring, mode, T], stdout=subprocess.PIPE)
        if h.status == 77:
            print('# io_uring is not to be had here: %s' % mode)
            continue
        equal((lost(ev), h.stdout, h.status), (wanted, b'', 0), 'io_uring, %s: what %s did not see' % (mode, tool))

# --- what was only peeked at is still there
PEEK = r"""
import socket, sys
sys.stdin.readline()
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()
c = socket.create_connection(s.getsockname()); a, _ = s.accept()
c.sendall(b'0123456789' * 10)
for i in range(5): a.recv(100, socket.MSG_PEEK)
a.recvmsg(100, 0, socket.MSG_PEEK); a.recv(100); a.close(); c.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.connect(u.getsockname()); v.send(b'x' * 1000)
u.recv(10, socket.MSG_PEEK | socket.MSG_TRUNC); u.recv(2000); u.close(); v.close()
"""
ev, c, h = observe('process', [], [PYTHON, '-c', PEEK])
equal(sorted((e['transport'], e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close')),
      [('tcp', 0, 0), ('tcp', 0, 100), ('tcp', 100, 0), ('udp', 0, 1000), ('udp', 1000, 0)],
      'what sockets sent and received, peeked at or not')

# --- a connect that takes the other end away reaches nobody
AGAIN = r"""
import ctypes, socket, sys
sys.stdin.readline()
s, one, two = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
one.bind(('127.0.0.1', 0))
two.bind(('127.0.0.2', 0))
s.connect(one.getsockname())
s.send(b'a')
assert ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16) == 0
s.connect(two.getsockname())
s.send(b'b')
"""
ev, c, h = observe('process', [], [PYTHON, '-c', AGAIN])
equal((h.status, [e['address'] for e in of(ev, 'net.connect')]), (0, ['127.0.0.1', '127.0.0.2']),
      'connects, and one with AF_UNSPEC')

STDIN = r"""
import os, socket
s = socket.socket(fileno=0)
peek = socket.MSG_PEEK
s.recv(1); s.recv(100, peek); s.recvmsg(100, 0, peek); s.recv(3, peek | socket.MSG_TRUNC)
s.recv(100); s.recv(4, socket.MSG_TRUNC); s.recvmsg(4, 0, socket.MSG_TRUNC)
"""
import socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
p = subprocess.Popen([PYTHON, '-c', STDIN], stdin=b)
c = Collector('stdiocap', '-p', p.pid)
for message in b'!', b'once', b'longer than the room', b'too long for it as well':
    a.send(message)
p.wait(60)
ev = c.stop()
equal([text_of(e, 'data') for e in of(ev, 'stdio.data', fd=0)], [b'!', b'once', b'long', b'too '],
      'what stdin received, peeked at or not, and no more than there was room for')
ok('lost nothing' in c.messages, 'nothing is lost', c.messages)
done()
