// accumulate.mjs - what the vendors' SDKs make of recorded streams
//
//	node accumulate.mjs MODULES DATADIR URL
//
// For each DATADIR/NAME.json that names an SDK ("sdk"), asks the server at URL
// for the recorded answer NAME; prints {"name":NAME,"message":...} per line,
// message being what the SDK accumulated, without what only the SDK adds. Where
// the SDK fails, as it should on an error in the stream, message is what it had
// by then, and {"error":...} what it threw. SDKs that do not accumulate give
// {"name":NAME,"sum":...}: what their chunks say, put together in the few lines
// that any of their users writes.
//
// Waits for a line on standard input before the first request.
import fs from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

const [modules, dir, url] = process.argv.slice(2);
const load = (p) => import(pathToFileURL(path.join(modules, p)));
const { default: Anthropic } = await load('@anthropic-ai/sdk/index.mjs');
const { default: OpenAI } = await load('openai/index.mjs');
const { GoogleGenAI } = await load('@google/genai/dist/node/index.mjs');
const { Ollama } = await load('ollama/dist/index.mjs');
const { Mistral } = await load('@mistralai/mistralai/esm/index.js');

const messages = [{ role: 'user', content: 'x' }];
const options = (headers, base) => ({ apiKey: 'k', maxRetries: 0, baseURL: url + base, defaultHeaders: headers });
const anthropic = (h) => new Anthropic(options(h, ''));
const openai = (h) => new OpenAI(options(h, '/v1'));
const ask = { model: 'm', max_tokens: 1, messages };
const streams = {
	'anthropic': (h) => anthropic(h).messages.stream(ask),
	'anthropic-beta': (h) => anthropic(h).beta.messages.stream(ask),
	'openai-chat': (h) => openai(h).chat.completions.stream({ model: 'm', messages }),
	'openai-responses': (h) => openai(h).responses.stream({ model: 'm', input: 'x' }),
};
const last = { 'openai-chat': 'finalChatCompletion', 'openai-responses': 'finalResponse' };
const current = { 'openai-chat': 'currentChatCompletionSnapshot' };

// leave: hang up when that many of the stream's own events have come.
async function accumulate(sdk, headers, leave) {
	const stream = streams[sdk](headers);
	let snapshot, events = 0;
	if (leave) {
		stream.on(sdk.startsWith('anthropic') ? 'streamEvent' : sdk === 'openai-chat' ? 'chunk' : 'event', () => {
			if (++events !== leave) return;
			snapshot = structuredClone(stream.currentMessage ?? stream[current[sdk]]);
			stream.abort();
		});
	}
	try {
		return { message: await stream[last[sdk] ?? 'finalMessage']() };
	} catch (e) {
		return { message: snapshot ?? stream.currentMessage ?? stream[current[sdk]], error: leave ? undefined : e.error ?? { message: e.message } };
	}
}

async function gemini(headers) {
	const ai = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url, headers } });
	const sum = { text: '', calls: [], usage: null, finish: null };
	for await (const c of await ai.models.generateContentStream({ model: 'gemini', contents: 'x' })) {
		for (const p of c.candidates?.[0]?.content?.parts ?? []) {
			if (p.functionCall) sum.calls.push(p.functionCall);
			else if (!p.thought) sum.text += p.text ?? '';
		}
		sum.usage = c.usageMetadata ?? sum.usage;
		sum.finish = c.candidates?.[0]?.finishReason ?? sum.finish;
	}
	return { sum };
}

async function ollama(headers) {
	const sum = { text: '', calls: [], thinking: '' };
	for await (const c of await new Ollama({ host: url, headers }).chat({ model: 'm', messages, stream: true })) {
		sum.text += c.message.content;
		sum.thinking += c.message.thinking ?? '';
		sum.calls.push(...(c.message.tool_calls ?? []));
		if (c.done) Object.assign(sum, { reason: c.done_reason, input: c.prompt_eval_count, output: c.eval_count });
	}
	return { sum };
}

// Text, and what was thought, of a content that is text or a list of chunks.
function chunks(sum, content) {
	if (typeof content === 'string') sum.text += content;
	for (const c of Array.isArray(content) ? content : typeof content === 'object' && content ? [content] : []) {
		if (c.type === 'text') sum.text += c.text;
		else if (c.type === 'thinking') for (const t of c.thinking) sum.thinking += t.text ?? '';
		else sum.others++;
	}
}

