"""store.py - sqlitesink against the bare INSERT, and reports on a million events; a part of bench.py

  process   process.fork, exec, exit and file.* as a build makes them
  llm       llm.call lines of about 16 KiB
  of lines  how many times the time of one INSERT for each line, as it is
  of rows   how many times that of one INSERT for each row that sqlitesink makes of
            them, into the same tables (without foreign keys)
Rates are of user + system time, taking turns; memory is the peak.
"""
import json, os, random, statistics as st, subprocess, sys, time

def line(o):
    return json.dumps(o, separators=(',', ':')).encode() + b'\n'

def process_lines(n, seed=1):
    """A session: an agent that calls tools, which run programs that use files."""
    r, t, pid = random.Random(seed), 1795493553000000000, 5000
    words = ['src', 'lib', 'test', 'build', 'include', 'docs', 'main', 'util', 'parse', 'event', 'node', 'core']
    paths = ['/home/ada/project/' + '/'.join(r.choice(words) for _ in range(r.randint(1, 4))) + '/%d.c' % i for i in range(3000)]
    out, made = [], 0
    def ev(kind, pid, comm, **k):
        nonlocal t, made
        t += r.randint(2000, 40000)
        made += 1
        return line(dict(type=kind, timestamp_ns=t, pid=pid, tid=pid, uid=1000, comm=comm, **k))
    yield ev('process.exec', 4999, 'node', ppid=1, filename='/usr/bin/node', argv=['node', 'agent.js'], cwd='/home/ada/project', sid=1, seed=True)
    while made < n:
        pid = pid + 1 if pid < 60000 else 5000
        yield ev('process.fork', 4999, 'node', ppid=1, child_pid=pid)
        yield ev('process.exec', pid, 'cc', ppid=4999, filename='/usr/bin/cc', exe='/usr/bin/x86_64-linux-gnu-gcc-12',
                 argv=['cc', '-O2', '-g', '-c', '-o', 'x.o', r.choice(paths)], cwd='/home/ada/project', sid=1)
        for _ in range(r.randint(0, 6)):
            p = r.choice(paths)
            yield ev('file.open', pid, 'cc', path=p, flags=524288, mode=['read'], fd=3, count=1)
            yield ev('file.read', pid, 'cc', path=p, fd=3, bytes=r.randint(1, 9999), count=2, last_ns=t)
        if r.random() < 0.5:
            p = '/home/ada/project/out/%d.o' % pid
            yield ev('file.open', pid, 'cc', path=p, flags=577, mode=['write', 'create', 'truncate'], created=True, fd=4, count=1)
            yield ev('file.write', pid, 'cc', path=p, fd=4, bytes=r.randint(1, 99999), count=3, last_ns=t)
        if r.random() < 0.1:
            yield ev('net.connect', pid, 'cc', fd=5, family='inet', transport='tcp', address='192.0.2.%d' % r.randint(1, 9), port=443, result=0)
        yield ev('process.exit', pid, 'cc', ppid=4999, exit_code=r.choice([0, 0, 0, 1]), duration_ms=3.5, rss_max_kb=9000)

