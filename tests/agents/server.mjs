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
	const all = text.match(/MARK-[0-9a-z]+/g) || ['MARK-none'];
	return ['You said ', all[all.length - 1], ', indeed. \u6f22\u5b57'];
}

function anthropic(req, text) {
	const out = [], w = words(text);
	const ev = (type, o) => out.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...o })}\n\n`);
	ev('message_start', { message: { id: 'msg_' + sha(text).slice(0, 12), type: 'message', role: 'assistant', model: req.model,
		content: [], stop_reason: null, stop_sequence: null,
		usage: { input_tokens: 11, cache_creation_input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 1 } } });
	ev('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
	ev('ping', {});
	for (const t of w) ev('content_block_delta', { index: 0, delta: { type: 'text_delta', text: t } });
	ev('content_block_stop', { index: 0 });
	ev('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } });
	ev('message_stop', {});
	return out;
}

function responses(req, text) {
	const out = [], w = words(text), id = 'resp_' + sha(text).slice(0, 12);
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
	ev('response.completed', { response: { ...base, status: 'completed', output: [item], usage: { input_tokens: 19,
		input_tokens_details: { cached_tokens: 5 }, output_tokens: 7, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 26 } } });
	return out;
}

function chat(req, text) {
	const out = [], base = { id: 'chatcmpl-' + sha(text).slice(0, 12), object: 'chat.completion.chunk', created: 1, model: req.model };
	const ev = (delta, finish_reason = null, more = {}) =>
		out.push('data: ' + JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason }], ...more }) + '\n\n');
	ev({ role: 'assistant', content: '' });
	for (const t of words(text)) ev({ content: t });
	ev({}, 'stop', { usage: { prompt_tokens: 19, completion_tokens: 7, total_tokens: 26, prompt_tokens_details: { cached_tokens: 5 } } });
	out.push('data: [DONE]\n\n');
	return out;
}

function gemini(model, text) {
	return words(text).map((t, i, all) => ({ candidates: [{ content: { role: 'model', parts: [{ text: t }] }, index: 0,
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
		return stream(gemini(model[1], body).map((o) => 'data: ' + JSON.stringify(o) + '\r\n\r\n'));
	if (model && model[2] === 'countTokens') return json({ totalTokens: 19 });
	if (model) return json(gemini(model[1], body).pop());
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
