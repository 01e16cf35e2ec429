// processes.js - the tree of processes, with what each did
import { html } from 'htm/preact';
import { useMemo, useState } from 'preact/hooks';
import { Badge, Empty, Text, VirtualList, link, replacePlace } from './parts.js';
import { baseName, brief, bytes, clock, count, plain, plural, span } from './fmt.js';

function total(life, what) {
	let n = what(life);
	for (const c of life.children) n += total(c, what);
	return n;
}

// Rows of the tree, depth first; only what is open. words: only what matches, with its ancestors.
function rows(model, closed, words) {
	const out = [], match = words ? new Set() : null;
	if (match) for (const l of model.lives)
		if (words.every((w) => l.command.toLowerCase().includes(w) || l.comm.toLowerCase().includes(w) || String(l.pid) === w))
			for (let p = l; p && !match.has(p); p = p.parent) match.add(p);
	const stack = model.lives.filter((l) => !l.parent).reverse().map((life) => ({ life, depth: 0 }));
	while (stack.length) {
		const r = stack.pop();
		if (match && !match.has(r.life)) continue;
		r.open = !closed.has(r.life.key) || !!match;
		out.push(r);
		if (r.open) for (let i = r.life.children.length - 1; i >= 0; i--) stack.push({ life: r.life.children[i], depth: r.depth + 1 });
	}
	return out;
}

export function Status({ life }) {
	if (life.signal) return html`<${Badge} kind="bad">${life.signal}<//>`;
	if (life.code) return html`<${Badge} kind="bad">exit ${life.code}<//>`;
	if (life.end != null) return html`<span class="faint">done</span>`;
	return html`<span class="faint">${life.seed ? '' : 'running'}</span>`;
}

