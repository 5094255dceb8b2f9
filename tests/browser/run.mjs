// The smoke flow in a real browser, with scripts and without, against a demo this starts itself.
//   node run.mjs [PATH OF relata]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { accessible, demo, faults, freePort, launch, report, step, watch as watchAt } from './shared.mjs';

const folder = await mkdtemp(join(tmpdir(), 'relata-browser-'));

const port = await freePort();
const base = `http://localhost:${port}`;
const server = await demo(folder, port, [join(folder, 'demo')]);

const browser = await launch();
const watch = (page) => watchAt(page, base, [404, 409, 422]);

const context = await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 } });
const page = watch(await context.newPage());
let record = '';

await step('a one-time link signs in', async () => {
  await page.goto(server.first);
  await page.click('button.primary');
  await page.waitForURL(`${base}/`);
  await accessible(page, 'home');
});

await step('a list sorts, searches while typing and loads more', async () => {
  await page.goto(`${base}/records/contact`);
  await page.click('th a >> nth=0');
  await page.waitForURL(/sort=/);
  await page.fill('input[name=q][data-search]', 'reyes');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length <= 3);
  assert.match(page.url(), /q=reyes/);
  await accessible(page, 'list');
});

await step('a filter is clicked together and taken away', async () => {
  await page.goto(`${base}/records/deal?view=all`);
  await page.click('details.panel summary');
  await page.selectOption('#filter-field', 'amount');
  await page.waitForSelector('#filter-value [name=op] option[value=ge]', { state: 'attached' });
  await page.fill('#filter-value input[name=value]', '100000');
  await page.click('details.panel button.primary');
  await page.waitForURL(/f=amount/);
  assert.match(await page.textContent('.toolbar .chip'), /100,000/);
  await page.click('.toolbar .chip .x');
  assert.equal(await page.locator('.toolbar .chip').count(), 0);
});

await step('a wrong form comes back with its values, a summary in focus and linked errors', async () => {
  await page.goto(`${base}/records/deal/new`);
  await page.fill('[name=next_step]', 'call back');
  await page.fill('[name=amount]', 'lots');
  await page.click('button.primary[type=submit]');
  await page.waitForSelector('[data-error-summary]');
  assert.equal(await page.evaluate(() => document.activeElement.hasAttribute('data-error-summary')), true, 'the summary has the focus');
  assert.equal(await page.inputValue('[name=next_step]'), 'call back');
  assert.equal(await page.inputValue('[name=amount]'), 'lots');
  assert.equal(await page.getAttribute('[name=amount]', 'aria-invalid'), 'true');
  await accessible(page, 'form with errors');
});

await step('the same form is saved once it is right; a double click saves once', async () => {
  await page.fill('[name=name]', 'Browser deal');
  await page.fill('[name=amount]', '1234.5');
  const account = page.locator('rl-combobox', { has: page.locator('select[name=account]') });
  await account.locator('input[role=combobox]').fill('north');
  await account.locator('[role=option]').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.match(await account.locator('input[role=combobox]').inputValue(), /North/i);
  await page.dblclick('button.primary[type=submit]');
  await page.waitForURL(/\/records\/deal\/deal_/);
  record = page.url().split('?')[0];
  assert.match(await page.textContent('h1'), /Browser deal/);
  assert.match(await page.textContent('.banner.ok'), /Browser deal/);
  await page.goto(`${base}/records/deal?view=all&q=browser`);
  assert.equal(await page.locator('#list tbody tr').count(), 1);
});

await step('an edit is saved and shows in history', async () => {
  await page.goto(`${record}/edit`);
  await page.fill('[name=name]', 'Browser deal, renamed');
  await page.click('button.primary[type=submit]');
  await page.waitForURL(/done=saved|deal_\w+$/);
  assert.match(await page.textContent('h1'), /renamed/);
  await page.goto(`${record}?tab=history`);
  assert.match(await page.textContent('.timeline'), /Browser deal/);
  await accessible(page, 'history');
});

await step('two people who change the same field see both values', async () => {
  const other = watch(await context.newPage());
  await page.goto(`${record}/edit`);
  await other.goto(`${record}/edit`);
  await other.fill('[name=next_step]', 'theirs');
  await other.click('button.primary[type=submit]');
  await other.waitForURL(/deal_\w+(\?|$)/);
  await page.fill('[name=next_step]', 'mine');
  await page.click('button.primary[type=submit]');
  await page.waitForSelector('.versus');
  assert.match(await page.textContent('.versus'), /theirs[\s\S]*mine/);
  assert.equal(await page.locator('.versus').count(), 1);
  await accessible(page, 'conflict');
  await page.check('.versus input[value=theirs]');
  await page.click('button.primary[type=submit]');
  await page.waitForURL(/deal_\w+(\?|$)/);
  assert.match(await page.textContent('main'), /theirs/);
  await other.close();
});

