// build.mjs FROM TO - one HTML file of the sources in FROM, and the policy that lets it run
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [from, to] = process.argv.slice(2);
const { build } = createRequire(resolve(to, 'package.json'))('esbuild');

async function bundle(entry) {
	const out = await build({
		entryPoints: [`${from}/${entry}`], bundle: true, minify: true, write: false,
		format: 'iife', target: ['chrome100', 'firefox100', 'safari15'],
		charset: 'utf8', legalComments: 'none', logLevel: 'warning',
		nodePaths: [`${to}/node_modules`],
	});
	return out.outputFiles[0].text.trim();
}

// What ends a script element must not stand in it (HTML standard, 4.12.1.3).
const script = (await bundle('app.js')).replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
const style = await bundle('style.css');
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const policy = [
	"default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`,
	"connect-src 'self'", 'img-src data:', "base-uri 'none'", "form-action 'none'",
	"require-trusted-types-for 'script'", "trusted-types 'none'",
].join('; ');

const notices = ['preact', 'htm', 'uplot'].map((name) => {
	const p = JSON.parse(readFileSync(`${to}/node_modules/${name}/package.json`));
	return `${p.name} ${p.version} (${p.license})`;
}).join(', ');

const html = readFileSync(`${from}/page.html`, 'utf8')
	.replace('POLICY', () => policy)
	.replace('NOTICES', () => notices)
	.replace('STYLE', () => style)
	.replace('SCRIPT', () => script);

writeFileSync(`${to}/page.csp`, `${policy}; frame-ancestors 'none'`);
writeFileSync(`${to}/page.html`, html);
