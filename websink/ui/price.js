// price.js - what a call cost in US dollars, where the price of its model is known
//
// The table is put in at build time from the one that the reports use, so that both say the same.

/* global PRICES */
const table = typeof PRICES === 'undefined' ? { date: '', models: [] } : PRICES;
export const priceDate = table.date;

function priceOf(name) {
	let best = null;
	for (const p of table.models)
		if (name.startsWith(p.model) && (!best || p.model.length > best.model.length)) best = p;
	return best;
}

// null: not known. Prices are per million tokens.
export function costOf(call) {
	const u = call.usage, p = call.model && priceOf(call.model);
	if (!p || u.input_tokens == null) return null;
	const read = u.cache_read_tokens || 0, made = u.cache_creation_tokens || 0;
	return (Math.max(0, u.input_tokens - read - made) * p.input + read * p.cache_read + made * p.cache_write + (u.output_tokens || 0) * p.output) / 1e6;
}
