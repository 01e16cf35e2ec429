#!/usr/bin/python3
"""bench.py - speed as ratios of one run: nothing absolute means anything across machines

  filters   each filter against cat and `jq -c .` on the same lines (filters of lines: its select)
  latency   from a line's write to the read of the event it completes, pipe to pipe
  overhead  a TLS client and server under sslsniff, against the same load without
            probes and under bpftrace probes that only count
  complete  full speed: every byte captured, or counted as lost
  otlp      otelsink on one core, to a receiver on the other; and with nobody there
  processes process against execsnoop.bt, opensnoop and no collector; sysmon
  store     sqlitesink against a bare INSERT; reports on a million events
  web       websink: lines in, out to a client, filtered

All contestants take turns (A B C, C B A); printed are medians of ratios in a turn.
"""
import argparse, base64, json, os, re, shlex, shutil, signal, statistics as st, subprocess, sys, tempfile, threading, time
from processes import processes
from store import store

MED = lambda l: st.median(l) if l else float('nan')

# --- filters ------------------------------------------------------------------

def drain(fd, res):
    n = 0
    while True:
        k = len(os.read(fd, 1 << 20))
        if not k:
            break
        n += k
    os.close(fd)
    res.append(n)

def run(cmd, path):
    r, w = os.pipe()
    with open(path, 'rb') as inp:
        t = time.monotonic()
        p = subprocess.Popen(['sh', '-c', 'exec ' + cmd], stdin=inp, stdout=w, stderr=subprocess.DEVNULL)
    os.close(w)
    res = []
    th = threading.Thread(target=drain, args=(r, res)); th.start()
    _, status, ru = os.wait4(p.pid, 0)
    p.returncode = status
    wall = time.monotonic() - t
    th.join()
    return wall, ru.ru_utime + ru.ru_stime

def filters(a):
    gen = a.dir + '/gen'
    mixed, large = a.dir + '/mixed.ndjson', a.dir + '/large.ndjson'
    body, http, clean = a.dir + '/body.ndjson', a.dir + '/http.ndjson', a.dir + '/clean.ndjson'
    h2 = a.dir + '/h2.ndjson'
    for path, args in ((mixed, '-s 1 -m %d' % a.mb), (large, '-s 2 -L -b 0 -m %d' % a.mb), (h2, '-s 1 -2 -b 0 -m %d' % a.mb)):
        with open(path, 'wb') as f:
            subprocess.run([gen] + args.split(), stdout=f, stderr=subprocess.DEVNULL, check=True)
    with open(http, 'wb') as f:
        subprocess.run(['httpparse', '-q', mixed], stdout=f, check=True)
    with open(clean, 'wb') as f:
        subprocess.run(['authstrip', '-q', mixed], stdout=f, check=True)
    with open(body, 'wb') as f, open(http, 'rb') as g:
        f.writelines(l for l in g if l.startswith(b'{"type":"http.body"'))
    rows = [
        ('pass 16 KiB lines', large, 'jsonfilter', 1000),
        ('jsonfilter by type', mixed, 'jsonfilter type=ssl.data', 1000, "jq -c 'select(.type==\"ssl.data\")'"),
        ('jsonfilter, other type', mixed, 'jsonfilter type=x.y', 1000, "jq -c 'select(.type==\"x.y\")'"),
        ('jsonfilter one field', mixed, "jsonfilter 'len>100'", 500, "jq -c 'select(.len>100)'"),
        ('httpparse, HTTP/1', mixed, 'httpparse -q', 300),
        ('httpparse, HTTP/2', h2, 'httpparse -q', 200),
        ('ssemerge (http.body)', body, 'ssemerge -q', 150),
        ('llmparse', http, 'llmparse -q', 150),
        ('authstrip, no secrets', clean, 'authstrip -q', 300),
        ('authstrip', mixed, 'authstrip -q', 300),
        ('authstrip, HTTP/2', h2, 'authstrip -q', 200),
    ]
    print('%-22s %9s %9s %8s %8s %8s' % ('filter', 'MB/s cpu', 'target', 'x cat', 'x jq', 'MB'))
    for name, path, cmd, target, *same in rows:
        if not shutil.which(cmd.split()[0]):
            continue
        turns = []
        for i in range(a.turns):
            order = ['cat', cmd]
            turns.append({c: run(c, path) for c in (order if i % 2 else order[::-1])})
        jq = run(same[0] if same else 'jq -c .', path) if shutil.which('jq') else None
        mb = os.path.getsize(path) / 1e6
        cpu = MED([mb / t[cmd][1] for t in turns if t[cmd][1]])
        print('%-22s %9.0f %9d %8.2f %8s %8.0f' % (name, cpu, target, MED([t[cmd][0] / t['cat'][0] for t in turns]),
              '%.1f' % (jq[0] / MED([t[cmd][0] for t in turns])) if jq else '-', mb), flush=True)
    print('MB/s of one core (user+system time); x cat: how many times its wall time; x jq: how many times faster than jq -c ., or jq -c \'select(...)\' of the same')

