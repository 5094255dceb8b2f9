// Screenshots and checks of a running site's screens: node tour.mjs BASE STATE FOLDER
// STATE is a storage state file that run.mjs leaves behind.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const [base, state, folder, ...wanted] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
let faults = 0;
const say = (...words) => { faults += 1; console.log(...words); };

async function visit(page, name, path, shot) {
  const response = await page.goto(base + path);
  if (!response.ok() && response.status() !== 404) say(name, path, response.status(), (await page.textContent('body')).replace(/\s+/g, ' ').slice(0, 300));
  await page.waitForTimeout(200);
  await page.screenshot({ path: join(folder, `${name}.${shot}.png`), fullPage: true });
  if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1)) say(name, shot, 'scrolls sideways');
  if (process.env.AXE !== '0') {
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
    for (const violation of violations) say(name, shot, violation.id, violation.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ').slice(0, 500));
  }
}

for (const [width, height, colorScheme, locale] of [[1280, 900, 'light', 'en'], [360, 740, 'light', 'zh-CN'], [1280, 900, 'dark', 'zh-CN'], [360, 740, 'dark', 'en']]) {
  const shot = `${width}.${colorScheme}.${locale}`;
  if (process.env.SHOTS && !process.env.SHOTS.split(',').includes(shot)) continue;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale, storageState: state });
  const page = await context.newPage();
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !/422|409|404/.test(message.text())) say(shot, page.url(), message.text()); });
  page.on('pageerror', (error) => say(shot, page.url(), error.message));
  await page.goto(`${base}/records/deal`);
  const record = await page.getAttribute('td.title a', 'href');
  await page.goto(`${base}/records/account`);
  const account = await page.getAttribute('td.title a', 'href');
  const screens = { home: '/', deals: '/records/deal', accounts: '/records/account', new: '/records/deal/new', record, edit: `${record}/edit`, history: `${record}?tab=history`, stages: `${record}?tab=stages`, move: `${record}/move?pipeline=sales&to=lost`, board: '/records/deal/board/sales', account, search: '/search?q=an', filter: '/records/deal?f=amount:ge:1000', bin: '/records/deal?deleted=only', settings: '/account', people: '/people', audit: '/audit', docs: '/docs/api', missing: '/records/nothing', remove: `${record}/delete` };
  for (const [name, path] of Object.entries(screens)) if (wanted.length === 0 || wanted.includes(name)) await visit(page, name, path, shot);
  await context.close();
}
await browser.close();
console.log(faults === 0 ? 'no faults' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
