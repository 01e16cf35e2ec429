// screenshots.mjs - pictures of every view of the page, made from the scripted session in tests/data/session
//
//	make screenshots
//
// Every view at three widths, light and dark, in build/web/screens; the two that the README shows in docs/page.png
// and, of a terminal, docs/report.svg.
import { browser, dir, finish, go, join, ok, open, settled, spawnSync, websink } from './kit.mjs';
import { mkdirSync, realpathSync } from 'node:fs';

const out = join(process.env.BUILD || 'build', 'web', 'screens'), db = join(dir, 'session.db');
mkdirSync(out, { recursive: true });
const stored = spawnSync('sqlitesink', [db, 'tests/data/session/events.ndjson'], { encoding: 'utf8' });
ok(stored.status === 0, 'the session is stored', stored.stderr);
const terminal = spawnSync(realpathSync('tests/web/terminal.py'), ['100', realpathSync('docs') + '/report.svg',
	'agentsight report session.db prompts', 'agentsight report session.db risk', 'agentsight report session.db tokens'], { cwd: dir, encoding: 'utf8' });
ok(terminal.status === 0, 'the reports are drawn', terminal.stderr);
const b = await browser(), s = await websink([db]);
const views = ['overview', 'conversation', 'timeline', 'processes', 'files', 'network', 'events', 'reports'];

for (const colorScheme of ['light', 'dark'])
	for (const width of [1440, 1024, 390]) {
		const page = await open(b, s.url, { viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme });
		await settled(page);
		for (const view of views) {
			await go(page, '#/' + view);
			await page.waitForTimeout(300);
			await page.screenshot({ path: join(out, `${view}-${width}-${colorScheme}.png`) });
		}
		if (width === 1440 && colorScheme === 'light') {
			await page.setViewportSize({ width: 1200, height: 750 });
			await go(page, '#/conversation', '.thread .call');
			await page.screenshot({ path: 'docs/page.png' });
		}
		ok(page.errors.length === 0, `${width} px, ${colorScheme}: ${views.length} views`, page.errors);
		await page.context().close();
	}
await finish();
