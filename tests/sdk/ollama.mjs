// ollama.mjs - a local model server's own client, without TLS
//
//	node ollama.mjs MODULES URL	waits for a line, then asks, and prints what it got
import path from 'node:path';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

const [modules, host] = process.argv.slice(2);
const { Ollama } = await import(pathToFileURL(path.join(modules, 'ollama/dist/index.mjs')));
const client = new Ollama({ host });
const ask = (content, stream) => client.chat({ model: 'llama3', messages: [{ role: 'user', content }], stream });
console.log('ready');
await once(process.stdin, 'data');
for (let i = 0; i < 3; i++) {
	const whole = await ask('question ' + i, false);
	console.log(JSON.stringify({ asked: 'question ' + i, said: whole.message.content, output: whole.eval_count, stream: false }));
	let said = '', output;
	for await (const part of await ask('stream ' + i, true)) {
		said += part.message.content;
		output = part.eval_count ?? output;
	}
	console.log(JSON.stringify({ asked: 'stream ' + i, said, output, stream: true }));
}
process.exit(0);
