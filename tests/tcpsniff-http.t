#!/usr/bin/python3
"""tcpsniff-http.t - model calls, streams and tools without TLS, of real programs

One recording of node's servers, python's, curl and node as clients, and a proxy between:
everything is observed, both ends of it."""
import os
import sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
need('agentsight', 'curl', 'node', 'sqlite3')
os.chmod(scratch, 0o755)
ANSWER = {'id': 'm', 'type': 'message', 'role': 'assistant', 'model': 'm1', 'content': [{'type': 'text', 'text': 'hi'}],
          'stop_reason': 'end_turn', 'usage': {'input_tokens': 5, 'output_tokens': 7}}
FILES = {
    'server.mjs': r"""
import http from 'http'; import http2 from 'http2'; import crypto from 'crypto'; import fs from 'fs';
const answer = """ + json.dumps(ANSWER) + r""";
const sse = [['message_start', { message: { ...answer, content: [], usage: { input_tokens: 5, output_tokens: 0 } } }],
	['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
	['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'streamed' } }], ['content_block_stop', { index: 0 }],
	['message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }], ['message_stop', {}]];
const chat = ['Hel', 'lo'].map(t => ({ model: 'llama3', message: { role: 'assistant', content: t }, done: false }))
	.concat({ model: 'llama3', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 11, eval_count: 3 });
async function serve(q, r) {
	let text = ''; for await (const c of q) text += c;
	const body = text ? JSON.parse(text) : {};
	if (q.url === '/api/chat') {
		r.writeHead(200, { 'content-type': 'application/x-ndjson' });
		for (const c of chat) { r.write(JSON.stringify(c) + '\n'); await new Promise(f => setTimeout(f, 5)); }
		r.end();
	} else if (q.url === '/mcp') {
		const result = body.method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'files', version: '1' } }
			: { content: [{ type: 'text', text: 'done' }] };
		r.writeHead(200, { 'content-type': 'application/json' });
		r.end(JSON.stringify({ jsonrpc: '2.0', id: body.id, result }));
	} else if (body.stream) {
		r.writeHead(200, { 'content-type': 'text/event-stream' });
		for (const [event, data] of sse) r.write(`event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`);
		r.end();
	} else {
		r.writeHead(200, { 'content-type': 'application/json' });
		r.end(JSON.stringify(answer));
	}
}
const s = http.createServer(serve), u = http.createServer(serve), h = http2.createServer(serve);
s.on('upgrade', (q, c) => {
	const key = crypto.createHash('sha1').update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
	c.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ' + key + '\r\n\r\n');
	c.once('data', () => { c.write(Buffer.concat([Buffer.from([0x81, 6]), Buffer.from('answer')])); c.end(); });
	c.on('error', () => {});
});
const proxy = http.createServer((q, r) => {
	const o = http.request({ port: s.address().port, host: '127.0.0.1', path: q.url, method: q.method, headers: q.headers },
		a => { r.writeHead(a.statusCode, a.headers); a.pipe(r); });
	q.pipe(o);
});
u.listen(process.argv[2] + '/unix');
await Promise.all([s, h, proxy].map(x => new Promise(f => x.listen(0, '127.0.0.1', f))));
fs.writeFileSync(process.argv[2] + '/ports.new', [s, h, proxy].map(x => x.address().port).join(' '));
fs.renameSync(process.argv[2] + '/ports.new', process.argv[2] + '/ports');
""",
    'socket.mjs': r"""
import net from 'net';
const c = net.connect(process.argv[2], '127.0.0.1', () => c.write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
	'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'));
c.once('data', () => c.write(Buffer.from([0x81, 0x88, 0, 0, 0, 0, ...Buffer.from('question')])));
c.on('end', () => c.end());
""",
    'run.sh': r"""
dir=$1
node "$dir/server.mjs" "$dir" & server=$!
until [ -e "$dir/ports" ]; do sleep 0.05; done
read -r plain h2c proxy <"$dir/ports"
ask() { path=$1 body=$2; shift 2; curl -sS -o /dev/null -H 'content-type: application/json' -d "$body" "$@$path"; }
call() { echo '{"model":"m1","max_tokens":9,'"$1"'"messages":[{"role":"user","content":"'"$2"'"}]}'; }
ask /v1/messages "$(call '' plain)" -H 'anthropic-version: 2023-06-01' "http://127.0.0.1:$plain"
ask /v1/messages "$(call '"stream":true,' stream)" -H 'anthropic-version: 2023-06-01' "http://127.0.0.1:$plain"
ask /v1/messages "$(call '' 'over h2c')" -H 'anthropic-version: 2023-06-01' --http2-prior-knowledge "http://127.0.0.1:$h2c"
ask /v1/messages "$(call '' 'by a proxy')" -H 'anthropic-version: 2023-06-01' "http://127.0.0.1:$proxy"
ask /api/chat '{"model":"llama3","messages":[{"role":"user","content":"ollama"}]}' "http://127.0.0.1:$plain"
mcp() { echo '{"jsonrpc":"2.0","id":'"$1"',"method":"'"$2"'","params":'"$3"'}'; }
begin='{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}'
ask /mcp "$(mcp 1 initialize "$begin")" "http://127.0.0.1:$plain"
ask /mcp "$(mcp 2 tools/call '{"name":"read","arguments":{"path":"a"}}')" "http://127.0.0.1:$plain"
ask /mcp "$(mcp 1 initialize "$begin")" --unix-socket "$dir/unix" http://localhost
ask /mcp "$(mcp 2 tools/call '{"name":"write","arguments":{"path":"b"}}')" --unix-socket "$dir/unix" http://localhost
node "$dir/socket.mjs" "$plain"
kill $server
wait $server
exit 0
""",
}
for file, text in FILES.items():
    with open(os.path.join(scratch, file), 'w') as f:
        f.write(text)
