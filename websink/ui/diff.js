// diff.js - which lines of a text are new, compared with another: for reading, not for patching

const MAX_LINES = 4000, MAX_STEPS = 4e6;

// [{ kind: '=' | '+' | '-', line }]; longest common subsequence of what differs in the middle.
export function diffLines(before, after) {
	const a = before === '' ? [] : before.split('\n'), b = after.split('\n'), out = [];
	let start = 0, endA = a.length, endB = b.length;
	while (start < endA && start < endB && a[start] === b[start]) start++;
	while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) { endA--; endB--; }
	for (let i = 0; i < start; i++) out.push({ kind: '=', line: a[i] });
	out.push(...middle(a.slice(start, endA), b.slice(start, endB)));
	for (let i = endB; i < b.length; i++) out.push({ kind: '=', line: b[i] });
	return out;
}

function middle(a, b) {
	const all = [...a.map((line) => ({ kind: '-', line })), ...b.map((line) => ({ kind: '+', line }))];
	if (!a.length || !b.length || a.length > MAX_LINES || b.length > MAX_LINES || a.length * b.length > MAX_STEPS) return all;
	const w = b.length + 1, len = new Uint16Array((a.length + 1) * w);
	for (let i = a.length - 1; i >= 0; i--)
		for (let j = b.length - 1; j >= 0; j--)
			len[i * w + j] = a[i] === b[j] ? len[(i + 1) * w + j + 1] + 1 : Math.max(len[(i + 1) * w + j], len[i * w + j + 1]);
	const out = [];
	let i = 0, j = 0;
	while (i < a.length && j < b.length) {
		if (a[i] === b[j]) { out.push({ kind: '=', line: a[i] }); i++; j++; }
		else if (len[(i + 1) * w + j] >= len[i * w + j + 1]) out.push({ kind: '-', line: a[i++] });
		else out.push({ kind: '+', line: b[j++] });
	}
	while (i < a.length) out.push({ kind: '-', line: a[i++] });
	while (j < b.length) out.push({ kind: '+', line: b[j++] });
	return out;
}

// Runs of unchanged lines become one entry { kind: '…', n }, but for a few around what changed.
export function fold(lines, around = 2) {
	const keep = new Uint8Array(lines.length), out = [];
	lines.forEach((l, i) => {
		if (l.kind === '=') return;
		for (let k = Math.max(0, i - around); k <= Math.min(lines.length - 1, i + around); k++) keep[k] = 1;
	});
	for (let i = 0; i < lines.length; i++) {
		if (keep[i]) { out.push(lines[i]); continue; }
		const last = out[out.length - 1];
		if (last && last.kind === '…') last.n++;
		else out.push({ kind: '…', n: 1 });
	}
	return out;
}
