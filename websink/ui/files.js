// files.js - every path that was touched, and by whom
import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { Badge, Columns, Empty, VirtualList, Who, link, replacePlace, sorted, useSort } from './parts.js';
import { brief, bytes, clock, count, plain, plural } from './fmt.js';

const columns = [
	{ key: 'path', name: 'Path', class: 'wide', value: (f) => f.path },
	{ key: 'what', name: 'What', class: 'w-what', value: (f) => (f.deleted ? 3 : f.created ? 2 : f.writes ? 1 : 0) },
	{ key: 'written', name: 'Written', class: 'num', value: (f) => f.writtenBytes },
	{ key: 'read', name: 'Read', class: 'num', value: (f) => f.readBytes },
	{ key: 'by', name: 'By', class: 'num', value: (f) => f.lives.size },
	{ key: 'last', name: 'Last', class: 'num w-time', value: (f) => f.last },
];

const isChanged = (f) => f.writes || f.created || f.deleted || f.renamed || f.other;

function What({ f }) {
	return html`${f.deleted && html`<${Badge} kind="bad">deleted<//>`}${f.created && !f.deleted && html`<${Badge} kind="good">created<//>`}${f.renamed && html`<${Badge} kind="warn">renamed<//>`}
		${!f.created && !f.deleted && f.writes > 0 && html`<${Badge} kind="info">changed<//>`}${f.other && html`<${Badge}>${f.other}<//>`}${f.failed > 0 && !f.reads && !isChanged(f) && html`<span class="faint">${f.error}</span>`}`;
}

function Detail({ f, model }) {
	const lives = [...f.lives], events = model.effects.filter((e) => e.target === f.path).slice(-100);
	return html`<aside class="detail" aria-label="File"><h2 class="mono path">${plain(f.path)}</h2><p><${What} f=${f} /></p>
		<dl class="facts"><dt>written</dt><dd>${plural(f.writes, 'time')}, ${bytes(f.writtenBytes)}</dd><dt>read</dt><dd>${model.lacksReads ? 'not recorded' : html`${plural(f.reads, 'time')}, ${bytes(f.readBytes)}`}</dd>
			${f.renamed && html`<dt>now</dt><dd><a class="mono" href=${link('files', f.renamed)}>${plain(f.renamed)}</a></dd>`}
			${f.failed > 0 && html`<dt>failed</dt><dd>${plural(f.failed, 'time')} <span class="faint">${f.error}</span></dd>`}</dl>
		<h3>By</h3><ul class="plain">${lives.slice(0, 50).map((l) => html`<li key=${l.key}><${Who} life=${l} /> <span class="faint">${brief(l.command, 100)}</span></li>`)}</ul>${lives.length > 50 && html`<p class="faint">and ${count(lives.length - 50)} more</p>`}
		${events.length > 0 && html`<h3>When</h3><ul class="plain">${events.map((e, i) => html`<li key=${i}><span class="mono small">${clock(e.at)}</span> ${e.kind} <span class="faint">${typeof e.detail === 'number' ? (e.detail ? bytes(e.detail) : '') : brief(e.detail, 60)}</span> <${Who} life=${e.life} name=${e.comm} /></li>`)}</ul>`}</aside>`;
}

export function Files({ model, at, version }) {
	const [sort, onSort] = useSort('last');
	const q = at.query.get('q') || '', changed = at.query.get('changed') === '1';
	const list = useMemo(() => {
		const words = q.toLowerCase().split(/\s+/).filter(Boolean);
		const test = (f, w) => (w.startsWith('pid:') ? [...f.lives].some((l) => String(l.pid) === w.slice(4)) : f.path.toLowerCase().includes(w));
		return sorted([...model.files.values()].filter((f) => (!changed || isChanged(f)) && words.every((w) => test(f, w))), columns, sort);
	}, [version, q, changed, sort]);
	const index = list.findIndex((f) => f.path === at.rest[0]), file = model.files.get(at.rest[0]);
	const hash = (path, query) => {
		const p = new URLSearchParams(query), s = p.toString();
		return (path ? link('files', path) : '#/files') + (s ? '?' + s : '');
	};
	const state = (more) => Object.fromEntries(Object.entries({ q, changed: changed ? '1' : '', ...more }).filter(([, v]) => v));
	if (!model.files.size && model.lacks('process')) return html`<${Empty} title="Files were not recorded">The collector process(8) took no part.<//>`;
	if (!model.files.size) return html`<${Empty} title="No file was seen">Run the collector process(8) as well: agentsight record --process.<//>`;
	const row = (i) => {
		const f = list[i], slash = f.path.lastIndexOf('/');
		return html`<span class="cell wide mono path" role="gridcell" title=${plain(f.path)}><span class="dir">${plain(f.path.slice(0, slash + 1))}</span><span class="base">${plain(f.path.slice(slash + 1))}</span></span><span class="cell w-what" role="gridcell"><${What} f=${f} /></span>
			<span class="cell num" role="gridcell">${f.writtenBytes ? bytes(f.writtenBytes) : ''}</span><span class="cell num" role="gridcell">${f.readBytes ? bytes(f.readBytes) : ''}</span>
			<span class="cell num" role="gridcell">${f.lives.size === 1 ? brief([...f.lives][0].comm, 14) : plural(f.lives.size, 'process', 'processes')}</span><span class="cell num w-time" role="gridcell">${clock(f.last).slice(0, 8)}</span>`;
	};
	return html`<h1 class="hidden">Files</h1><div class="bar"><input type="search" placeholder="Part of the path, or pid:123" aria-label="Search files" value=${q} onInput=${(e) => replacePlace(hash(at.rest[0], state({ q: e.target.value })))} />
		<label class="check"><input type="checkbox" checked=${changed} onChange=${(e) => replacePlace(hash(at.rest[0], state({ changed: e.target.checked ? '1' : '' })))} /> changed only</label>
		<span class="faint">${count(list.length)} of ${plural(model.files.size, 'path')}${model.lacksReads ? '; reads were not recorded' : ''}</span></div>
		<div class="with-detail"><${VirtualList} role="grid" label="Files" className="table" length=${list.length} selected=${index} keyOf=${(i) => list[i].path} header=${html`<${Columns} columns=${columns} sort=${sort} onSort=${onSort} />`}
			onSelect=${(i) => replacePlace(hash(list[i].path, state({})))} row=${row} />
		${file ? html`<${Detail} f=${file} model=${model} />` : html`<aside class="detail empty-detail"><p class="faint">Choose a file to see who touched it.</p></aside>`}</div>`;
}
