// model.js - what is known of a run, from its event lines, one by one
//
// Knows no page. Times are milliseconds since 1970. An event that comes again, late or damaged
// may leave something out, but never throws.

const HOSTS = 4096;	// more are told as one
const EVENTS = 400000, LEAVE = 100000;	// when there are so many, the oldest leave the list of events: what they told stays

// One life of a process: a pid that comes again is another one.
class Life {
	constructor(pid, at) {
		Object.assign(this, {
			key: `${pid}-${Math.round(at)}`, pid, ppid: 0, parent: null, children: [], comm: '', argv: null, filename: '',
			cwd: '', start: at, end: null, code: null, signal: null, seed: true, before: false, files: new Map(), hosts: new Map(),
			calls: 0, reads: 0, writes: 0, failed: 0, rss: 0, duration: null, last: at, sent: 0, received: 0,
		});
	}
	get lived() { return this.duration ?? this.end - this.start; }
	get running() { return this.end == null; }
	get bad() { return this.signal != null || !!this.code; }
	get command() { return this.argv ? this.argv.join(' ') : this.filename || this.comm; }
	isUnder(other) {
		for (let l = this, n = 0; l && n < 1000; l = l.parent, n++) if (l === other) return true;
		return false;
	}
}

const changed = { 'file.write': 'write', 'file.delete': 'delete', 'file.rename': 'rename', 'file.truncate': 'truncate',
	'file.link': 'link', 'file.symlink': 'link', 'file.chmod': 'chmod', 'file.chown': 'chown', 'dir.create': 'mkdir', 'dir.delete': 'rmdir' };
const becomes = { 'file.write': 'written', 'file.truncate': 'written', 'file.link': 'written', 'file.delete': 'gone', 'file.rename': 'gone',
	'file.symlink': 'made', 'dir.create': 'made', 'dir.delete': 'gone', 'file.chmod': 'attributes', 'file.chown': 'attributes' };

