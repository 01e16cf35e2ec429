// timeline.js - everything on one axis of time: calls, tools, processes, connections; drawn on a canvas
import { html } from 'htm/preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Chart, colour } from './chart.js';
import { Empty, link, replacePlace } from './parts.js';
import { brief, clock, count, plural, span } from './fmt.js';

const ROW = 20, HEAD = 26, LEFT = 56, RIGHT = 64, MINI = 44, GROUP_ROWS = 400;	// LEFT, RIGHT: the axes of the chart below

// Bars into as few rows as they need; each knows its row.
function pack(bars) {
	const ends = [];
	bars.sort((a, b) => a.from - b.from);
	for (const b of bars) {
		let row = ends.findIndex((end) => end <= b.from);
		if (row < 0) row = ends.length < GROUP_ROWS ? ends.push(0) - 1 : GROUP_ROWS - 1;
		ends[row] = b.to;
		b.row = row;
	}
	return ends.length;
}

function groups(model) {
	const end = model.last, out = [];
	const add = (name, bars) => { if (bars.length) out.push({ name, bars, rows: pack(bars) }); };
	add('Model calls', model.counted.map((c) => ({ from: c.at, to: c.end, kind: c.failed ? 'bad' : 'call', first: c.ev.first_token_ms, name: c.model || 'model',
		note: `${count(c.usage.input_tokens || 0)} in, ${count(c.usage.output_tokens || 0)} out`, href: link('conversation', c.conv.id, c.key) })));
	add('Tools', model.tools.map((t) => ({ from: t.asked, to: t.answered ?? Math.min(end, t.asked + 1000), kind: t.error ? 'bad' : 'tool', name: t.name,
		note: brief(t.args?.command || t.args?.file_path || t.args?.url || '', 80), href: link('conversation', t.call.conv.id, t.call.key) })));
	add('Processes', model.lives.filter((l) => l.start < end).map((l) => ({ from: l.start, to: l.end ?? Math.max(end, l.start + 1), kind: l.bad ? 'bad' : l.calls ? 'agent' : 'process', name: l.comm || '?', note: brief(l.command, 100), href: link('processes', l.key) })));
	add('Requests', [...model.http.values()].filter((x) => x.host).map((x) => ({ from: x.at, to: x.at + (x.duration || 1), kind: x.status >= 400 ? 'bad' : 'net', name: x.host, note: `${x.method || ''} ${brief(x.path, 60)} ${x.status ?? ''}`, href: link('network', x.host.replace(/:\d+$/, '')) })));
	add('Connections', model.connects.map((c) => ({ from: c.at, to: c.end ?? Math.max(c.at + 1, c.failed ? c.at + 1 : c.life.end ?? end), kind: c.failed ? 'bad' : 'net', name: c.name, note: `${c.ev.address}:${c.ev.port} ${c.ev.error || ''}`, href: link('network', c.name) })));
	const changes = model.effects.filter((e) => !['exec', 'connect', 'send', 'read', 'mcp', 'signal'].includes(e.kind));
	if (changes.length) out.push({ name: 'File changes', bars: changes.map((e) => ({ from: e.at, to: e.at, row: 0, kind: /delete|rmdir/.test(e.kind) ? 'bad' : 'file', name: e.kind, note: brief(e.target, 100), href: link('files', e.target) })), rows: 1 });
	let y = 0;
	for (const g of out) { g.y = y; y += HEAD + g.rows * ROW + 6; }
	return { list: out, height: y };
}

const colours = { call: 'accent', tool: 'violet', process: 'grey', agent: 'accent-mid', net: 'teal', file: 'green', bad: 'red' };

function ticks(from, to, width) {
	const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 864e5];
	const want = (to - from) / Math.max(2, width / 110), step = steps.find((s) => s >= want) || 864e5, out = [];
	for (let t = Math.ceil(from / step) * step; t <= to; t += step) out.push(t);
	return { out, step };
}

