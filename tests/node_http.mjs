// node_http.mjs - node's http as client and as server, and the bytes between them
//
//	node node_http.mjs SEED N
//
// Makes N exchanges that SEED chooses, on a few connections that are kept. Prints one
// JSON line: {"asked":[...],"answered":[...],"conns":[[["W"|"R",base64],...],...]}: what
// the server was asked, what the client was answered, and the bytes of each connection
// as a proxy saw them.
import http from 'node:http';
import net from 'node:net';
import zlib from 'node:zlib';
import { once } from 'node:events';

const [seed, n] = process.argv.slice(2).map(Number);
let state = seed >>> 0;
const random = (k) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * k); };
const pick = (list) => list[random(list.length)];
const bytes = (k) => Buffer.from(Array.from({ length: random(k) }, () => random(256)));
const raw = (list) => Object.entries(list.reduce((o, v, i) => { if (i % 2) (o[list[i - 1].toLowerCase()] ??= []).push(v); return o; }, {}));

const asked = [], answered = [], conns = [];
const coded = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync };
const plan = new Map();

async function all(stream) {
	const parts = [];
	for await (const c of stream) parts.push(c);
	return Buffer.concat(parts);
}

// A body in pieces, with or without its length, coded or not, with trailers when it may have them.
function send(message, p) {
	const body = p.coding ? coded[p.coding](p.body) : p.body;
	if (p.coding) message.setHeader('Content-Encoding', p.coding);
	if (!p.chunked) message.setHeader('Content-Length', body.length);
	else if (p.trailers) message.setHeader('Trailer', 'X-Sum');
	for (const h of p.headers) message.appendHeader?.(h[0], h[1]) ?? message.setHeader(h[0], h[1]);
	for (let at = 0; at < body.length; at += p.piece) message.write(body.subarray(at, at + p.piece));
	if (p.chunked && p.trailers) message.addTrailers({ 'X-Sum': String(body.length) });
	message.end();
}

const shape = () => ({ body: bytes(300), coding: pick([undefined, undefined, 'gzip', 'deflate', 'br']), chunked: random(2) === 1, trailers: random(3) === 0,
	piece: 1 + random(120), headers: Array.from({ length: random(4) }, () => [pick(['X-A', 'x-b', 'X-Long']), pick(['', ' 1 ', 'a, b', 'caf\u00e9', 'x'.repeat(random(3000))])]) });

async function answer(req, res) {
	const p = plan.get(req.headers['x-n']);
	if (p.early) res.writeEarlyHints({ link: '</a>; rel=preload' });
	const body = p.asked.chunked || p.asked.body.length || req.method === 'POST' ? await all(req) : Buffer.alloc(0);
	asked.push({ n: req.headers['x-n'], method: req.method, path: req.url, headers: raw(req.rawHeaders), trailers: raw(req.rawTrailers), body: body.toString('base64') });
	res.statusCode = p.status;
	if (p.status === 204 || p.status === 304 || req.method === 'HEAD') res.end();
	else send(res, p.answered);
}

const server = http.createServer(answer);
server.on('checkContinue', (req, res) => { res.writeContinue(); answer(req, res); });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const proxy = net.createServer((a) => {
	const b = net.connect(server.address().port, '127.0.0.1'), log = [];
	conns.push(log);
	a.on('data', (c) => { log.push(['W', c.toString('base64')]); b.write(c); }).on('end', () => b.end()).on('error', () => b.destroy());
	b.on('data', (c) => { log.push(['R', c.toString('base64')]); a.write(c); }).on('end', () => a.end()).on('error', () => a.destroy());
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');

async function ask(i, agent) {
	const q = shape(), method = pick(['GET', 'POST', 'PUT', 'PATCH', 'HEAD', 'DELETE', 'OPTIONS', 'SEARCH', 'PROPFIND', ...(http.METHODS.includes('QUERY') ? ['QUERY'] : [])]);
	const status = pick([200, 200, 200, 201, 204, 304, 400, 404, 429, 500, 529]);
	const bare = method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'OPTIONS';
	if (bare) Object.assign(q, { body: Buffer.alloc(0), coding: undefined, chunked: false, trailers: false });
	plan.set(String(i), { asked: q, answered: shape(), status, early: random(5) === 0 });
	const expect = !bare && random(6) === 0;
	const req = http.request({ port: proxy.address().port, host: '127.0.0.1', agent, method, path: pick(['/', '/v1/x?a=1&b=%20', '*', '/caf%C3%A9']),
		headers: { 'X-N': String(i), ...(expect ? { Expect: '100-continue' } : {}), ...(expect && !q.chunked ? {} : {}) } });
	const back = once(req, 'response');
	if (expect) { req.flushHeaders(); await once(req, 'continue'); req.write(q.body); req.end(); q.coding = undefined; } else if (bare) req.end();
	else send(req, q);
	const [res] = await back, body = await all(res);
	answered.push({ n: String(i), status: res.statusCode, text: res.statusMessage, headers: raw(res.rawHeaders), trailers: raw(res.rawTrailers), body: body.toString('base64') });
}

const agents = Array.from({ length: 4 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
await Promise.all(agents.map(async (agent, k) => { for (let i = k; i < n; i += agents.length) await ask(i, agent); }));
for (const a of agents) a.destroy();
proxy.close();
server.close();
server.closeAllConnections();
console.log(JSON.stringify({ asked, answered, conns }));
