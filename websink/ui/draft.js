// draft.js - an answer while it is still being given: the text so far, from the pieces of its body
//
// What ssemerge(1) makes of all vendors' streams comes when they end; until then this is enough to
// read along. Pieces may be cut anywhere.

export class Draft {
	constructor(id, at, pid) {
		Object.assign(this, { id, at, pid, last: at, text: '', thinking: '', tools: [], model: '', done: false, rest: '' });
	}

	piece(ev, at) {
		this.last = at;
		if (ev.last) this.done = true;
		if (typeof ev.data !== 'string') return;
		this.rest += ev.data;
		const lines = this.rest.split(/\r\n|\n|\r/);
		this.rest = lines.pop();
		for (const line of lines) this.line(line);
		if (this.rest.length > 4 << 20) this.rest = '';
	}

	line(line) {
		const text = line.startsWith('data:') ? line.slice(5) : line.startsWith('{') ? line : '';
		if (!text.includes('{')) return;
		let data;
		try { data = JSON.parse(text); } catch { return; }
		if (data && typeof data === 'object') this.take(data.response && !data.type ? data.response : data);
	}

	tool(name) { this.tools.push({ name: String(name || ''), text: '' }); }
	argument(text) {
		if (typeof text !== 'string') return;
		if (!this.tools.length) this.tool('');
		this.tools[this.tools.length - 1].text += text;
	}
	add(kind, text) { if (typeof text === 'string') this[kind] += text; }

	take(d) {
		const model = d.model || d.modelVersion || d.message?.model || d.response?.model;
		if (typeof model === 'string') this.model = model;
		this.anthropic(d);
		this.openai(d);
		this.google(d);
		// Ollama
		if (d.message && typeof d.message.content === 'string') this.add('text', d.message.content);
		if (typeof d.response === 'string') this.add('text', d.response);
	}

	anthropic(d) {
		if (d.type === 'content_block_start' && /tool_use$/.test(d.content_block?.type)) this.tool(d.content_block.name);
		if (d.type !== 'content_block_delta') return;
		this.add('text', d.delta?.text);
		this.add('thinking', d.delta?.thinking);
		if (d.delta?.partial_json != null) this.argument(d.delta.partial_json);
	}

	openai(d) {
		const delta = d.choices?.[0]?.delta;
		if (delta) {
			this.add('text', delta.content);
			this.add('thinking', delta.reasoning_content ?? delta.reasoning);
			for (const t of delta.tool_calls || []) {
				if (t.function?.name) this.tool(t.function.name);
				this.argument(t.function?.arguments);
			}
		}
		if (d.type === 'response.output_text.delta') this.add('text', d.delta);
		if (/^response\.reasoning.*\.delta$/.test(d.type)) this.add('thinking', d.delta);
		if (d.type === 'response.output_item.added' && /call$/.test(d.item?.type)) this.tool(d.item.name || d.item.type);
		if (d.type === 'response.function_call_arguments.delta') this.argument(d.delta);
	}

	google(d) {
		for (const p of d.candidates?.[0]?.content?.parts || []) {
			this.add(p.thought ? 'thinking' : 'text', p.text);
			if (p.functionCall) { this.tool(p.functionCall.name); this.argument(JSON.stringify(p.functionCall.args)); }
		}
	}
}
