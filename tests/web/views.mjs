// views.mjs - every view of a recorded run, clicked through in a browser
import { axeSource, browser, diag, finish, go, is, join, ok, open, readFileSync, record, settled, shot, truth, websink, writeFileSync } from './kit.mjs';

const want = truth(), run = record('run.ndjson'), b = await browser(), s = await websink([run]);
const page = await open(b, s.url);
await settled(page);
is(new URL(page.url()).search, '', 'the token does not stay in the address');
is(await page.evaluate(() => document.cookie), '', 'nor where a script can read it');

const text = (selector) => page.locator(selector).first().innerText();
const tile = async (name) => (await page.locator('.tile', { hasText: name }).locator('.tile-value').innerText()).trim();

// --- overview ---
is(await tile('Model calls'), String(want.calls), 'the calls are counted');
is(await tile('Tool calls'), String(want.tools), 'so are the tools');
is(await page.evaluate(() => { let i = 0, o = 0; for (const c of agentsight.model.calls) { i += c.usage.input_tokens || 0; o += c.usage.output_tokens || 0; } return [i, o]; }),
	[want.input_tokens, want.output_tokens], 'and the tokens are those of the run');
is(await page.evaluate(() => agentsight.model.calls.filter((c) => c.failed).length), want.failed_calls, 'the failed call is one');
const findings = await page.locator('.findings li').allInnerTexts();
for (const [name, what] of [['credential file read', '.netrc'], ['call failed', 'overloaded'], ['tool error', 'Bash'], ['rm -r', '/tmp/parser-cache'], ['no connection', '192.0.2.45']])
	ok(findings.some((f) => f.includes(name) && f.includes(what)), `worth a look: ${name}`, findings);
ok((await text('.card:has-text("Where the time went")')).match(/Model[\s\S]*Tools[\s\S]*Between/), 'the time is split');
ok(await page.locator('.uplot canvas').count() >= 2, 'the charts are there');
ok((await text('.lost')).includes('3 not seen'), 'what was not seen is said');
await shot(page, 'overview');

// --- navigation ---
const names = ['Overview', 'Conversation', 'Timeline', 'Processes', 'Files', 'Network', 'Events', 'Reports'];
for (const [i, name] of names.entries()) {
	await page.locator('.top nav a', { hasText: name }).click();
	await page.waitForTimeout(150);
	is([await page.title(), await page.locator('.top nav a[aria-current=page]').innerText().then((t) => t.split('\n')[0])], [`${name} · agentsight`, name], `${name}: by a click`);
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('1');
	await page.keyboard.press(String(i + 1));
	await page.waitForFunction((title) => document.title === title, `${name} · agentsight`, { timeout: 10000 }).catch(() => {});
	is(await page.title(), `${name} · agentsight`, `${name}: by a key`);
}

const size = page.viewportSize();
for (const width of [1440, 1300, 1024, 768, 390]) {
	await page.setViewportSize({ width, height: 844 });
	const out = await page.locator('.top nav a').evaluateAll((links) => links.filter((a) => {
		const r = a.getBoundingClientRect(), at = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		return r.left < 0 || r.right > innerWidth || !(at && a.contains(at));
	}).map((a) => a.textContent));
	is(out, [], `all views can be reached at ${width} px`);
	for (const [view, what] of [['files', '.path .base'], ['network', '.vrow:not(.vhead) .wide']]) {
		await go(page, '#/' + view, what);
		const box = await page.locator(what).first().boundingBox();
		ok(box.width > 20 && box.x >= 0 && box.x < width, `${view}: the first column is in sight at ${width} px`, box);
	}
}
await page.setViewportSize(size);

