// source.js - where the event lines come from: this server, or the page itself
//
// A source calls take(id, event) for each line, in order, and status({...}) when something about it
// changes: state (loading, live, ended, lost), missed, error.

const SLICE_MS = 12;	// of parsing, before the page may draw again

const pause = () => new Promise((go) => setTimeout(go, 0));

// Takes server-sent events apart. Pieces are cut anywhere.
export class EventStream {
	constructor() { this.rest = ''; this.id = 0; }
	*push(text) {
		const all = this.rest ? this.rest + text : text;
		let from = 0;
		for (;;) {
			const end = all.indexOf('\n\n', from);
			if (end < 0) break;
			const block = all.slice(from, end);
			from = end + 2;
			const out = this.block(block);
			if (out) yield out;
		}
		this.rest = all.slice(from);
	}
	block(block) {
		const at = block.indexOf('\ndata: ');
		if (at < 0) return null;
		let name = 'message';
		for (const line of block.slice(0, at).split('\n')) {
			if (line.startsWith('id: ')) this.id = Number(line.slice(4));
			else if (line.startsWith('event: ')) name = line.slice(7);
		}
		return { name, id: this.id, data: block.slice(at + 7) };
	}
}

function parse(line) {
	try { return JSON.parse(line); } catch { return null; }
}

export class LiveSource {
	constructor() { this.last = 0; this.can = { match: true, whole: true, ask: true }; this.name = ''; }

	async run(take, status) {
		let tries = 0, missed = 0;
		for (;;) {
			try {
				const reply = await fetch(`api/v1/events?preview=1&after=${this.last}`, { cache: 'no-store' });
				if (reply.status === 401) return status({ state: 'lost', error: 'This server does not know this browser. Open the address that websink printed when it started.' });
				if (!reply.ok) throw new Error(`status ${reply.status}`);
				tries = 0;
				const ended = await this.read(reply.body, take, status, (n) => status({ missed: missed += n }));
				if (ended) return status({ state: 'ended' });
			} catch (e) {
				if (++tries > 20) return status({ state: 'lost', error: 'The server is gone.' });
			}
			status({ state: 'lost', error: 'The connection is lost; trying again.' });
			await new Promise((go) => setTimeout(go, Math.min(5000, 250 * 2 ** tries)));
		}
	}

	async read(body, take, status, gap) {
		const reader = body.getReader(), decoder = new TextDecoder(), events = new EventStream();
		let began = performance.now(), target = Infinity;
		const info = await this.info();
		if (info) { target = info.next_id - 1; this.name = info.source; status({ info }); }
		status({ state: this.last >= target ? 'live' : 'loading' });
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return false;
			for (const e of events.push(decoder.decode(value, { stream: true }))) {
				if (e.name === 'end') return true;
				if (e.name === 'gap') { this.last = e.id; gap(Number(e.data)); continue; }
				this.last = e.id;
				take(e.id, parse(e.data));
				if (performance.now() - began > SLICE_MS) { await pause(); began = performance.now(); }
			}
			if (this.last >= target) { target = Infinity; status({ state: 'live' }); }
		}
	}

	async get(path) {
		const reply = await fetch('api/v1/' + path, { cache: 'no-store' });
		const data = await reply.json().catch(() => ({ error: `status ${reply.status}` }));
		if (!reply.ok) throw Object.assign(new Error(data.error || `status ${reply.status}`), { at: data.at });
		return data;
	}
	info() { return this.get('info').catch(() => null); }
	whole(id) { return this.get(`event/${id}`); }
	match(expr, after) { return this.get(`match?expr=${encodeURIComponent(expr)}&after=${after}`); }
}

// The lines within the page, behind a report of agentsight.
export class PageSource {
	constructor(element) {
		this.element = element;
		this.name = element.dataset.source || 'report';
		this.can = { match: false, whole: false, ask: false };
	}

	async run(take, status) {
		const text = this.element.textContent;
		let began = performance.now(), id = 0;
		status({ state: 'loading', info: { prices: parse(document.getElementById('prices')?.textContent || '[]') } });
		for (let from = 0; from < text.length;) {
			let end = text.indexOf('\n', from);
			if (end < 0) end = text.length;
			const line = text.slice(from, end);
			from = end + 1;
			if (!line.trim()) continue;
			take(++id, parse(line));
			if (performance.now() - began > SLICE_MS) { await pause(); began = performance.now(); }
		}
		this.element.remove();
		status({ state: 'report' });
	}
}

export function findSource() {
	const element = document.getElementById('events');
	return element ? new PageSource(element) : new LiveSource();
}
