// kit.mjs - what the browser tests share: TAP, websink as a process, a page in Debian's chromium
import { createRequire } from 'node:module';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const build = process.env.BUILD || 'build';
const require = createRequire(join(build, 'web', 'package.json'));
export const { chromium } = require('playwright-core');
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const shots = join(build, 'web', 'shots');
mkdirSync(shots, { recursive: true });

export const dir = mkdtempSync(join(tmpdir(), 'agentsight-web.'));
const held = [];
let n = 0, failed = 0;

export function diag(...text) { for (const line of text.join(' ').split('\n').slice(0, 20)) console.log('# ' + line.slice(0, 400)); }
export function ok(good, name, ...why) {
	console.log(`${good ? 'ok' : 'not ok'} ${++n} - ${name}`);
	if (!good) { failed++; diag(...why.map((w) => (typeof w === 'string' ? w : JSON.stringify(w)))); }
	return !!good;
}
export function is(got, want, name) { return ok(JSON.stringify(got) === JSON.stringify(want), name, 'got:    ' + JSON.stringify(got), '\nwanted: ' + JSON.stringify(want)); }

export async function finish() {
	for (const end of held.splice(0).reverse()) await end();
	rmSync(dir, { recursive: true, force: true });
	console.log(`1..${n}`);
	process.exit(failed ? 1 : 0);
}
process.on('uncaughtException', async (e) => { diag(String(e.stack || e)); failed++; await finish(); });

// A run, through the real filters.
export function record(name, ...args) {
	const path = join(dir, name);
	const r = spawnSync('sh', ['-c', 'python3 tests/web/run.py "$@" | ssemerge --deltas | llmparse | authstrip -o "$0"', path, ...args]);
	if (r.status !== 0) throw new Error(`record: ${r.stderr}`);
	return path;
}
export const truth = () => JSON.parse(spawnSync('python3', ['tests/web/run.py', '--truth']).stdout);

// websink; resolves when it has said its address.
export function websink(args, stdin = 'ignore') {
	return new Promise((done, fail) => {
		const p = spawn('websink', ['--port', '0', ...args], { stdio: [stdin, 'ignore', 'pipe'] });
		let text = '';
		held.push(() => new Promise((gone) => { if (p.exitCode !== null || p.signalCode !== null) gone(); else { p.on('exit', gone); p.kill(); } }));
		p.on('error', fail);
		p.stderr.on('data', (d) => {
			text += d;
			const m = /(http:\/\/[^/]+:(\d+)\/)\?token=([0-9a-f]+)/.exec(text);
			if (m) done({ p, url: m[0], base: m[1], port: Number(m[2]), token: m[3], said: () => text });
		});
	});
}

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
export async function browser(...more) {
	if (!existsSync('/usr/bin/chromium')) { console.log('1..0 # SKIP no chromium (make deps-ui)'); process.exit(0); }
	const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...flags, ...more] });
	held.push(() => b.close());
	return b;
}

// A page whose errors, and requests to other places, are noted.
export async function open(b, url, options = {}) {
	const c = await b.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB', reducedMotion: 'reduce', ...options });
	const page = await c.newPage();
	page.errors = [];
	page.elsewhere = [];
	page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') page.errors.push(m.text()); });
	page.on('pageerror', (e) => page.errors.push(String(e.stack || e)));
	const origin = new URL(url).origin;
	page.on('request', (r) => { if (!r.url().startsWith('data:') && new URL(r.url()).origin !== origin) page.elsewhere.push(r.url()); });
	await page.addInitScript(() => {
		window.shift = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({ type: 'layout-shift', buffered: true });
	});
	await page.goto(url);
	return page;
}
// The page has read all there is, and drawn it.
export async function settled(page, state = ['ended', 'report', 'live']) {
	await page.waitForFunction((s) => s.includes(window.agentsight?.status.state), state, { timeout: 60000 });
	await page.waitForTimeout(300);
}
export async function go(page, hash, wait) {
	await page.evaluate((h) => { location.hash = h; }, hash);
	if (wait) await page.waitForSelector(wait, { timeout: 10000 });
	await page.waitForTimeout(120);
}
export const shot = (page, name) => page.screenshot({ path: join(shots, name + '.png') });
export { join, readFileSync, writeFileSync, spawn, spawnSync };
