#!/usr/bin/python3
"""process-net.t - network, DNS and bash, held against what the programs did"""
import pty, select, struct, sys, time
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()

NET = r'''
import json, os, select, socket, struct, sys
sys.stdin.readline()
T = sys.argv[1]
os.chdir(T)
told = {}
def refused(s, to):
    try: s.connect(to)
    except OSError as e: return type(e).__name__
for name, family, host in (("v4", socket.AF_INET, "127.0.0.1"), ("v6", socket.AF_INET6, "::1")):
    s = socket.socket(family); s.bind((host, 0)); s.listen(7)
    c = socket.socket(family); c.connect(s.getsockname()); a, _ = s.accept()
    told[name] = [s.getsockname()[1], c.getsockname()[1]]
    c.sendall(b"x" * 100000); got = 0
    while got < 100000: got += len(a.recv(65536))
    a.sendmsg([b"a" * 10, b"b" * 5]); os.read(c.fileno(), 3); c.recv(100)
    if os.fork() == 0:
        os.write(c.fileno(), b"child"); os._exit(0)
    os.wait(); a.recv(100)
    c.close(); a.close(); s.close()
free = socket.socket(); free.bind(("127.0.0.1", 0)); closed = free.getsockname()[1]; told["closed"] = closed
refused(socket.socket(), ("127.0.0.1", closed))
n = socket.socket(); n.setblocking(False); refused(n, ("127.0.0.1", closed)); select.select([], [n], [], 5)
free.listen(1)
n2 = socket.socket(); n2.setblocking(False); refused(n2, ("127.0.0.1", closed)); select.select([], [n2], [], 5)
u = socket.socket(socket.AF_UNIX); u.bind("u.sock"); u.listen(1)
v = socket.socket(socket.AF_UNIX); v.connect("./../" + os.path.basename(T) + "/u.sock"); w, _ = u.accept(); v.send(b"123"); w.recv(10); v.close()
refused(socket.socket(socket.AF_UNIX), "none.sock")
x = socket.socket(socket.AF_UNIX); x.bind("\0" + T[-8:]); x.listen(1); y = socket.socket(socket.AF_UNIX); y.connect("\0" + T[-8:])
q, r = socket.socketpair(); q.send(b"unnamed")
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); d.bind(("127.0.0.1", 0))
e = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); e.sendto(b"datagram", d.getsockname()); d.recvfrom(100); e.close()
print(json.dumps(told))
'''
T = os.path.realpath(os.path.join(scratch, 'net'))
os.mkdir(T)
ev, c, h = observe('process', [], [PYTHON, '-c', NET, T], stdout=subprocess.PIPE)
told = json.loads(h.stdout)
for name, family, host, both in (('v4', 'inet', '127.0.0.1', '127.0.0.1:%d'), ('v6', 'inet6', '::1', '[::1]:%d')):
    server, client = told[name]
    at = dict(family=family, transport='tcp', address=host, result=0)
    equal([len(of(ev, 'net.bind', port=server, **at)), [e['backlog'] for e in of(ev, 'net.listen', port=server, **at)]], [1, [7]],
          name + ': bind with the port that the kernel chose, listen')
    equal([e['local'] for e in of(ev, 'net.connect', port=server, **at)], [both % client], name + ': connect')
    equal([e['local'] for e in of(ev, 'net.accept', port=client, **at)], [both % server], name + ': accept')
    equal([(e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close', port=server, pid=h.pid)], [(100000, 15)], name + ': bytes of the client')
    equal([(e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close', port=client)], [(15, 100005)], name + ': bytes of the server')
    equal([(e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close', port=server) if e['pid'] != h.pid], [(5, 0)],
          name + ': a child counts its own')
out = of(ev, 'net.connect', port=told['closed'], transport='tcp')
equal([(e['result'], e.get('error'), 'latency_ms' in e) for e in out],
      [(-111, 'ECONNREFUSED', False), (-111, 'ECONNREFUSED', True), (0, None, True)], 'connects that are refused, at once and later; one that succeeds later')
unix = [(e['type'], text_of(e, 'path').decode(), e['result']) for e in ev if e.get('family') == 'unix' and 'result' in e]
sock, none, abstract = T + '/u.sock', T + '/none.sock', '\0' + T[-8:]
equal(unix, [('net.bind', sock, 0), ('net.listen', sock, 0), ('net.connect', sock, 0), ('net.accept', sock, 0), ('net.connect', none, -2),
             ('net.bind', abstract, 0), ('net.listen', abstract, 0), ('net.connect', abstract, 0)], 'unix sockets, by path and abstract')
equal(sorted((e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close', family='unix') if e['sent_bytes'] or e['received_bytes']),
      [(0, 3), (3, 0)], 'their bytes; unnamed ones are not told')
equal([(e['sent_bytes'], e['received_bytes']) for e in of(ev, 'net.close', transport='udp') if e['sent_bytes']], [(8, 0)], 'datagrams')
ok('lost nothing' in c.messages, 'nothing is lost', c.messages)

# --- DNS: a resolver of the C library against a server of ours
SERVER = r'''
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("up", flush=True)
while True:
    q, to = s.recvfrom(4096)
    if q.startswith(b"not"): continue
    at = 12
    while q[at]: at += q[at] + 1
    name, kind, end = q[12:at], q[at + 1:at + 3], at + 5
    head = q[:2] + (b"\x81\x83" if b"missing" in name else b"\x81\x80") + b"\0\1"
    answers = []
    if b"missing" not in name:
        if b"alias" in name:
            answers.append(b"\xc0\x0c\0\5\0\1\0\0\0\x3c" + b"\0\7\4real\xc0" + bytes([12 + q[12] + 1]))
        if kind == b"\0\1":
            answers += [b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(a) for a in ("192.0.2.7", "192.0.2.8")]
        elif kind == b"\0\x1c":
            answers.append(b"\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10" + socket.inet_pton(socket.AF_INET6, "2001:db8::7"))
    s.sendto(head + struct.pack(">HHH", len(answers), 0, 0) + q[12:end] + b"".join(answers), to)
'''
ASK = r'''
import os, socket, struct, sys
sys.stdin.readline()
server = sys.argv[1]
def query(name, kind=1): return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(p)]) + p for p in name.split(b".")) + b"\0" + struct.pack(">HH", kind, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((server, 53))
q = query(b"api.example.com")
s.send(q); s.recv(512)                                      # send, recv
s.send(query(b"alias.example.com")); os.read(s.fileno(), 512)   # write, read
s.sendmsg([q[:7], q[7:20], q[20:]]); s.recvmsg(512)         # in pieces
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)        # not connected
u.sendto(query(b"v6.example.com", 28), (server, 53)); u.recvfrom(512)
u.sendto(query(b"missing.example.com"), (server, 53)); u.recvfrom(512)
s.send(b"not DNS at all")
'''
address = '127.0.0.%d' % (2 + os.getpid() % 200)
srv = subprocess.Popen([PYTHON, '-c', SERVER, address], stdout=subprocess.PIPE)
if srv.stdout.readline() != b'up\n':
    print('ok - # SKIP port 53 of %s is taken' % address)
else:
    ev, c, h = observe('process', [], [PYTHON, '-c', ASK, address])
    dns = of(ev, 'net.dns')
    q = [(e['name'], e['qtype']) for e in dns if e['kind'] == 'query']
    a = [(e['name'], e['rcode'], e['addresses'], e.get('aliases')) for e in dns if e['kind'] == 'answer']
    two = ['192.0.2.7', '192.0.2.8']
    equal(q, [('api.example.com', 'A'), ('alias.example.com', 'A'), ('api.example.com', 'A'), ('v6.example.com', 'AAAA'), ('missing.example.com', 'A')],
          'queries')
    equal(a, [('api.example.com', 'NOERROR', two, None), ('alias.example.com', 'NOERROR', two, ['real.example.com']),
              ('api.example.com', 'NOERROR', two, None), ('v6.example.com', 'NOERROR', ['2001:db8::7'], None),
              ('missing.example.com', 'NXDOMAIN', [], None)], 'answers')
    ok(all(e['server'] == address and e['dns_id'] == 0x1234 for e in dns), 'of which server')
    equal(total(ev, 'loss', 'events', reason='not_dns'), 1, 'what is no DNS is counted')
srv.kill()
srv.wait()

# --- bash: what is typed
if subprocess.run('nm -D /bin/bash 2>/dev/null | grep -qw readline', shell=True).returncode == 0:
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PS1='ready> ', HISTFILE='/dev/null', INPUTRC='/dev/null')
        os.execv('/bin/bash', ['bash', '--norc', '--noprofile', '-i'])
    def expect(what):
        seen, end = b'', time.time() + 20
        while what not in seen and time.time() < end:
            if select.select([fd], [], [], 0.2)[0]:
                try: seen += os.read(fd, 4096)
                except OSError: break
    expect(b'ready> ')
    c = Collector('process', '-p', pid)
    # the call that was waiting already is not seen, unless another collector hooked it before
    os.write(fd, b'\n')
    expect(b'ready> ')
    for line in ('true "quoted" \\back', "echo 'grüße'"):
        os.write(fd, line.encode() + b'\n')
        expect(b'ready> ')
    os.write(fd, b'exit\n')
    os.waitpid(pid, 0)
    ev = c.stop()
    typed = [e['command'] for e in of(ev, 'bash.readline', pid=pid)]
    equal(typed[typed[:1] == ['']:], ['true "quoted" \\back', "echo 'grüße'", 'exit'], 'what was typed into bash')
# --- datagrams to addresses of their own, and UDP connects that reach nobody
SEND = r'''
import json, os, socket, sys
sys.stdin.readline()
d = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2)]
for s in d: s.bind(("127.0.0.1", 0))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5): u.sendto(b"x" * 100, d[0].getsockname())
u.sendmsg([b"y" * 10, b"z" * 5], [], 0, d[1].getsockname()); u.close()
g = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); g.bind(sys.argv[1])
w = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); w.sendto(b"unix", sys.argv[1]); w.close()
p = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)		# as getaddrinfo does
p.connect(("127.0.0.3", 99)); p.connect(("127.0.0.4", 99)); p.close()
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.connect(d[0].getsockname()); c.send(b"said"); c.close()
try: v = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); v.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY)); vsock = "stream"
except OSError: vsock = None
print(json.dumps([s.getsockname()[1] for s in d] + [vsock]))
'''
ev, c, h = observe('process', [], [PYTHON, '-c', SEND, T + '/dgram'], stdout=subprocess.PIPE)
first, second, vsock = json.loads(h.stdout)
equal(sorted((e.get('port', 0), e['bytes'], e['count']) for e in of(ev, 'net.send')), sorted([(first, 500, 5), (second, 15, 1), (0, 4, 1)]),
      'where datagrams went, with how many bytes')
equal([e['path'] for e in of(ev, 'net.send', family='unix')], [T + '/dgram'], 'to a unix socket, too')
equal([(e['address'], e['port']) for e in of(ev, 'net.connect', transport='udp')], [('127.0.0.1', first)], 'a UDP connect is told when something passes')
equal([e for e in of(ev, 'net.close') if e.get('address') in ('127.0.0.3', '127.0.0.4')], [], 'else it reached nobody')
equal([e['transport'] for e in of(ev, 'net.bind', family='vsock')], [vsock] if vsock else [], 'vsock: what kind of socket it is')
ok('lost nothing' in c.messages, 'and the books balance', c.messages)

done()
