// conversation.js - what was said, and under each tool call what it really did
import { html } from 'htm/preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Badge, Empty, Json, Text, Who, link } from './parts.js';
import { textOf } from './model.js';
import { firstLine, baseName, brief, bytes, clock, count, dollars, plain, plural, span } from './fmt.js';
import { diffLines, fold } from './diff.js';
import { costOf } from './price.js';

const AT_ONCE = 150;	// calls shown before one asks for more

// --- effects of a tool call -----------------------------------------------------------
// Everything within the agent's process tree between the answer that asked and the request that
// brought the result. Where several tools were at work, those that an effect names get it.
function windowEnd(tool, model) {
	if (tool.answered != null) return tool.answered;
	const next = tool.call.conv.calls[tool.call.conv.calls.indexOf(tool.call) + 1];
	return next ? next.at : model.last;
}
// How well a tool's arguments name an effect: 2 exactly, 1 by its last component, 0 not.
function names(tool, effect) {
	const text = typeof tool.args === 'string' ? tool.args : JSON.stringify(tool.args) || '';
	if (effect.kind === 'mcp') return effect.detail?.tool && tool.name.endsWith(effect.detail.tool) ? 2 : 0;
	if (effect.kind === 'exec') return typeof tool.args?.command === 'string' && effect.target.includes(tool.args.command) ? 2 : 0;
	if (effect.kind === 'connect' || effect.kind === 'send') return text.includes(effect.target.replace(/:\d+$/, '')) ? 2 : 0;
	const quoted = (s) => JSON.stringify(s).slice(1, -1), base = quoted(baseName(effect.target));
	if (text.includes(quoted(effect.target))) return 2;
	for (let at = text.indexOf(base); base && at >= 0; at = text.indexOf(base, at + 1))
		if (!/[\w.-]/.test(text[at - 1] || '') && !/[\w-]/.test(text[at + base.length] || '')) return 1;
	return 0;
}
export function effectsOf(tool, model) {
	const nested = new Set(tool.nested.flatMap((c) => c.calls.flatMap((x) => x.tools.flatMap((t) => effectsOf(t, model)))));
	const all = model.effectsBetween(tool.call.life, tool.asked, windowEnd(tool, model)).filter((e) => !nested.has(e)), tools = tool.call.tools;
	if (tools.length < 2) return all;
	return all.filter((e) => {
		const most = Math.max(...tools.map((t) => names(t, e)));
		return most ? names(tool, e) === most : commandOwner(tools, e, all) === tool;
	});
}
// A process that a tool's command started, and what happens in it, is that tool's.
function commandOwner(tools, effect, all) {
	for (const e of all) {
		if (e.kind !== 'exec' || !effect.life.isUnder(e.life)) continue;
		const t = tools.find((x) => names(x, e));
		if (t) return t;
	}
	return null;
}

const verb = { write: 'wrote', create: 'created', delete: 'deleted', rename: 'renamed', truncate: 'truncated', link: 'linked', chmod: 'set rights of', chown: 'set owner of', mkdir: 'made folder', rmdir: 'removed folder' };

