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

def queries(a, events):
    path, db = a.dir + '/store-all.ndjson', a.dir + '/store-all.db'
    clear(db)
    with open(path, 'wb') as f:
        llm = llm_lines(1 << 40, size=2000)
        for i, l in enumerate(process_lines(events)):
            f.write(l)
            if i % 1000 == 500:
                f.write(next(llm))
    t = time.monotonic()
    subprocess.run(['sqlitesink', db, path], check=True)
    print('%d events stored and indexed in %.1f s, %.0f MB' % (events, time.monotonic() - t, os.path.getsize(db) / 1e6))
    names = [l.split()[0] for l in subprocess.run(['agentsight-report', '--list'], capture_output=True, text=True, check=True).stdout.splitlines()]
    for name in (n for n in names if n not in ('list', 'export', 'html')):
        t = time.monotonic()
        out = subprocess.run(['agentsight-report', name, '--db', db, '--json'] + (['parse'] if name == 'search' else []), capture_output=True)
        print('report %-12s %7.2f s  %s' % (name, time.monotonic() - t, 'failed: %s' % out.stderr.decode()[:80] if out.returncode else ''), flush=True)

def store(a):
    compare(a, 300000, min(a.mb, 100), min(a.turns, 3))
    queries(a, 1000000)
