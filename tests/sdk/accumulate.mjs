// accumulate.mjs - what the vendors' SDKs make of recorded streams
//
//	node accumulate.mjs MODULES DATADIR
//
// For each DATADIR/NAME.json that names an SDK ("sdk"), NAME.body is given to
// that SDK as the answer to a request; prints {"name":NAME,"message":...} per
// line, message being what the SDK accumulated, without what only the SDK adds.
// SDKs that do not accumulate give {"name":NAME,"sum":...}: what their chunks
// say, put together in the few lines that any of their users writes.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, dir] = process.argv.slice(2);
const load = (p) => import(pathToFileURL(path.join(modules, p)));
const { default: Anthropic } = await load('@anthropic-ai/sdk/index.mjs');
const { default: OpenAI } = await load('openai/index.mjs');
const { GoogleGenAI } = await load('@google/genai/dist/node/index.mjs');
const { Ollama } = await load('ollama/dist/index.mjs');

// The body in pieces of 7 bytes, so that the SDK's own reader has work to do.
function answer(body, type) {
	let at = 0;
	const stream = new ReadableStream({
		pull(c) {
			if (at >= body.length) return c.close();
			c.enqueue(new Uint8Array(body.subarray(at, at += 7)));
		},
	});
	return new Response(stream, { status: 200, headers: { 'content-type': type } });
}

const messages = [{ role: 'user', content: 'x' }];
const sdks = {
	'anthropic': (o) => new Anthropic(o).messages.stream({ model: 'm', max_tokens: 1, messages }).finalMessage(),
	'anthropic-beta': (o) => new Anthropic(o).beta.messages.stream({ model: 'm', max_tokens: 1, messages }).finalMessage(),
	'openai-chat': (o) => new OpenAI(o).chat.completions.stream({ model: 'm', messages }).finalChatCompletion(),
	'openai-responses': (o) => new OpenAI(o).responses.stream({ model: 'm', input: 'x' }).finalResponse(),
};

async function gemini({ fetch }) {
	globalThis.fetch = fetch;
	const ai = new GoogleGenAI({ apiKey: 'k' });
	const sum = { text: '', calls: [], usage: null, finish: null };
	for await (const c of await ai.models.generateContentStream({ model: 'gemini', contents: 'x' })) {
		for (const p of c.candidates?.[0]?.content?.parts ?? []) {
			if (p.functionCall) sum.calls.push(p.functionCall);
			else if (!p.thought) sum.text += p.text;
		}
		sum.usage = c.usageMetadata ?? sum.usage;
		sum.finish = c.candidates?.[0]?.finishReason ?? sum.finish;
	}
	return { sum };
}

async function ollama({ fetch }) {
	const sum = { text: '', calls: [], thinking: '' };
	for await (const c of await new Ollama({ fetch }).chat({ model: 'm', messages, stream: true })) {
		sum.text += c.message.content;
		sum.thinking += c.message.thinking ?? '';
		sum.calls.push(...(c.message.tool_calls ?? []));
		if (c.done) Object.assign(sum, { reason: c.done_reason, input: c.prompt_eval_count, output: c.eval_count });
	}
	return { sum };
}

sdks.gemini = gemini;
sdks.ollama = ollama;

// Conveniences that no vendor's server sends.
function strip(m, sdk) {
	const o = JSON.parse(JSON.stringify(m));
	delete o.parsed_output;
	for (const b of o.content ?? []) delete b.parsed_output;
	for (const c of o.choices ?? []) delete c.message.parsed;
	if (sdk === 'openai-responses') {
		delete o.output_text;
		delete o.output_parsed;
		for (const i of o.output ?? []) {
			delete i.parsed_arguments;
			if (Array.isArray(i.content)) for (const c of i.content) delete c.parsed;
		}
	}
	return o;
}

for (const file of fs.readdirSync(dir).filter((f) => f.endsWith('.json')).sort()) {
	const meta = JSON.parse(fs.readFileSync(path.join(dir, file)));
	const name = file.slice(0, -5);
	if (!meta.sdk) continue;
	const body = fs.readFileSync(path.join(dir, name + '.body'));
	const fetch = async () => answer(body, meta.content_type);
	try {
		const m = await sdks[meta.sdk]({ apiKey: 'k', maxRetries: 0, fetch });
		console.log(JSON.stringify(m.sum ? { name, ...m } : { name, message: strip(m, meta.sdk) }));
	} catch (e) {
		console.log(JSON.stringify({ name, error: String(e) }));
	}
}
