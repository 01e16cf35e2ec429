// server.mjs - a TLS server that speaks the agents' APIs, and keeps the truth
//
// usage: server.mjs DIR [ENCODING]
// DIR holds key.pem and cert.pem; DIR/port gets the port, DIR/log a JSON line
// per exchange: what was received and what was sent, both decoded. HTTP/1.1,
// HTTP/2 by ALPN, WebSocket for Responses. Answers say the last prompt's
// marker back, so that nothing is known beforehand.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import zlib from 'node:zlib';
import { createRequire } from 'node:module';

const [dir, wantEncoding, root] = [process.argv[2], process.argv[3] || 'identity', process.argv[4]];
const { WebSocketServer } = createRequire(path.join(root, 'package.json'))('ws');
const log = (o) => fs.appendFileSync(path.join(dir, 'log'), JSON.stringify(o) + '\n');
const sha = (b) => crypto.createHash('sha256').update(b).digest('hex');
const decoders = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync, zstd: zlib.zstdDecompressSync };
const encoders = { gzip: zlib.createGzip, br: zlib.createBrotliCompress, zstd: zlib.createZstdCompress };

// What is said: the marker that came, in three pieces.
function words(text) {
	const all = text.match(/MARK-[0-9a-z]+/g) || ['nothing'];
	return ['You said ', all[all.length - 1], ', indeed. \u6f22\u5b57'];
}

// --- tools -----------------------------------------------------------------------------------
// A prompt with PLAN in it is worked on with the agent's own tools: two commands side by side, then
// one that needs both, then a sub-agent, where there is a tool for that, which runs one itself.
const SUB = 'SUBPLAN: write the file that is asked for.';

// The tools of a request, whatever the dialect: [{ name, schema }].
function toolsOf(req) {
	return (req.tools || []).flatMap((t) => t.functionDeclarations || t.tools || [t]).map((t) => t.function || t)
		.filter((t) => t.name).map((t) => ({ name: t.name, schema: t.input_schema || t.parameters || t.parametersJsonSchema || {} }));
}
// Arguments for a command.
function commandFor(tool, command) {
	const p = tool.schema.properties || {}, args = {};
	for (const [k, v] of Object.entries(p)) {
		if (k === 'command' || k === 'cmd') args[k] = v.type === 'array' ? ['bash', '-c', command] : command;
		else if ((tool.schema.required || []).includes(k)) args[k] = v.type === 'boolean' ? false : v.type === 'number' || v.type === 'integer' ? 10000 : v.enum ? v.enum[0] : 'runs it';
	}
	return args;
}
function subFor(tool) {
	const args = {};
	for (const [k, v] of Object.entries(tool.schema.properties || {}))
		if (k === 'prompt') args[k] = SUB;
		else if (k === 'subagent_type' || k === 'agent_type') args[k] = v.enum?.find((n) => /general|task/.test(n)) || v.enum?.[0] || (tool.name === 'task' ? 'general' : 'general-purpose');
		else if ((tool.schema.required || []).includes(k)) args[k] = v.type === 'boolean' ? false : v.enum ? v.enum[0] : 'writes';
	return args;
}
// What the model does next: [{ name, args }], or null: it answers in words.
function plan(req, text) {
	const tools = toolsOf(req), shell = tools.find((t) => /^(Bash|bash|shell|shell_command|exec_command|run_shell_command|local_shell)$/.test(t.name));
	if (!shell || !(/Follow PLAN-/.test(text) || text.includes(SUB))) return null;
	const sub = tools.find((t) => /^(Task|Agent|task|agent)$/.test(t.name) && t.schema.properties?.prompt);
	const inSub = text.includes(SUB) && !text.includes('Follow PLAN-'), done = (text.match(/"(tool_result|function_call_output|functionResponse)"|"role":\s*"tool"/g) || []).length;
	const run = (c) => ({ name: shell.name, args: commandFor(shell, c) });
	if (inSub) return done ? null : [run('echo sub > sub.txt')];
	if (done === 0) return [run('echo one > one.txt'), run('echo two > two.txt')];
	if (done === 2) return [run('sort one.txt two.txt > both.txt')];
	return done === 3 && sub ? [{ name: sub.name, args: subFor(sub) }] : null;
}
// The same, with ids, noted in the log; [] when it answers in words.
function uses(req, text) {
	const list = (plan(req, text) || []).map((t, i) => ({ ...t, id: 'call_' + sha(text).slice(0, 16) + i }));
	if (list.length) log({ tools: list });
	return list;
}