function Effects({ list, agent, none }) {
	const [all, setAll] = useState(false);
	const rows = [], read = new Map(), wrote = new Map();
	for (const e of list) {
		if (e.kind === 'read') { read.set(e.target, (read.get(e.target) || 0) + e.detail); continue; }
		if (e.kind === 'write') {
			const w = wrote.get(e.target);
			if (w) { w.detail += e.detail; continue; }
			const made = rows.find((r) => r.kind === 'create' && r.target === e.target);
			if (made) { made.bytes = (made.bytes || 0) + e.detail; continue; }
			const row = { ...e };
			wrote.set(e.target, row);
			rows.push(row);
			continue;
		}
		rows.push({ ...e });
	}
	if (!rows.length && !read.size) return none ? html`<p class="effects-none faint">${none}</p>` : null;
	const shown = all ? rows : rows.slice(0, 8);
	return html`<ul class="effects" aria-label="What it did">${shown.map((e, i) => html`<${Effect} key=${i} e=${e} agent=${agent} />`)}
		${read.size > 0 && html`<li class="effect"><span class="effect-kind kind-read">read</span>${' '}<span class="effect-what">${[...read.keys()].slice(0, all ? 200 : 3).map((p, i) => html`${i > 0 && ', '}<a key=${p} href=${link('files', p)} title=${plain(p)}>${brief(baseName(p), 40)}</a>`)}${read.size > 3 && !all ? html` <span class="faint">and ${read.size - 3} more</span>` : ''}</span></li>`}
		${(rows.length > 8 || read.size > 3) && html`<li><button class="more" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? 'Show less' : `Show all ${rows.length + read.size}`}</button></li>`}
		</ul>`;
}
function Effect({ e, agent }) {
	const kind = { exec: 'ran', connect: 'reached', mcp: 'asked', signal: 'sent' }[e.kind] || verb[e.kind] || e.kind;
	const tone = /delete|remove/.test(kind) ? 'kind-delete' : e.kind === 'exec' ? 'kind-exec' : e.kind === 'connect' || e.kind === 'send' ? 'kind-net' : e.kind === 'mcp' ? 'kind-net' : 'kind-write';
	const life = e.life;
	return html`<li class="effect"><span class=${'effect-kind ' + tone}>${kind}</span>${' '}<span class="effect-what">
		${e.kind === 'exec' ? html`<a href=${link('processes', life.key)}><code>${brief(e.target, 200)}</code></a>` : e.kind === 'connect' || e.kind === 'send' ? html`<a href=${link('network', e.target.replace(/:\d+$/, ''))}>${brief(e.target, 80)}</a>`
			: e.kind === 'mcp' ? html`${brief(e.target, 60)} <span class="faint">${brief(e.detail.arguments, 100)}</span>` : e.kind === 'signal' ? brief(e.target) : html`<a href=${link('files', e.target)}><code>${brief(e.target, 160)}</code></a>`}
		<span class="faint">${e.kind === 'exec' ? (life.end != null ? ` ${span(life.lived)}` : '') : e.kind === 'write' ? ` ${bytes(e.detail)}` : e.kind === 'create' ? (e.bytes ? ` ${bytes(e.bytes)}` : '') : e.kind === 'rename' && e.detail ? ` to ${brief(e.detail, 100)}` : ''}</span>
		${e.kind === 'exec' && life.bad && html` <${Badge} kind="bad">${life.signal ? life.signal : 'exit ' + life.code}<//>`}
		${e.failed && html` <${Badge} kind="bad">${brief(e.detail?.error_type || e.detail || 'failed', 30)}<//>`}
		${e.kind !== 'exec' && life !== agent && html` <span class="faint">by</span> <${Who} life=${life} />`}</span></li>`;
}

// --- a tool call ---------------------------------------------------------------------------
function headline(args) {
	if (args == null) return '';
	if (typeof args === 'string') return args;
	for (const k of ['command', 'cmd', 'file_path', 'path', 'url', 'query', 'pattern', 'prompt', 'description']) {
		const v = args[k];
		if (typeof v === 'string' && v) return v;
		if (Array.isArray(v) && v.length && v.every((x) => typeof x === 'string')) return v.join(' ');
	}
	return Object.keys(args).length ? JSON.stringify(args) : '';
}
function EditDiff({ before, after }) {
	return html`<div class="diff mono" role="group" aria-label="Change">${fold(diffLines(before, after), 3).map((l, i) => l.kind === '…' ? html`<div key=${i} class="diff-gap">${plural(l.n, 'unchanged line')}</div>`
		: html`<div key=${i} class=${'diff-line ' + (l.kind === '+' ? 'diff-new' : l.kind === '-' ? 'diff-old' : '')}><span class="diff-sign" aria-hidden="true">${l.kind === '=' ? ' ' : l.kind}</span>${plain(l.line) || ' '}</div>`)}</div>`;
}
function Arguments({ args }) {
	if (args && typeof args === 'object' && typeof args.new_string === 'string' && typeof args.old_string === 'string')
		return html`<${EditDiff} before=${args.old_string} after=${args.new_string} />`;
	if (typeof args === 'string') return html`<${Text} text=${args} mono />`;
	return html`<${Json} value=${args} open=${true} />`;
}
function resultText(r) {
	if (r == null) return '';
	if (typeof r === 'string') return r;
	if (Array.isArray(r)) return r.map((p) => (typeof p === 'string' ? p : typeof p?.text === 'string' ? p.text : typeof p?.content === 'string' ? p.content : JSON.stringify(p))).join('\n');
	return JSON.stringify(r, null, 1);
}
function Tool({ tool, model }) {
	const edit = tool.args && typeof tool.args === 'object' && typeof tool.args.new_string === 'string';
	const [open, setOpen] = useState(edit);
	const to = tool.answered, result = resultText(tool.result);
	const none = tool.nested.length ? null : to == null ? 'at work…' : 'no process, file change or connection was seen';
	return html`<section class=${'tool ' + (tool.error ? 'tool-bad' : '')} aria-label=${`Tool ${tool.name}`}>
		<button class="tool-head" aria-expanded=${open} onClick=${() => setOpen(!open)}><span class="twist" aria-hidden="true">${open ? '▾' : '▸'}</span>
			<span class="tool-name">${brief(tool.name || 'tool', 40)}</span><span class="tool-args mono">${brief(headline(tool.args), 180)}</span>
			${tool.error && html`<${Badge} kind="bad">error<//>`}<span class="tool-time faint">${to != null ? span(to - tool.asked) : ''}</span></button>
		${open && html`<div class="tool-body"><${Arguments} args=${tool.args} /></div>`}
		<${Effects} list=${effectsOf(tool, model)} agent=${tool.call.life} none=${none} />
		${tool.nested.map((c) => html`<${Nested} key=${c.id} conv=${c} model=${model} />`)}
		${result && html`<div class="tool-result"><${Text} text=${result} lines=${open ? 40 : 6} mono label="Result" /></div>`}</section>`;
}

// It was offered tools, or used one: what is recorded of a call may have the second alone.
const isAgent = (conv) => conv.tools || conv.calls.some((c) => c.tools.length > 0);

// A sub-agent, or calls on the side, that a tool call began.
function Nested({ conv, model }) {
	const [open, setOpen] = useState(false);
	return html`<section class="nested" aria-label=${conv.tools ? 'Sub-agent' : 'Helper call'}>
		<button class="tool-head" aria-expanded=${open} onClick=${() => setOpen(!open)}><span class="twist" aria-hidden="true">${open ? '▾' : '▸'}</span>
			<span class="tool-name">${conv.tools ? 'Sub-agent' : 'Helper'}</span><span class="tool-args">${brief(firstLine(conv.title) || '(no prompt seen)', 120)}</span>
			<span class="tool-time faint">${plural(conv.calls.length, 'call')} · ${count(conv.input)} in, ${count(conv.output)} out</span></button>
		${open && html`<div class="nested-in">${conv.calls.slice(-AT_ONCE).map((c) => html`<${Call} key=${c.n} call=${c} model=${model} most=${mostOf(conv)} />`)}
			<p class="small"><a href=${link('conversation', conv.id)}>Alone, on a page of its own</a></p></div>`}</section>`;
}
const mostOf = (conv) => Math.max(1, ...conv.calls.map((c) => (c.usage.input_tokens || 0) + (c.usage.output_tokens || 0)));
// All conversations below one, each once.
function below(conv) {
	return conv.calls.flatMap((c) => c.tools.flatMap((t) => t.nested.flatMap((n) => [n, ...below(n)])));
}

// --- messages -------------------------------------------------------------------------------
const isEcho = (m) => m.role === 'assistant';

function Part({ part }) {
	if (!part || typeof part !== 'object') return null;
	if (part.type === 'text') return html`<${Text} text=${part.content} />`;
	if (part.type === 'reasoning') return html`<${Thinking} text=${part.content} />`;
	if (part.type === 'tool_call_response') return html`<div class="faint small">result of ${brief(part.id || 'a tool', 40)}</div><${Text} text=${resultText(part.response)} mono lines=${6} />`;
	if (part.type === 'blob' || part.type === 'uri' || part.type === 'file') return html`<p class="faint">[${brief(part.modality || part.type, 20)} ${brief(part.mime_type || part.uri || part.file_id || '', 80)}]</p>`;
	return html`<${Json} value=${part} />`;
}
function Thinking({ text }) {
	const [open, setOpen] = useState(false);
	if (!text) return null;
	return html`<div class="thinking"><button class="thinking-head" aria-expanded=${open} onClick=${() => setOpen(!open)}><span class="twist" aria-hidden="true">${open ? '▾' : '▸'}</span> Thinking <span class="faint">${open ? '' : brief(text, 130)}</span></button>
		${open && html`<${Text} text=${text} lines=${60} />`}</div>`;
}

// What a request says that the one before did not. With --messages all it has the whole list again.
function newMessages(call) {
	const list = call.ev.input_messages || [], before = call.before?.ev.input_messages || [];
	let same = 0;
	if (call.before && list.length >= before.length && before.length)
		while (same < before.length && JSON.stringify(list[same]) === JSON.stringify(before[same])) same++;
	if (same && same < before.length) return { same, list: list.slice(same), changed: before[same] };
	return { same, list: list.slice(same) };
}
function Message({ m, tools, before }) {
	const parts = (m.parts || []).filter((p) => p && !(p.type === 'tool_call_response' && tools.has(p.id)));
	if (isEcho(m) || !parts.length) return null;
	const was = before ? textOf(before.parts) : '', now = textOf(m.parts);
	const diff = was && now && was !== now && before.role === m.role;
	return html`<article class=${'message from-' + (m.role === 'user' ? 'user' : 'other')}><h3 class="message-role">${m.role === 'user' ? 'User' : brief(m.role, 20)}${diff && html` <${Badge} kind="info">changed since the last request<//>`}</h3>
		${diff ? html`<${EditDiff} before=${was} after=${now} />` : parts.map((p, i) => html`<${Part} key=${i} part=${p} />`)}</article>`;
}
function Instructions({ call }) {
	const text = call.ev.system_instructions && textOf(call.ev.system_instructions), before = call.instructionsBefore;
	const [open, setOpen] = useState(false);
	if (!text || text === before) return null;
	const changed = before != null;
	return html`<div class="instructions"><button class="thinking-head" aria-expanded=${open || changed} onClick=${() => setOpen(!open)}><span class="twist" aria-hidden="true">${open || changed ? '▾' : '▸'}</span> Instructions ${changed ? html`<${Badge} kind="info">changed since the last request<//>` : html`<span class="faint">${brief(text, 110)} (${text.length.toLocaleString()} characters)</span>`}</button>
		${changed ? html`<${EditDiff} before=${before} after=${text} />` : open && html`<${Text} text=${text} lines=${60} />`}</div>`;
}

// How a request grew: what came from the cache, what is new, what was answered; against the largest.
function Growth({ call, most }) {
	const u = call.usage, cached = u.cache_read_tokens || 0, fresh = Math.max(0, (u.input_tokens || 0) - cached), out = u.output_tokens || 0;
	if (!cached && !fresh && !out) return null;
	const title = `${count(cached)} tokens from cache, ${count(fresh)} new, ${count(out)} answered`;
	return html`<span class="growth" role="img" aria-label=${title} title=${title} style=${{ width: Math.max(4, 100 * (cached + fresh + out) / most) + '%' }}>
		<span class="bar-cached" style=${{ flexGrow: cached }}></span><span class="bar-fresh" style=${{ flexGrow: fresh }}></span><span class="bar-out" style=${{ flexGrow: out }}></span></span>`;
}

function CallHead({ call, most }) {
	const u = call.usage, cost = costOf(call), ev = call.ev;
	return html`<header class="call-head"><span class="call-model">${brief(call.model || 'model', 40)}</span>
		${call.failed && html`<${Badge} kind="bad">${brief(ev.error_type, 40)}<//>`}${ev.incomplete && html`<${Badge} kind="warn" title="the end of the answer was not seen">incomplete: ${brief(ev.incomplete, 20)}<//>`}
		<span class="faint" title=${clock(call.at)}>${clock(call.at).slice(0, 8)}</span>
		<span class="call-numbers faint">${u.input_tokens != null && html`${count(u.input_tokens)} in · ${count(u.output_tokens)} out · `}${span(call.end - call.at)}${ev.first_token_ms ? html`, first token ${span(ev.first_token_ms)}` : ''}${cost != null ? ` · ${dollars(cost)}` : ''}</span>
		<a class="call-link faint" href=${link('conversation', call.conv.id, call.key)} title="Link to this call" aria-label="Link to this call">#</a>
		<div class="growth-track"><${Growth} call=${call} most=${most} /></div>
		${call.passed.map((c) => html`<p key=${c.n} class="faint small passed">passed on by <${Who} life=${c.life} /> to ${brief(c.ev.server_address || c.ev.provider || 'a provider', 60)}: ${brief(c.model || 'model', 40)}${c.usage.input_tokens != null ? html`, ${count(c.usage.input_tokens)} in, ${count(c.usage.output_tokens)} out` : ''}${c.failed ? html` <${Badge} kind="bad">${brief(c.ev.error_type, 40)}<//>` : ''}${call.counted ? '' : '; this is what counts'}</p>`)}</header>`;
}

// What the agent did of itself between an answer without tools and the next request.
function After({ call, model }) {
	const next = call.conv.calls[call.conv.calls.indexOf(call) + 1];
	const list = model.effectsBetween(call.life, call.end, next ? next.at : model.last);
	// with another conversation going on, there is no telling whose doing it is
	const shared = model.calls.some((c) => c.life === call.life && c.conv !== call.conv && c.end > call.end && (!next || c.at < next.at));
	if (shared || !list.some((e) => e.kind !== 'read')) return null;
	return html`<section class="after" aria-label="Done after this answer"><p class="faint small">Then, of itself:</p><${Effects} list=${list} agent=${call.life} /></section>`;
}

function Call({ call, model, most, shown }) {
	const box = useRef(null);
	useEffect(() => { if (shown) box.current.scrollIntoView({ block: 'start' }); }, [shown]);
	const tools = new Set(model.tools.length ? (call.ev.tool_results || []).map((r) => r.id) : []);
	const fresh = newMessages(call), out = (call.ev.output_messages || []).flatMap((m) => m.parts || []);
	const retry = call.before?.failed && JSON.stringify(call.before.ev.input_messages) === JSON.stringify(call.ev.input_messages);
	return html`<div class=${'call ' + (shown ? 'call-shown' : '')} ref=${box} data-call=${call.key}>
		<${Instructions} call=${call} />
		${retry ? html`<p class="faint small">The same request again.</p>` : html`${fresh.same > 0 && html`<p class="faint small">${plural(fresh.same, 'message')} as before.</p>`}
			${fresh.list.map((m, i) => html`<${Message} key=${i} m=${m} tools=${tools} before=${i === 0 ? fresh.changed : null} />`)}`}
		<article class="answer"><${CallHead} call=${call} most=${most} />
			${call.ev.error_message && html`<p class="bad-text">${plain(call.ev.error_message)}</p>`}
			${out.map((p, i) => p && p.type === 'tool_call' ? null : html`<${Part} key=${i} part=${p} />`)}
			${call.tools.length > 1 && html`<p class="faint small tools-note">${call.tools.length} tools at work side by side: each has the effects that its arguments name.</p>`}
			${call.tools.map((t) => html`<${Tool} key=${t.n} tool=${t} model=${model} />`)}</article>
		${!call.tools.length && html`<${After} call=${call} model=${model} />`}</div>`;
}

// --- an answer that is still being given ---------------------------------------------------------
function DraftView({ draft }) {
	return html`<article class="answer draft" aria-live="polite" aria-busy=${!draft.done}><header class="call-head"><span class="call-model">${brief(draft.model || 'model', 40)}</span><${Badge} kind="info">${draft.done ? 'answered' : 'answering'}<//></header>
		${draft.thinking && html`<div class="thinking"><div class="text faint">${plain(draft.thinking.slice(-2000))}</div></div>`}
		${draft.text && html`<${Text} text=${draft.text} lines=${60} />`}
		${draft.tools.map((t, i) => html`<div key=${i} class="tool"><div class="tool-head"><span class="tool-name">${brief(t.name || 'tool', 40)}</span><span class="tool-args mono">${brief(t.text, 180)}</span></div></div>`)}</article>`;
}

function Thread({ conv, model, shown, live }) {
	const [extra, setExtra] = useState(0);
	const box = useRef(null), stick = useRef(false);
	const wanted = shown ? conv.calls.findIndex((c) => c.key === shown) : -1;
	let from = Math.max(0, conv.calls.length - AT_ONCE - extra);
	if (wanted >= 0) from = Math.min(from, Math.max(0, wanted - 5));
	const calls = conv.calls.slice(from), most = mostOf(conv), nested = below(conv);
	const drafts = live ? [...model.drafts.values()].filter((d) => d.pid === conv.pid) : [];
	const grown = drafts.reduce((n, d) => n + d.text.length + d.thinking.length, calls.length);
	useEffect(() => { if (stick.current && box.current) box.current.scrollTop = box.current.scrollHeight; }, [grown]);
	const onScroll = (e) => { const el = e.currentTarget; stick.current = el.scrollTop + el.clientHeight > el.scrollHeight - 60; };
	const spent = (list) => list.reduce((a, c) => a + (c.counted ? costOf(c) || 0 : spent(c.passed)), 0), u = spent(conv.calls);
	const sum = (key) => nested.reduce((n, c) => n + c[key], conv[key]);
	return html`<div class="thread" ref=${box} onScroll=${onScroll} tabindex="0" role="region" aria-label="Conversation">
		<div class="thread-in"><header class="thread-head"><h1>${brief(firstLine(conv.title) || 'Conversation', 110)}</h1>
			<p class="faint">${brief(conv.agent, 40)} · ${plural(conv.calls.length, 'call')} · ${count(conv.input)} tokens in, ${count(conv.output)} out${u ? ` · ${dollars(u)}` : ''} · ${span(conv.last - conv.first)} · ${model.byPid.get(conv.pid) && html`<${Who} life=${conv.calls[0].life} />`}</p>
			${nested.length > 0 && html`<p class="faint with-nested">With ${plural(nested.filter(isAgent).length, 'sub-agent')} and ${plural(nested.filter((c) => !isAgent(c)).length, 'helper')} below: ${plural(nested.reduce((n, c) => n + c.calls.length, conv.calls.length), 'call')}, ${count(sum('input'))} tokens in, ${count(sum('output'))} out</p>`}
			${conv.under && html`<p class="faint">Begun by the tool call <a href=${link('conversation', conv.under.call.conv.id, conv.under.call.key)}>${brief(conv.under.name, 40)}</a></p>`}</header>
		${from > 0 && html`<p><button class="more" onClick=${() => setExtra(extra + AT_ONCE)}>Show ${Math.min(from, AT_ONCE)} earlier calls</button></p>`}
		${calls.map((c) => html`<${Call} key=${c.n} call=${c} model=${model} most=${most} shown=${c.key === shown} />`)}
		${drafts.map((d) => html`<${DraftView} key=${d.id} draft=${d} />`)}</div></div>`;
}

// One of the list, and beneath it those that its tool calls began.
function Entry({ conv, current }) {
	const nested = conv.calls.flatMap((c) => c.tools.flatMap((t) => t.nested));
	return html`<li><a href=${link('conversation', conv.id)} aria-current=${conv === current ? 'true' : undefined}>
		<span class="side-title">${brief(firstLine(conv.title) || '(no prompt seen)', 90)}</span><span class="faint small">${brief(conv.agent, 18)} · ${plural(conv.calls.length, 'call')} · ${clock(conv.first).slice(0, 5)}${conv.calls.some((x) => x.failed) ? html` · <span class="bad-text">failed</span>` : ''}</span></a>
		${nested.length > 0 && html`<ul class="side-nested">${nested.map((c) => html`<${Entry} key=${c.id} conv=${c} current=${current} />`)}</ul>`}</li>`;
}

export function Conversations({ model, at, status }) {
	const list = useMemo(() => [...model.conversations.values()], [model.conversations.size, model.calls.length]).sort((a, b) => b.last - a.last);
	const largest = [...list].sort((a, b) => b.calls.length - a.calls.length)[0];
	const conv = model.conversations.get(at.rest[0]) || (status.state === 'live' ? list[0] : largest), shown = at.rest[1];
	const tops = list.filter((c) => !c.under).slice(0, 300);
	const lone = [...model.drafts.values()].filter((d) => !list.some((c) => c.pid === d.pid));
	useEffect(() => {
		const onKey = (e) => {
			if ((e.key !== '[' && e.key !== ']') || !conv || /^(INPUT|TEXTAREA)$/.test(e.target.tagName)) return;
			const i = conv.calls.findIndex((c) => c.key === shown), next = conv.calls[i < 0 ? (e.key === ']' ? 0 : conv.calls.length - 1) : i + (e.key === ']' ? 1 : -1)];
			if (next) location.hash = link('conversation', conv.id, next.key);
		};
		addEventListener('keydown', onKey);
		return () => removeEventListener('keydown', onKey);
	}, [conv, shown]);
	if (!conv && !lone.length) return html`<${Empty} title="No call of a model was seen">The pipeline needs httpparse, ssemerge and llmparse: see agentsight(7).<//>`;
	return html`<div class="split-view">
		<nav class="side" aria-label="Conversations"><ul>${tops.map((c) => html`<${Entry} key=${c.id} conv=${c} current=${conv} />`)}</ul>
			${list.filter((c) => !c.under).length > 300 && html`<p class="faint small">and ${list.filter((c) => !c.under).length - 300} older ones</p>`}</nav>
		${conv ? html`<${Thread} key=${conv.id} conv=${conv} model=${model} shown=${shown} live=${status.state === 'live' || status.state === 'loading'} />`
			: html`<div class="thread"><div class="thread-in">${lone.map((d) => html`<${DraftView} key=${d.id} draft=${d} />`)}</div></div>`}</div>`;
}
