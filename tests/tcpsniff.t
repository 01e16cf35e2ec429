#!/usr/bin/python3
"""tcpsniff.t - what sockets carry that is HTTP: all of it, once, and nothing else

Most of it happens in this process, which is observed as both ends are: what is told is
the client's end. A connection is found by the name of its client."""
import faulthandler
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
faulthandler.dump_traceback_later(60 * SCALE, exit=True)	# rather than wait for ever
need('curl')
GET = b'GET /%s HTTP/1.1\r\nhost: a\r\n\r\n'
OK = b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s'
listener = socket.create_server(('127.0.0.1', 0), backlog=128)
ADDRESS = listener.getsockname()
path = os.path.join(scratch, 'sock')
unix = socket.socket(socket.AF_UNIX)
unix.bind(path)
unix.listen()


def pair(of=listener):
    c = socket.socket(of.family)
    c.connect(of.getsockname())
    return c, of.accept()[0]


def name(s):
    return '%s:%d' % s.getsockname()[:2]


def receive(s, n):
    got = b''
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            break
        got += more
    return got


def pass_on(a, b, data, pieces=None):
    """Sends in pieces of these sizes, receives all of it."""
    t = threading.Thread(target=lambda: receive(b, len(data)))
    t.start()
    at = 0
    for n in pieces or [len(data)]:
        a.sendall(data[at:at + n])
        at += n
    t.join()


def streams(events, **want):
    """{(conn, function): bytes}, holes as None; what was said of each connection."""
    out = {}
    for e in of(events, 'tcp.data', **want):
        have = out.setdefault((e['conn'], e['function'][0]), bytearray())
        if e['off'] != len(have):
            print('# hole in %s at %d, wanted %d' % (e['conn'], e['off'], len(have)))
            have += b'?' * (e['off'] - len(have))
        have += text_of(e, 'data')
    return out


def both(events, **want):
    """What was sent and what was received, connection by connection."""
    found = {}
    for (conn, way), b in streams(events, **want).items():
        found.setdefault(conn, {'W': b'', 'R': b''})[way] = bytes(b)
    return [(f['W'], f['R']) for f in found.values()]


MANY = 100 // SCALE or 1
sha = lambda b: hashlib.sha256(b).hexdigest()
wanted = {}	# client's name: bytes sent and received, or None

# --- a connection that was there before
old, old_server = pair()
pass_on(old, old_server, GET % b'before')
wanted_late = (GET % b'late', OK % (4, b'late'))
silent, silent_server = pair()		# and one that has carried nothing yet
name_old, name_silent = name(old), name(silent)

c = Collector('tcpsniff', '-p', os.getpid())
pass_on(old_server, old, OK % (6, b'before'))
pass_on(old, old_server, b'the rest of a body ')
pass_on(old, old_server, wanted_late[0])
pass_on(old_server, old, wanted_late[1])
pass_on(silent, silent_server, GET % b'silent')


def keep(client, sent, received, told=True):
    wanted[name(client)] = (sent, received) if told else None


def exchange(client, server, sent, received, ways=None, back=None, told=True):
    pass_on(client, server, sent, ways)
    pass_on(server, client, received, back)
    keep(client, sent, received, told)
    client.close()
    server.close()


body = os.urandom(1 << 20)
big = b'POST /big HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n' % len(body) + body
exchange(*pair(), GET % b'plain', OK % (2, b'hi'))
exchange(*pair(), big, OK % (len(body), body))
exchange(*pair(), GET % b'bytes', OK % (2, b'hi'), [1] * len(GET % b'bytes'), [1] * 40)
exchange(*pair(), (GET % b'one') * 3, (OK % (1, b'1')) * 3)		# pipelining
exchange(*pair(), b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes(9), bytes(9), [3, 30])
exchange(*pair(), b'CONNECT-ISH', b'220 other', told=False)
exchange(*pair(), b'GET key\r\n', b'$-1\r\n', told=False)		# redis
exchange(*pair(), b'OPTIONS rtsp://a RTSP/1.0\r\n\r\n', b'RTSP/1.0 200 OK\r\n\r\n', told=False)
exchange(*pair(), b'\x16\x03\x01' + os.urandom(500), os.urandom(500), told=False)
exchange(*pair(), b'HEAD', b'x', told=False)			# too short to tell

# --- calls of every family
client, server = pair()
head = GET % b'families'
parts = [head[:2], head[2:9], head[9:]]
client.sendmsg(parts)				# a start line in pieces
receive(server, len(head))
os.write(client.fileno(), head)
receive(server, len(head))
os.writev(client.fileno(), parts)
receive(server, len(head))
answer = OK % (300, b'x' * 300)
server.sendall(answer * 5)
got = os.read(client.fileno(), 10)
client.recv(100, socket.MSG_PEEK)
a, b = bytearray(40), bytearray(60)
os.readv(client.fileno(), [a, b])
got += a + b
a, b = bytearray(7), bytearray(93)
client.recvmsg_into([a, b])
got += a + b
client.setblocking(False)
try:
    socket.socket.recv(server, 1, socket.MSG_DONTWAIT)	# EAGAIN