# --- latency --------------------------------------------------------------------

def ssl_line(n, function, off, text):
    return {'type': 'ssl.data', 'timestamp_ns': 1795000000000000000 + n, 'pid': 1, 'tid': 1, 'uid': 0, 'comm': 'c', 'conn': '1:1:1',
            'function': function, 'off': off, 'len': len(text), 'lib': 'openssl', 'latency_ms': 0.1, 'data': text}

def exchanges(n):
    """Lines of n exchanges, each an LLM's answer as an event stream; the second of a pair completes it."""
    body = json.dumps({'model': 'm', 'max_tokens': 9, 'stream': True, 'messages': [{'role': 'user', 'content': 'x' * 500}]})
    ask = 'POST /v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body)
    sse = ''.join('event: %s\ndata: %s\n\n' % (e['type'], json.dumps(e)) for e in (
        {'type': 'message_start', 'message': {'id': 'm', 'type': 'message', 'role': 'assistant', 'model': 'm', 'content': [], 'usage': {'input_tokens': 1, 'output_tokens': 1}}},
        {'type': 'content_block_start', 'index': 0, 'content_block': {'type': 'text', 'text': ''}},
        {'type': 'content_block_delta', 'index': 0, 'delta': {'type': 'text_delta', 'text': 'y' * 300}},
        {'type': 'message_delta', 'delta': {'stop_reason': 'end_turn'}, 'usage': {'output_tokens': 9}}, {'type': 'message_stop'}))
    answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s' % (len(sse), sse)
    for i in range(n):
        yield ssl_line(2 * i, 'WRITE/SEND', i * len(ask), ask), ssl_line(2 * i + 1, 'READ/RECV', i * len(answer), answer)