// --- conversation ---
await go(page, '#/conversation', '.thread .call');
is(await page.locator('.side li').count(), want.conversations, 'the conversations are listed');
is(await page.locator('.call').count(), want.calls - 1, 'every call of the longest is shown');
is(await page.locator('.tool').count(), want.tools, 'with its tools');
// textContent: what is far off the screen is not laid out
const tool = (i) => page.locator('.tool').nth(i);
const effects = async (i) => (await tool(i).locator('.effects').textContent()).replace(/\s+/g, ' ');
ok(/ran ?.*python3 -m pytest.*exit 1/.test(await effects(0)) && /created .*lastfailed/.test(await effects(0)), 'a command has its processes and files', await effects(0));
ok(!/test_parser/.test(await effects(1)) && !/\bparser\.py/.test((await effects(2)).replace('test_parser.py', '')), 'tools side by side have their own each', await effects(1), await effects(2));
ok(/reached docs\.python\.org:443/.test(await effects(3)), 'a page that was fetched, its host', await effects(3));
ok(/wrote .*\/parser\.py/.test(await effects(4)), 'an edit, its file', await effects(4));
ok(/deleted \/tmp\/parser-cache\/old\.bin by rm/.test(await effects(5)) && /ETIMEDOUT/.test(await effects(5)), 'what was deleted, and by whom', await effects(5));
ok(/asked search/.test(await effects(7)), 'a tool server, what it was asked', await effects(7));
ok((await tool(4).locator('.diff-new').allTextContents()).join('').includes('partition'), 'an edit is shown as a change');
ok((await tool(0).textContent()).includes('too many values to unpack'), 'and a result beneath its tool');
ok((await text('.from-user')).includes('111,699 characters') && (await page.locator('.from-user').first().boundingBox()).height < 450, 'a prompt of 100 KB is readable', await text('.from-user'));
await page.locator('.from-user .more').click();
ok((await text('.from-user .text')).includes('line 1199'), 'and whole when one asks');
await page.locator('.thinking-head', { hasText: 'Thinking' }).first().click();
ok((await text('.thinking .text')).includes('First reproduce the failure'), 'thinking opens');
await tool(0).locator('.tool-head').click();
ok((await tool(0).locator('.tool-body').innerText()).includes('description'), 'the arguments open');
ok((await page.locator('.call').nth(1).textContent()).includes('The same request again'), 'a request that is repeated is not told twice');
await shot(page, 'conversation');

const told = page.locator('.instructions', { hasText: 'changed since the last request' });
is([await told.count(), (await told.locator('.diff-new').allTextContents()).join('').includes('The tests pass now'), await told.locator('.diff-old').count()], [1, true, 0], 'instructions that changed are told once more, by what is new');
is(await page.locator('.after').count(), 0, 'and what tools did is not told as the agent\'s own');

// --- deep links ---
await page.keyboard.press(']');
await page.keyboard.press(']');
ok(/\/4100%3A|\/4100:/.test(page.url()), 'a call has an address', page.url());
const deep = page.url();
await page.goto('about:blank');
await page.goto(deep);
await settled(page);
await page.waitForSelector('.call-shown');
ok(await page.locator('.call-shown').evaluate((e) => e.getBoundingClientRect().top < innerHeight && e.getBoundingClientRect().bottom > 0), 'which leads to it');
await go(page, '#/conversation', '.thread .call');
await page.locator('.effect a[href*="/files/"]').first().click();
await page.waitForSelector('.detail h2.path');
ok((await text('.detail h2')).includes('lastfailed'), 'an effect leads to its file');
await page.goBack();
await page.waitForSelector('.thread .call');
ok(page.url().includes('#/conversation'), 'and back');

