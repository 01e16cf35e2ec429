// mcp.mjs - the Model Context Protocol as its own SDK speaks it
//
//	node mcp.mjs stdio MODULES		a server on standard input and output
//	node mcp.mjs http MODULES CERT KEY	a server of streamable HTTP, prints its port
//	node mcp.mjs plain MODULES		the same without TLS
//	node mcp.mjs client MODULES CERT URL	asks both kinds; waits for a line, then prints
//						one JSON line per call, as the SDK saw it
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const [role, modules, cert, last] = process.argv.slice(2);
const sdk = (p) => import(pathToFileURL(path.join(modules, '@modelcontextprotocol/sdk/dist/esm', p)));
const { z } = await import(pathToFileURL(path.join(modules, 'zod/index.js')));
const { McpServer } = await sdk('server/mcp.js');

function tools(name) {
	const s = new McpServer({ name, version: '1.2.3' }, { capabilities: { logging: {} } });
	s.registerTool('add', { inputSchema: { n: z.array(z.number()) } }, async ({ n }) => ({
		content: [{ type: 'text', text: String(n.reduce((a, b) => a + b, 0)) }] }));
	s.registerTool('slow', { inputSchema: { ms: z.number() } }, async ({ ms }, extra) => {
		await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'é working' } });
		await new Promise((go) => setTimeout(go, ms));
		return { content: [{ type: 'text', text: 'done' }] };
	});
	s.registerTool('broken', {}, async () => { throw new Error('it broke'); });
	s.registerResource('readme', 'file:///readme', {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'read me' }] }));
	s.registerPrompt('greet', { argsSchema: { who: z.string() } }, ({ who }) => ({
		messages: [{ role: 'user', content: { type: 'text', text: `Hello ${who}` } }] }));
	return s;
}

async function web() {
	const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
	const sessions = new Map();
	const make = role === 'plain' ? (f) => http.createServer(f) : (f) => https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(last) }, f);
	const server = make(async (req, res) => {
		let t = sessions.get(req.headers['mcp-session-id']);
		if (!t) {
			// one kind of answer per path: an event stream, or JSON
			t = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, enableJsonResponse: req.url === '/json',
				onsessioninitialized: (id) => sessions.set(id, t) });
			await tools(`http${req.url}`).connect(t);
		}
		await t.handleRequest(req, res);
	});
	server.listen(0, '127.0.0.1', () => console.log(server.address().port));
	process.on('SIGTERM', () => process.exit(0));
}

async function calls(client, where) {
	const tell = async (method, what, call) => {
		const out = await call.then((result) => ({ result }), (e) => ({ code: String(e.code) }));
		console.log(JSON.stringify({ where, method, what, ...out }));
	};
	await tell('tools/list', null, client.listTools());
	await Promise.all([
		tell('tools/call', 'slow', client.callTool({ name: 'slow', arguments: { ms: 60 } })),
		tell('tools/call', 'add', client.callTool({ name: 'add', arguments: { n: Array(5000).fill(3) } })),
		tell('tools/call', 'add', client.callTool({ name: 'add', arguments: { n: [1, 2] } }))]);
	await tell('tools/call', 'broken', client.callTool({ name: 'broken', arguments: {} }));
	await tell('resources/read', 'file:///readme', client.readResource({ uri: 'file:///readme' }));
	await tell('prompts/get', 'greet', client.getPrompt({ name: 'greet', arguments: { who: 'Jürgen' } }));
	await tell('resources/read', 'file:///none', client.readResource({ uri: 'file:///none' }));
	await tell('ping', null, client.ping());
	await client.close();
}

async function client() {
	const { Client } = await sdk('client/index.js');
	const { StdioClientTransport } = await sdk('client/stdio.js');
	const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp.js');
	console.log('ready');
	await once(process.stdin, 'data');
	const open = async (t) => {
		const c = new Client({ name: 'tester', version: '0' });
		await c.connect(t);
		return c;
	};
	const stdio = () => open(new StdioClientTransport({ command: process.execPath, args: [process.argv[1], 'stdio', modules] }));
	// two servers of one client, at once
	await Promise.all([stdio().then((c) => calls(c, 'stdio')), stdio().then((c) => calls(c, 'stdio'))]);
	await calls(await open(new StreamableHTTPClientTransport(new URL('/sse', last))), 'http/sse');
	await calls(await open(new StreamableHTTPClientTransport(new URL('/json', last))), 'http/json');
	process.exit(0);
}

if (role === 'client') await client();
else if (role === 'http' || role === 'plain') await web();
else await tools('stdio').connect(new (await sdk('server/stdio.js')).StdioServerTransport());