def latency(a):
    pairs = [[(json.dumps(e) + '\n').encode() for e in p] for p in exchanges(500)]
    print('%-36s %10s %10s %10s' % ('filters', 'median ms', '99 % ms', 'target'))
    for cmd, want, target in (('httpparse -q', b'"http.response"', 1), ('httpparse -q | ssemerge -q', b'"sse.message"', 2),
                              ('httpparse -q | ssemerge -q | llmparse -q', b'"llm.call"', 3)):
        p = subprocess.Popen(['sh', '-c', cmd], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        took = []
        for first, second in pairs:
            os.write(p.stdin.fileno(), first)
            time.sleep(0.001)
            t, seen = time.monotonic(), b''
            os.write(p.stdin.fileno(), second)
            while want not in seen or not seen.endswith(b'\n'):
                seen += os.read(p.stdout.fileno(), 1 << 20)
            took.append((time.monotonic() - t) * 1e3)
        p.stdin.close()
        p.stdout.read()
        p.wait()
        took.sort()
        print('%-36s %10.3f %10.3f %10d' % (cmd.replace(' -q', ''), took[len(took) // 2], took[len(took) * 99 // 100], target), flush=True)

# --- TLS ----------------------------------------------------------------------

def cpu_of(pid):
    try:
        return sum(int(open('/proc/%d/task/%s/schedstat' % (pid, t)).read().split()[0])
                   for t in os.listdir('/proc/%d/task' % pid)) / 1e9
    except (OSError, IndexError):
        return 0.0

def hwm(pid):
    try:
        return int(re.search(r'VmHWM:\s+(\d+)', open('/proc/%d/status' % pid).read())[1])
    except (OSError, TypeError):
        return 0

def libssl(a):
    out = subprocess.run(['ldd', a.dir + '/tlsload'], capture_output=True, text=True).stdout
    return os.path.realpath(re.search(r'libssl\S* => (\S+)', out)[1])

def start_sslsniff(a, out, err, extra=(), program='sslsniff', chosen=('-c', 'tlsload')):
    r, w = os.pipe()
    t = time.monotonic()
    p = subprocess.Popen(['taskset', '-c', '1', program, *chosen, '--ready-fd', str(w), *extra],
                         stdout=out, stderr=err, pass_fds=(w,))
    os.close(w)
    if os.read(r, 1) != b'\n':
        sys.exit('sslsniff did not start')
    os.close(r)
    return p, time.monotonic() - t

def start_floor(a, out, err):
    prog = ' '.join('%s:%s:%s { @c = count(); }' % (k, libssl(a), f)
                    for f in ('SSL_read', 'SSL_write') for k in ('uprobe', 'uretprobe'))
    p = subprocess.Popen(['taskset', '-c', '1', 'bpftrace', '-e', 'BEGIN { printf("ready\\n"); } ' + prog],
                         stdout=subprocess.PIPE, stderr=err)
    while b'ready' not in p.stdout.readline():
        pass
    time.sleep(0.5)
    return p, 0

def load(a, args):
    r = subprocess.run(['taskset', '-c', '0', a.dir + '/tlsload', 'pair'] + args, capture_output=True, text=True, check=True)
    return {o['role']: o for o in map(json.loads, r.stdout.splitlines())}

def stop(p):
    """CPU so far, once it has caught up with the load, and the peak of memory; then ends it."""
    prev, quiet = cpu_of(p.pid), 0
    t = time.monotonic()
    while quiet < 3 and time.monotonic() - t < 60:
        time.sleep(0.1)
        c = cpu_of(p.pid)
        quiet = quiet + 1 if c - prev < 0.011 else 0
        prev = c
    rss = hwm(p.pid)
    p.send_signal(signal.SIGINT)
    p.wait(60)
    return prev, rss

def overhead(a):
    # machines change their speed by a third within a second: many short loads, and medians of the rates
    scen = [('200 B', '-s 200 -t 0.5', 0.6), ('16 KiB', '-s 16384 -t 0.5', 0.65), ('1 MiB', '-s 1048576 -t 0.5', 0.7)]
    start = {'none': lambda *f: (None, 0), 'ours': lambda *f: start_sslsniff(a, *f)}
    if a.against:
        start['before'] = lambda *f: start_sslsniff(a, *f, program=a.against + '/sslsniff')
    if shutil.which('bpftrace'):
        start['floor'] = lambda *f: start_floor(a, *f)
    print('%-8s %10s %12s %8s %12s %12s %12s %10s %10s %8s' % ('answers', 'req/s', 'sslsniff', 'target', 'before', 'bpftrace',
          'of bpftrace', 'us/event', 'MB/s cpu', 'RSS MB'))
    for name, args, target in scen:
        rates, us, mbs, rss, attach = {who: [] for who in start}, [], [], [], []
        for turn in range(4 * a.turns):
            for who in list(start) if turn % 2 else list(start)[::-1]:
                with open(os.devnull, 'wb') as out, open(os.devnull, 'wb') as err:
                    p, t = start[who](out, err)
                    c0 = cpu_of(p.pid) if p else 0
                    o = load(a, args.split())
                    # by its processor time: what it got of the machine is for others to say
                    rates[who].append(o['client']['requests'] / sum(o[r]['cpu'] for r in o))
                    if p:
                        c, m = stop(p)
                    if who == 'ours':
                        calls = sum(o[r][k] for r in o for k in ('read_calls', 'write_calls'))
                        byts = sum(o[r][k] for r in o for k in ('read_bytes', 'write_bytes'))
                        us.append((c - c0) / calls * 1e6); mbs.append(byts / 1e6 / (c - c0)); rss.append(m / 1024); attach.append(t)
        # a turn's rates stand beside each other in time; a median of rates does not
        kept = {who: MED([r / n for r, n in zip(rates[who], rates['none'])]) for who in rates}
        print('%-8s %10.0f %12.3f %8.2f %12s %12s %12s %10.2f %10.0f %8.1f' % (name, MED(rates['none']), kept['ours'], target,
              *('%.3f' % kept[who] if who in kept else '-' for who in ('before', 'floor')),
              '%.3f' % MED([r / f for r, f in zip(rates['ours'], rates['floor'])]) if 'floor' in rates else '-', MED(us), MED(mbs), MED(rss)), flush=True)
    print('req/s: per second of processor time; sslsniff, before (--against), bpftrace: rate kept of the unprobed one (of bpftrace: 0.9, us/event: 3, MB/s cpu: 400, RSS:\n'
          '32.8 or less, attached: 100 ms are the other targets); attached after %.0f ms (from exec)' % (MED(attach) * 1e3))

def captured(path, pids):
    """Per (role, direction): events, bytes, sum of bytes; and the losses that were told."""
    got, lost = {}, [0, 0]
    with open(path, 'rb') as f:
        for line in f:
            o = json.loads(line)
            if o['type'] == 'loss':
                lost[0] += o['events']; lost[1] += o['bytes']
            if o['type'] != 'ssl.data' or o['pid'] not in pids:
                continue
            d = o['data'].encode() if 'data' in o else base64.b64decode(o['data_b64'])
            g = got.setdefault((pids[o['pid']], 'write' if o['function'][0] == 'W' else 'read'), [0, 0, 0])
            g[0] += 1; g[1] += len(d); g[2] += sum(d)
    return got, lost

def complete(a):
    scen = [('200 B, max', '-s 200 -t 1 -S'), ('16 KiB, max', '-s 16384 -t 1 -S'), ('1 MiB at once, 20/s', '-q 1048576 -s 200 -k 1048576 -r 20 -t 2 -S'),
            ('200 B, 8 conns', '-s 200 -c 8 -r 2000 -t 1 -S')]
    print('%-22s %9s %9s %9s %10s %6s' % ('load', 'captured', 'told lost', 'unaccounted', 'sums', 'MB'))
    for name, args in scen:
        with tempfile.TemporaryDirectory(dir='/dev/shm') as tmp:
            path = tmp + '/out'
            with open(path, 'wb') as out:
                p, _ = start_sslsniff(a, out, subprocess.DEVNULL)
                o = load(a, args.split())
                stop(p)
            got, lost = captured(path, {o[r]['pid']: r for r in o})
        want = {(r, d): o[r] for r in o for d in ('read', 'write')}
        byts = sum(o[r][k] for r in o for k in ('read_bytes', 'write_bytes'))
        cap = sum(g[1] for g in got.values())
        same = all(got.get(k, [0, 0, 0])[2] == v[k[1] + '_sum'] for k, v in want.items())
        print('%-22s %8.2f%% %8.2f%% %8.2f%% %10s %6.0f' % (name, 100 * cap / byts, 100 * lost[1] / byts,
              100 * (byts - cap - lost[1]) / byts, 'equal' if same else 'differ' if not lost[1] else '-', byts / 1e6), flush=True)

def plain(a):
    """Loopback sockets, HTTP and something else: the rate that is kept, and whether all bytes are there."""
    def one(args, out=None):
        q = subprocess.Popen(['taskset', '-c', '0', a.dir + '/plainload', *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        p = start_sslsniff(a, out, subprocess.DEVNULL, ('-p', str(q.pid)), 'tcpsniff', ())[0] if out else None
        o = json.loads(q.communicate('\n')[0])
        if p:
            stop(p)
        return o
    print('%-6s %12s %10s %8s %10s %10s %12s %8s' % ('what', 'exchanges/s', 'tcpsniff', 'target', 'captured', 'told lost', 'unaccounted', 'sums'))
    for name, args, target in ('HTTP', [], 0.75), ('other', ['-x'], 0.9):
        rates, kept, byts, cap, lost, same = [], [], 0, 0, 0, True
        for turn in range(2 * a.turns):
            o = {}
            with tempfile.TemporaryDirectory(dir='/dev/shm') as tmp:
                for ours in (False, True) if turn % 2 else (True, False):
                    with open(tmp + '/out', 'wb') as out:
                        o[ours] = one(['-t', '0.5', *args], out if ours else None)
                    if ours:
                        sums = [0, 0]
                        with open(tmp + '/out', 'rb') as f:
                            for e in map(json.loads, f):
                                lost += e['bytes'] if e['type'] == 'loss' else 0
                                if e['type'] == 'tcp.data':
                                    sums[e['function'][0] == 'R'] += sum(e['data'].encode())
                                    cap += len(e['data'])
                        same &= sums == (o[True]['sums'] if name == 'HTTP' else [0, 0])
                        byts += o[True]['bytes'] if name == 'HTTP' else 0
            rate = {k: v['n'] / v['cpu'] for k, v in o.items()}
            rates.append(rate[False]); kept.append(rate[True] / rate[False])
        part = lambda n: '%.2f%%' % (100 * n / byts) if byts else str(n)
        print('%-6s %12.0f %10.3f %8.2f %10s %10s %12s %8s' % (name, MED(rates), MED(kept), target, part(cap), part(lost), part(byts - cap - lost),
              'equal' if same else 'differ'), flush=True)

# --- OTLP ---------------------------------------------------------------------

RECEIVER = """
import socket, sys, threading
s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)
def serve(c):
    b = bytearray()
    while True:
        while (i := b.find(b'\\r\\n\\r\\n')) < 0:
            d = c.recv(1 << 20)
            if not d: return
            b += d
        n = int(bytes(b[:i]).lower().split(b'content-length:')[1].split(b'\\r\\n')[0]) - (len(b) - i - 4)
        while n > 0: n -= len(c.recv(1 << 20))
        b = bytearray()
        c.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n')
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""

def otlp_lines(path, n):
    """Calls of models by 7 agents in 500 conversations, each tenth with a tool that the next brings the result of."""
    call = {'type': 'llm.call', 'timestamp_ns': 0, 'pid': 0, 'tid': 0, 'uid': 1000, 'comm': 'node', 'conn': '', 'id': '', 'provider': 'anthropic',
            'api': 'messages', 'operation': 'chat', 'request_model': 'claude-sonnet-5', 'response_model': 'claude-sonnet-5-1', 'response_id': 'msg_1',
            'stream': True, 'status_code': 200, 'finish_reasons': ['stop'], 'usage': {'input_tokens': 1200, 'output_tokens': 40, 'cache_read_tokens': 9},
            'output_messages': [{'role': 'assistant', 'parts': [{'type': 'text', 'content': 'word ' * 60}], 'finish_reason': 'stop'}],
            'request_max_tokens': 1000, 'input_messages': [{'role': 'user', 'parts': [{'type': 'text', 'content': 'word ' * 60}]}],
            'conversation_id': '', 'conversation_source': 'sent', 'agent': 'claude-code', 'agent_version': '2.1', 'server_address': 'api.anthropic.com',
            'server_port': 443, 'first_token_ms': 250.5, 'duration_ms': 900.25}
    with open(path, 'w') as f:
        for i in range(n):
            c = i % 500
            o = dict(call, timestamp_ns=1795493553000000000 + i * 1000000, pid=100 + c % 7, conn='%d:aa:1' % c, id='%d:aa:1/%d' % (c, i), conversation_id='s%d' % c)
            if i // 500 % 10 == 3:
                o['tool_calls'] = [{'id': 't%d' % c, 'name': 'Bash', 'arguments': {'command': 'make test'}}]
            if i // 500 % 10 == 4:
                o['tool_results'] = [{'id': 't%d' % c, 'name': 'Bash', 'response': 'done'}]
            f.write(json.dumps(o, separators=(',', ':')) + '\n')

def otlp(a):
    if not shutil.which('otelsink'):
        return
    paths = [(a.dir + '/otlp%d.ndjson' % k, k * 50000) for k in (1, 4)]
    for path, n in paths:
        otlp_lines(path, n)
    r = subprocess.Popen(['taskset', '-c', '1', sys.executable, '-c', RECEIVER], stdout=subprocess.PIPE, text=True)
    there, dead = 'http://127.0.0.1:' + r.stdout.readline().strip(), 'http://127.0.0.1:9'
    print('%-30s %11s %9s %9s %10s %10s' % ('one core', 'spans/s', 'target', 'us/span', 'MB at 50k', 'MB at 200k'))
    with tempfile.TemporaryDirectory() as tmp:
        for name, args, url in (('protobuf', '', there), ('protobuf, gzip', '--compression gzip', there), ('JSON', '--protocol http/json', there),
                                ('protobuf, with content', '--content', there), ('protobuf, spooled', '--spool ' + tmp + '/spool', there),
                                ('to a file', '--file /dev/null', there), ('nobody there', '--timeout 1ms', dead)):
            rates, cpus, rss = [], [], {}
            for turn in range(max(1, a.turns // 4)):
                for path, n in paths:
                    with open(path, 'rb') as inp:
                        t = time.monotonic()
                        p = subprocess.Popen(['taskset', '-c', '0', 'otelsink', '-v', '--queue', '1G' if url == there else '4M', '--endpoint', url, *args.split()],
                                             stdin=inp, stderr=subprocess.PIPE)
                        err = p.stderr.read().decode()
                        _, status, ru = os.wait4(p.pid, 0)
                        p.returncode = status
                        wall = time.monotonic() - t
                    spans = int(re.search(r'otelsink: (\d+) spans', err)[1])
                    if status or (url == there and 'lost: nothing' not in err):
                        sys.exit('otelsink: ' + err)
                    rates.append(spans / wall); cpus.append((ru.ru_utime + ru.ru_stime) / spans * 1e6); rss[n] = ru.ru_maxrss / 1024
            print('%-30s %11.0f %9s %9.1f %10.1f %10.1f' % (name, MED(rates), '20000' if not args else '', MED(cpus), *rss.values()), flush=True)
    r.kill(); r.wait()

# --- the page ----------------------------------------------------------------------
def web(a):
    """websink: taking lines in, giving them to one client, filtering them."""
    path = a.dir + '/mixed.ndjson'
    if not os.path.exists(path):
        with open(path, 'wb') as f:
            subprocess.run([a.dir + '/gen', '-s', '1', '-m', str(a.mb)], stdout=f, stderr=subprocess.DEVNULL, check=True)
    mb = os.path.getsize(path) / 1e6
    base = MED([run('cat', path)[0] for _ in range(a.turns)])
    took = [run('websink --port 0 --exit -q --max-memory 4G', path) for _ in range(a.turns)]
    print('%-34s %9s %8s' % ('', 'MB/s', 'x cat'))
    print('%-34s %9.0f %8.1f' % ('lines in (one core)', MED([mb / t[1] for t in took if t[1]]), MED([t[0] for t in took]) / base))
    p = subprocess.Popen(['websink', '--port', '0', '--max-memory', '4G', path], stderr=subprocess.PIPE)
    url, token = re.search(rb'(http://[^?]*)\?token=([0-9a-f]+)', p.stderr.readline()).groups()
    ask = ['curl', '-s', '-o', '/dev/null', '-H', 'Authorization: Bearer ' + token.decode()]
    while b'"ended":true' not in subprocess.run(ask[:2] + ask[4:] + [url.decode() + 'api/v1/info'], stdout=subprocess.PIPE, check=True).stdout:
        time.sleep(0.05)
    for name, rest in (('lines out, as they are', 'events?form=ndjson'), ('server-sent events, what is long cut', 'events?preview=1'),
                       ('a filter that nothing passes', 'match?expr=nothing%3D1')):
        t = []
        for _ in range(a.turns):
            began = time.monotonic()
            subprocess.run(ask + [url.decode() + 'api/v1/' + rest], check=True)
            t.append(time.monotonic() - began)
        print('%-34s %9.0f %8.1f' % (name, mb / MED(t), MED(t) / base))
    p.terminate()
    p.wait()

def startup(a):
    """agentsight record -- true against true, and each collector until it is attached."""
    def took(cmd):
        began = time.monotonic()
        subprocess.run(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - began
    print('%-34s %9s' % ('', 'ms'))
    db = a.dir + '/startup.db'
    record = ['agentsight', 'record', '--db', db, '--', 'true']
    took(record)
    print('%-34s %9.0f' % ('record -- true, more than true', 1e3 * MED([took(record) - took(['true']) for _ in range(2 * a.turns)])))
    os.unlink(db)
    for name in 'sslsniff', 'process', 'stdiocap':
        times = []
        for _ in range(2 * a.turns):
            r, w = os.pipe()
            began = time.monotonic()
            p = subprocess.Popen([name, '-q', '-p', str(os.getpid()), '--ready-fd', str(w)], stdout=subprocess.DEVNULL, pass_fds=[w])
            os.close(w)
            os.read(r, 1)
            times.append(time.monotonic() - began)
            os.close(r)
            stop(p)
        print('%-34s %9.0f' % (name + ', until it is attached', 1e3 * MED(times)))

def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--dir', required=True)
    ap.add_argument('--turns', type=int, default=5)
    ap.add_argument('--against', metavar='DIR', help='an older build/bin, which takes turns with ours')
    ap.add_argument('--mb', type=int, default=100)
    ap.add_argument('what', nargs='*', default=[])
    a = ap.parse_args()
    for f in (filters, latency, overhead, complete, plain, processes, otlp, store, web, startup):
        if not a.what or f.__name__ in a.what:
            print('\n== ' + f.__name__)
            f(a)

if __name__ == '__main__':
    main()
