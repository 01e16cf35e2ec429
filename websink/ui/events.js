// events.js - every event as it is, searched with the grammar of jsonfilter(1)
import { html } from 'htm/preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Json, VirtualList, replacePlace } from './parts.js';
import { brief, clock, count, plain, plural } from './fmt.js';

// One line that says what an event is.
export function summary(ev) {
	switch (ev.type) {
	case 'llm.call': return `${ev.response_model || ev.request_model || ''} ${ev.usage ? `${ev.usage.input_tokens ?? '?'} in, ${ev.usage.output_tokens ?? '?'} out` : ev.error_type || ''}`;
	case 'mcp.call': return `${ev.method} ${ev.tool || ''}`;
	case 'http.request': return `${ev.method} ${ev.host || ''}${ev.path || ''}`;
	case 'http.response': return `${ev.status_code} ${ev.method || ''} ${ev.host || ''}${ev.path || ''}`;
	case 'http.body': return ev.data ?? ev.data_b64 ?? '';
	case 'sse.delta': return `${ev.kind || ''} ${ev.text || ''}`;
	case 'sse.message': return `${ev.format || ''} ${ev.text || ''}`;
	case 'process.exec': return Array.isArray(ev.argv) ? ev.argv.join(' ') : ev.filename || '';
	case 'process.exit': return ev.signal ? `by ${ev.signal_name || ev.signal}` : `exit ${ev.exit_code ?? ''}`;
	case 'process.fork': return `child ${ev.child_pid}`;
	case 'process.signal': return `${ev.signal_name || ev.signal} to ${ev.target_pid}`;
	case 'net.dns': return `${ev.name || ''} ${(ev.addresses || []).join(' ')}`;
	case 'system.process': return `${ev.cpu_percent ?? '?'} % CPU, ${Math.round((ev.rss_bytes || 0) / 1048576)} MiB`;
	case 'system.host': return `load ${Number(ev.load1).toFixed(2)}, ${Math.round((ev.mem_available_bytes || 0) / 1048576)} MiB free`;
	case 'loss': return `${ev.stage} ${ev.reason} ${ev.events}`;
	}
	if (ev.path) return `${ev.path}${ev.to ? ' → ' + ev.to : ''}${ev.error ? ' ' + ev.error : ''}${ev.bytes != null ? ` ${ev.bytes} bytes` : ''}`;
	if (ev.address) return `${ev.address}:${ev.port}${ev.error ? ' ' + ev.error : ''}`;
	return ev.data ?? ev.data_b64 ?? ev.command ?? '';
}

const family = (type) => type.split('.')[0];

function Detail({ entry, source }) {
	const [whole, setWhole] = useState(null), [error, setError] = useState('');
	useEffect(() => { setWhole(null); setError(''); }, [entry.id]);
	const ev = whole || entry.ev;
	const get = () => source.whole(entry.id).then(setWhole, (e) => setError(e.message));
	return html`<aside class="detail" aria-label="Event"><h2>${brief(ev.type, 40)} <span class="faint">#${entry.id}</span></h2>
		${entry.ev.cut && !whole && html`<p class="small">Long values are cut here. ${source.can.whole ? html`<button class="more" onClick=${get}>Get all of it</button>` : ''} ${error && html`<span class="bad-text">${error}</span>`}</p>`}
		<${Json} value=${ev} open=${true} /></aside>`;
}

// Ids of the events that match, kept up while more come in. Without a server: words that occur.
function useMatch(source, model, expr, version) {
	const [found, setFound] = useState({ expr: '', ids: null, error: null, busy: false });
	const state = useRef({ expr: null, last: 0, asking: false });
	const newest = model.events.length ? model.events[model.events.length - 1].id : 0;
	useEffect(() => {
		const s = state.current;
		if (!expr) { Object.assign(s, { expr: '', last: 0 }); setFound({ expr: '', ids: null, error: null }); return undefined; }
		if (!source.can.match || s.asking) return undefined;
		if (s.expr === expr && s.last >= newest) return undefined;
		const timer = setTimeout(async () => {
			s.asking = true;
			const after = s.expr === expr ? s.last : 0;
			try {
				const r = await source.match(expr, after);
				s.expr = expr; s.last = r.last_id;
				setFound((f) => ({ expr, ids: after ? f.ids.concat(r.ids) : r.ids, error: null }));
			} catch (e) {
				s.expr = expr; s.last = newest;
				setFound({ expr, ids: [], error: e });
			}
			s.asking = false;
		}, s.expr === expr ? 500 : 150);
		return () => clearTimeout(timer);
	}, [expr, newest]);
	return found;
}