except BlockingIOError:
    pass
client.setblocking(True)
got += receive(client, 5 * len(answer) - len(got))
keep(client, head * 3, answer * 5)
ok(got == answer * 5, 'the calls did what they should')
client.close()
server.close()

# sendmmsg and recvmmsg
MMSG = r"""
#define _GNU_SOURCE
#include <sys/socket.h>
#include <string.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	char in[4][10];
	struct iovec v[4], w[4];
	struct mmsghdr m[4] = { 0 }, r[4] = { 0 };
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){ argv[3] + 10 * i, i < 3 ? 10 : strlen(argv[3]) - 30 };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = v + i, .msg_iovlen = 1 };
		w[i] = (struct iovec){ in[i], 10 };
		r[i].msg_hdr = (struct msghdr){ .msg_iov = w + i, .msg_iovlen = 1 };
	}
	return sendmmsg(atoi(argv[1]), m, 4, 0) != 4 || recvmmsg(atoi(argv[2]), r, 4, 0, 0) != 4;
}
"""
source = os.path.join(scratch, 'mmsg.c')
with open(source, 'w') as f:
    f.write(MMSG)
client, server = pair()
reader, writer = pair()
writer.sendall(OK % (1, b'y') + b'  ')
equal(subprocess.run([compiled(source), *map(str, (client.fileno(), reader.fileno())), (GET % b'many').decode()],
                     pass_fds=(client.fileno(), reader.fileno())).returncode, 0, 'sendmmsg and recvmmsg')
keep(client, GET % b'many', b'')
keep(reader, b'', (OK % (1, b'y') + b'  ')[:40])
for s in client, server, reader, writer:
    s.close()

# --- what never passes memory is a hole
client, server = pair()
pass_on(client, server, GET % b'file')
with open('/usr/bin/env', 'rb') as f:
    pass_on(server, client, b'HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n')
    os.sendfile(server.fileno(), f.fileno(), 0, 2000)
    receive(client, 2000)
with open('/usr/bin/env', 'rb') as f:
    os.sendfile(client.fileno(), f.fileno(), 0, 777)
receive(server, 777)
holed = name(client)
client.sendall(GET % b'behind')
receive(server, len(GET % b'behind'))

# --- a socket of many processes: after fork, and sent to another
client.sendall(GET % b'parent')
if os.fork() == 0:
    client.sendall(GET % b'child')
    os._exit(0)
os.wait()
here, there = socket.socketpair()
if os.fork() == 0:
    _, fds, _, _ = socket.recv_fds(there, 1, 1)
    os.write(fds[0], GET % b'sent')
    os._exit(0)
socket.send_fds(here, [b'x'], [client.fileno()])
os.wait()
all_ = len(GET % b'parent') + len(GET % b'child') + len(GET % b'sent')
receive(server, all_)
# half of it is closed, the other goes on
client.shutdown(socket.SHUT_WR)
server.sendall(b'HTTP/1.1 200 OK\r\n\r\nuntil the end')
server.close()
rest = receive(client, 1000)
client.close()

# --- a tunnel: what is in it is looked at like a new connection
client, server = pair()
asks, grants = b'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n', b'HTTP/1.1 200 Connection established\r\n\r\n'
pass_on(client, server, b'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n')
pass_on(server, client, b'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n')
pass_on(client, server, asks)
for i in range(len(grants)):		# as curl reads it
    server.sendall(grants[i:i + 1])
    client.recv(1)
tunnel = name(client)
pass_on(client, server, b'\x16\x03\x01' + bytes(500))
pass_on(server, client, b'\x16\x03\x01' + bytes(500))
client.close()
server.close()
client, server = pair()
pass_on(client, server, asks)
pass_on(server, client, grants)
pass_on(client, server, GET % b'inside')
pass_on(server, client, OK % (6, b'inside'))
through = name(client)
client.close()
server.close()

# --- the same descriptor and port again
reused = []
for i in range(3):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')	# RST: no TIME_WAIT
    s.bind(('127.0.0.1', reused[0] if reused else 0))
    reused.append(s.getsockname()[1])
    s.connect(ADDRESS)
    server = listener.accept()[0]
    pass_on(s, server, GET % (b'again%d' % i) if i != 1 else b'something else')
    s.close()
    server.close()

# --- unix sockets, with a name and without
client, server = pair(unix)
pass_on(client, server, GET % b'unix')
pass_on(server, client, OK % (4, b'unix'))
client.close()
server.close()
a, b = socket.socketpair()
pass_on(a, b, GET % b'pair')
pass_on(b, a, OK % (4, b'pair'))
a.close()
b.close()

# --- many at once
def many(i):
    s = socket.create_connection(ADDRESS)
    data = b'POST /many%d HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n' % i + os.urandom(5000)
    s.sendall(data)
    keep(s, data, receive(s, len(OK % (3000, bytes(3000)))))
    s.close()

def serve():
    for i in range(MANY):
        server = listener.accept()[0]
        threading.Thread(target=lambda s: (s.sendall(OK % (3000, os.urandom(3000))), receive(s, 6000), s.close()),
                         args=(server,)).start()

