// overview.js - the run at a glance
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import { Badge, Tile, Who, link } from './parts.js';
import { firstLine, brief, bytes, count, dollars, plural, span, clock } from './fmt.js';
import { BarChart, Chart } from './chart.js';
import { costOf, priceDate } from './price.js';
import { findings } from './findings.js';
import { outcome } from './model.js';

// The length of the union of spans [from, to], and the spans.
function union(spans) {
	const list = spans.filter(([a, b]) => b > a).sort((x, y) => x[0] - y[0]), out = [];
	for (const [a, b] of list) {
		const last = out[out.length - 1];
		if (last && a <= last[1]) last[1] = Math.max(last[1], b);
		else out.push([a, b]);
	}
	return out;
}
const sum = (spans) => spans.reduce((n, [a, b]) => n + b - a, 0);
function without(spans, others) {
	const out = [];
	for (const [a, b] of spans) {
		let from = a;
		for (const [x, y] of others) {
			if (y <= from) continue;
			if (x >= b) break;
			if (x > from) out.push([from, x]);
			from = Math.max(from, y);
		}
		if (from < b) out.push([from, b]);
	}
	return out;
}

export function timeSplit(model) {
	const calls = union(model.calls.map((c) => [c.at, c.end]));
	const tools = without(union(model.tools.filter((t) => t.answered != null).map((t) => [t.asked, t.answered])), calls);
	const model_ms = sum(calls), tools_ms = sum(tools);
	return { model: model_ms, tools: tools_ms, other: Math.max(0, model.span - model_ms - tools_ms) };
}

function Split({ model }) {
	const s = timeSplit(model), all = s.model + s.tools + s.other;
	if (!all) return null;
	const parts = [['model', 'Model', s.model], ['tools', 'Tools', s.tools], ['other', 'Between', s.other]].filter(([, , v]) => v > 0);
	return html`<section class="card"><h2>Where the time went</h2>
		<div class="split" role="img" aria-label=${parts.map(([, n, v]) => `${n} ${span(v)}`).join(', ')}>
			${parts.map(([id, , v]) => v > 0 && html`<span key=${id} class=${'split-' + id} style=${{ flexGrow: v }}></span>`)}</div>
		<ul class="legend">${parts.map(([id, name, v]) => html`<li key=${id}><span class=${'key split-' + id}></span>${name} <strong>${span(v)}</strong> <span class="faint">${Math.round(100 * v / all)} %</span></li>`)}</ul></section>`;
}

function byModel(model) {
	const all = new Map();
	for (const c of model.counted) {
		const name = c.model || '(unknown)';
		let m = all.get(name);
		if (!m) all.set(name, m = { name, calls: 0, failed: 0, input: 0, cached: 0, output: 0, cost: 0, priced: true, ms: 0 });
		m.calls++;
		m.failed += c.failed;
		m.input += c.usage.input_tokens || 0;
		m.cached += c.usage.cache_read_tokens || 0;
		m.output += c.usage.output_tokens || 0;
		m.ms += c.end - c.at;
		const cost = costOf(c);
		if (cost == null) { if (c.usage.total_tokens) m.priced = false; } else m.cost += cost;
	}
	return [...all.values()].sort((a, b) => b.input + b.output - a.input - a.output);
}

function Models({ list }) {
	const priced = list.some((m) => m.cost > 0);
	return html`<section class="card"><h2>Models</h2><div class="scroll"><table>
		<thead><tr><th scope="col">Model</th><th scope="col" class="num">Calls</th><th scope="col" class="num">Input</th><th scope="col" class="num">of it cached</th><th scope="col" class="num">Output</th><th scope="col" class="num">Time</th>${priced && html`<th scope="col" class="num" title=${`List prices of ${priceDate}`}>Cost</th>`}</tr></thead>
		<tbody>${list.map((m) => html`<tr key=${m.name}><td>${brief(m.name, 48)}</td><td class="num">${m.calls}${m.failed ? html` <${Badge} kind="bad" title="failed">${m.failed} failed<//>` : ''}</td>
			<td class="num">${count(m.input)}</td><td class="num">${m.input ? Math.round(100 * m.cached / m.input) + ' %' : ''}</td><td class="num">${count(m.output)}</td><td class="num">${span(m.ms)}</td>
			${priced && html`<td class="num">${m.priced ? dollars(m.cost) : '—'}</td>`}</tr>`)}</tbody></table></div>
		${priced && html`<p class="faint small">Cost at list prices; the latest is of ${priceDate}. Others: ~/.config/agentsight/prices.csv.</p>`}</section>`;
}

function Findings({ model }) {
	const list = findings(model);
	return html`<section class="card"><h2>Worth a look</h2>${model.lacksReads && html`<p class="faint">${model.lacks('process') ? 'What processes do was not recorded.' : 'Reads were not recorded: credentials that were read show in commands alone.'}</p>`}${list.length === 0 ? html`<p class="faint">Nothing stands out.</p>` : html`
		<ul class="findings">${list.slice(0, 12).map((f, i) => html`<li key=${i}><${Badge} kind=${f.kind}>${f.name}<//> ${f.href ? html`<a href=${f.href}>${brief(f.text, 140)}</a>` : brief(f.text, 140)}${f.life && html` <span class="faint">by</span> <${Who} life=${f.life} />`}${f.n > 1 ? html` <span class="faint">×${count(f.n)}</span>` : ''}</li>`)}</ul>
		${list.length > 12 && html`<p class="faint small">and ${list.length - 12} more</p>`}`}</section>`;
}