await step('deleting asks first, undoing brings it back', async () => {
  await page.goto(`${record}/delete`);
  await accessible(page, 'delete');
  await page.click('button.danger');
  await page.waitForURL(/\/records\/deal/);
  await page.click('.banner form button');
  await page.waitForURL(/deal_/);
  assert.match(await page.textContent('h1'), /renamed/);
});

await step('a card of the board that waits for a task is asked for it, and moves once it is done', async () => {
  const ask = (path, body) => page.evaluate(async ([path, body]) => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    return (await fetch(`/api/v1/records/deal${path}`, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) })).json();
  }, [path, body]);
  const deals = (await ask(`?filter=${encodeURIComponent("stage = 'qualified'")}`)).data;
  const moves = await Promise.all(deals.map(async ({ id }) => (await ask(`/${id}/moves`)).data[0].moves.find((one) => one.to === 'proposal')));
  const { id } = deals[moves.findIndex((one) => one.passes)];
  await ask(`/${id}/moves`, { to: 'proposal' });
  await page.goto(`${base}/records/deal/board/sales`);
  await accessible(page, 'board');
  await page.locator(`[data-id="${id}"] .card-title`).focus();
  await page.keyboard.press('m');
  await page.locator('#board-menu [data-to=negotiation]').click();
  await page.waitForSelector('#board-gate[open] form');
  await accessible(page, 'gate dialog');
  await page.locator('#board-gate button[form^=task-]').click();
  await page.waitForURL(/move\?pipeline/);
  await page.locator('[data-move-form] button[name=_do][value=move]').click();
  await page.waitForURL(/board\/sales/);
  assert.equal(await page.locator(`[data-stage=negotiation] [data-id="${id}"]`).count(), 1);
  await page.goto(`${base}/records/deal/${id}`);
  await accessible(page, 'record with its path');
});

await step('the language and the colours are the person’s', async () => {
  await page.goto(`${base}/account`);
  await page.selectOption('#locale', 'zh-CN');
  await page.selectOption('#theme', 'dark');
  await page.click('form[action="/account/settings"] button');
  await page.waitForSelector('.banner.ok');
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  await page.goto(`${base}/records/deal`);
  assert.match(await page.textContent('h1'), /商机/);
  await accessible(page, 'zh-CN, dark');
});

await step('the narrow page does not scroll sideways and its drawer opens', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ['/', '/records/deal', record.slice(base.length), `${record.slice(base.length)}/edit`, '/docs/api', '/account']) {
    await page.goto(base + path);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true, path);
  }
  await page.goto(`${base}/`);
  await page.click('a[href="#sidebar"]');
  await page.locator('#sidebar .nav-item').first().waitFor();
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1280, height: 900 });
});

await step('everything works without scripts', async () => {
  const plain = await browser.newContext({ locale: 'en', javaScriptEnabled: false, storageState: await context.storageState() });
  const still = await plain.newPage();
  still.setDefaultTimeout(15_000);
  await still.goto(`${base}/records/deal/new`);
  await still.click('button.primary[type=submit]');
  assert.match(await still.textContent('[data-error-summary]'), /\S/);
  await still.goto(`${record}/edit`);
  await still.fill('[name=name]', 'Plain deal');
  await still.click('button.primary[type=submit]');
  assert.match(await still.textContent('h1'), /Plain deal/);
  await still.goto(`${base}/records/deal?view=all&q=plain`);
  assert.equal(await still.locator('#list tbody tr').count(), 1);
  await still.goto(`${record}/delete`);
  await still.click('button.danger');
  await still.goto(`${base}/records/deal?deleted=only`);
  await still.click('tbody form button');
  assert.match(await still.textContent('h1'), /Plain deal/);
  await plain.close();
});

await step('signing out ends the session', async () => {
  await page.goto(`${base}/`);
  await page.click('form[action="/sign-out"] button');
  await page.waitForURL(/sign-in/);
  await page.goto(`${base}/records/deal`);
  assert.match(page.url(), /sign-in\?next=/);
  await accessible(page, 'sign-in');
});

await browser.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
report();