function wordsMatch(events, expr) {
	const words = expr.toLowerCase().split(/\s+/).filter(Boolean);
	return events.filter((e) => { const s = JSON.stringify(e.ev).toLowerCase(); return words.every((w) => s.includes(w)); });
}

export function Events({ model, source, at, version, status }) {
	const expr = at.query.get('q') || '', [text, setText] = useState(expr);
	useEffect(() => { if (expr !== text) setText(expr); }, [expr]);
	const found = useMatch(source, model, expr, version);
	const list = useMemo(() => {
		if (!expr) return model.events;
		if (!source.can.match) return wordsMatch(model.events, expr);
		return (found.ids || []).map((id) => model.event(id)).filter(Boolean);
	}, [expr, found, expr && source.can.match ? 0 : version]);
	const wanted = Number(at.rest[0]), index = wanted ? list.findIndex((e) => e.id === wanted) : -1, entry = index >= 0 ? list[index] : wanted ? model.event(wanted) : null;
	const query = expr ? '?q=' + encodeURIComponent(expr) : '';
	const set = (q) => { setText(q); replacePlace('#/events' + (q ? '?q=' + encodeURIComponent(q) : '')); };
	const kinds = [...model.kinds].sort((a, b) => (a[0] < b[0] ? -1 : 1));
	const only = /^type=([\w.]+)$/.exec(expr)?.[1];
	const row = (i) => {
		const { ev, at: t, id } = list[i];
		return html`<span class="cell w-time mono faint" role="gridcell">${clock(t)}</span><span class=${'cell w-type type-' + family(ev.type)} role="gridcell">${brief(ev.type, 24)}</span>
			<span class="cell w-who" role="gridcell">${brief(ev.comm || ev.stage || '', 16)} <span class="faint">${ev.pid ?? ''}</span></span><span class="cell wide mono" role="gridcell">${brief(summary(ev), 260)}</span>`;
	};
	return html`<h1 class="hidden">Events</h1><div class="bar"><input type="search" class="wide" spellcheck="false" autocomplete="off" aria-label="Filter" aria-describedby="filter-note" aria-invalid=${!!found.error}
			placeholder=${source.can.match ? 'Filter as jsonfilter(1):  type=file.write & path~.py   usage.input_tokens>20000   (comm=sh | comm=python3) & !seed' : 'Words that occur'} value=${text} onInput=${(e) => set(e.target.value)} />
		<span class="faint bar-count">${expr ? `${count(list.length)} of ` : ''}${plural(model.events.length, 'event')}</span></div>
		<p class="filter-note" id="filter-note" role="status">${found.error ? html`<span class="bad-text">${found.error.message}${found.error.at != null ? html`, here: <code>${plain(expr.slice(Math.max(0, found.error.at - 20), found.error.at))}<mark>${plain(expr.slice(found.error.at, found.error.at + 1)) || '␣'}</mark>${plain(expr.slice(found.error.at + 1, found.error.at + 20))}</code>` : ''}</span>`
			: html`<span class="kinds">${source.can.match && kinds.map(([k, n]) => html`<button key=${k} class=${'chip ' + (only === k ? 'chip-on' : '')} aria-pressed=${only === k} onClick=${() => set(only === k ? '' : 'type=' + k)}>${brief(k, 24)} <span class="faint">${count(n)}</span></button>`)}</span>`}</p>
		<div class="with-detail"><${VirtualList} role="grid" label="Events" className="table" length=${list.length} selected=${index} keyOf=${(i) => list[i].id} follow=${status.state === 'live'}
			onSelect=${(i) => replacePlace(`#/events/${list[i].id}${query}`)} row=${row} />
		${entry ? html`<${Detail} entry=${entry} source=${source} />` : html`<aside class="detail empty-detail"><p class="faint">Choose an event to see all of it.</p></aside>`}</div>`;
}