// --- timeline ---
await go(page, '#/timeline', '.timeline canvas');
await page.waitForTimeout(300);
const ink = () => page.evaluate(() => { const c = document.querySelector('.timeline canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; });
ok(await ink() > 5000, 'the timeline is drawn');
ok((await page.locator('.timeline canvas').getAttribute('aria-label')).includes(`${want.calls} model calls, ${want.tools} tools`), 'and told in words');
await shot(page, 'timeline');
const before = await text('.bar .faint');
await page.keyboard.press('+');
await page.keyboard.press('+');
await page.waitForTimeout(150);
const closer = await text('.bar .faint');
ok(before !== closer && page.url().includes('from='), 'keys zoom, and the address has it', closer);
await page.keyboard.press('ArrowRight');
await page.waitForTimeout(150);
ok(await text('.bar .faint') !== closer, 'and move');
await page.keyboard.press('0');
await page.waitForTimeout(150);
is(await text('.bar .faint'), before, 'and go back to all');
const box = await page.locator('.timeline canvas').boundingBox();
const bar = await page.evaluate(() => { const c = agentsight.model.calls[3], m = agentsight.model, pad = Math.max(20, m.span * 0.01); return (c.at + c.end) / 2 / 1 - (m.first - pad) ? ((c.at + c.end) / 2 - (m.first - pad)) / (m.span + 2 * pad) : 0; });
const x = box.x + 56 + bar * (box.width - 56 - 64), y = box.y + 22 + 26 + 8;
await page.mouse.move(x, y);
await page.waitForTimeout(100);
ok((await text('.tip')).includes('claude-sonnet-5'), 'pointing at a bar says what it is');
await page.mouse.click(x, y);
await page.waitForSelector('.call-shown');
ok(page.url().includes('/conversation/main/'), 'and a click goes there');
await go(page, '#/timeline', '.timeline canvas');
await page.mouse.move(box.x + 600, box.y + 100);
await page.mouse.wheel(0, 0);
await page.keyboard.down('Control');
await page.mouse.wheel(0, -300);
await page.keyboard.up('Control');
await page.waitForTimeout(150);
ok(page.url().includes('from='), 'the wheel zooms');

// --- processes ---
await go(page, '#/processes', '.prow');
is(await page.locator('.prow').count(), want.processes + 1, 'the tree has every process, and the shell');
is(await page.locator('.prow', { hasText: 'download -q wheel' }).last().getAttribute('aria-level').then(Number), 4, 'each at its place');
await page.locator('.prow', { hasText: 'download -q wheel' }).last().click();
await page.waitForSelector('.detail h2');
const detail = await text('.detail');
ok(['download -q wheel', '/home/ada/parser', 'pypi.example', '.netrc', 'exit 1', 'Bash'].every((w) => detail.includes(w)), 'and what it did: arguments, folder, host, file, end, tool', detail);
await page.locator('.vlist').focus();
await page.keyboard.press('j');
await page.waitForTimeout(80);
ok((await text('.detail h2')).startsWith('python3'), 'j goes on to the next');
await page.locator('.prow', { hasText: 'claude' }).locator('button.twist').click();
await page.waitForTimeout(80);
is(await page.locator('.prow').count(), 2, 'a branch closes');
await page.locator('input[type=search]').fill('curl');
await page.waitForTimeout(150);
is(await page.locator('.prow').count(), 3, 'the search keeps what is above');
await page.locator('input[type=search]').fill('');
await shot(page, 'processes');

// --- files ---
await go(page, '#/files', '.vrow');
const pathsNow = async () => (await page.locator('.vspace .vrow .path').allInnerTexts()).map((p) => p.replace(/\s+/g, ''));
const paths = await pathsNow();
ok([...want.written, 'old.bin', '.netrc'].every((f) => paths.some((p) => p.endsWith(f))), 'the files are there', paths);
await page.locator('.check input').check();
await page.waitForTimeout(120);
const changed = (await pathsNow()).map((p) => p.split('/').pop());
ok(want.written.every((f) => changed.includes(f)) && !changed.includes('.netrc'), 'and those alone that changed', changed);
ok(page.url().includes('changed=1'), 'which the address has');
await page.locator('.sort', { hasText: 'Path' }).click();
await page.waitForTimeout(100);
const down = await pathsNow();
ok(JSON.stringify(down) === JSON.stringify([...down].sort().reverse()), 'sorted by a column', down);
await page.locator('.vspace .vrow', { hasText: 'lastfailed' }).click();
await page.waitForSelector('.detail h2.path');
ok((await text('.detail')).includes('python3'), 'with who touched it');
await shot(page, 'files');

// --- network ---
await go(page, '#/network', '.vrow');
const hosts = await page.locator('.vspace .vrow').allInnerTexts();
ok(want.hosts.every((h) => hosts.some((t) => t.startsWith(h))), 'the hosts are there by name', hosts);
await page.locator('.vspace .vrow', { hasText: 'api.anthropic.com' }).click();
await page.waitForSelector('.detail summary');
is(await page.locator('.detail summary').count(), want.calls, 'with what was asked of them');
ok((await text('.detail')).includes('529'), 'and what was refused');
await shot(page, 'network');

// --- events ---
await go(page, '#/events', '.vrow');
const total = readFileSync(run, 'utf8').trim().split('\n').length;
ok((await text('.bar-count')).includes(`${total} events`), 'every event is counted', await text('.bar-count'));
await page.keyboard.press('/');
await page.keyboard.type('type=file.write & path~.py');
await page.waitForFunction(() => /^3 of/.test(document.querySelector('.bar-count').innerText), null, { timeout: 5000 });
ok(true, 'the grammar of jsonfilter filters');
await page.locator('.vspace .vrow').last().click();
await page.waitForSelector('.detail .json-row');
ok((await text('.detail')).includes('parser.py'), 'an event opens');
await page.locator('input[type=search]').fill('type=file.write & & x');
await page.waitForSelector('.filter-note .bad-text');
ok((await text('.filter-note')).includes('here:'), 'a wrong expression is said, and where', await text('.filter-note'));
const refused = page.errors.splice(0).filter((e) => !e.includes('status of 400'));
is(refused, [], 'and that is all that the console has of it');
await page.locator('input[type=search]').fill('');
await page.waitForTimeout(200);
await page.locator('.chip', { hasText: 'http.request' }).click();
await page.waitForFunction((n) => document.querySelector('.bar-count').innerText.startsWith(`${n} of`), want.calls);
await page.locator('.vspace .vrow').nth(3).click();
await page.locator('.detail .more', { hasText: 'Get all' }).click();
await page.waitForFunction(() => !document.querySelector('.detail .more')?.innerText.includes('Get all'));
ok((await page.locator('.detail .json-row', { hasText: 'body' }).first().innerText()).length > 100, 'a line that was cut comes whole');
await shot(page, 'events');

// --- reports ---
await go(page, '#/reports/tools', '.report-in table');
ok((await page.locator('.side li').count()) > 10, 'the reports of the database are there');
ok((await text('.report-in')).includes('Bash'), 'and say what they say');
await page.locator('.report-in input[type=search]').fill('partition');
await page.keyboard.press('Enter');
await page.waitForFunction(() => document.querySelector('.report-in h1')?.innerText.startsWith('Found') && document.querySelector('.report-in td'));
ok((await text('.report-in table')).includes('partition'), 'a search finds what was said');
await shot(page, 'reports');

// --- keys, colours ---
await page.evaluate(() => document.activeElement.blur());
await page.keyboard.press('?');
ok(await page.waitForSelector('dialog.help[open]', { timeout: 5000 }).then(() => true, () => false), '? shows the keys');
await page.keyboard.press('Escape');
await page.waitForTimeout(300);
is(await page.locator('dialog.help').count(), 0, 'Esc closes them');
const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await back();
await page.keyboard.press('t');
await page.waitForTimeout(100);
ok(await back() !== light, 't turns the colours');
await go(page, '#/overview', '.tiles');
await shot(page, 'overview-dark');
await go(page, '#/timeline', '.timeline canvas');
await page.waitForTimeout(200);
await shot(page, 'timeline-dark');
await go(page, '#/conversation', '.thread .call');
await shot(page, 'conversation-dark');
await page.evaluate(() => document.activeElement.blur());
await page.keyboard.press('t');
await page.keyboard.press('t');

// --- a screen reader's view, by axe-core ---
for (const scheme of ['light', 'dark']) {
	await page.emulateMedia({ colorScheme: scheme });
	for (const [name, hash, wait] of [['overview', '#/overview', '.tiles'], ['conversation', '#/conversation', '.call'], ['timeline', '#/timeline', 'canvas'], ['processes', '#/processes/4100-1795493553001', '.prow'],
		['files', '#/files', '.vrow'], ['network', '#/network', '.vrow'], ['events', '#/events', '.vrow'], ['reports', '#/reports/tools', '.report-in table']]) {
		await go(page, hash, wait);
		await page.waitForTimeout(200);
		const found = await page.evaluate(async (source) => {
			if (!window.axe) (0, eval)(source);
			const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
			return r.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((x) => x.target.join(' ') + ' ' + x.failureSummary.split('\n').slice(1, 2).join('')).join(' | ')}`);
		}, axeSource).catch((e) => [String(e)]);
		is(found, [], `axe finds nothing in ${name}, ${scheme}`);
	}
}
await page.emulateMedia({ colorScheme: 'light' });

// --- layout: the boxes of each view as they were looked at and found good ---
const boxes = {};
for (const [name, hash, wait] of [['overview', '#/overview', '.tiles'], ['conversation', '#/conversation', '.call'], ['timeline', '#/timeline', 'canvas'], ['processes', '#/processes/4100-1795493553001', '.detail h2'],
	['files', '#/files', '.vrow'], ['network', '#/network', '.vrow'], ['events', '#/events', '.vrow']]) {
	await go(page, hash, wait);
	await page.waitForTimeout(150);
	boxes[name] = await page.evaluate(() => Object.fromEntries(['.top', 'main', '.tiles', '.cards', '.side', '.thread', '.bar', '.vlist', '.detail', '.timeline', '.mini', '.timeline-chart'].map((s) => {
		const e = document.querySelector(s), r = e?.getBoundingClientRect();
		return [s, r && [r.left, r.top, r.width, Math.min(r.height, 900)].map(Math.round)];
	}).filter(([, v]) => v)));
}
const base = new URL('layout.json', import.meta.url);
if (process.env.LAYOUT) writeFileSync(base, JSON.stringify(boxes, null, '\t').replace(/\[\n\t+(\d+),\n\t+(\d+),\n\t+(\d+),\n\t+(\d+)\n\t+\]/g, '[$1, $2, $3, $4]') + '\n');
const good = JSON.parse(readFileSync(base, 'utf8')), off = [];
for (const [view, all] of Object.entries(good))
	for (const [s, r] of Object.entries(all))
		if (!boxes[view][s] || r.some((v, i) => Math.abs(v - boxes[view][s][i]) > 24)) off.push(`${view} ${s}: ${boxes[view][s]} was ${r}`);
is(off, [], 'the layout is as it was found good');
for (const [w, h] of [[1024, 700], [640, 900]]) {
	await page.setViewportSize({ width: w, height: h });
	for (const [name, hash, wait] of [['overview', '#/overview', '.tiles'], ['conversation', '#/conversation', '.call'], ['processes', '#/processes', '.prow'], ['events', '#/events', '.vrow']]) {
		await go(page, hash, wait);
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		ok(wide <= w, `${name} fits ${w} pixels`, wide);
		await shot(page, `${name}-${w}`);
	}
}

is(page.errors, [], 'no error on the console');
is(page.elsewhere, [], 'no request to another place');
diag(`layout shift ${(await page.evaluate(() => window.shift)).toFixed(4)}; screenshots are in ${join(process.env.BUILD || 'build', 'web', 'shots')}`);
await finish();