threads = [threading.Thread(target=serve)] + [threading.Thread(target=many, args=(i,)) for i in range(MANY)]
for t in threads:
    t.start()
for t in threads:
    t.join()

# --- programs of others
subprocess.run(['curl', '-s', '--max-time', '1', 'http://127.0.0.1:1/'])	# refused
open_ = pair()
pass_on(*open_, GET % b'open')

events = c.stop()

by_local = {}
for e in of(events, 'tcp.data') + of(events, 'tcp.close'):
    by_local.setdefault(e.get('local'), []).append(e)
wrong = []
for client, want in wanted.items():
    got = both(by_local.get(client, []))
    if [(sha(w), sha(r)) for w, r in got] != ([(sha(want[0]), sha(want[1]))] if want else []):
        wrong.append('%s: %r, wanted %r' % (client, [(w[:60], len(w), r[:60], len(r)) for w, r in got],
                                            want and (want[0][:60], len(want[0]), want[1][:60], len(want[1]))))
ok(not wrong, '%d connections: all bytes, or none of what is not HTTP' % len(wanted), '\n'.join(wrong[:5]))
servers = of(events, 'tcp.data', side='server')
equal([e for e in servers if not e.get('late')], [], 'both ends are observed, and told once')
closed = {k: e for k, v in wanted.items() if v for e in by_local.get(k, []) if e['type'] == 'tcp.close'}
equal({k: (e['written_bytes'], e['read_bytes']) for k, e in closed.items()},
      {k: (len(v[0]), len(v[1])) for k, v in wanted.items() if v}, 'each has its end, with what passed')
ok(not of(events, 'tcp.close', local=name(open_[0])), '... one that is open has none')

# --- a reader that is too slow: what was lost is counted, and a hole
second = Collector('tcpsniff', '-p', os.getpid(), '--ring-size', '64k')
os.kill(second.p.pid, signal.SIGSTOP)
client, server = pair()
sent = 0
for part in [b'POST /slow HTTP/1.1\r\ncontent-length: 1000000\r\n\r\n'] + [bytes([65 + i]) * 100000 for i in range(10)]:
    pass_on(client, server, part)
    sent += len(part)
os.kill(second.p.pid, signal.SIGCONT)
while os.fstat(second.out.fileno()).st_size < 60000:		# it goes on
    time.sleep(0.01)
pass_on(client, server, GET % b'after')
sent += len(GET % b'after')
slow = second.stop()
there = [(e['off'], len(text_of(e, 'data'))) for e in of(slow, 'tcp.data', function='WRITE/SEND')]
equal(sum(n for _, n in there) + sum(e['bytes'] for e in of(slow, 'loss', reason='ring_full')), sent, 'all bytes are there or counted')
equal(there[-1][0] + there[-1][1], sent, '... and what is there is in its place')


def of_client(local):
    return both(by_local.get(local, []))


equal(of_client(name_old), [(b'the rest of a body ' + wanted_late[0], OK % (6, b'before') + wanted_late[1])],
      'open before: from the next message on')
ok(all(e.get('late') for e in by_local[name_old]), '... and it says so', by_local[name_old])
equal(of_client(name_silent), [(GET % b'silent', b'')], 'open before, and not used before')
wrote, read = of_client(holed)[0]
two = (GET % b'parent') + (GET % b'child') + (GET % b'sent')
equal(wrote, GET % b'file' + b'?' * 777 + GET % b'behind' + two, 'a socket of several processes; sendfile leaves a hole')
equal(read[-len(rest):], rest, '... half closed')
equal({e['pid'] == os.getpid() for e in by_local[holed] if e.get('data') in (
    (GET % b'child').decode(), (GET % b'sent').decode())}, {False}, '... whoever sent it')
equal((sum(e['events'] for e in of(events, 'loss', reason='spliced')), sum(e['bytes'] for e in of(events, 'loss'))),
      (1, 777), 'what did not pass memory is counted')
equal(of_client(tunnel), [(asks * 2, b'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n' + grants)],
      'a tunnel of something else ends it')
equal(of_client(through), [(asks, grants), (GET % b'inside', OK % (6, b'inside'))], 'HTTP in a tunnel is a connection of its own')
equal(of_client('127.0.0.1:%d' % reused[0]), [(GET % b'again0', b''), (GET % b'again2', b'')], 'a port that is used again')
equal([(e['side'], e.get('peer'), e.get('local')) for e in of(events, 'tcp.data', data=(GET % b'unix').decode())],
      [('client', 'unix:' + path, None)], 'a unix socket')
equal(both(events, peer='unix:' + path), [(GET % b'unix', OK % (4, b'unix'))], '... all of it')
equal([(e['side'], e.get('peer'), e.get('local')) for e in of(events, 'tcp.data')
       if e.get('data') in ((GET % b'pair').decode(), (OK % (4, b'pair')).decode())],
      [('client', None, None)] * 2, 'one without a name: told once, too')
ok('lost spliced 1 (777 bytes)' in c.messages, 'nothing else is lost', c.messages)
done()
