// reports.js - the reports of the database, and a search through what was said
import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { brief, count, plain } from './fmt.js';
import { Empty, replacePlace } from './parts.js';

const names = /(^|_)(pid|run|call|prompt|port|id|status)$/;	// numbers that count nothing

function Table({ data }) {
	const missing = data.not_recorded && html`<p class="faint">Not recorded: ${plain(data.not_recorded)}.</p>`;
	if (!data.rows.length) return html`<p class="faint">Nothing.</p>${missing}`;
	const num = data.columns.map((_, i) => data.rows.every((r) => r[i] == null || typeof r[i] === 'number'));
	return html`<div class="scroll"><table><thead><tr>${data.columns.map((c, i) => html`<th key=${i} scope="col" class=${num[i] ? 'num' : ''}>${plain(c)}</th>`)}</tr></thead>
		<tbody>${data.rows.slice(0, 1000).map((r, i) => html`<tr key=${i}>${r.map((v, k) => html`<td key=${k} class=${num[k] ? 'num' : /^\d{4}-\d\d-\d\d /.test(v) ? 'when' : ''} title=${typeof v === 'string' && v.length > 120 ? plain(v.slice(0, 2000)) : undefined}>${v == null ? '' : typeof v === 'number' ? (names.test(data.columns[k]) ? String(v) : v.toLocaleString()) : brief(v, 120)}</td>`)}</tr>`)}</tbody></table></div>
		${data.rows.length > 1000 && html`<p class="faint">The first 1000 of ${count(data.rows.length)} rows.</p>`}${missing}`;
}

export function Reports({ source, status, at }) {
	const list = status.info?.reports || [], name = at.rest[0] || (list.find((r) => r.name === 'summary') || list[0])?.name, q = at.query.get('q') || '';
	const [got, setGot] = useState({});
	const [text, setText] = useState(q);
	const path = q ? `search?q=${encodeURIComponent(q)}` : name ? `report/${encodeURIComponent(name)}` : '';
	useEffect(() => {
		let here = true;
		if (!path) return undefined;
		source.get(path).then((data) => here && setGot({ path, data }), (e) => here && setGot({ path, error: e.message }));
		return () => { here = false; };
	}, [path]);
	if (!list.length) return html`<${Empty} title="No database">Reports need a database: websink --db FILE.<//>`;
	const report = list.find((r) => r.name === name);
	return html`<div class="split-view"><nav class="side" aria-label="Reports"><ul>${list.map((r) => html`<li key=${r.name}><a href=${'#/reports/' + encodeURIComponent(r.name)} aria-current=${!q && r.name === name ? 'true' : undefined}><span class="side-title">${brief(r.name, 30)}</span><span class="faint small">${brief(r.title, 80)}</span></a></li>`)}</ul></nav>
		<div class="thread"><div class="report-in"><form class="bar" onSubmit=${(e) => { e.preventDefault(); replacePlace('#/reports' + (text ? '?q=' + encodeURIComponent(text) : '')); }}><input type="search" placeholder="Search prompts, answers, commands and paths" aria-label="Search the database" value=${text} onInput=${(e) => setText(e.target.value)} /><button>Search</button></form>
			<h1>${q ? `Found for “${brief(q, 60)}”` : brief(report?.title || name, 100)}</h1>
			${got.path !== path ? html`<p class="faint">…</p>` : got.error ? html`<p class="bad-text">${plain(got.error)}</p>` : html`<${Table} data=${got.data} />`}</div></div></div>`;
}