async function mistral(headers) {
	const client = new Mistral({ apiKey: 'k', serverURL: url, retryConfig: { strategy: 'none' } });
	const sum = { text: '', thinking: '', others: 0, calls: [], finish: null, input: null, output: null };
	for await (const { data } of await client.chat.stream({ model: 'm', messages }, { headers })) {
		const c = data.choices[0];
		chunks(sum, c?.delta.content);
		for (const t of c?.delta.toolCalls ?? []) {
			const call = sum.calls.find((x) => x.id === t.id);
			if (call) call.arguments += t.function.arguments;
			else sum.calls.push({ id: t.id, name: t.function.name, arguments: t.function.arguments });
		}
		sum.finish = c?.finishReason ?? sum.finish;
		if (data.usage) Object.assign(sum, { input: data.usage.promptTokens, output: data.usage.completionTokens });
	}
	return { sum };
}

async function conversation(headers) {
	const client = new Mistral({ apiKey: 'k', serverURL: url, retryConfig: { strategy: 'none' } });
	const sum = { text: '', thinking: '', others: 0, calls: [], id: null, input: null, output: null };
	for await (const { data } of await client.beta.conversations.startStream({ model: 'm', inputs: 'x' }, { headers })) {
		if (data.type === 'conversation.response.started') sum.id = data.conversationId;
		else if (data.type === 'message.output.delta') chunks(sum, data.content);
		else if (data.type === 'function.call.delta') {
			const call = sum.calls.find((x) => x.id === data.toolCallId);
			if (call) call.arguments += data.arguments;
			else sum.calls.push({ id: data.toolCallId, name: data.name, arguments: data.arguments });
		} else if (data.type === 'conversation.response.done') Object.assign(sum, { input: data.usage.promptTokens, output: data.usage.completionTokens });
	}
	return { sum };
}

async function interactions(headers) {
	const ai = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url, headers } });
	const sum = { text: '', calls: [], thoughts: '', status: null, input: null, output: null }, steps = [];
	const stream = await ai.interactions.create({ model: 'gemini', input: 'x', stream: true }, { headers, maxRetries: 0 });
	for await (const e of stream) {
		if (e.event_type === 'step.start') steps[e.index] = { ...e.step, text: '' };
		if (e.event_type === 'step.delta') {
			const s = steps[e.index];
			if (e.delta.type === 'text') sum.text += e.delta.text;
			else if (e.delta.type === 'thought_summary') sum.thoughts += e.delta.content.text;
			else if (e.delta.type === 'arguments_delta') s.text += e.delta.arguments;
		}
		if (e.interaction) Object.assign(sum, { status: e.interaction.status, input: e.interaction.usage?.total_input_tokens ?? null, output: e.interaction.usage?.total_output_tokens ?? null });
	}
	sum.calls = steps.filter((s) => s.type === 'function_call').map((s) => ({ name: s.name, arguments: s.text ? JSON.parse(s.text) : {} }));
	return { sum };
}

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

async function run(name, sdk, leave) {
	const headers = { 'x-recorded': name, ...(leave ? { 'x-events': String(leave) } : {}) };
	if (sdk === 'gemini') return gemini(headers);
	if (sdk === 'ollama') return ollama(headers);
	if (sdk === 'mistral') return mistral(headers);
	if (sdk === 'conversations') return conversation(headers);
	if (sdk === 'interactions') return interactions(headers);
	const { message, error } = await accumulate(sdk, headers, leave);
	return { message: message && strip(message, sdk), error };
}

console.log('ready');
await once(process.stdin, 'data');
for (const file of fs.readdirSync(dir).filter((f) => f.endsWith('.json')).sort()) {
	const { sdk, leave } = JSON.parse(fs.readFileSync(path.join(dir, file)));
	if (!sdk) continue;
	const name = file.slice(0, -5);
	for (const n of [0, ...(leave ? [leave] : [])]) {
		try {
			console.log(JSON.stringify({ name, leave: n, ...await run(name, sdk, n) }));
		} catch (e) {
			console.log(JSON.stringify({ name, leave: n, error: { message: String(e) } }));
		}
	}
}
process.exit(0);
