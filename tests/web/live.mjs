// live.mjs - a run as it happens: words appear as they are captured, nothing jumps
import { browser, diag, finish, is, ok, open, readFileSync, record, settled, websink } from './kit.mjs';

const lines = readFileSync(record('run.ndjson'), 'utf8').trim().split('\n');
const b = await browser(), s = await websink([], 'pipe');
const page = await open(b, s.url + '');
const say = (list) => new Promise((done) => s.p.stdin.write(list.map((l) => l + '\n').join(''), done));
const has = (what, ms = 5000) => page.waitForFunction(what, null, { timeout: ms }).then(() => true, () => false);

ok(await has(() => document.querySelector('main').innerText.includes('Nothing has happened yet')), 'before the first event the page says so');
ok(await has(() => document.querySelector('.state').innerText.startsWith('live')), 'and that it is live');

// up to the middle of the third call's stream: its first words, but not its end
const bodies = lines.map((l, i) => [i, l]).filter(([, l]) => l.includes('"type":"sse.delta"') && l.includes('/3"'));
const middle = bodies[Math.floor(bodies.length / 2)][0];
await say(lines.slice(0, bodies[6][0]));
await page.evaluate(() => { location.hash = '#/conversation'; });
ok(await has(() => document.querySelector('.draft')), 'an answer that is being given is there');
const shown = () => page.evaluate(() => document.querySelector('.draft')?.innerText || '');
const early = await shown();
await say(lines.slice(bodies[6][0], middle + 1));
await page.waitForTimeout(700);
const later = await shown();
ok(later.length > early.length && /Thinking|user wants/.test(later + early), 'and grows with every piece', early, later);
is(await page.evaluate(() => agentsight.model.calls.length), 2, 'before its call is told');
await say(lines.slice(middle + 1, lines.findIndex((l) => l.includes('"type":"llm.call"') && l.includes('/3"')) + 1));
ok(await has(() => !document.querySelector('.draft') && document.querySelector('.call .tool')), 'the call takes its place');

// the rest, in small portions, while every view is looked at
await page.evaluate(() => { window.shift = 0; });
const rest = lines.slice(lines.findIndex((l) => l.includes('"type":"llm.call"') && l.includes('/3"')) + 1);
const views = ['overview', 'timeline', 'processes', 'files', 'network', 'events', 'conversation'];
const part = Math.ceil(rest.length / views.length);
for (const [i, v] of views.entries()) {
	await page.evaluate((h) => { location.hash = h; }, '#/' + v);
	await page.waitForTimeout(150);
	await page.evaluate(() => { window.shift = 0; });
	for (let k = 0; k < part; k += 12) {
		await say(rest.slice(i * part + k, Math.min(i * part + k + 12, (i + 1) * part)));
		await page.waitForTimeout(60);
	}
	await page.waitForTimeout(350);
	const shift = await page.evaluate(() => window.shift);
	ok(shift < 0.1, `${v}: nothing jumps while events come in`, shift);
}
ok(await has((n) => agentsight.model.events.length === n, 5000) || (await page.evaluate(() => agentsight.model.events.length)) === lines.length, 'every line has arrived');
await page.evaluate(() => { location.hash = '#/events?q=type%3Dllm.call'; });
ok(await page.waitForFunction(() => /^9 of/.test(document.querySelector('.bar-count')?.innerText)).then(() => true), 'a filter');
await say([lines.find((l) => l.includes('"type":"llm.call"')).replace(/"id":"[^"]*"/, '"id":"new/1"')]);
ok(await page.waitForFunction(() => /^10 of/.test(document.querySelector('.bar-count')?.innerText), null, { timeout: 5000 }).then(() => true, () => false), 'takes in what comes later');
s.p.stdin.end();
ok(await has(() => document.querySelector('.state').innerText.startsWith('ended')), 'the end is said');

// a second page, opened late, has all of it; and one that loses its server says so
const late = await open(b, s.url);
await settled(late);
is(await late.evaluate(() => agentsight.model.events.length), lines.length + 1, 'a page that is opened late has everything');
is(page.errors.concat(late.errors), [], 'no error on the console');
is(page.elsewhere.concat(late.elsewhere), [], 'no request to another place');

const s2 = await websink([], 'pipe'), p2 = await open(b, s2.url);
await p2.waitForFunction(() => agentsight.status.state === 'live');
s2.p.kill('SIGKILL');
ok(await p2.waitForFunction(() => document.querySelector('.notice')?.innerText.includes('connection is lost'), null, { timeout: 10000 }).then(() => true, () => false), 'a server that is gone is said');
await finish();