function Prompts({ model }) {
	const list = [...model.conversations.values()].filter((c) => !c.under).sort((a, b) => a.first - b.first);
	return html`<section class="card wide"><h2>Conversations</h2>${list.length === 0 ? html`<p class="faint">No call of a model was seen.</p>` : html`
		<ul class="prompts">${list.slice(-12).map((c) => html`<li key=${c.id}><a href=${link('conversation', c.id)}><span class="prompt-text">${brief(firstLine(c.title) || '(no prompt seen)', 170)}</span>
			<span class="faint prompt-note">${brief(c.agent, 20)} · ${plural(c.calls.length, 'call')} · ${count(c.input)} in, ${count(c.output)} out · ${span(c.last - c.first)}</span></a></li>`)}</ul>
		${list.length > 12 && html`<p><a href="#/conversation">All ${list.length} conversations</a></p>`}`}</section>`;
}

function Losses({ model, show }) {
	const list = [...model.losses.values()], box = useRef(null);
	useEffect(() => { if (show) box.current?.scrollIntoView({ block: 'center' }); }, [show]);
	if (!list.length) return null;
	return html`<section class=${'card ' + (show ? 'card-shown' : '')} ref=${box}><h2>Not seen</h2><div class="scroll"><table><thead><tr><th scope="col">Stage</th><th scope="col">Reason</th><th scope="col" class="num">Events</th><th scope="col" class="num">Bytes</th></tr></thead>
		<tbody>${list.map((l) => html`<tr key=${l.stage + l.reason}><td>${brief(l.stage, 30)}</td><td>${brief(l.reason, 40)}</td><td class="num">${count(l.events)}</td><td class="num">${bytes(l.bytes)}</td></tr>`)}</tbody></table></div>
		<p class="faint small">docs/losses.md says what each means and what helps.</p></section>`;
}

export function Overview({ model, at }) {
	const models = byModel(model);
	const input = models.reduce((n, m) => n + m.input, 0), cached = models.reduce((n, m) => n + m.cached, 0), output = models.reduce((n, m) => n + m.output, 0);
	const priced = models.filter((m) => m.priced), cost = priced.reduce((n, m) => n + m.cost, 0);
	const counted = model.counted, failed = counted.filter((c) => c.failed).length, toolErrors = model.tools.filter((t) => t.error).length;
	const files = { created: 0, changed: 0, deleted: 0, temporary: 0 };
	for (const f of model.files.values()) files[outcome(f)]++;
	const gone = ['deleted', 'temporary'].filter((what) => files[what]).map((what) => `${files[what]} ${what}`).join(', ');
	const started = model.lives.filter((l) => !l.before).length;	// as report summary counts them
	const bad = model.lives.filter((l) => l.bad).length;
	const calls = counted.slice(-400), blind = model.lacks('process');
	return html`<h1 class="hidden">Overview</h1><div class="tiles">
		<${Tile} name="Duration" value=${span(model.span) || '—'} note=${model.first < Infinity ? `from ${clock(model.first).slice(0, 8)}` : ''} href="#/timeline" />
		<${Tile} name="Tokens in" value=${count(input)} note=${input ? `${Math.round(100 * cached / input)} % from cache` : ''} href="#/conversation" />
		<${Tile} name="Tokens out" value=${count(output)} note=${cost ? `${dollars(cost)} in all${priced.length < models.length ? ', some unpriced' : ''}` : ''} href="#/conversation" />
		<${Tile} name="Model calls" value=${count(counted.length)} note=${failed ? `${failed} failed` : plural(model.conversations.size, 'conversation')} kind=${failed ? 'warn' : ''} href="#/conversation" />
		<${Tile} name="Tool calls" value=${count(model.tools.length)} note=${toolErrors ? `${toolErrors} with an error` : model.tools.length ? 'no errors' : ''} kind=${toolErrors ? 'warn' : ''} href="#/conversation" />
		<${Tile} name="Processes" value=${blind ? '—' : count(started)} note=${blind ? 'not recorded' : bad ? `${bad} failed` : ''} href="#/processes" />
		<${Tile} name="Files changed" value=${blind ? '—' : count(files.created + files.changed)} note=${blind ? 'not recorded' : (gone || `of ${count(model.files.size)} touched`) + (model.lacksReads ? '; reads not recorded' : '')} href="#/files?changed=1" />
		<${Tile} name="Hosts" value=${count(model.hosts.size)} note=${plural(model.http.size, 'request')} href="#/network" />
	</div>
	<div class="cards">
		<${Prompts} model=${model} />
		<div class="column"><${Split} model=${model} />
			${models.length > 0 && html`<${Models} list=${models} />`}
			${calls.length > 0 && html`<section class="card"><h2>Tokens of each call</h2><${BarChart} calls=${calls} /></section>`}</div>
		<div class="column"><${Findings} model=${model} />
			${model.samples.length > 1 && html`<section class="card"><h2>CPU and memory</h2><${Chart} model=${model} height=${150} /></section>`}
			<${Losses} model=${model} show=${at.rest[0] === 'losses'} /></div>
	</div>`;
}