lines, db = os.path.join(scratch, 'run.ndjson'), os.path.join(scratch, 'run.db')
p = subprocess.run(['agentsight', 'record', '--no-system', '-o', lines, '--db', db, '--', 'sh', os.path.join(scratch, 'run.sh'), scratch],
                   capture_output=True, text=True, timeout=60)
with open(lines, 'rb') as f:
    raw = f.read()
lines_seen.write(raw)
ev = [json.loads(x) for x in raw.splitlines()]
calls = of(ev, 'llm.call')


def asked(e):
    return e['input_messages'][0]['parts'][0]['content']


def said(e):
    return ''.join(x['content'] for x in e['output_messages'][0]['parts'])


equal(sorted((asked(e), said(e), e['comm'], e['stream']) for e in calls),
      [('by a proxy', 'hi', 'curl', False), ('by a proxy', 'hi', 'node', False), ('ollama', 'Hello', 'curl', True),
       ('over h2c', 'hi', 'curl', False), ('plain', 'hi', 'curl', False), ('stream', 'streamed', 'curl', True)],
      'model calls: JSON, SSE, NDJSON, HTTP/2, and through a proxy')
equal({(e['scheme'], e['side']) for e in of(ev, 'http.response')}, {('http', 'client')}, 'each told once, by the client')
equal({e['protocol'] for e in of(ev, 'http.response') if e.get('path') == '/v1/messages'}, {'HTTP/1.1', 'HTTP/2'}, 'both versions of HTTP')
equal([(e['direction'], text_of(e, 'data')) for e in of(ev, 'ws.message') if e['opcode'] == 'text'],
      [('WRITE/SEND', b'question'), ('READ/RECV', b'answer')], 'a WebSocket')
# (the shell says the same to itself, through pipes)
equal(sorted(e['tool'] for e in of(ev, 'mcp.call', transport='http', method='tools/call')),
      ['read', 'write'], 'MCP over HTTP, and over a unix socket')
ok(not of(ev, 'tcp.data') and not of(ev, 'loss'), 'nothing is left over or lost', [e for e in ev if e['type'] in ('tcp.data', 'loss')][:3])
sql = lambda q: subprocess.run(['sqlite3', '-readonly', db, q], capture_output=True, text=True).stdout.split('\n')[:-1]
equal(sql("SELECT p.comm, o.comm FROM model_calls c JOIN processes p ON p.id = c.process_id JOIN model_calls q ON q.id = c.parent_id"
          " JOIN processes o ON o.id = q.process_id"), ['node|curl'], "what the proxy asked belongs to the client's call")
equal(sql('SELECT count(*), sum(total_tokens) FROM token_usage'), ['5|62'], '... and is counted once')
equal([[x['id'] for x in calls if x['comm'] == 'node' and asked(x) == 'by a proxy']], [e['relayed_to'] for e in calls if 'relayed_to' in e],
      '... which the line says')
spans = [json.loads(x) for x in subprocess.run(['otelsink', '--file', '-', lines], capture_output=True, text=True, timeout=30).stdout.splitlines()]
points = [(x['name'], [p for p in x['histogram']['dataPoints']]) for s in spans for r in s.get('resourceMetrics', [])
          for c in r['scopeMetrics'] for x in c['metrics'] if 'histogram' in x]
equal([(sum(p['sum'] for n, l in points if n == 'gen_ai.client.token.usage' for p in l)),
       sum(int(p['count']) for n, l in points if n == 'gen_ai.client.operation.duration' for p in l)], [62, 5],
      '... in the metrics, too')
used = [int(a['value']['intValue']) for s in spans for r in s.get('resourceSpans', []) for c in r['scopeSpans'] for x in c['spans']
        if x['name'].startswith('chat') for a in x['attributes'] if a['key'] in ('gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens')]
equal(sum(used), 62, '... in the spans')
PAGE = '''import { readFileSync } from 'fs'; import { Model } from './websink/ui/model.js';
const m = new Model(); readFileSync(process.argv[1], 'utf8').split('\\n').filter(Boolean).forEach((l, i) => m.add(i + 1, JSON.parse(l)));
console.log(JSON.stringify([m.counted.length, m.counted.reduce((n, c) => n + c.usage.input_tokens + c.usage.output_tokens, 0),
  [...m.conversations.values()].map((c) => [c.title, c.calls.length, c.input + c.output])]));'''
node = subprocess.run(['node', '--input-type=module', '-e', PAGE, lines], capture_output=True, text=True, timeout=30)
equal(json.loads(node.stdout or 'null'), [5, 62, [['plain', 1, 12], ['stream', 1, 12], ['over h2c', 1, 12], ['by a proxy', 1, 12], ['ollama', 1, 14]]],
      '... and on the page')
equal(p.stderr.split('recorded')[-1].count('5 model calls, 62 tokens'), 1, '... also in what is said at the end')
ok('(plain HTTP, no TLS)' in p.stderr and 'NO TLS' not in p.stderr, 'which case it was', p.stderr)
ok(p.returncode == 0 and 'WHOLE' in p.stderr, 'the recording is whole', p.stderr)
done()