function anthropic(req, text) {
	const out = [], asks = uses(req, text), w = asks.length ? ['Working.'] : words(text);
	const ev = (type, o) => out.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...o })}\n\n`);
	ev('message_start', { message: { id: 'msg_' + sha(text).slice(0, 12), type: 'message', role: 'assistant', model: req.model,
		content: [], stop_reason: null, stop_sequence: null,
		usage: { input_tokens: 11, cache_creation_input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 1 } } });
	ev('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
	ev('ping', {});
	for (const t of w) ev('content_block_delta', { index: 0, delta: { type: 'text_delta', text: t } });
	ev('content_block_stop', { index: 0 });
	asks.forEach((t, i) => {
		ev('content_block_start', { index: i + 1, content_block: { type: 'tool_use', id: t.id, name: t.name, input: {} } });
		ev('content_block_delta', { index: i + 1, delta: { type: 'input_json_delta', partial_json: JSON.stringify(t.args) } });
		ev('content_block_stop', { index: i + 1 });
	});
	ev('message_delta', { delta: { stop_reason: asks.length ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } });
	ev('message_stop', {});
	return out;
}

function responses(req, text) {
	const out = [], asks = uses(req, text), w = asks.length ? ['Working.'] : words(text), id = 'resp_' + sha(text).slice(0, 12);
	let n = 0;
	const ev = (type, o) => out.push({ type, sequence_number: n++, ...o });
	const base = { id, object: 'response', created_at: 1, model: req.model, status: 'in_progress', output: [] };
	const item = { id: 'm1', type: 'message', role: 'assistant', status: 'completed',
		content: [{ type: 'output_text', text: w.join(''), annotations: [] }] };
	ev('response.created', { response: base });
	ev('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } });
	ev('response.content_part.added', { item_id: 'm1', output_index: 0, content_index: 0, part: { type: 'output_text', text: '', annotations: [] } });
	for (const t of w) ev('response.output_text.delta', { item_id: 'm1', output_index: 0, content_index: 0, delta: t });
	ev('response.output_text.done', { item_id: 'm1', output_index: 0, content_index: 0, text: w.join('') });
	ev('response.output_item.done', { output_index: 0, item });
	const calls = asks.map((t) => ({ id: 'fc_' + t.id, type: 'function_call', status: 'completed', call_id: t.id, name: t.name, arguments: JSON.stringify(t.args) }));
	calls.forEach((c, i) => {
		ev('response.output_item.added', { output_index: i + 1, item: { ...c, arguments: '', status: 'in_progress' } });
		ev('response.function_call_arguments.delta', { item_id: c.id, output_index: i + 1, delta: c.arguments });
		ev('response.function_call_arguments.done', { item_id: c.id, output_index: i + 1, arguments: c.arguments });
		ev('response.output_item.done', { output_index: i + 1, item: c });
	});
	ev('response.completed', { response: { ...base, status: 'completed', output: [item, ...calls], usage: { input_tokens: 19,
		input_tokens_details: { cached_tokens: 5 }, output_tokens: 7, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 26 } } });
	return out;
}

function chat(req, text) {
	const out = [], asks = uses(req, text), base = { id: 'chatcmpl-' + sha(text).slice(0, 12), object: 'chat.completion.chunk', created: 1, model: req.model };
	const ev = (delta, finish_reason = null, more = {}) =>
		out.push('data: ' + JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason }], ...more }) + '\n\n');
	ev({ role: 'assistant', content: '' });
	for (const t of asks.length ? ['Working.'] : words(text)) ev({ content: t });
	asks.forEach((t, index) => ev({ tool_calls: [{ index, id: t.id, type: 'function', function: { name: t.name, arguments: JSON.stringify(t.args) } }] }));
	ev({}, asks.length ? 'tool_calls' : 'stop', { usage: { prompt_tokens: 19, completion_tokens: 7, total_tokens: 26, prompt_tokens_details: { cached_tokens: 5 } } });
	out.push('data: [DONE]\n\n');
	return out;
}

function gemini(model, text, req = {}) {
	const asks = uses(req, text), parts = asks.length ? [{ text: 'Working.' }, ...asks.map((t) => ({ functionCall: { name: t.name, args: t.args } }))] : words(text).map((t) => ({ text: t }));
	return parts.map((part, i, all) => ({ candidates: [{ content: { role: 'model', parts: [part] }, index: 0,
		...(i === all.length - 1 ? { finishReason: 'STOP' } : {}) }], modelVersion: model, responseId: 'g1',
		usageMetadata: { promptTokenCount: 19, candidatesTokenCount: 7, totalTokenCount: 26 } }));
}

// [content type, pieces] of the answer to a decoded request.
function answer(url, body) {
	const p = url.split('?')[0], json = (o) => ['application/json', [JSON.stringify(o)]];
	let req = {};
	try { req = JSON.parse(body); } catch { /* not for a model */ }
	const stream = (events) => ['text/event-stream', events];
	if (p.endsWith('/v1/messages')) {
		if (req.stream) return stream(anthropic(req, body));
		return json({ id: 'msg_1', type: 'message', role: 'assistant', model: req.model, content: [{ type: 'text', text: words(body).join('') }],
			stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 11, output_tokens: 7 } });
	}
	if (p.endsWith('/count_tokens')) return json({ input_tokens: 11 });
	if (p.endsWith('/responses'))
		return stream(responses(req, body).map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`));
	if (p.endsWith('/chat/completions')) {
		if (req.stream) return stream(chat(req, body));
		return json({ id: 'c1', object: 'chat.completion', created: 1, model: req.model, choices: [{ index: 0, finish_reason: 'stop',
			message: { role: 'assistant', content: words(body).join('') } }], usage: { prompt_tokens: 19, completion_tokens: 7, total_tokens: 26 } });
	}
	const model = /models\/([^:/]+):(\w+)/.exec(p);
	if (model && model[2] === 'streamGenerateContent')
		return stream(gemini(model[1], body, req).map((o) => 'data: ' + JSON.stringify(o) + '\r\n\r\n'));
	if (model && model[2] === 'countTokens') return json({ totalTokens: 19 });
	if (model) return json(gemini(model[1], body, req).pop());
	if (p.endsWith('/models')) return json({ object: 'list', data: [{ id: 'local', object: 'model', created: 1, owned_by: 'local' }], models: [] });
	return json({ ok: true });
}

