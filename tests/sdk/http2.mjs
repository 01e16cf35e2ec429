// http2.mjs - an HTTP/2 server that does what servers may do, and a client of it
//
//	node http2.mjs server CERT KEY	prints its port; then one JSON line per exchange, the truth
//	node http2.mjs client URL CERT
import crypto from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import zlib from 'node:zlib';

const [role, ...args] = process.argv.slice(2);
const sha = (b) => crypto.createHash('sha256').update(b).digest('hex');
const settings = { maxHeaderListSize: 1 << 18 };
const events = Buffer.from(Array.from({ length: 300 }, (_, i) => `data: {"n":${i},"é":"${'x'.repeat(i)}"}\n\n`).join(''));

async function read(stream) {
	const parts = [];
	for await (const c of stream) parts.push(c);
	return Buffer.concat(parts);
}

const routes = {
	// The body comes back, its hash behind it.
	'/echo'(s, body) {
		s.respond({ ':status': 200, 'content-type': 'application/octet-stream' }, { waitForTrailers: true });
		s.on('wantTrailers', () => s.sendTrailers({ 'x-sha256': sha(body) }));
		s.end(body);
		return body;
	},
	// Events, compressed, flushed one by one.
	'/events'(s) {
		s.respond({ ':status': 200, 'content-type': 'text/event-stream', 'content-encoding': 'br' });
		const z = zlib.createBrotliCompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
		z.pipe(s);
		for (let at = 0; at < events.length; at += 1000) z.write(events.subarray(at, at + 1000));
		z.end();
		return events;
	},
	'/early'(s) {
		s.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
		s.respond({ ':status': 200, 'content-type': 'text/plain', 'x-long': 'v'.repeat(40000) });
		s.end('late');
		return Buffer.from('late');
	},
	'/push'(s) {
		if (s.pushAllowed)
			s.pushStream({ ':path': '/pushed' }, (e, p) => { p.respond({ ':status': 200 }); p.end('pushed'); });
		s.respond({ ':status': 200 });
		s.end('asked');
		return Buffer.from('asked');
	},
	'/reset'(s) {
		s.respond({ ':status': 200, 'content-type': 'text/event-stream' });
		s.write('data: 1\n\n', () => setTimeout(() => s.destroy(new Error('reset')), 20));
		return null;
	},
	'/nothing'(s) {
		s.respond({ ':status': 204 }, { endStream: true });
		return Buffer.alloc(0);
	},
	'/last'(s) {
		s.respond({ ':status': 200 });
		s.end('bye');
		s.on('finish', () => s.session?.close());
		return Buffer.from('bye');
	},
};

function serve(cert, key) {
	const server = http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key), settings });
	server.on('stream', async (s, h) => {
		s.on('error', () => {});
		const body = await read(s).catch(() => Buffer.alloc(0));
		const path = h[':path'].split('?')[0];
		const out = routes[path](s, body);
		console.log(JSON.stringify({ name: h['x-name'], path, request: sha(body), response: out && sha(out) }));
	});
	server.on('sessionError', () => {});
	server.listen(0, '127.0.0.1', () => console.log(server.address().port));
	process.on('SIGTERM', () => process.exit(0));
}

async function ask(session, path, body, headers = {}) {
	const s = session.request({ ':path': path, ':method': body ? 'POST' : 'GET', 'x-name': `node${path}`, ...headers });
	s.on('error', () => {});
	s.end(body);
	return read(s).catch(() => null);
}

async function client(url, cert) {
	const session = http2.connect(url, { ca: fs.readFileSync(cert), settings: { enablePush: true, ...settings } });
	session.on('stream', (s) => s.resume());
	session.on('error', () => {});
	const big = crypto.createHash('shake256', { outputLength: 3000000 }).update('x').digest();
	await Promise.all([ask(session, '/echo', big), ask(session, '/events'), ask(session, '/early'), ask(session, '/push'),
		ask(session, '/reset'), ask(session, '/nothing'), ask(session, '/echo?small', 'small')]);
	await ask(session, '/events', undefined, { 'x-name': 'node/again', 'x-long': 'w'.repeat(30000) });
	await ask(session, '/last');
	session.close();
}

if (role === 'server') serve(...args);
else await client(...args);
