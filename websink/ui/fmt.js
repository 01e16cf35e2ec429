// fmt.js - numbers, times and names for people

export function count(n) {
	if (n == null) return '';
	if (n < 10000) return String(n);
	if (n < 1e6) return (n / 1e3).toFixed(n < 1e5 ? 1 : 0) + 'k';
	return (n / 1e6).toFixed(n < 1e7 ? 2 : 1) + 'M';
}

export function bytes(n) {
	if (n == null) return '';
	if (n < 1024) return n + ' B';
	const unit = ['KiB', 'MiB', 'GiB', 'TiB'];
	let i = -1;
	do { n /= 1024; i++; } while (n >= 1024 && i < 3);
	return n.toFixed(n < 10 ? 1 : 0) + ' ' + unit[i];
}

// A length of time in ms.
export function span(ms) {
	if (ms == null || !isFinite(ms)) return '';
	if (ms < 1) return ms.toFixed(2) + ' ms';
	if (ms < 1000) return ms.toFixed(ms < 10 ? 1 : 0) + ' ms';
	if (ms < 60000) return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s';
	const s = Math.round(ms / 1000);
	if (s < 3600) return Math.floor(s / 60) + ' min ' + String(s % 60).padStart(2, '0') + ' s';
	return Math.floor(s / 3600) + ' h ' + String(Math.floor(s / 60) % 60).padStart(2, '0') + ' min';
}

// Time of day with milliseconds, of ms since 1970.
export function clock(ms) {
	if (!ms) return '';
	const d = new Date(ms), two = (n) => String(n).padStart(2, '0');
	return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

export function day(ms) {
	return ms ? new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : '';
}

export function dollars(n) {
	if (n == null) return '';
	return '$' + n.toFixed(n < 0.1 ? 4 : n < 10 ? 3 : 2);
}

export function plural(n, one, many) {
	return `${count(n)} ${n === 1 ? one : many || one + 's'}`;
}

// Characters that turn the text around or hide in it are shown as what they are.
export function plain(s) {
	return String(s).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
		(c) => `\u27e8${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`);
}

// A value on one line.
export function brief(v, max = 160) {
	const s = typeof v === 'string' ? v : JSON.stringify(v);
	const one = plain((s || '').slice(0, max * 2).replace(/\s+/g, ' ').trim());
	return one.length > max ? one.slice(0, max - 1) + '\u2026' : one;
}

export function firstLine(s) {
	return s.slice(0, 400).split('\n').find((l) => l.trim()) || '';
}

export function baseName(path) {
	return path.slice(path.lastIndexOf('/') + 1) || path;
}