function fit(canvas, width, height) {
	const k = devicePixelRatio || 1;
	if (canvas.width !== Math.round(width * k) || canvas.height !== Math.round(height * k)) {
		canvas.width = Math.round(width * k);
		canvas.height = Math.round(height * k);
		canvas.style.height = height + 'px';
	}
	const g = canvas.getContext('2d');
	g.setTransform(k, 0, 0, k, 0, 0);
	g.clearRect(0, 0, width, height);
	return g;
}

function drawAxis(g, view, width, height) {
	const { out, step } = ticks(view.from, view.to, width - LEFT - RIGHT), k = (width - LEFT - RIGHT) / (view.to - view.from);
	g.font = '11px system-ui, sans-serif';
	g.textBaseline = 'middle';
	for (const t of out) {
		const x = Math.round(LEFT + (t - view.from) * k) + 0.5;
		g.strokeStyle = colour('line');
		g.beginPath(); g.moveTo(x, 18); g.lineTo(x, height); g.stroke();
		g.fillStyle = colour('faint');
		g.fillText(step < 1000 ? clock(t).slice(3) : clock(t).slice(0, 8), x + 4, 9);
	}
}

// Bars closer than a pixel are drawn as one: 100 000 of them cost what is seen.
function drawGroup(g, group, view, width, palette, hover) {
	const k = (width - LEFT - RIGHT) / (view.to - view.from), y0 = 22 + group.y;
	g.fillStyle = colour('text-soft');
	g.font = '600 11px system-ui, sans-serif';
	g.fillText(group.name, 10, y0 + HEAD / 2);
	g.fillStyle = colour('faint');
	g.font = '11px system-ui, sans-serif';
	g.fillText(count(group.bars.length), 10 + 8 + g.measureText(group.name).width * 1.1, y0 + HEAD / 2);
	const drawn = new Map();
	g.save();
	g.beginPath(); g.rect(0, y0 + HEAD, width, group.rows * ROW + 2); g.clip();
	for (const b of group.bars) {
		if (b.to < view.from || b.from > view.to) continue;
		const x = Math.max(-4, LEFT + (b.from - view.from) * k), right = Math.min(width + 4, LEFT + (b.to - view.from) * k), w = Math.max(2, right - x - 0.5);
		const pixel = Math.floor(x), y = y0 + HEAD + b.row * ROW;
		if (w <= 2 && drawn.get(b.row) === pixel && b.kind !== 'bad') continue;
		if (w <= 2) drawn.set(b.row, pixel);
		g.fillStyle = palette[b.kind];
		g.globalAlpha = b === hover ? 1 : 0.86;
		if (w > 6) { g.beginPath(); g.roundRect(x, y + 1, w, ROW - 4, 3); g.fill(); } else g.fillRect(x, y + 1, w, ROW - 4);
		if (b.first && b.kind === 'call') {
			const wait = Math.min(w, b.first * k);
			if (wait > 3) { g.globalAlpha = 0.35; g.fillStyle = palette.back; g.fillRect(x, y + 1, wait, ROW - 4); }
		}
		g.globalAlpha = 1;
		if (w > 34) {
			g.fillStyle = b.kind === 'process' ? palette.onGrey : palette.on;
			const left = Math.max(x, LEFT - 40) + 6, room = right - left - 6, chars = Math.floor(room / 6.2);
			if (chars > 2) g.fillText(b.name.length > chars ? b.name.slice(0, chars - 1) + '…' : b.name, left, y + ROW / 2 - 0.5);
		}
	}
	g.restore();
}

function palette() {
	const out = { on: colour('on-accent'), onGrey: colour('text'), back: colour('surface') };
	for (const [k, v] of Object.entries(colours)) out[k] = colour(v);
	return out;
}

