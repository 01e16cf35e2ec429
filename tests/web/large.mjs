// large.mjs - 100 000 events: how long until something is to be seen, and whether lists stay light
import { browser, diag, finish, go, is, join, dir, ok, open, readFileSync, record, settled, shot, spawnSync, websink } from './kit.mjs';

const run = record('large.ndjson', '--events', '100000'), lines = readFileSync(run, 'utf8').trim().split('\n').length;
const b = await browser(), s = await websink([run]);

async function times(url, name) {
	const page = await open(b, url);
	await page.waitForFunction(() => document.querySelector('.tile-value')?.innerText.length > 0 && agentsight.model.events.length > 0, null, { polling: 16, timeout: 60000 });
	const first = await page.evaluate(() => performance.now()), paint = await page.evaluate(() => performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint')?.startTime);
	await settled(page);
	const all = await page.evaluate(() => performance.now());
	diag(`${name}: first paint after ${Math.round(paint)} ms, with figures after ${Math.round(first)} ms, all ${lines} events after ${Math.round(all)} ms; ` +
		`${Math.round(await page.evaluate(() => performance.memory?.usedJSHeapSize / 1048576))} MiB`);
	// generous: other work may hold this machine; the figures above are what counts
	ok(first < 30000, `${name}: something is to be seen long before all is read`, first);
	is(await page.evaluate(() => agentsight.model.events.length), lines, `${name}: every event is there`);
	return page;
}

const page = await times(s.url, 'served');
const nodes = () => page.evaluate(() => document.querySelectorAll('*').length);
for (const [view, wait] of [['overview', '.tiles'], ['conversation', '.call'], ['timeline', 'canvas'], ['processes', '.prow'], ['files', '.vrow'], ['network', '.vrow'], ['events', '.vrow']]) {
	const began = Date.now();
	await go(page, '#/' + view, wait);
	const took = Date.now() - began, n = await nodes();
	diag(`${view}: ${took} ms, ${n} elements`);
	ok(n < 6000, `${view} stays light`, n);
	await shot(page, 'large-' + view);
}
await go(page, '#/events', '.vrow');
const list = page.locator('.vlist');
await list.evaluate((e) => { e.scrollTop = e.scrollHeight; });
await page.waitForTimeout(200);
ok((await page.locator('.vrow').last().innerText()).length > 5, 'the end of the list is there');
await list.evaluate((e) => { e.scrollTop = e.scrollHeight / 2; });
await page.waitForTimeout(200);
const there = await page.locator('.vspace .vrow').first().evaluate((e) => e.getBoundingClientRect().top);
ok(Math.abs(there) < 1000 && await page.locator('.vspace .vrow').count() < 120, 'and its middle, with no more rows than are seen');
const asked = Date.now();
await page.locator('input[type=search]').fill('comm=cc1 & type=file.write');
await page.waitForFunction(() => / of/.test(document.querySelector('.bar-count').innerText) && !/^0 of/.test(document.querySelector('.bar-count').innerText));
diag(`a filter over all: ${Date.now() - asked} ms`);
await go(page, '#/timeline', 'canvas');
const frames = await page.evaluate(async () => {
	const took = [];
	for (let i = 0; i < 8; i++) {
		const t = performance.now();
		dispatchEvent(new KeyboardEvent('keydown', { key: i % 2 ? '-' : '+' }));
		await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
		took.push(performance.now() - t);
	}
	return took.sort((a, b) => a - b)[4];
});
diag(`zooming the timeline: ${Math.round(frames)} ms a picture (two frames)`);
is(page.errors, [], 'no error on the console');

const html = join(dir, 'large.html');
is(spawnSync('websink', ['--html', html, run]).status, 0, 'the same as one file');
diag(`${(readFileSync(html).length / 1048576).toFixed(1)} MiB`);
const sent = await times('file://' + html, 'sent');
is(sent.errors, [], 'no error on the console there');
is(sent.elsewhere, [], 'and no request to another place');
await go(sent, '#/events', '.vrow');
await sent.locator('input[type=search]').fill('unit00042.o');
ok(await sent.waitForFunction(() => /^[12] of/.test(document.querySelector('.bar-count').innerText), null, { timeout: 10000 }).then(() => true, () => false), 'words are found there', await sent.locator('.bar-count').innerText());
await finish();
