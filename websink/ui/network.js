// network.js - the hosts that were reached, and what was asked of them
import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { Badge, Columns, Empty, Json, VirtualList, Who, link, replacePlace, sorted, useSort } from './parts.js';
import { brief, bytes, clock, count, plain, plural, span } from './fmt.js';

const columns = [
	{ key: 'name', name: 'Host', class: 'wide', value: (h) => h.name },
	{ key: 'connects', name: 'Connections', class: 'num', value: (h) => h.connects },
	{ key: 'requests', name: 'Requests', class: 'num', value: (h) => h.requests },
	{ key: 'sent', name: 'Sent', class: 'num', value: (h) => h.sent },
	{ key: 'received', name: 'Received', class: 'num', value: (h) => h.received },
	{ key: 'by', name: 'By', class: 'num', value: (h) => h.lives.size },
	{ key: 'last', name: 'Last', class: 'num w-time', value: (h) => h.last },
];

function Detail({ h, model }) {
	const requests = [...model.http.values()].filter((x) => x.host.replace(/:\d+$/, '') === h.name).slice(-200).reverse();
	const connects = model.connects.filter((c) => c.name === h.name).slice(-50).reverse();
	return html`<aside class="detail" aria-label="Host"><h2>${plain(h.name)}</h2>
		<dl class="facts">${h.addresses.size > 0 && html`<dt>address</dt><dd class="mono">${[...h.addresses].slice(0, 8).join(', ')}</dd>`}${h.ports.size > 0 && html`<dt>port</dt><dd>${[...h.ports].slice(0, 8).join(', ')}</dd>`}
			${h.calls > 0 && html`<dt>calls</dt><dd>${plural(h.calls, 'call')} of a model</dd>`}${h.failed > 0 && html`<dt>failed</dt><dd>${plural(h.failed, 'connection')}</dd>`}${h.errors > 0 && html`<dt>errors</dt><dd>${plural(h.errors, 'answer')} with a status from 400</dd>`}</dl>
		<h3>By</h3><ul class="plain">${[...h.lives].slice(0, 30).map((l) => html`<li key=${l.key}><${Who} life=${l} /> <span class="faint">${brief(l.command, 100)}</span></li>`)}</ul>
		${requests.length > 0 && html`<h3>Requests</h3><ul class="plain">${requests.map((x) => html`<li key=${x.id}><details><summary><span class="mono small">${clock(x.at).slice(0, 8)}</span> <strong>${brief(x.method, 10)}</strong> ${x.status >= 400 ? html`<${Badge} kind="bad">${x.status}<//>` : html`<span class="faint">${x.status ?? 'no answer'}</span>`} <span class="mono small">${brief(x.path, 100)}</span></summary>
			<p class="faint small">${span(x.duration)}, ${bytes(x.sent)} sent, ${bytes(x.received)} received</p>
			<${Json} value=${{ request: x.request?.headers, response: x.response?.headers }} open=${true} /></details></li>`)}</ul>`}
		${connects.length > 0 && html`<h3>Connections</h3><ul class="plain">${connects.map((c, i) => html`<li key=${i}><span class="mono small">${clock(c.at).slice(0, 8)}</span> <span class="mono">${c.ev.address}:${c.ev.port}</span> ${c.failed && html`<${Badge} kind="bad">${c.ev.error}<//>`} <span class="faint">${c.close ? `${bytes(c.close.sent_bytes)} sent, ${bytes(c.close.received_bytes)} received` : ''}</span> <${Who} life=${c.life} /></li>`)}</ul>`}</aside>`;
}

export function Network({ model, at, version }) {
	const [sort, onSort] = useSort('last');
	const q = at.query.get('q') || '';
	const list = useMemo(() => {
		const words = q.toLowerCase().split(/\s+/).filter(Boolean);
		return sorted([...model.hosts.values()].filter((h) => words.every((w) => h.name.toLowerCase().includes(w) || [...h.addresses].some((a) => a.includes(w)))), columns, sort);
	}, [version, q, sort]);
	const index = list.findIndex((h) => h.name === at.rest[0]), host = model.hosts.get(at.rest[0]), query = q ? '?q=' + encodeURIComponent(q) : '';
	if (!model.hosts.size && model.lacks('process') && model.lacks('sslsniff')) return html`<${Empty} title="Hosts were not recorded">Neither process(8) nor sslsniff(8) took part.<//>`;
	if (!model.hosts.size) return html`<${Empty} title="No host was seen">Hosts come from sslsniff(8), and from process(8) when it follows the network.<//>`;
	const row = (i) => {
		const h = list[i];
		return html`<span class="cell wide" role="gridcell">${plain(h.name)} <span class="faint mono small">${h.addresses.size && ![...h.addresses].includes(h.name) ? [...h.addresses][0] : ''}</span></span>
			<span class="cell num" role="gridcell">${h.connects || ''}${h.failed > 0 && html` <${Badge} kind="bad">${h.failed} failed<//>`}</span><span class="cell num" role="gridcell">${h.requests || ''}${h.errors > 0 && html` <${Badge} kind="bad">${h.errors} failed<//>`}</span>
			<span class="cell num" role="gridcell">${h.sent ? bytes(h.sent) : ''}</span><span class="cell num" role="gridcell">${h.received ? bytes(h.received) : ''}</span><span class="cell num" role="gridcell">${h.lives.size === 1 ? brief([...h.lives][0].comm, 14) : h.lives.size ? plural(h.lives.size, 'process', 'processes') : ''}</span><span class="cell num w-time" role="gridcell">${clock(h.last).slice(0, 8)}</span>`;
	};
	return html`<h1 class="hidden">Network</h1><div class="bar"><input type="search" placeholder="Name or address" aria-label="Search hosts" value=${q} onInput=${(e) => replacePlace('#/network' + (e.target.value ? '?q=' + encodeURIComponent(e.target.value) : ''))} /><span class="faint">${plural(list.length, 'host')}, ${plural(model.http.size, 'request')}${model.lacks('process') ? '; connections were not recorded' : ''}${model.lacks('sslsniff') ? '; what crosses TLS was not recorded' : ''}</span></div>
		<div class="with-detail"><${VirtualList} role="grid" label="Hosts" className="table" length=${list.length} height=${30} selected=${index} keyOf=${(i) => list[i].name} header=${html`<${Columns} columns=${columns} sort=${sort} onSort=${onSort} />`}
			onSelect=${(i) => replacePlace(link('network', list[i].name) + query)} row=${row} />
		${host ? html`<${Detail} h=${host} model=${model} />` : html`<aside class="detail empty-detail"><p class="faint">Choose a host to see what was asked of it.</p></aside>`}</div>`;
}