function Row({ r, model, toggle, selected, i }) {
	const l = r.life;
	const wrote = l.writes, args = l.argv ? l.argv.slice(1).join(' ') : '';
	return html`<div class="prow" role="treeitem" aria-level=${r.depth + 1} aria-expanded=${l.children.length ? r.open : undefined} aria-selected=${selected}>
		<span class="ptree" style=${{ paddingLeft: Math.min(r.depth, 24) * 16 + 'px' }}>
			${l.children.length ? html`<button class="twist" tabindex="-1" aria-label=${r.open ? 'Close' : 'Open'} onClick=${(e) => { e.stopPropagation(); toggle(l); }}>${r.open ? '▾' : '▸'}</button>` : html`<span class="twist"></span>`}
			<strong>${brief(l.comm || '?', 24)}</strong><span class="faint pid">${l.pid}</span><span class="pargs mono">${brief(args || l.filename, 240)}</span></span>
		<span class="cell num">${l.calls ? html`<${Badge} kind="info">${plural(l.calls, 'call')}<//>` : ''}</span>
		<span class="cell num">${wrote ? plural(wrote, 'change') : ''}</span><span class="cell num">${l.hosts.size ? plural(l.hosts.size, 'host') : ''}</span>
		<span class="cell num">${l.end != null ? span(l.lived) : ''}</span><span class="cell status"><${Status} life=${l} /></span></div>`;
}

function Detail({ life, model }) {
	const files = [...life.files].sort((a, b) => (b[1].wrote + (b[1].what ? 1 : 0)) - (a[1].wrote + (a[1].what ? 1 : 0)));
	const tool = useMemo(() => model.tools.find((t) => life.start >= t.asked - 5 && life.start <= (t.answered ?? Infinity) && life !== t.call.life && life.isUnder(t.call.life)), [life, model.tools.length]);
	return html`<aside class="detail" aria-label="Process"><h2>${brief(life.comm || '?', 40)} <span class="faint">${life.pid}</span> <${Status} life=${life} /></h2>
		${life.argv ? html`<${Text} text=${life.argv.join(' ')} mono lines=${8} label="Arguments" />` : life.filename && html`<${Text} text=${life.filename} mono />`}
		<dl class="facts">${life.cwd && html`<dt>in</dt><dd class="mono">${plain(life.cwd)}</dd>`}
			${life.parent && html`<dt>of</dt><dd><a href=${link('processes', life.parent.key)}>${brief(life.parent.comm || '?', 30)} ${life.parent.pid}</a></dd>`}
			<dt>from</dt><dd>${life.seed ? 'before the recording' : clock(life.start)}</dd>${life.end != null && html`<dt>to</dt><dd>${clock(life.end)} <span class="faint">${span(life.lived)}</span></dd>`}
			${life.rss > 0 && html`<dt>memory</dt><dd>${bytes(life.rss * 1024)} at most</dd>`}
			${life.children.length > 0 && html`<dt>children</dt><dd>${count(life.children.length)} <span class="faint">${count(total(life, () => 1) - 1)} in all beneath</span></dd>`}
			${(life.sent || life.received) > 0 && html`<dt>network</dt><dd>${bytes(life.sent)} sent, ${bytes(life.received)} received</dd>`}
			${tool && html`<dt>by tool</dt><dd><a href=${link('conversation', tool.call.conv.id, tool.call.key)}>${brief(tool.name, 30)}</a></dd>`}</dl>
		${life.hosts.size > 0 && html`<h3>Hosts</h3><ul class="plain">${[...life.hosts].map(([h, n]) => html`<li key=${h}><a href=${link('network', h)}>${brief(h, 60)}</a> <span class="faint">×${n}</span></li>`)}</ul>`}
		${files.length > 0 && html`<h3>Files <span class="faint">${count(files.length)}</span></h3><ul class="plain">${files.slice(0, 200).map(([p, f]) => html`<li key=${p} class="file-line"><a class="mono" href=${link('files', p)} title=${plain(p)}>${brief(p, 200)}</a>
			<span class="faint">${f.what ? f.what + ' ' : ''}${f.wrote ? `wrote ${bytes(f.wrote)} ` : ''}${f.read ? `read ${bytes(f.read)}` : ''}</span></li>`)}</ul>
			${files.length > 200 && html`<p><a href=${'#/files?q=' + encodeURIComponent('pid:' + life.pid)}>All ${count(files.length)} files</a></p>`}`}</aside>`;
}

export function Processes({ model, at, version }) {
	const [closed, setClosed] = useState(() => new Set());
	const q = (at.query.get('q') || '').toLowerCase(), words = q ? q.split(/\s+/).filter(Boolean) : null;
	const list = useMemo(() => rows(model, closed, words), [version, closed, q]);
	const index = list.findIndex((r) => r.life.key === at.rest[0]);
	const life = index >= 0 ? list[index].life : model.lives.find((l) => l.key === at.rest[0]);
	if (!model.lives.length && model.lacks('process')) return html`<${Empty} title="Processes were not recorded">The collector process(8) took no part.<//>`;
	if (!model.lives.length) return html`<${Empty} title="No process was seen">Run the collector process(8) as well: agentsight record --process.<//>`;
	const toggle = (l) => { const next = new Set(closed); next.has(l.key) ? next.delete(l.key) : next.add(l.key); setClosed(next); };
	const query = q ? '?q=' + encodeURIComponent(q) : '';
	const onKey = (e) => {
		if (index < 0 || !life.children.length) return;
		if ((e.key === 'ArrowLeft' && !closed.has(life.key)) || (e.key === 'ArrowRight' && closed.has(life.key))) { e.preventDefault(); toggle(life); }
	};
	return html`<h1 class="hidden">Processes</h1><div class="bar"><input type="search" placeholder="Name, argument, or pid" aria-label="Search processes" value=${at.query.get('q') || ''} onInput=${(e) => replacePlace('#/processes' + (at.rest[0] ? '/' + encodeURIComponent(at.rest[0]) : '') + (e.target.value ? '?q=' + encodeURIComponent(e.target.value) : ''))} />
		<span class="faint">${plural(model.lives.length, 'process', 'processes')}${words ? `, ${count(list.length)} shown` : ''}, ${count(model.lives.filter((l) => l.bad).length)} failed</span>
		<span class="grow"></span><button class="quiet" onClick=${() => setClosed(new Set(model.lives.filter((l) => l.children.length && l.parent).map((l) => l.key)))}>Close all</button><button class="quiet" onClick=${() => setClosed(new Set())}>Open all</button></div>
		<div class="with-detail" onKeyDown=${onKey}><${VirtualList} role="tree" label="Processes" length=${list.length} height=${28} selected=${index} keyOf=${(i) => list[i].life.key}
			onSelect=${(i) => replacePlace(link('processes', list[i].life.key) + query)} row=${(i) => html`<${Row} r=${list[i]} model=${model} toggle=${toggle} selected=${i === index} />`} />
		${life ? html`<${Detail} life=${life} model=${model} />` : html`<aside class="detail empty-detail"><p class="faint">Choose a process to see what it did.</p></aside>`}</div>`;
}
