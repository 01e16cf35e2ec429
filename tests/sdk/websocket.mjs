// websocket.mjs - OpenAI's own client speaks Responses over a WebSocket
//
//	node websocket.mjs MODULES CERT KEY DATADIR
//
// Both ends are here: a server made with ws (permessage-deflate), which plays
// recorded streams, and the SDK's ResponsesWS. Waits for a line, then prints one
// JSON line per turn: what was asked and the response that the SDK handed out.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

const [modules, cert, key, dir] = process.argv.slice(2);
const load = (p) => import(pathToFileURL(path.join(modules, p)));
const { default: OpenAI } = await load('openai/index.mjs');
const { ResponsesWS } = await load('openai/resources/responses/ws.mjs');
const { WebSocketServer } = await load('ws/wrapper.mjs');

const played = (name) => fs.readFileSync(path.join(dir, `${name}.body`), 'utf8').split('\n')
	.filter((l) => l.startsWith('data: ')).map((l) => JSON.parse(l.slice(6)));

// Answers turn N with its own response id; model says which recording to play.
function answer(socket, data, turn) {
	const { model, previous_response_id: before } = JSON.parse(data);
	for (const e of played(model)) {
		if (e.response) Object.assign(e.response, { id: `resp_turn_${turn}`, previous_response_id: before ?? null });
		socket.send(JSON.stringify(e));
		if (turn === 2) socket.ping('still there');
	}
}

const deflate = [{ threshold: 0 }, { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true }, false];
const turns = [['responses-text', 'one'], ['responses-incomplete', 'two'], ['responses-text', 'x'.repeat(70000)], ['responses-failed', 'four']];

async function talk(perMessageDeflate) {
	const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
	const sockets = new WebSocketServer({ server, perMessageDeflate });
	let turn = 0;
	sockets.on('connection', (s) => s.on('message', (d) => answer(s, d, ++turn)));
	await new Promise((go) => server.listen(0, '127.0.0.1', go));
	const client = new OpenAI({ apiKey: 'k', baseURL: `https://localhost:${server.address().port}/v1` });
	const ws = new ResponsesWS(client, { ca: fs.readFileSync(cert), perMessageDeflate });
	ws.on('error', () => {});
	let before;
	for (const [model, input] of turns) {
		const end = new Promise((done) => ws.on('event', (e) => /^response\.(completed|incomplete|failed)$/.test(e.type) && done(e.response)));
		ws.send({ type: 'response.create', model, input, ...(before ? { previous_response_id: before } : {}) });
		const message = await end;
		console.log(JSON.stringify({ input, before: before ?? null, message }));
		before = message.id;
	}
	ws.close();
	await new Promise((done) => setTimeout(done, 100));
	sockets.close();
	server.close();
}

console.log('ready');
await once(process.stdin, 'data');
for (const d of deflate) await talk(d);
process.exit(0);
