// chart.js - lines over time and bars per call, by uPlot; in the colours of the page
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { bytes, clock, count } from './fmt.js';
import { link } from './parts.js';

export function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}

const steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];	// seconds

function axis(values, more = {}) {
	return { stroke: colour('faint'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif', size: 56, values, ...more };
}

// A plot that is made anew only when its shape or colours change, else fed.
function usePlot(make, data, height, keys) {
	const box = useRef(null), plot = useRef(null);
	useEffect(() => {
		const el = box.current;
		const build = () => {
			plot.current?.destroy();
			plot.current = new uPlot({ width: el.clientWidth || 400, height, ...make() }, data(), el);
		};
		build();
		const watch = new ResizeObserver(() => plot.current && el.clientWidth && plot.current.setSize({ width: el.clientWidth, height }));
		watch.observe(el);
		addEventListener('themechange', build);
		const dark = matchMedia('(prefers-color-scheme: dark)');
		dark.addEventListener('change', build);
		return () => { watch.disconnect(); removeEventListener('themechange', build); dark.removeEventListener('change', build); plot.current.destroy(); plot.current = null; };
	}, []);
	useEffect(() => { plot.current?.setData(data()); }, keys);
	return [box, plot];
}

function resources(model) {
	const pids = new Map();
	for (const s of model.samples) pids.set(s.pid, (pids.get(s.pid) || 0) + 1);
	const main = [...pids].sort((a, b) => b[1] - a[1])[0]?.[0];
	const x = [], cpu = [], rss = [];
	for (const s of model.samples) {
		if (s.pid !== main || (x.length && s.at / 1000 <= x[x.length - 1])) continue;
		x.push(s.at / 1000);
		cpu.push(s.cpu ?? null);
		rss.push(s.rss ?? null);
	}
	return [x, cpu, rss];
}

// CPU and memory of the process that is watched most. range: [from, to] in ms, shared with the timeline.
export function Chart({ model, height = 150, range, left = 56 }) {
	const shown = useRef(range);
	shown.current = range;
	const [box, plot] = usePlot(() => ({
		legend: { show: false }, cursor: { show: true, x: true, y: false, drag: { x: false, y: false } }, padding: [8, 0, 0, 0],
		scales: { x: { time: false, range: (u, min, max) => (shown.current ? shown.current.map((t) => t / 1000) : [min, Math.max(max, min + 1)]) }, cpu: { range: (u, min, max) => [0, Math.max(10, max * 1.1)] }, rss: { range: (u, min, max) => [0, Math.max(1, max * 1.15)] } },
		axes: [axis((u, v, i, space, step) => v.map((t) => (step < 1 ? clock(t * 1000).slice(3) : clock(t * 1000).slice(0, 8))), { size: 28, space: 90, incrs: steps }), axis((u, v) => v.map((n) => n + ' %'), { scale: 'cpu', size: left }), axis((u, v) => v.map(bytes), { scale: 'rss', side: 1, size: 64, incrs: Array.from({ length: 40 }, (_, i) => 2 ** i),  grid: { show: false } })],
		series: [{}, { label: 'CPU', scale: 'cpu', stroke: colour('accent'), width: 1.5, fill: colour('accent-soft'), points: { show: false } }, { label: 'Memory', scale: 'rss', stroke: colour('violet'), width: 1.5, points: { show: false } }],
	}), () => resources(model), height, [model.samples.length]);
	useEffect(() => { if (range && plot.current) plot.current.setScale('x', { min: range[0] / 1000, max: range[1] / 1000 }); }, [range?.[0], range?.[1]]);
	const s = model.samples[model.samples.length - 1];
	return html`<div class="chart" ref=${box} role="img" aria-label=${s ? `CPU ${s.cpu ?? 0} percent, memory ${bytes(s.rss)} at the end` : 'no samples'}></div>
		<ul class="legend"><li><span class="key line-cpu"></span>CPU, of one core</li><li><span class="key line-rss"></span>Memory</li></ul>`;
}

function bars(calls) {
	const fresh = [], cached = [], out = [];
	for (const c of calls) {
		const u = c.usage, input = u.input_tokens || 0;
		cached.push(u.cache_read_tokens || 0);
		fresh.push(input);		// drawn behind the cached part
		out.push(input + (u.output_tokens || 0));
	}
	return [calls.map((_, i) => i), out, fresh, cached];
}

export function BarChart({ calls }) {
	const list = useRef(calls);
	list.current = calls;
	const series = (name, fill) => ({ label: name, fill, stroke: fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.7, 36] }) });
	const [box, plot] = usePlot(() => ({
		legend: { show: false }, cursor: { x: false, y: false, points: { show: false } }, padding: [8, 8, 0, 0],
		scales: { x: { time: false, range: (u, min, max) => [min - 0.6, max + 0.6] }, y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
		axes: [axis((u, v) => v.map((i) => (Number.isInteger(i) && list.current[i] ? i + 1 : '')), { size: 24, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100] }), axis((u, v) => v.map(count))],
		series: [{}, series('output', colour('green')), series('new input', colour('accent')), series('from cache', colour('accent-pale'))],
	}), () => bars(list.current), 170, [calls.length, calls[calls.length - 1]]);
	const open = () => {
		const c = plot.current && list.current[plot.current.cursor.idx];
		if (c) location.hash = link('conversation', c.conv.id, c.key);
	};
	return html`<div class="chart clickable" ref=${box} onClick=${open} role="img" aria-label=${`Tokens of ${calls.length} calls`}></div>
		<ul class="legend"><li><span class="key bar-cached"></span>Input from cache</li><li><span class="key bar-fresh"></span>New input</li><li><span class="key bar-out"></span>Output</li></ul>`;
}
