// parts.js - small pieces of the page that several views use
import { html } from 'htm/preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { plain, brief, clock } from './fmt.js';

// --- places: #/view/thing?key=value -------------------------------------------------
export function place() {
	const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
	const parts = path.split('/').filter(Boolean).map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
	return { view: parts[0] || 'overview', rest: parts.slice(1), query: new URLSearchParams(query || '') };
}
export function link(...parts) {
	return '#/' + parts.map((p) => encodeURIComponent(p)).join('/');
}
// Another state of the same view: no entry in the history.
export function replacePlace(hash) {
	if (location.hash === hash) return;
	history.replaceState(null, '', hash);
	dispatchEvent(new HashChangeEvent('hashchange'));
}
export function usePlace() {
	const [, set] = useState(0);
	useEffect(() => {
		const on = () => set((n) => n + 1);
		addEventListener('hashchange', on);
		return () => removeEventListener('hashchange', on);
	}, []);
	return place();
}

// --- text ----------------------------------------------------------------------------
// Somebody else's text: as it is, never markup; long ones open on demand.
export function Text({ text, lines = 14, mono, label }) {
	const [open, setOpen] = useState(false);
	const s = String(text ?? '');
	const cut = cutAt(s, lines);
	const shown = open || cut < 0 ? s : s.slice(0, cut);
	const left = cut < 0 ? 0 : s.slice(cut).split('\n').length - 1 || 1;
	return html`<div class="text ${mono ? 'mono' : ''}" aria-label=${label}><span>${plain(shown)}</span>${cut >= 0 && html`
		<button class="more" aria-expanded=${open} onClick=${() => setOpen(!open)}>
			${open ? 'Show less' : `Show ${left.toLocaleString()} more ${left === 1 ? 'line' : 'lines'} (${s.length.toLocaleString()} characters in all)`}
		</button>`}</div>`;
}
function cutAt(s, lines) {
	const most = lines * 130;
	let at = -1;
	for (let n = 0; n < lines; n++) {
		at = s.indexOf('\n', at + 1);
		if (at < 0) return s.length > most * 1.3 ? most : -1;
		if (at > most) return most;
	}
	return s.length - at < 160 ? -1 : at;
}

export function Badge({ kind = '', children, title }) {
	return html`<span class="badge ${kind}" title=${title}>${children}</span>`;
}

export function Empty({ title, children }) {
	return html`<div class="empty"><p><strong>${title}</strong></p><p>${children}</p></div>`;
}

export function Tile({ name, value, note, kind, href }) {
	const inner = html`<span class="tile-name">${name}</span><span class="tile-value ${kind || ''}">${value}</span><span class="tile-note">${note || '\u00a0'}</span>`;
	return href ? html`<a class="tile" href=${href}>${inner}</a>` : html`<div class="tile">${inner}</div>`;
}

// --- JSON, as a tree that opens -------------------------------------------------------
export function Json({ value, name, depth = 0, open: start }) {
	const isObject = value !== null && typeof value === 'object';
	const [open, setOpen] = useState(start ?? depth < 1);
	if (!isObject) return html`<div class="json-row" style=${{ '--depth': depth }}>${name != null && html`<span class="json-key">${name}</span>`}
		<span class="json-${value === null ? 'null' : typeof value}">${typeof value === 'string' ? html`<${Text} text=${value} lines=${6} mono />` : String(value)}</span></div>`;
	const keys = Object.keys(value), array = Array.isArray(value);
	return html`<div class="json-node">
		<button class="json-row json-open" style=${{ '--depth': depth }} aria-expanded=${open} onClick=${() => setOpen(!open)}>
			<span class="twist">${open ? '▾' : '▸'}</span>${name != null && html`<span class="json-key">${name}</span>`}
			<span class="faint">${array ? `${keys.length} ${keys.length === 1 ? 'entry' : 'entries'}` : open ? '' : brief(value, 100)}</span></button>
		${open && keys.map((k) => html`<${Json} key=${k} name=${k} value=${value[k]} depth=${depth + 1} />`)}</div>`;
}