def llm_lines(nbytes, seed=2, size=15000):
    r, t, done, i, turn, conv = random.Random(seed), 1795493553000000000, 0, 0, 0, 0
    vocabulary = [''.join(r.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(r.randint(2, 9))) for _ in range(4000)]
    def text(n):
        return ' '.join(r.choices(vocabulary, k=max(1, n // 6)))
    while done < nbytes:
        if turn == 0:
            conv, turn, last = conv + 1, r.randint(3, 12), None
        turn -= 1
        i += 1
        t += 3000000000
        tool = {'id': 'toolu_%d' % i, 'name': r.choice(['Bash', 'Read', 'Edit']), 'arguments': {'command': text(60), 'file_path': '/home/ada/project/x.c'}}
        o = dict(type='llm.call', timestamp_ns=t, pid=4999, tid=4999, uid=1000, comm='node', conn='4999:1:1', id='4999:1:1/%d' % i,
                 provider='anthropic', api='messages', operation='chat', request_model='claude-sonnet-4', response_model='claude-sonnet-4',
                 response_id='msg_%d' % i, stream=True, status_code=200, finish_reasons=['tool_call'],
                 usage=dict(input_tokens=9000 + i, output_tokens=300, cache_read_tokens=8000, cache_creation_tokens=100, total_tokens=9300 + i),
                 output_messages=[{'role': 'assistant', 'parts': [{'type': 'text', 'content': text(1200)}, dict(tool, type='tool_call')], 'finish_reason': 'tool_call'}],
                 tool_calls=[tool], conversation_id='c%d' % conv, conversation_source='sent', agent='claude-code', agent_version='2.1',
                 server_address='api.anthropic.com', first_token_ms=800.0, duration_ms=2000.0)
        if last:
            result = text(size // 2)
            o['input_messages'] = [{'role': 'tool', 'parts': [{'type': 'tool_call_response', 'id': last[1], 'response': result}]}]
            o['tool_results'] = [{'id': last[1], 'name': last[2], 'call': last[0], 'response': result}]
        else:
            o['input_messages'] = [{'role': 'user', 'parts': [{'type': 'text', 'content': text(size)}]}]
        last = (o['id'], tool['id'], tool['name'])
        l = line(o)
        done += len(l)
        yield l

def run(cmd, path):
    with open(path, 'rb') as f:
        p = subprocess.Popen(cmd, stdin=f)
        _, status, ru = os.wait4(p.pid, 0)
    if status:
        sys.exit('%s: status %d' % (cmd[0], status))
    return ru.ru_utime + ru.ru_stime, ru.ru_maxrss / 1024

def clear(db):
    for f in (db, db + '-wal', db + '-shm'):
        if os.path.exists(f):
            os.unlink(f)
    return db

def compare(a, events, megabytes, turns):
    print('%-10s %6s %8s %12s %12s %12s %9s %9s %8s' % ('lines', 'MB', 'lines', 'sqlitesink', 'with words', 'INSERT', 'of lines', 'of rows', 'peak MB'))
    for name, gen, unit in (('process', process_lines(events), 'lines/s'), ('llm', llm_lines(megabytes << 20), 'MB/s')):
        path, db, rows = '%s/store-%s.ndjson' % (a.dir, name), a.dir + '/store.db', a.dir + '/rows.db'
        with open(path, 'wb') as f:
            f.writelines(gen)
        lines, mb = sum(1 for _ in open(path, 'rb')), os.path.getsize(path) / 1e6
        n = lines if unit == 'lines/s' else mb
        cpu, peak = {}, 0
        run(['sqlitesink', '--no-search', clear(rows)], path)
        who = {'ours': ['sqlitesink', '--no-search', db], 'words': ['sqlitesink', db], 'bare': [a.dir + '/insert', db], 'rows': [a.dir + '/insert', db, rows]}
        for turn in range(turns):
            for key in list(who) if turn % 2 else list(who)[::-1]:
                clear(db)
                t, m = run(who[key], path)
                cpu.setdefault(key, []).append(t)
                if key in ('ours', 'words'):
                    peak = max(peak, m)
        med = {k: st.median(v) for k, v in cpu.items()}
        print('%-10s %6.0f %8d %12.0f %12.0f %12.0f %8.2fx %8.2fx %8.1f' % (name, mb, lines, n / med['ours'], n / med['words'], n / med['bare'],
              st.median(x / y for x, y in zip(cpu['ours'], cpu['bare'])), st.median(x / y for x, y in zip(cpu['ours'], cpu['rows'])), peak), flush=True)
        clear(db), clear(rows)
    print('process: lines/s, llm: MB/s, of one core (user + system time); with words: indexed for the search, too')

def session_lines(events, seed=3, agents=20):
    """Agents that work one after the other and side by side: prompts, calls of models, tools that
    run programs which use files and hosts, tool servers, samples; of every kind some."""
    r, now, pid, made, n = random.Random(seed), 1795493553000000000, 5000, 0, 0
    words = ['src', 'lib', 'test', 'build', 'include', 'docs', 'main', 'util', 'parse', 'event', 'node', 'core']
    paths = ['/home/ada/project/' + '/'.join(r.choice(words) for _ in range(r.randint(1, 4))) + '/%d.c' % i for i in range(events // 50)]
    hosts = ['192.0.%d.%d' % (i >> 8, i & 255) for i in range(2000)]
    names = {4000 + i: r.choice(['claude', 'codex', 'gemini']) for i in range(agents)}
    asked = {}

    def ev(kind, p, comm, **k):
        nonlocal now, made
        now += r.randint(1000, 20000)
        made += 1
        return line(dict(type=kind, timestamp_ns=now, pid=p, tid=p, uid=1000, comm=comm, **k))

    def program(parent, argv):
        nonlocal pid
        pid = pid + 1 if pid < 4000000 else 5000
        yield ev('process.fork', parent, 'sh', ppid=1, child_pid=pid)
        yield ev('process.exec', pid, argv[0], ppid=parent, filename='/usr/bin/' + argv[0], argv=argv, cwd='/home/ada/project', sid=1)
        for _ in range(r.randint(0, 6)):
            p = r.choice(paths)
            yield ev('file.open', pid, argv[0], path=p, flags=524288, mode=['read'], fd=3, count=1)
            yield ev('file.read', pid, argv[0], path=p, fd=3, bytes=r.randint(1, 9999), count=2, last_ns=now)
        if r.random() < 0.5:
            p = '/home/ada/project/out/%d.o' % (pid % 50000) if r.random() < 0.95 else '/srv/other/%d' % pid
            yield ev('file.open', pid, argv[0], path=p, flags=577, mode=['write', 'create', 'truncate'], created=True, fd=4, count=1)
            yield ev('file.write', pid, argv[0], path=p, fd=4, bytes=r.randint(1, 99999), count=3, last_ns=now)
            if r.random() < 0.3:
                yield ev('file.chmod', pid, argv[0], path=p, permissions=r.choice(['0644', '0755', '0777']))
            if r.random() < 0.2:
                yield ev('file.delete', pid, argv[0], path=p)
        if r.random() < 0.15:
            yield ev('net.connect', pid, argv[0], fd=5, family='inet', transport='tcp', address=r.choice(hosts), port=443, result=0)
        if r.random() < 0.02:
            yield ev('process.signal', pid, argv[0], target_pid=r.randint(2, pid), signal=15, signal_name='SIGTERM', result=0)
        yield ev('process.exit', pid, argv[0], ppid=parent, exit_code=r.choice([0, 0, 0, 1]), duration_ms=3.5, rss_max_kb=9000)

    def call(agent):
        nonlocal n
        n += 1
        turn = asked.get(agent)
        tool = {'id': 'toolu_%d' % n, 'name': r.choice(['Bash', 'Bash', 'Read', 'Edit']), 'arguments': {'command': 'make %d && ls' % n, 'file_path': r.choice(paths)}}
        o = dict(conn='%d:1:1' % agent, id='%d:1:1/%d' % (agent, n), provider='anthropic', api='messages', operation='chat', request_model='claude-sonnet-4',
                 response_model='claude-sonnet-4', response_id='msg_%d' % n, stream=True, status_code=200, finish_reasons=['tool_call'],
                 usage=dict(input_tokens=9000, output_tokens=300, cache_read_tokens=8000, cache_creation_tokens=100, total_tokens=9300),
                 output_messages=[{'role': 'assistant', 'parts': [{'type': 'text', 'content': 'I look at it, %d.' % n}, dict(tool, type='tool_call')], 'finish_reason': 'tool_call'}],
                 tool_calls=[tool], conversation_id='c%d-%d' % (agent, n // 400), conversation_source='sent', agent=names[agent], agent_version='2.1',
                 server_address='api.anthropic.com', first_token_ms=800.0, duration_ms=2.0)
        if turn and r.random() < 0.95:
            response = 'the result of %s: ' % turn[1] + ' '.join(r.choices(words, k=100))
            o['input_messages'] = [{'role': 'tool', 'parts': [{'type': 'tool_call_response', 'id': turn[1], 'response': response}]}]
            o['tool_results'] = [{'id': turn[1], 'name': turn[2], 'call': turn[0], 'response': response}]
        else:
            o['input_messages'] = [{'role': 'user', 'parts': [{'type': 'text', 'content': 'Please do number %d' % n}]}]
        asked[agent] = (o['id'], tool['id'], tool['name'])
        ids = dict(conn=o['conn'], id=o['id'], method='POST', path='/v1/messages', host='api.anthropic.com')
        yield ev('http.request', agent, 'node', **ids, protocol='HTTP/1.1', headers={'content-type': 'application/json'}, body_len=20000)
        yield ev('http.response', agent, 'node', **ids, protocol='HTTP/1.1', status_code=200, headers={'content-type': 'application/json'}, body_len=900, duration_ms=2.0)
        yield ev('llm.call', agent, 'node', **o)

    for agent in names:
        yield ev('process.exec', agent, 'node', ppid=1, filename='/usr/bin/node', argv=['node', names[agent]], cwd='/home/ada/project', sid=1, seed=True)
    while made < events:
        agent = r.choice(list(names))
        yield from call(agent)
        for _ in range(r.randint(1, 40)):
            yield from program(agent, r.choice([['cc', '-O2', '-c', r.choice(paths)], ['sh', '-c', 'make %d && ls' % n], ['ls', '-la'], ['grep', '-rn', 'main', 'src']]))
        yield ev('mcp.call', agent, 'node', transport='stdio', role='client', server='files', request_id=n, method='tools/call', tool='list',
                 arguments={'path': r.choice(paths)}, result={'content': [{'type': 'text', 'text': 'a.c b.c'}]}, duration_ms=2.0)
        yield ev('system.process', agent, 'node', cpu_percent=12.5, rss_bytes=104857600, threads=11, children=1)
        if r.random() < 0.05:
            yield line({'type': 'loss', 'timestamp_ns': now, 'stage': 'process', 'reason': 'ring_full', 'events': 3, 'bytes': 300})

def queries(a, events):
    """Each report on a session of a million events, which is to take less than 0.5 s; the quickest of three."""
    path, db = a.dir + '/store-all.ndjson', a.dir + '/store-all.db'
    clear(db)
    with open(path, 'wb') as f:
        f.writelines(session_lines(events))
    t = time.monotonic()
    subprocess.run(['sqlitesink', db, path], check=True)
    print('%d events stored and indexed in %.1f s, %.0f MB' % (events, time.monotonic() - t, os.path.getsize(db) / 1e6))
    names = [l.split()[0] for l in subprocess.run(['agentsight-report', '--list'], capture_output=True, text=True, check=True).stdout.splitlines()]
    start = min(timed(['agentsight-report', '--version']) for _ in range(5))
    for name in [n for n in names if n not in ('list', 'export', 'html', 'serve')] + ['export']:
        cmd = ['agentsight-report', name, '--db', db] + (['--json'] if name != 'export' else []) + (['parse'] if name == 'search' else [])
        t = min(timed(cmd) for _ in range(3))
        print('report %-12s %7.2f s%s' % (name, t, '' if t < 0.5 else '  *'), flush=True)
    print('start %.3f s' % start)

def timed(cmd):
    t = time.monotonic()
    p = subprocess.run(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if p.returncode:
        sys.exit('%s: %s' % (' '.join(cmd), p.stderr.decode()[:200]))
    return time.monotonic() - t

def store(a):
    compare(a, 300000, min(a.mb, 100), min(a.turns, 3))
    queries(a, 1000000)
