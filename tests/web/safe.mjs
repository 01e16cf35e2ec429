// safe.mjs - what was captured is text, and other pages get nothing
import { createServer } from 'node:http';
import { browser, finish, go, is, ok, open, record, settled, spawnSync, join, dir, websink } from './kit.mjs';

const run = record('xss.ndjson', '--xss'), b = await browser('--host-resolver-rules=MAP evil.example 127.0.0.1');
const report = join(dir, 'xss.html');
spawnSync('websink', ['--html', report, run]);
const s = await websink([run]);

// --- markup in prompts, answers, arguments, results, paths, names, hosts: nothing of it runs or is there ---
for (const [what, url] of [['served', s.url], ['sent', 'file://' + report]]) {
	const page = await open(b, url);
	let dialogs = 0;
	page.on('dialog', (d) => { dialogs++; d.dismiss(); });
	await settled(page);
	for (const [hash, wait] of [['#/overview', '.tiles'], ['#/conversation', '.call'], ['#/timeline', 'canvas'], ['#/processes', '.prow'], ['#/files', '.vrow'], ['#/network', '.vrow'], ['#/events', '.vrow']]) {
		await go(page, hash, wait);
		for (const el of await page.locator('[aria-expanded=false]:visible').all()) await el.click({ timeout: 1000 }).catch(() => {});
		const rows = await page.locator('.vspace .vrow').count();
		for (let i = 0; i < Math.min(rows, 25); i++) { await page.locator('.vspace .vrow').nth(i).click({ timeout: 1000 }).catch(() => {}); }
		if (hash === '#/timeline') await page.mouse.move(400, 300);
	}
	for (const hash of ['#/files/%3Cimg src=x onerror=window.pwned=1%3E', '#/conversation/%3Cscript%3Ewindow.pwned=1%3C/script%3E', '#/events?q=%3Cimg src=x onerror=window.pwned=1%3E', '#/%3Csvg onload=window.pwned=1%3E'])
		await go(page, hash);
	is([await page.evaluate(() => window.pwned === undefined), dialogs], [true, 0], `${what}: no script of a prompt, path or name has run`);
	is(await page.evaluate(() => document.querySelectorAll('img, svg, iframe, object, embed, body script:not(:last-of-type):not([type])').length), 0, `${what}: and none of it is an element`);
	await go(page, '#/conversation', '.call');
	const shown = await page.evaluate(() => document.querySelector('.thread').textContent);
	ok(['<script>window.pwned=1</script>', '"><img src=x onerror="window.pwned=1">', '&lt;b&gt;'].every((x) => shown.includes(x)), `${what}: it is shown as it was`);
	await go(page, '#/events', '.vrow');
	is(await page.evaluate(() => JSON.stringify(agentsight.model.events.map((e) => e.ev)).includes('\u202e')), true, `${what}: the run has text that turns around`);
	is(await page.evaluate(() => document.body.textContent.includes('\u202e')), false, `${what}: which is shown by its number`);
	is(page.errors.filter((e) => !e.includes('status of 400')), [], `${what}: no error, and no breach of the policy`);
	is(page.elsewhere, [], `${what}: no request to another place`);
	await page.context().close();
}

// --- a page of another origin, in a browser that has the cookie ---
const mine = await open(b, s.url);
await settled(mine);
const evil = createServer((q, r) => { r.setHeader('content-type', 'text/html'); r.end('<!doctype html><title>evil</title>'); });
await new Promise((go) => evil.listen(0, '127.0.0.1', go));
for (const [name, origin] of [['another port', `http://127.0.0.1:${evil.address().port}/`], ['another site', `http://evil.example:${evil.address().port}/`]]) {
	const page = await mine.context().newPage();
	await page.goto(origin);
	const got = await page.evaluate(async (base) => {
		const out = {};
		const text = (p) => p.then(async (r) => (r.type === 'opaque' ? 'opaque' : `read ${r.status} ${(await r.text()).length}`), () => 'refused');
		out.fetch = await text(fetch(base + 'api/v1/events?form=ndjson', { credentials: 'include' }));
		out.opaque = await text(fetch(base + 'api/v1/events?form=ndjson', { credentials: 'include', mode: 'no-cors' }));
		out.post = await text(fetch(base, { method: 'POST', credentials: 'include', body: 'x' }));
		out.stream = await new Promise((done) => { const e = new EventSource(base + 'api/v1/events', { withCredentials: true }); e.onmessage = () => done('read'); e.onerror = () => { e.close(); done('refused'); }; });
		out.script = await new Promise((done) => { const e = document.createElement('script'); e.src = base + 'api/v1/events?form=ndjson'; e.onload = () => done('loaded'); e.onerror = () => done('refused'); document.body.append(e); });
		out.frame = await new Promise((done) => { const e = document.createElement('iframe'); e.src = base; e.onload = () => { try { done(e.contentDocument ? 'read' : 'hidden'); } catch { done('hidden'); } }; setTimeout(() => done('hidden'), 3000); document.body.append(e); });
		out.window = await new Promise((done) => { const w = window.open(base); setTimeout(() => { try { done(w ? typeof w.document : 'none'); } catch { done('hidden'); } }, 700); });
		return out;
	}, s.base);
	ok(got.fetch === 'refused' && got.post === 'refused' && ['refused', 'opaque'].includes(got.opaque) && got.stream === 'refused' && got.script === 'refused' && got.frame === 'hidden' && ['none', 'hidden'].includes(got.window), `${name} gets nothing`, got);
	await page.close();
}

// --- DNS rebinding: a name that leads here, asked for on our port ---
const rebound = await mine.context().newPage();
const answer = await rebound.goto(`http://evil.example:${s.port}/?token=${s.token}`);
is(answer.status(), 421, 'a name that was made to lead here is refused, even with the token');
is(await rebound.evaluate(() => fetch('/api/v1/info').then((r) => r.status, () => 'refused')), 'refused', 'and its page may not even ask');
is((await rebound.goto(`http://localhost:${s.port}/?token=${s.token}`)).status(), 200, 'localhost is a name of ours');
is(await mine.evaluate(() => fetch('api/v1/info').then((r) => r.status)), 200, 'and our own page goes on');

// --- the policy holds even if markup got in ---
const [ran, made] = await mine.evaluate(async () => {
	let threw = '';
	try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned=1">'); } catch (e) { threw = e.name; }
	const t = document.createElement('script');
	try { t.textContent = 'window.pwned=1'; document.body.append(t); } catch { /* refused */ }
	await new Promise((go) => setTimeout(go, 200));
	return [window.pwned === undefined, threw];
});
is([ran, made], [true, 'TypeError'], 'markup that a script would make of text is refused by the browser');
evil.close();
await finish();