// What became of a path, as report files says it; '': nothing, or nobody's file.
export function outcome(f) {
	if (f.made === null || /^\/(proc|sys|dev)\//.test(f.path)) return '';
	if (f.gone) return f.made ? 'temporary' : f.renamed && !f.deleted ? 'moved' : 'deleted';
	return f.made === true ? 'created' : f.content ? 'changed' : 'attributes';
}

export class Model {
	constructor() {
		this.events = [];	// { id, at, ev }
		this.version = 0;
		this.first = Infinity; this.last = -Infinity;
		this.calls = []; this.conversations = new Map(); this.tools = []; this.toolsById = new Map();
		this.callsById = new Map(); this.chains = new Map(); 
		this.relayed = new Map();	// id of a proxy's call: of the one it is for
		this.early = new Map();		// id of a call: those that say they were made for it, and came before it
		this.drafts = new Map(); this.mcp = [];
		this.lives = []; this.byPid = new Map(); this.orphans = new Map();
		this.files = new Map(); this.hosts = new Map(); this.names = new Map(); this.http = new Map(); this.connects = [];
		this.effects = [];
		this.samples = []; this.machine = []; this.losses = new Map(); this.stdio = []; this.left = 0;
		this.kinds = new Map();
		this.stages = null;	// that took part; null: it is not said
		this.reads = null;	// whether what was read was recorded; null: not known
	}

	// Whether nothing can be known of what a collector sees, for it took no part.
	lacks(collector) { return !!this.stages && !this.stages.has(collector); }
	get lacksReads() { return this.reads === false || (this.reads === null && this.lacks('process')); }

	add(id, ev) {
		if (!ev || typeof ev !== 'object' || typeof ev.type !== 'string') return;
		const at = ev.timestamp_ns ? ev.timestamp_ns / 1e6 : this.events.length ? this.events[this.events.length - 1].at : 0;
		this.events.push({ id, at, ev });
		if (this.events.length > EVENTS) { this.events = this.events.slice(LEAVE); this.left += LEAVE; }
		this.version++;
		this.kinds.set(ev.type, (this.kinds.get(ev.type) || 0) + 1);
		if (at) {
			if (at < this.first) this.first = at;
			const end = at + (ev.duration_ms > 0 && ev.type.endsWith('.call') ? ev.duration_ms : 0);
			if (end > this.last) this.last = end;
		}
		const dot = ev.type.indexOf('.');
		const handler = handlers[dot < 0 ? ev.type : ev.type.slice(0, dot)];
		if (handler) handler.call(this, ev, at, ev.type);
	}

	// An event by its number; numbers rise, but may have gaps.
	event(id) {
		let lo = 0, hi = this.events.length - 1;
		while (lo <= hi) {
			const mid = (lo + hi) >> 1, e = this.events[mid];
			if (e.id === id) return e;
			if (e.id < id) lo = mid + 1; else hi = mid - 1;
		}
		return null;
	}

	get span() { return this.last > this.first ? this.last - this.first : 0; }

	// --- processes ---------------------------------------------------------
	life(pid, at, ev) {
		const l = this.byPid.get(pid) || this.begin(pid, at);
		if (ev && ev.comm && ev.pid === pid) l.comm = ev.comm;
		if (at > l.last) l.last = at;
		return l;
	}
	begin(pid, at) {
		const l = new Life(pid, at);
		this.byPid.set(pid, l);
		this.lives.push(l);
		const waiting = this.orphans.get(pid);
		if (waiting) {
			this.orphans.delete(pid);
			for (const child of waiting) if (!child.parent && child.start >= at - 1000) this.adopt(child, l);
		}
		return l;
	}
	// Its parent, when that was seen; else when it is.
	belongs(l, ppid) {
		const parent = this.byPid.get(ppid);
		l.ppid = ppid;
		if (parent) this.adopt(l, parent);
		else if (this.orphans.has(ppid)) this.orphans.get(ppid).push(l);
		else this.orphans.set(ppid, [l]);
	}
	adopt(child, parent) {
		if (child.parent || child === parent || parent.isUnder(child)) return;
		child.parent = parent;
		child.ppid = parent.pid;
		parent.children.push(child);
	}
	effect(at, life, kind, target, detail, failed) {
		const e = { at, life, comm: life?.comm, kind, target, detail, failed };	// comm: its name then
		// nearly in order: collectors are merged line by line
		let i = this.effects.length;
		while (i > 0 && this.effects[i - 1].at > at) i--;
		i === this.effects.length ? this.effects.push(e) : this.effects.splice(i, 0, e);
	}

	// What happened in [from, to] within the tree of a process.
	effectsBetween(life, from, to) {
		let lo = 0, hi = this.effects.length;
		while (lo < hi) {
			const mid = (lo + hi) >> 1;
			if (this.effects[mid].at < from) lo = mid + 1; else hi = mid;
		}
		const out = [];
		for (; lo < this.effects.length && this.effects[lo].at <= to; lo++)
			if (!life || this.effects[lo].life.isUnder(life)) out.push(this.effects[lo]);
		return out;
	}

	// A path after a change: made, written, named (another file got its name; whether it was there
	// before may not have been seen), attributes, gone.
	become(f, what) {
		f.made ??= what === 'made' || (what === 'named' && !f.opens && !f.reads && 'perhaps');
		f.content ||= what !== 'attributes';
		f.gone = what === 'gone';
		f.deleted &&= f.gone;
	}
	file(path) {
		let f = this.files.get(path);
		if (!f) {
			f = { path, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, created: false, deleted: false, renamed: '', other: '',
				made: null, content: false, gone: false, opens: 0, failed: 0, error: '', first: 0, last: 0, lives: new Set() };
			this.files.set(path, f);
		}
		return f;
	}
	host(name) {
		let h = this.hosts.get(name);
		if (!h) {
			if (this.hosts.size >= HOSTS) name = '(others)';
			h = this.hosts.get(name) || { name, addresses: new Set(), ports: new Set(), connects: 0, failed: 0, requests: 0, errors: 0,
				calls: 0, sent: 0, received: 0, first: 0, last: 0, lives: new Set() };
			this.hosts.set(name, h);
		}
		return h;
	}
	touchHost(name, at, life) {
		const h = this.host(name);
		h.first = h.first || at;
		h.last = at;
		if (life) { h.lives.add(life); life.hosts.set(h.name, (life.hosts.get(h.name) || 0) + 1); }
		return h;
	}

	// --- calls ---------------------------------------------------------------
	// Calls that totals have: of those that a proxy passed on, one each.
	get counted() { return this.calls.filter((c) => c.counted); }

	// The conversation of a call. Agents give sub-agents, titles and summaries the name of their
	// session: those have chains of messages, and so conversations, of their own.
	conversation(ev, at, life) {
		let chain = ev.chain_id || ev.conversation_id || ev.id || 'unknown', id = ev.conversation_id || chain;
		// a list that was rewritten: the call whose tools' results it carries leads on
		if (chain === ev.id) chain = this.callsById.get(ev.tool_results?.[0]?.call)?.chain || chain;
		let c = this.chains.get(chain);
		if (!c) {
			const under = this.begunBy(ev, at, life);
			if (under || (!ev.request_tools && this.conversations.get(id)?.tools)) id = chain;
			c = this.conversations.get(id);
			if (!c || c.under) {
				c = { id, agent: ev.agent || ev.comm || '', calls: [], first: at, last: at, title: '', input: 0, output: 0, pid: ev.pid, instructions: null,
					tools: false, under, chains: [] };
				this.conversations.set(id, c);
				if (under) under.nested.push(c);
			}
			c.chains.push(chain);
			this.chains.set(chain, c);
		}
		c.tools = c.tools || !!ev.request_tools;
		return { conv: c, chain };
	}
	// The tool call that a chain of messages was begun for: its arguments have the first message; else a process that was
	// started while no other one was at work makes the calls; else a call without tools came while it alone was at work.
	begunBy(ev, at, life) {
		const open = [], before = [];
		for (let i = this.tools.length - 1; i >= 0 && i >= this.tools.length - 500; i--) {
			const t = this.tools[i];
			if (t.asked > at || !life.isUnder(t.call.life)) continue;
			if (t.answered != null ? t.answered >= at : t.call === t.call.conv.calls[t.call.conv.calls.length - 1]) open.push(t);
			else if (t.answered >= at - 60000) before.push(t);	// a sub-agent in the background
		}
		const text = typedText((ev.input_messages || []).filter((m) => m?.role === 'user').map((m) => textOf(m.parts)).join('\n'));
		const fitting = [...open, ...before].map((t) => [fits(t.args, text), t]).filter(([n, t]) => n === 2 || (n && !before.includes(t))).sort((a, b) => b[0] - a[0])[0];
		if (fitting) return fitting[1];
		const above = open.filter((t) => t.call.life !== life && startOf(life, t.call.life) >= t.asked);
		if (above.length) return above.length === 1 ? above[0] : null;
		const mine = open.filter((t) => t.call.life === life);
		return !ev.request_tools && mine.length === 1 ? mine[0] : null;
	}
	// Adds a call's tokens to a conversation, or takes them away.
	spend(conv, call, sign) {
		for (const c of call.counted ? [call] : call.passed) {
			if (c !== call) { this.spend(conv, c, sign); continue; }
			conv.input += sign * (c.usage.input_tokens || 0);
			conv.output += sign * (c.usage.output_tokens || 0);
		}
	}
	// A call that a proxy made for another one leaves its own conversation.
	relay(inner, outer) {
		const conv = inner.conv;
		if (inner.root || inner === outer) return;
		inner.root = outer;
		outer.passed.push(inner);
		this.spend(conv, inner, -1);
		this.spend(outer.conv, inner, 1);
		conv.calls = conv.calls.filter((c) => c !== inner);
		if (!conv.calls.length) {
			this.conversations.delete(conv.id);
			for (const chain of conv.chains) this.chains.delete(chain);
			if (conv.under) conv.under.nested = conv.under.nested.filter((c) => c !== conv);
		}
		inner.conv = outer.conv;
		if (inner.tools.length) this.tools = this.tools.filter((t) => t.call !== inner);
		inner.tools = [];
	}
	relays(call) {
		for (const id of call.ev.relayed_to || []) {
			const inner = this.callsById.get(id);
			this.relayed.set(id, call.ev.id);
			if (inner) this.relay(inner, call);
		}
		const outer = this.callsById.get(call.ev.relayed_for || this.relayed.get(call.ev.id));
		if (outer) this.relay(call, outer);
		else if (call.ev.relayed_for) this.early.set(call.ev.relayed_for, [...this.early.get(call.ev.relayed_for) || [], call]);
		for (const inner of this.early.get(call.ev.id) || []) this.relay(inner, call);
	}
	drafting(ev, at) {
		let d = this.drafts.get(ev.id);
		if (!d) {
			d = { id: ev.id, at, pid: ev.pid, last: at, text: '', thinking: '', tools: [], model: '', done: false };
			this.drafts.set(ev.id, d);
		}
		return d;
	}
}

// When the branch of a process below another one began.
function startOf(life, above) {
	let l = life;
	while (l.parent && l.parent !== above) l = l.parent;
	return l.start;
}
// Whether a text has an argument in it: 2, it is one; 1, it has it; 0.
function fits(args, text) {
	if (!text) return 0;
	if (typeof args === 'string') return args.trim() === text.trim() ? 2 : args.length > 2 && text.includes(args) ? 1 : 0;
	return args && typeof args === 'object' ? Math.max(0, ...Object.values(args).map((v) => fits(v, text))) : 0;
}
// What was typed, without what agents add in the user's name.
export function typedText(text) {
	return text.replace(/<(system-reminder|environment_context|environment_details|user_instructions|INSTRUCTIONS)>[\s\S]*?<\/\1>/g, '').trim();
}
// A path of another mount namespace is another file.
function place(path, ev) {
	return path && ev.mnt_ns ? `${path} (mount namespace ${ev.mnt_ns})` : path || '';
}
// Text of a message's parts.
export function textOf(parts) {
	return (parts || []).filter((p) => p && p.type === 'text' && typeof p.content === 'string').map((p) => p.content).join('\n');
}

const handlers = {
	llm(ev, at) {
		const end = at + (ev.duration_ms || 0), life = this.life(ev.pid, at, ev), { conv, chain } = this.conversation(ev, at, life);
		const call = { n: this.calls.length, ev, at, end, life, conv, chain, before: conv.calls[conv.calls.length - 1] || null,
			model: ev.response_model || ev.request_model || '', usage: ev.usage || {}, failed: !!ev.error_type, tools: [],
			counted: !ev.relayed_to && !ev.relayed_for, root: null, passed: [] };
		call.key = `${ev.id}${ev.turn ? '.' + ev.turn : ''}`;
		this.calls.push(call);
		if (ev.id) this.callsById.set(ev.id, call);
		life.calls++;
		conv.calls.push(call);
		conv.last = Math.max(conv.last, end);
		this.spend(conv, call, 1);
		call.instructionsBefore = conv.instructions;
		if (ev.system_instructions) conv.instructions = textOf(ev.system_instructions);
		for (const m of ev.input_messages || [])
			if (m && m.role === 'user' && !conv.title) conv.title = typedText(textOf(m.parts));
		if (ev.server_address) this.touchHost(ev.server_address, at, null).calls++;
		for (const t of ev.tool_calls || []) {
			const tool = { n: this.tools.length, id: t.id, name: t.name || '', args: t.arguments, call, asked: end, answered: null, result: undefined, error: false, answer: null, nested: [] };
			this.tools.push(tool);
			call.tools.push(tool);
			if (t.id) this.toolsById.set(conv.id + '\n' + t.id, tool);
		}
		for (const r of ev.tool_results || []) {
			const tool = this.toolsById.get(conv.id + '\n' + r.id);
			if (!tool || tool.answered != null) continue;
			Object.assign(tool, { answered: at, result: r.response, error: !!r.is_error, answer: call });
		}
		if (ev.id) this.relays(call);
		this.drafts.delete(ev.id);
	},
	mcp(ev, at) {
		const life = this.life(ev.pid, at, ev);
		this.mcp.push({ ev, at, life });
		if (ev.method === 'tools/call')
			this.effect(at, life, 'mcp', `${ev.server ? ev.server + ' ' : ''}${ev.tool || ev.method}`, ev, !!ev.error_type);
	},
	http(ev, at, type) {
		const life = this.life(ev.pid, at, ev);
		if (type === 'http.body') return;
		let x = this.http.get(ev.id);
		if (!x) {
			x = { id: ev.id, at, life, method: ev.method, host: ev.host || '', path: ev.path || '', status: null, duration: null, sent: 0, received: 0, conn: ev.conn };
			this.http.set(ev.id, x);
			if (ev.host) this.touchHost(ev.host.replace(/:\d+$/, ''), at, life).requests++;
		}
		if (type === 'http.request') { x.at = at; x.sent = ev.body_len || 0; x.request = ev; return; }
		Object.assign(x, { status: ev.status_code, duration: ev.duration_ms, received: ev.body_len || 0, response: ev });
		if (ev.status_code >= 400 && x.host) this.host(x.host.replace(/:\d+$/, '')).errors++;
		const d = this.drafts.get(ev.id);
		if (d) d.done = true;
	},
	// An answer while it is being given, piece by piece: ssemerge --deltas.
	delta(ev, at) {
		const d = this.drafting(ev, at), text = typeof ev.text === 'string' ? ev.text : '';
		d.last = at;
		if (typeof ev.model === 'string') d.model = ev.model;
		if (ev.kind === 'tool') d.tools.push({ name: text, text: '' });
		else if (ev.kind === 'arguments') {
			if (!d.tools.length) d.tools.push({ name: '', text: '' });
			d.tools[d.tools.length - 1].text += text;
		} else d[ev.kind === 'reasoning' ? 'thinking' : 'text'] += text;
	},
	sse(ev, at, type) {
		if (type === 'sse.delta') return handlers.delta.call(this, ev, at);
		const d = this.drafts.get(ev.id);
		if (d) { d.done = true; if (ev.text) d.text = ev.text; return; }
		// a pipeline without llmparse: the answer is all there is
		if (this.kinds.has('llm.call')) return;
		const made = this.drafting(ev, at);
		Object.assign(made, { text: ev.text || '', done: true, model: ev.message?.model || '' });
	},
	process(ev, at, type) {
		if (type === 'process.fork') {
			const parent = this.life(ev.pid, at, ev), old = this.byPid.get(ev.child_pid);
			if (!ev.child_pid || (old && old.running && old.start > at - 1000 && old.parent)) return;
			const child = this.begin(ev.child_pid, at);
			child.seed = false;
			child.comm = ev.comm;
			this.adopt(child, parent);
			return;
		}
		let l = this.byPid.get(ev.pid);
		if (type === 'process.exec' && l && !l.running) l = null;
		l = l || this.begin(ev.pid, at);
		if (at > l.last) l.last = at;
		if (ev.comm) l.comm = ev.comm;
		if (ev.ppid && !l.parent && ev.ppid !== l.ppid && ev.ppid !== ev.pid) this.belongs(l, ev.ppid);
		if (type === 'process.exec' && ev.error) {
			this.effect(at, l, 'exec', ev.filename || '', l, true);
		} else if (type === 'process.exec') {
			Object.assign(l, { argv: Array.isArray(ev.argv) ? ev.argv.map(String) : null, filename: ev.filename || '', cwd: ev.cwd || l.cwd });
			if (ev.seed) l.seed = l.before = true;
			else { l.seed = false; this.effect(at, l, 'exec', l.command, l, false); }
		} else if (type === 'process.exit') {
			Object.assign(l, { end: at, code: ev.exit_code ?? null, signal: ev.signal_name || ev.signal || null, duration: ev.duration_ms ?? null, rss: ev.rss_max_kb || 0 });
			if (l.seed && ev.duration_ms && at - ev.duration_ms < l.start && at - ev.duration_ms > this.first) l.start = at - ev.duration_ms;
		} else if (type === 'process.signal') {
			this.effect(at, l, 'signal', `${ev.signal_name || ev.signal} to ${ev.target_pid}`, '', ev.result < 0);
		}
	},
	file(ev, at, type) {
		const life = this.life(ev.pid, at, ev), path = place(ev.path ?? (ev.path_b64 ? 'base64:' + ev.path_b64 : ''), ev), target = place(ev.to, ev);
		if (!path) return;
		const f = this.file(path);
		f.first = f.first || at;
		f.last = at;
		f.lives.add(life);
		let mine = life.files.get(path);
		if (!mine) life.files.set(path, mine = { read: 0, wrote: 0, what: '' });
		if (ev.error) { f.failed++; f.error = ev.error; life.failed++; mine.what = mine.what || ev.error; return; }
		const n = ev.count || 1;
		if (type === 'file.read') {
			this.reads = true;
			f.reads += n; f.readBytes += ev.bytes || 0; mine.read += ev.bytes || 0; life.reads++;
			this.effect(at, life, 'read', path, ev.bytes || 0, false);
			return;
		}
		if (type === 'file.open') {
			if (ev.created) { this.become(f, 'made'); f.created = true; mine.what = 'created'; this.effect(at, life, 'create', path, 0, false); }
			else f.opens++;
			if (Array.isArray(ev.mode) && ev.mode.includes('write')) f.opened = true;
			return;
		}
		const kind = changed[type];
		if (!kind) return;
		life.writes++;
		this.become(f, becomes[type]);
		if (target && (type === 'file.rename' || type === 'file.link')) this.become(this.file(target), type === 'file.link' ? 'made' : 'named');
		if (kind === 'write') { f.writes += n; f.writtenBytes += ev.bytes || 0; mine.wrote += ev.bytes || 0; }
		else if (kind === 'delete' || kind === 'rmdir') { f.deleted = true; mine.what = 'deleted'; }
		else if (kind === 'rename') { f.renamed = target; mine.what = 'renamed'; if (target) { const to = this.file(target); to.first = to.first || at; to.last = at; to.created = true; to.lives.add(life); } }
		else { f.other = kind; mine.what = kind; }
		this.effect(at, life, kind, path, kind === 'write' ? ev.bytes || 0 : target || ev.permissions || '', false);
	},
	net(ev, at, type) {
		const life = this.life(ev.pid, at, ev);
		if (type === 'net.dns') {
			for (const a of ev.addresses || []) this.names.set(a, ev.name);
			return;
		}
		if (ev.family === 'unix' || !ev.address) return;
		const name = this.names.get(ev.address) || ev.address;
		if (type === 'net.connect') {
			const h = this.touchHost(name, at, life), failed = !!ev.error && ev.error !== 'EINPROGRESS';
			h.addresses.add(ev.address);
			h.ports.add(ev.port);
			h.connects++;
			if (failed) h.failed++;
			this.connects.push({ at, life, name, ev, failed, end: null });
			this.effect(at, life, 'connect', `${name}:${ev.port}`, failed ? ev.error : '', failed);
		} else if (type === 'net.send') {
			const h = this.touchHost(name, at, life);
			h.addresses.add(ev.address);
			h.ports.add(ev.port);
			h.sent += ev.bytes || 0;
			life.sent += ev.bytes || 0;
			this.effect(at, life, 'send', `${name}:${ev.port}`, '', false);
		} else if (type === 'net.close') {
			const h = this.touchHost(name, at, life);
			h.sent += ev.sent_bytes || 0;
			h.received += ev.received_bytes || 0;
			life.sent += ev.sent_bytes || 0;
			life.received += ev.received_bytes || 0;
			for (let i = this.connects.length - 1, n = 0; i >= 0 && n < 4096; i--, n++) {
				const c = this.connects[i];
				if (c.life === life && c.end == null && c.ev.fd === ev.fd && c.ev.address === ev.address) { c.end = at; c.close = ev; break; }
			}
		}
	},
	system(ev, at, type) {
		if (type === 'system.host') this.machine.push({ at, ev });
		else if (!ev.ended) this.samples.push({ at, pid: ev.pid, comm: ev.comm, cpu: ev.cpu_percent, rss: ev.rss_bytes, alert: ev.alert, ev });
	},
	loss(ev) {
		const key = `${ev.stage}\n${ev.reason}`, l = this.losses.get(key) || { stage: ev.stage, reason: ev.reason, events: 0, bytes: 0 };
		l.events += ev.events || 0;
		l.bytes += ev.bytes || 0;
		this.losses.set(key, l);
	},
	stdio(ev, at) { this.life(ev.pid, at, ev); },
	ssl(ev, at) { this.life(ev.pid, at, ev); },
};
handlers.run = function (ev, at, type) {
	if (type !== 'run.begin' || !Array.isArray(ev.stages)) return;
	this.stages = new Set([...(this.stages || []), ...ev.stages]);
};
handlers.stage = function (ev, at, type) {
	if (type === 'stage.begin' && ev.stage === 'process' && Array.isArray(ev.collects)) this.reads = this.reads || ev.collects.includes('reads');
};
handlers.dir = handlers.file;