function drawMini(canvas, all, model, view, width) {
	const g = fit(canvas, width, MINI), p = palette(), from = model.first, k = (width - LEFT - RIGHT) / Math.max(1, model.span);
	const rows = all.list.slice(0, 4);
	rows.forEach((group, i) => {
		const y = 4 + i * 9, seen = new Map();
		for (const b of group.bars) {
			const x = Math.floor(LEFT + (b.from - from) * k), w = Math.max(1, (b.to - b.from) * k);
			if (w <= 1 && seen.has(x)) continue;
			seen.set(x, 1);
			g.globalAlpha = group.name === 'Processes' ? 0.35 : 0.8;
			g.fillStyle = p[b.kind];
			g.fillRect(x, y, w, 6);
		}
	});
	g.globalAlpha = 1;
	const x = LEFT + (view.from - from) * k, w = Math.max(3, (view.to - view.from) * k);
	g.fillStyle = colour('accent-soft');
	g.fillRect(x, 0, w, MINI);
	g.strokeStyle = colour('accent');
	g.strokeRect(x + 0.5, 0.5, w - 1, MINI - 1);
}

function hit(all, view, width, x, y) {
	const k = (width - LEFT - RIGHT) / (view.to - view.from);
	for (const g of all.list) {
		const row = Math.floor((y - 22 - g.y - HEAD) / ROW);
		if (row < 0 || row >= g.rows) continue;
		let best = null, near = 5;
		for (const b of g.bars) {
			if (b.row !== row) continue;
			const a = LEFT + (b.from - view.from) * k, z = LEFT + (b.to - view.from) * k, d = x < a ? a - x : x > z ? x - z : 0;
			if (d < near || (d === 0 && near === 0)) { near = d; best = b; }
		}
		if (best) return best;
	}
	return null;
}

