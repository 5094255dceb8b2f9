// Looks at static renderings of the templates: RELATA_PREVIEW=target/preview cargo test --test it templates
// writes them; this serves them with the assets, takes screenshots and runs axe.
//   node preview.mjs FOLDER [NAME…]
import { createServer } from 'node:http';
import { readFile, readdir, mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const [folder, ...only] = process.argv.slice(2);
const assets = new URL('../../src/web/assets/', import.meta.url).pathname;
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const server = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  const file = path.startsWith('/assets/0/') ? join(assets, path.slice(10)) : join(folder, path);
  try {
    const body = await readFile(file);
    response.writeHead(200, { 'content-type': `${types[extname(file)]}; charset=utf-8`, 'content-security-policy': csp });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));
const base = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
await mkdir(join(folder, 'shots'), { recursive: true });
const pages = (await readdir(folder)).filter((name) => name.endsWith('.html') && (only.length === 0 || only.some((wanted) => name.startsWith(`${wanted}.`))));
let faults = 0;
for (const name of pages) {
  if (name.includes('.zh-TW.') && !process.env.ALL) continue;
  if (!(await readFile(join(folder, name), 'utf8')).startsWith('<!doctype')) continue;
  for (const [width, height] of [[1280, 900], [360, 740]]) {
    for (const colorScheme of process.env.ALL ? ['light', 'dark'] : [width === 360 ? 'dark' : 'light']) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !message.text().includes('404')) { faults += 1; console.log(name, width, message.text()); } });
      page.on('pageerror', (error) => { faults += 1; console.log(name, error.message); });
      await page.goto(`${base}/${name}`);
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(folder, 'shots', `${name.replace('.html', '')}.${width}.${colorScheme}.png`), fullPage: true });
      const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
      if (scrolls) { faults += 1; console.log(name, width, 'the page scrolls sideways'); }
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      for (const violation of violations) {
        faults += 1;
        console.log(name, width, colorScheme, violation.id, violation.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ').slice(0, 400));
      }
      await context.close();
    }
  }
}
await browser.close();
server.close();
console.log(faults === 0 ? 'no faults' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