// --- a list of any length: only what is seen is there ----------------------------------
// rows: an array, or anything with length; row(i) gives a node of the height given.
export function VirtualList({ length, height = 26, row, label, role = 'listbox', selected = -1, onSelect, onOpen, keyOf, follow, header, className = '' }) {
	const box = useRef(null);
	const [view, setView] = useState({ top: 0, h: 800 });
	const stick = useRef(true);
	useLayoutEffect(() => {
		const el = box.current;
		const measure = () => setView((v) => (v.h === el.clientHeight ? v : { ...v, h: el.clientHeight }));
		measure();
		const watch = new ResizeObserver(measure);
		watch.observe(el);
		return () => watch.disconnect();
	}, []);
	useLayoutEffect(() => {
		if (follow && stick.current) box.current.scrollTop = length * height;
	}, [length, follow]);
	useLayoutEffect(() => {
		const el = box.current;
		if (selected < 0) return;
		const top = selected * height, head = header ? height : 0;
		if (top < el.scrollTop) el.scrollTop = top;
		else if (top + height + head > el.scrollTop + el.clientHeight) el.scrollTop = top + height + head - el.clientHeight;
	}, [selected]);
	const onScroll = (e) => {
		const el = e.currentTarget;
		stick.current = el.scrollTop + el.clientHeight > el.scrollHeight - 2 * height;
		setView({ top: el.scrollTop, h: el.clientHeight });
	};
	const page = Math.max(1, Math.floor(view.h / height) - 1);
	const onKey = (e) => {
		const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -length, End: length }[e.key];
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		if (step && onSelect && length) { e.preventDefault(); onSelect(Math.max(0, Math.min(length - 1, selected < 0 ? 0 : selected + step))); }
		else if (e.key === 'Enter' && selected >= 0 && onOpen) { e.preventDefault(); onOpen(selected); }
	};
	const from = Math.max(0, Math.floor(view.top / height) - 8), to = Math.min(length, Math.ceil((view.top + view.h) / height) + 8);
	const shown = [];
	for (let i = from; i < to; i++) shown.push(html`<div key=${keyOf ? keyOf(i) : i} class="vrow ${i === selected ? 'selected' : ''}"
		style=${{ height: height + 'px', transform: `translateY(${i * height}px)` }} id=${`row-${i}`}
		onClick=${onSelect && (() => onSelect(i))} ...${rowRole(role, i, selected, length)}>${row(i)}</div>`);
	return html`<div class="vlist ${className}" ref=${box} tabindex="0" role=${role} aria-label=${label} aria-rowcount=${role === 'grid' ? length : undefined}
		aria-activedescendant=${selected >= from && selected < to ? `row-${selected}` : undefined} onScroll=${onScroll} onKeyDown=${onKey}>
		${header && html`<div class="vrow vhead" style=${{ height: height + 'px' }} role="row">${header}</div>`}
		<div class="vspace" style=${{ height: length * height + 'px' }} role="presentation">${shown}</div></div>`;
}
function rowRole(role, i, selected, length) {
	if (role === 'grid') return { role: 'row', 'aria-rowindex': i + 1, 'aria-selected': i === selected };
	if (role === 'tree') return { role: 'presentation' };
	return { role: 'option', 'aria-selected': i === selected, 'aria-setsize': length, 'aria-posinset': i + 1 };
}

// Columns of a table whose rows are virtual: [{ key, name, class, title }].
export function Columns({ columns, sort, onSort }) {
	return columns.map((c) => html`<span key=${c.key} role="columnheader" class="cell ${c.class || ''}"
		aria-sort=${sort?.key === c.key ? (sort.down ? 'descending' : 'ascending') : undefined}>
		${onSort && c.value ? html`<button class="sort" onClick=${() => onSort(c.key)}>${c.name}${sort?.key === c.key ? (sort.down ? ' ↓' : ' ↑') : ''}</button>` : c.name}</span>`);
}
export function useSort(first, down = true) {
	const [sort, set] = useState({ key: first, down });
	return [sort, (key) => set((s) => ({ key, down: s.key === key ? !s.down : true }))];
}
export function sorted(list, columns, sort) {
	const value = columns.find((c) => c.key === sort.key)?.value;
	if (!value) return list;
	const k = sort.down ? -1 : 1;
	return list.sort((a, b) => {
		const x = value(a), y = value(b);
		return x < y ? -k : x > y ? k : 0;
	});
}

// What a process did; a link to it. name: what it was called then.
export function Who({ life, name }) {
	if (!life) return null;
	return html`<a class="who" href=${link('processes', life.key)} title=${plain(life.command).slice(0, 400)}>${brief(name || life.comm || '?', 24)}<span class="faint"> ${life.pid}</span></a>`;
}
export function When({ at, base }) {
	if (!at) return null;
	return html`<time title=${clock(at)}>${base != null ? '+' + ((at - base) / 1000).toFixed(2) + ' s' : clock(at)}</time>`;
}
