// prices.mjs - prices.csv from the data of the npm package @pydantic/genai-prices
//
// node prices.mjs FOLDER: of the unpacked package. Its data alone is used, not its code: the table of
// models is read out of the bundle as the literal that it is.
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
const day = process.argv[3];

// The array literal of providers: up to the bracket that closes it, strings skipped.
function table(text) {
	const from = text.indexOf('[{id:');
	let depth = 0, quote = '';
	for (let i = from; i < text.length; i++) {
		const c = text[i];
		if (quote) {
			if (c === '\\') i++;
			else if (c === quote) quote = '';
		} else if (c === '"' || c === "'" || c === '`') quote = c;
		else if (c === '[' || c === '{') depth++;
		else if ((c === ']' || c === '}') && !--depth) return text.slice(from, i + 1);
	}
	throw new Error('no table of providers in the package');
}
const tiered = (text) => text.replace(/new [A-Za-z$_]+\(\{base:/g, '({base:');
const providers = (0, eval)(`(${tiered(table(readFileSync(`${folder}/dist/index.cjs`, 'utf8')))})`);

// Who makes the models that others serve as well: their price is anybody's whose own is not known.
const makers = { anthropic: 'anthropic', openai: 'openai', google: 'gcp.gemini', mistral: 'mistral_ai', deepseek: 'deepseek', cohere: 'cohere',
	'x-ai': 'x_ai', moonshotai: 'moonshot_ai', zai: 'zhipu_ai', minimax: 'minimax', voyageai: 'voyage_ai', perplexity: 'perplexity' };
const others = { aws: 'aws.bedrock', azure: 'azure.ai.openai', groq: 'groq', openrouter: 'openrouter', together: 'together_ai',
	fireworks: 'fireworks_ai', cerebras: 'cerebras', 'github-copilot': 'github_copilot', zhipuai: 'zhipu_ai' };

// The names that a model is known by. What the package matches by a beginning or a part is a name here,
// which a date may follow (~): nothing that a later version's name happens to begin with.
function names(match, out = new Map()) {
	for (const m of match.or || match.and || [match]) {
		if (m.or || m.and) names(m, out);
		else if (m.equals) out.set(m.equals.toLowerCase(), out.get(m.equals.toLowerCase()) || '');
		else if (m.starts_with || m.contains) out.set((m.starts_with || m.contains).toLowerCase().replace(/[-@]+$/, ''), '~');
		else if (m.regex) {
			const r = /^\^([a-z0-9\\.:@\/-]+)-\\d\{4\}-\\d\{2\}-\\d\{2\}\$$/.exec(m.regex);
			if (r) out.set(r[1].replace(/\\/g, ''), '~');
		}
	}
	return out;
}

const number = (v) => v === undefined ? '' : String(v);
const at = (v, above) => v === undefined || typeof v === 'number' ? v : [{ start: 0, price: v.base }, ...v.tiers].filter((t) => t.start <= above).pop().price;
const starts = (p) => [0, ...new Set(Object.values(p).flatMap((v) => v && typeof v === 'object' ? v.tiers.map((t) => t.start) : []))].sort((a, b) => a - b);

const rows = [];
for (const p of providers) {
	for (const m of p.models) {
		const foreign = p.id === 'google' && /claude|llama|mistral/.test(m.id);
		const provider = foreign ? 'gcp.vertex_ai' : makers[p.id] ? '' : others[p.id] || p.id.replace(/-/g, '_');
		const known = names(m.match);
		if (!known.size) known.set(m.id.toLowerCase(), '');
		const model = [...known].filter(([n]) => /^[a-z0-9][a-z0-9._:\/@-]{2,}$/.test(n)).map(([n, d]) => n + d).sort().join('|');
		if (!model) continue;
		for (const c of Array.isArray(m.prices) ? m.prices : [{ prices: m.prices }]) {
			if (c.constraint && c.constraint.type !== 'start_date') continue;
			const q = c.prices;
			if (q.input_mtok === undefined && q.output_mtok === undefined) continue;
			for (const above of starts(q)) rows.push([model, number(at(q.input_mtok, above)), number(at(q.output_mtok, above)), number(at(q.cache_read_mtok, above)),
				number(at(q.cache_write_mtok, above)), day, number(at(q.cache_write_1h_mtok, above)), above || '', c.constraint?.start_date || '', provider].join(','));
		}
	}
}
rows.sort();
process.stdout.write(`# What a million tokens cost, in US dollars: the data of the npm package @pydantic/genai-prices ${version} of ${day}
# (MIT licence, https://github.com/pydantic/genai-prices), written by "make prices".
# Prices change, and contracts differ: copy this file to ~/.config/agentsight/prices.csv and put your own in.
#
# model: names in lower case, separated by |. One with ~ behind it may be followed by a date (-20250929, @20250929,
#   -2025-09-29) or -latest; * and ? stand for any text and any character. A name is looked up as it is, and without
#   what comes before its last slash, its region and maker (us.anthropic.), and a version like -v1:0.
# input, output, cache_read, cache_creation (written to a cache for five minutes): empty is not known; then no cost is
#   told for calls that need it.
# as_of: the day of the list. The columns from here on may be left out:
# cache_creation_1h: written to a cache for an hour.
# above: the row is for calls with more input tokens than this. since: and from this day on.
# provider: gen_ai.provider.name of who asks this price; empty: the maker's, for whoever has none of their own.
#
# model,input,output,cache_read,cache_creation,as_of,cache_creation_1h,above,since,provider
${rows.join('\n')}\n`);