async function handle(req, res) {
	const raw = [];
	for await (const c of req) raw.push(c);
	let body = Buffer.concat(raw);
	const decode = decoders[req.headers['content-encoding']];
	if (decode) body = decode(body);
	const [type, pieces] = answer(req.url, body.toString());
	const enc = (req.headers['accept-encoding'] || '').includes(wantEncoding) && encoders[wantEncoding] ? wantEncoding : null;
	res.writeHead(200, { 'content-type': type, ...(enc ? { 'content-encoding': enc } : {}) });
	log({ protocol: 'HTTP/' + req.httpVersion, method: req.method, path: req.url, host: req.headers[':authority'] || req.headers.host,
		agent: req.headers['user-agent'], encoding: enc, request_sha: sha(body), request_len: body.length, answer_sha: sha(pieces.join('')),
		answer_len: req.method === 'HEAD' ? 0 : Buffer.byteLength(pieces.join('')), streamed: type === 'text/event-stream' });
	const to = enc ? encoders[enc]() : res;
	if (enc) to.pipe(res);
	for (const piece of pieces) {
		to.write(piece);
		if (enc) to.flush();
		await new Promise((r) => setTimeout(r, 5));
	}
	to.end();
}

function socket(server) {
	const wss = new WebSocketServer({ server, perMessageDeflate: true });
	wss.on('connection', (ws, req) => {
		ws.on('message', (data) => {
			const text = data.toString();
			log({ protocol: 'websocket', path: req.url, request_sha: sha(data), request_len: data.length });
			let msg = {};
			try { msg = JSON.parse(text); } catch { return; }
			if (msg.type === 'response.create')
				for (const e of responses(msg, text)) ws.send(JSON.stringify(e));
		});
	});
}

const options = { key: fs.readFileSync(path.join(dir, 'key.pem')), cert: fs.readFileSync(path.join(dir, 'cert.pem')), allowHTTP1: true };
const server = http2.createSecureServer(options, (req, res) => handle(req, res).catch((e) => log({ error: e.stack })));
socket(server);
server.listen(0, '127.0.0.1', () => fs.writeFileSync(path.join(dir, 'port'), String(server.address().port)));
