// price.js - what a call cost in US dollars, where the price of its model is known
//
// By the table of agentsight report, whose head says how it is read: the server tells it, and a report
// has it inside. What the provider itself says that a call cost comes first.

let table = [];
export let priceDate = '';

const escape = (s) => s.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
const dated = '(?:[-@]20\\d{6}|-20\\d\\d-\\d\\d-\\d\\d|-latest)?';

// [{ model: "a|b~", input, output, cache_read, cache_creation, cache_creation_1h, as_of, above, since, provider }], per million tokens.
export function setPrices(list) {
	table = (Array.isArray(list) ? list : []).map((p) => ({ ...p, above: p.above || 0, since: p.since || '', provider: p.provider || '',
		names: p.model.split('|').map((n) => n.endsWith('~') ? { n: n.slice(0, -1), test: new RegExp(`^${escape(n.slice(0, -1))}${dated}$`) } : { n, test: new RegExp(`^${escape(n)}$`) }) }));
	known.clear();
}

// A model's name as it is, without what is before its last slash, its region, its maker, its version.
function keysOf(name) {
	const keys = [name], add = (k) => { if (!keys.includes(k)) keys.push(k); return k; };
	const bare = add(name.slice(name.lastIndexOf('/') + 1)), there = add(bare.replace(/^(us|eu|jp|au|apac|global|us-gov)\./, ''));
	add(add(there.replace(/^[a-z]+\.(?=[a-z])/, '')).replace(/-v\d:\d$/, ''));
	return keys;
}

const known = new Map();
function rowsOf(model, provider) {
	const id = `${provider}\n${model}`;
	if (!known.has(id)) {
		const keys = keysOf(model);
		let best = null, rank = -1;
		for (const p of table) {
			if (p.provider && p.provider !== provider) continue;
			for (const { n, test } of p.names) {
				const r = (p.provider ? 1000 : 0) + n.length;
				if (r > rank && keys.some((k) => test.test(k))) { best = p; rank = r; }
			}
		}
		known.set(id, best ? table.filter((p) => p.model === best.model && p.provider === best.provider) : []);
		if (best && best.as_of > priceDate) priceDate = best.as_of;
	}
	return known.get(id);
}

function priceOf(call) {
	const day = new Date(call.at || 0).toISOString().slice(0, 10), input = call.usage.input_tokens || 0;
	return rowsOf(call.model.toLowerCase(), call.ev?.provider || '').filter((p) => (!p.above || p.above < input) && p.since <= day)
		.sort((a, b) => a.since < b.since ? 1 : a.since > b.since ? -1 : b.above - a.above)[0];
}

// null: not known. A price that is missing is needed only where there are such tokens.
export function costOf(call) {
	if (call.usage.cost_usd != null) return call.usage.cost_usd;
	const u = call.usage, p = call.model && priceOf(call);
	if (!p || (u.input_tokens == null && u.output_tokens == null)) return null;
	// a conversation that broke off before its answer was counted: what it cost is not known
	if (u.output_tokens == null && ['chat', 'generate_content'].includes(call.ev?.operation)) return null;
	const read = u.cache_read_tokens || 0, made = u.cache_creation_tokens || 0, hour = Math.min(made, u.cache_creation_1h_tokens || 0);
	let sum = 0;
	for (const [n, price] of [[Math.max(0, (u.input_tokens || 0) - read - made), p.input], [read, p.cache_read], [made - hour, p.cache_creation],
		[hour, p.cache_creation_1h], [u.output_tokens || 0, p.output]]) {
		if (!n) continue;
		if (price == null) return null;
		sum += n * price;
	}
	return sum / 1e6;
}
