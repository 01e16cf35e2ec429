// findings.js - what a person would want to know first: failures, and what left the working folder
import { link } from './parts.js';
import { clock } from './fmt.js';

const credentials = /(^|\/)(\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.aws\/credentials|\.ssh\/(id_[^/]+|[^/]+_key)|\.kube\/config|\.docker\/config\.json|\.config\/gh\/hosts\.yml|\.env(\.[^/]+)?|credentials(\.json)?|shadow)$/;
const quiet = /^\/(dev|proc|sys)\//;

// Folders in which writing is expected: where the agents work, their own, and temporary ones.
function homes(model) {
	const out = ['/tmp/', '/var/tmp/'];
	for (const l of model.lives) if (l.calls && l.cwd) out.push(l.cwd.replace(/\/?$/, '/'));
	for (const l of model.lives) if (out.length < 8 && l.parent?.calls && l.cwd) out.push(l.cwd.replace(/\/?$/, '/'));
	return out;
}

export function findings(model) {
	const all = new Map();
	const add = (rank, kind, name, text, href, life) => {
		const key = name + '\n' + text, f = all.get(key);
		if (f) f.n++;
		else if (all.size < 500) all.set(key, { rank, kind, name, text, href, life, n: 1 });
	};
	for (const c of model.counted) if (c.failed)
		add(1, 'bad', 'call failed', `${c.ev.error_type}${c.ev.error_message ? ': ' + c.ev.error_message : ''} (${c.model})`, link('conversation', c.conv.id, c.key), c.life);
	for (const t of model.tools) if (t.error)
		add(3, 'warn', 'tool error', `${t.name}: ${typeof t.result === 'string' ? t.result.trim().split('\n').pop() : JSON.stringify(t.result) || ''}`, link('conversation', t.call.conv.id, t.call.key));
	for (const s of model.samples) if (s.alert) add(2, 'warn', 'load', `a threshold of CPU or memory was reached at ${clock(s.at).slice(0, 8)}`, '#/timeline');
	const inside = homes(model), known = inside.length > 2;
	for (const f of model.files.values()) {
		if (quiet.test(f.path)) continue;
		const life = f.lives.values().next().value, href = link('files', f.path);
		if ((f.reads || f.writes) && credentials.test(f.path)) add(0, 'bad', f.writes ? 'credential file written' : 'credential file read', f.path, href, life);
		if (known && !inside.some((d) => f.path.startsWith(d))) {
			if (f.deleted) add(1, 'bad', 'deleted outside', f.path, href, life);
			else if (f.writes || f.created) add(2, 'warn', 'written outside', f.path, href, life);
		}
	}
	for (const l of model.lives) {
		if (/(^|[\s;&|])(sudo|doas|pkexec)\s/.test(l.command)) add(2, 'warn', 'raised rights', l.command, link('processes', l.key), l);
		if (/\b(curl|wget)\b[^|]*\|\s*(sudo\s+)?(ba|z|da)?sh\b/.test(l.command)) add(1, 'bad', 'download into a shell', l.command, link('processes', l.key), l);
		if (/\brm\s+(-\S+\s+)*(-\w*[rR]\w*|--recursive)(\s|$)/.test(l.command) && (!l.parent || !/\brm\s/.test(l.parent.command))) add(3, 'warn', 'rm -r', l.command, link('processes', l.key), l);
		if (l.signal) add(3, 'warn', 'killed', `${l.command} by ${l.signal}`, link('processes', l.key), l);
	}
	for (const h of model.hosts.values()) if (h.failed) add(3, 'warn', 'no connection', `${h.name}: ${h.failed} failed`, link('network', h.name));
	return [...all.values()].sort((a, b) => a.rank - b.rank);
}
