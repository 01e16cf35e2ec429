// app.js - the page: one model fed by one source, and a view of it that the address names
import { render } from 'preact';
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Model } from './model.js';
import { findSource } from './source.js';
import { Badge, usePlace } from './parts.js';
import { setPrices } from './price.js';
import { count, plural, plain, day } from './fmt.js';
import { Overview } from './overview.js';
import { Conversations } from './conversation.js';
import { Timeline } from './timeline.js';
import { Processes } from './processes.js';
import { Files } from './files.js';
import { Network } from './network.js';
import { Events } from './events.js';
import { Reports } from './reports.js';

const DRAW_MS = 200;	// between two pictures, while events come in

const views = [
	{ id: 'overview', name: 'Overview', view: Overview },
	{ id: 'conversation', name: 'Conversation', view: Conversations, count: (m) => m.calls.length },
	{ id: 'timeline', name: 'Timeline', view: Timeline },
	{ id: 'processes', name: 'Processes', view: Processes, count: (m) => m.lives.length },
	{ id: 'files', name: 'Files', view: Files, count: (m) => m.files.size },
	{ id: 'network', name: 'Network', view: Network, count: (m) => m.hosts.size },
	{ id: 'events', name: 'Events', view: Events, count: (m) => m.events.length },
	{ id: 'reports', name: 'Reports', view: Reports, when: (s) => s.info?.reports?.length },
];

const help = [
	['1 … 8', 'go to a view'], ['/', 'search'], ['j k, ↑ ↓', 'move in a list'], ['Enter', 'open what is selected'], ['[ ]', 'the call, or the conversation, before and after'],
	['+ − 0', 'timeline: closer, wider, all'], ['← →', 'timeline: earlier, later'], ['t', 'light, dark, as the system'], ['?', 'this help'], ['Esc', 'close'],
];

function useTheme() {
	const read = () => { try { return localStorage.getItem('theme') || ''; } catch { return ''; } };
	const [theme, set] = useState(read);
	useEffect(() => {
		if (theme) document.documentElement.dataset.theme = theme;
		else delete document.documentElement.dataset.theme;
		try { localStorage.setItem('theme', theme); } catch { /* a file: page may keep nothing */ }
		dispatchEvent(new Event('themechange'));
	}, [theme]);
	return [theme, () => set((t) => (t === '' ? 'dark' : t === 'dark' ? 'light' : ''))];
}

function State({ status, model }) {
	const names = { loading: 'reading…', live: 'live', ended: 'ended', lost: 'no connection', report: 'report' };
	let lost = 0;
	for (const l of model.losses.values()) lost += l.events;
	return html`${lost > 0 && html`<a class="lost" href="#/overview/losses" title="Not everything was seen"><${Badge} kind="warn">${count(lost)} not seen<//></a>`}
		<span class="state ${status.state}" role="status" title=${status.error || ''}>
		<span class="dot" aria-hidden="true"></span>${names[status.state] || ''}<span class="faint state-count">${plural(model.events.length, 'event')}</span></span>`;
}

function Notices({ status, model }) {
	return html`${status.error && html`<p class="notice bad" role="alert">${status.error}</p>`}
		${status.missed > 0 && html`<p class="notice">${plural(status.missed, 'event')} had left the server's memory before this page could get them; what is shown lacks them (websink --max-memory).</p>`}
		${model.left > 0 && html`<p class="notice">The oldest ${count(model.left)} events have left the list of this page; what they told is still counted.</p>`}
		${status.bad > 0 && html`<p class="notice">${plural(status.bad, 'line')} could not be read.</p>`}`;
}

function Help({ close }) {
	const box = useRef(null);
	useEffect(() => box.current.showModal(), []);
	return html`<dialog ref=${box} class="help" aria-label="Keys" onClose=${close} onClick=${(e) => e.target === box.current && box.current.close()}>
		<h2>Keys</h2><dl>${help.map(([k, what]) => html`<div key=${k}><dt><kbd>${k}</kbd></dt><dd>${what}</dd></div>`)}</dl>
		<form method="dialog"><button autofocus>Close</button></form></dialog>`;
}

function App({ model, source, status }) {
	const at = usePlace();
	const [theme, turn] = useTheme();
	const [asked, ask] = useState(false);
	const shown = views.filter((v) => !v.when || v.when(status));
	const now = shown.find((v) => v.id === at.view) || shown[0];
	useEffect(() => {
		const onKey = (e) => {
			if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
			const n = Number(e.key);
			if (n >= 1 && n <= shown.length) location.hash = '#/' + shown[n - 1].id;
			else if (e.key === '/') { const box = document.querySelector('input[type=search]'); if (box) { e.preventDefault(); box.focus(); } }
			else if (e.key === 't') turn();
			else if (e.key === '?') ask(true);
		};
		addEventListener('keydown', onKey);
		return () => removeEventListener('keydown', onKey);
	}, [shown.length]);
	useEffect(() => { document.title = `${now.name} · agentsight`; }, [now.id]);
	const View = now.view;
	return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus(); }}>Skip to the view</a>
		<header class="top">
			<span class="brand">agentsight</span>
			<nav aria-label="Views">${shown.map((v, i) => html`<a key=${v.id} href=${'#/' + v.id} title=${`${v.name} (${i + 1})`} aria-current=${v === now ? 'page' : undefined}>${v.name}${v.count && html`<span class="nav-count">${count(v.count(model))}</span>`}</a>`)}</nav>
			<span class="source" title=${plain(source.name)}>${plain(source.name.replace(/^.*\//, ''))} ${model.first < Infinity && html`<span class="faint">${day(model.first)}</span>`}</span>
			<${State} status=${status} model=${model} />
			<button class="quiet" title="Light, dark, or as the system (t)" aria-label=${`Colours: ${theme || 'as the system'}`} onClick=${turn}>${theme === 'dark' ? '☾' : theme === 'light' ? '☀' : '◐'}</button>
			<button class="quiet" title="Keys (?)" aria-label="Keys" onClick=${() => ask(true)}>?</button>
		</header>
		<div class="notices"><${Notices} status=${status} model=${model} /></div>
		<main id="main" tabindex="-1" class=${'view-' + now.id}>
			${model.events.length || status.state === 'lost' ? html`<${View} model=${model} source=${source} status=${status} at=${at} version=${model.version} />`
			: html`<div class="empty"><p><strong>${status.state === 'loading' ? 'Reading…' : 'Nothing has happened yet'}</strong></p>
				<p>${status.state === 'live' ? 'Events appear here as they are captured.' : status.state === 'ended' || status.state === 'report' ? 'The input had no events.' : ''}</p></div>`}
		</main>
		${asked && html`<${Help} close=${() => ask(false)} />`}`;
}

function start() {
	const model = new Model(), source = findSource(), root = document.getElementById('app');
	let status = { state: 'loading', bad: 0 }, due = 0, last = -Infinity;
	root.textContent = '';
	const draw = () => {
		due = 0;
		last = performance.now();
		render(html`<${App} model=${model} source=${source} status=${status} />`, root);
	};
	const later = () => {
		if (!due) due = setTimeout(() => requestAnimationFrame(draw), Math.max(0, last + DRAW_MS - performance.now()));
	};
	draw();
	source.run((id, ev) => {
		if (ev) model.add(id, ev);
		else status = { ...status, bad: status.bad + 1 };
		later();
	}, (change) => {
		if (change.info) setPrices(change.info.prices);
		status = { ...status, ...change, error: change.state ? change.error : status.error };
		later();
	});
	globalThis.agentsight = { model, get status() { return status; } };	// for a look from the console
}

start();
