// price.js - what a call cost in US dollars, where the price of its model is known
//
// By the table of agentsight report: the server tells it, and a report has it inside.

let table = [];
export let priceDate = '';

// [{ model (a pattern with * and ?), input, output, cache_read, cache_creation, as_of }], per million tokens.
export function setPrices(list) {
	table = (Array.isArray(list) ? list : []).map((p) => ({ ...p, test: new RegExp(`^${p.model.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`) }))
		.sort((a, b) => b.model.length - a.model.length);
	known.clear();
}

const known = new Map();
function priceOf(model) {
	const name = model.toLowerCase();
	if (!known.has(name)) {
		const p = table.find((x) => x.test.test(name)) || null;
		known.set(name, p);
		if (p && p.as_of > priceDate) priceDate = p.as_of;
	}
	return known.get(name);
}

// null: not known. A price that is missing is needed only where there are such tokens.
export function costOf(call) {
	const u = call.usage, p = call.model && priceOf(call.model);
	if (!p || (u.input_tokens == null && u.output_tokens == null)) return null;
	const read = u.cache_read_tokens || 0, made = u.cache_creation_tokens || 0;
	let sum = 0;
	for (const [n, price] of [[Math.max(0, (u.input_tokens || 0) - read - made), p.input], [read, p.cache_read], [made, p.cache_creation], [u.output_tokens || 0, p.output]]) {
		if (!n) continue;
		if (price == null) return null;
		sum += n * price;
	}
	return sum / 1e6;
}