export function Timeline({ model, at, version, status }) {
	const canvas = useRef(null), mini = useRef(null), tip = useRef(null), drag = useRef(null), scroller = useRef(null);
	const [width, setWidth] = useState(0), [theme, setTheme] = useState(0), [hover, setHover] = useState(null);
	const all = useMemo(() => groups(model), [version]);
	const fromQuery = Number(at.query.get('from')), toQuery = Number(at.query.get('to'));
	const pad = Math.max(20, model.span * 0.01), whole = { from: model.first - pad, to: model.last + pad };
	const view = fromQuery && toQuery > fromQuery ? { from: fromQuery, to: toQuery } : whole, zoomed = view !== whole;
	const now = useRef(null);
	now.current = { view, whole, width, all };

	const show = (from, to) => {
		const { whole: w } = now.current;
		const length = Math.min(Math.max(to - from, 2), w.to - w.from);
		let a = Math.max(w.from, Math.min(from, w.to - length));
		if (length >= (w.to - w.from) * 0.999) replacePlace('#/timeline');
		else replacePlace(`#/timeline?from=${a.toFixed(2)}&to=${(a + length).toFixed(2)}`);
	};
	const zoom = (factor, where = 0.5) => {
		const { view: v } = now.current, length = (v.to - v.from) * factor, t = v.from + (v.to - v.from) * where;
		show(t - length * where, t + length * (1 - where));
	};
	const move = (part) => { const { view: v } = now.current, d = (v.to - v.from) * part; show(v.from + d, v.to + d); };

	useEffect(() => {
		const el = scroller.current;
		if (!el) return undefined;
		const measure = () => setWidth(el.clientWidth);
		measure();
		const watch = new ResizeObserver(measure);
		watch.observe(el);
		const again = () => setTheme((n) => n + 1), dark = matchMedia('(prefers-color-scheme: dark)');
		addEventListener('themechange', again);
		dark.addEventListener('change', again);
		const onWheel = (e) => {
			if (!e.ctrlKey && !e.shiftKey && Math.abs(e.deltaX) <= Math.abs(e.deltaY)) return;
			e.preventDefault();
			const box = el.getBoundingClientRect();
			if (e.ctrlKey) zoom(Math.exp(e.deltaY * 0.004), Math.max(0, Math.min(1, (e.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT))));
			else move((e.deltaX || e.deltaY) / box.width);
		};
		el.addEventListener('wheel', onWheel, { passive: false });
		const onKey = (e) => {
			if (e.altKey || e.ctrlKey || e.metaKey || /^(INPUT|TEXTAREA)$/.test(e.target.tagName)) return;
			if (e.key === '+' || e.key === '=') zoom(0.6);
			else if (e.key === '-') zoom(1 / 0.6);
			else if (e.key === '0') replacePlace('#/timeline');
			else if (e.key === 'ArrowLeft') move(-0.2);
			else if (e.key === 'ArrowRight') move(0.2);
			else return;
			e.preventDefault();
		};
		addEventListener('keydown', onKey);
		return () => { watch.disconnect(); removeEventListener('themechange', again); dark.removeEventListener('change', again); el.removeEventListener('wheel', onWheel); removeEventListener('keydown', onKey); };
	}, [all.list.length > 0]);

	useEffect(() => {
		if (!width || !canvas.current) return;
		const height = all.height + 30, g = fit(canvas.current, width, height), p = palette();
		drawAxis(g, view, width, height);
		for (const group of all.list) drawGroup(g, group, view, width, p, hover);
		drawMini(mini.current, all, model, view, width);
	}, [all, view.from, view.to, width, theme, hover]);

	const placeOf = (e) => { const box = canvas.current.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
	const onMove = (e) => {
		const [x, y] = placeOf(e), d = drag.current;
		if (d) {
			if (Math.abs(x - d.x) > 3) d.moved = true;
			if (d.moved) { const k = (d.view.to - d.view.from) / (width - LEFT - RIGHT); show(d.view.from - (x - d.x) * k, d.view.to - (x - d.x) * k); }
			return;
		}
		const b = hit(all, view, width, x, y);
		if (b !== hover) setHover(b);
		if (tip.current) tip.current.style.transform = `translate(${Math.min(x + 14, width - 330)}px, ${y + 16}px)`;
	};
	const onDown = (e) => { const [x] = placeOf(e); drag.current = { x, view, moved: false }; e.currentTarget.setPointerCapture(e.pointerId); };
	const onUp = (e) => {
		const d = drag.current;
		drag.current = null;
		if (d && !d.moved) { const b = hit(all, view, width, ...placeOf(e)); if (b) location.hash = b.href; }
	};
	const onMini = (e) => {
		if (e.type === 'pointermove' && !e.buttons) return;
		const box = mini.current.getBoundingClientRect(), t = model.first + (e.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT) * model.span, half = (view.to - view.from) / 2;
		show(t - half, t + half);
	};
	if (!all.list.length) return html`<${Empty} title="Nothing to draw yet">Calls, tools, processes and connections appear here.<//>`;
	return html`<h1 class="hidden">Timeline</h1><div class="bar"><button class="quiet" title="Closer (+)" aria-label="Closer" onClick=${() => zoom(0.6)}>+</button><button class="quiet" title="Wider (−)" aria-label="Wider" onClick=${() => zoom(1 / 0.6)}>−</button><button class="quiet" title="All (0)" disabled=${!zoomed} onClick=${() => replacePlace('#/timeline')}>All</button>
		<span class="faint">${clock(view.from)} – ${clock(view.to)} · ${span(view.to - view.from)}</span><span class="grow"></span><span class="faint small hint">drag to move, Ctrl + wheel to zoom, click to open</span></div>
		<canvas class="mini" ref=${mini} aria-hidden="true" onPointerDown=${onMini} onPointerMove=${onMini}></canvas>
		<div class="timeline" ref=${scroller}><div class="timeline-in"><canvas ref=${canvas} role="img" aria-label=${`Timeline of ${all.list.map((g) => `${g.bars.length} ${g.name.toLowerCase()}`).join(', ')}. The views Conversation, Processes and Network hold the same as lists.`}
			class=${hover ? 'over' : ''} onPointerMove=${onMove} onPointerDown=${onDown} onPointerUp=${onUp} onPointerLeave=${() => setHover(null)}></canvas>
			<div class="tip" ref=${tip} hidden=${!hover}>${hover && html`<strong>${brief(hover.name, 60)}</strong> ${hover.to > hover.from ? span(hover.to - hover.from) : ''}<br /><span class="faint">${clock(hover.from)}</span>${hover.note && html`<br /><span class="mono small">${brief(hover.note, 160)}</span>`}`}</div></div></div>
		${model.samples.length > 1 && html`<div class="timeline-chart"><${Chart} model=${model} height=${110} range=${[view.from, view.to]} left=${LEFT} /></div>`}`;
}
