// The package `sales` from an empty folder to the post-mortem, by mouse: a representative sells, a manager and a director decide, legal signs.
//   node sales.mjs [PATH OF relata] [FOLDER FOR SCREENSHOTS]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { accessible, freePort, launch, linkOf, relata, report, serve, step, watch } from './shared.mjs';

const folder = await mkdtemp(join(tmpdir(), 'relata-sales-'));
const shots = process.argv[3];
if (shots) await mkdir(shots, { recursive: true });
const port = await freePort();
const base = `http://localhost:${port}`;

relata(folder, ['init', '.', '--template', 'sales', '--currency', 'CNY', '--time-zone', 'Asia/Shanghai', '--yes']);
relata(folder, ['user', 'add', 'admin@example.com', '--name', 'Admin', '--admin'], 'correct horse battery\n');
for (const [name, role] of [['Rep', 'sales_rep'], ['Pre', 'presales'], ['Boss', 'sales_manager'], ['Law', 'legal'], ['Chief', 'sales_director']]) {
  relata(folder, ['user', 'invite', `${name.toLowerCase()}@example.com`, '--name', name, '--role', role]);
}
const server = await serve(folder, port);

const browser = await launch();

/** Somebody signed in by a link of their own. */
async function person(name, locale = 'en', options = {}) {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 }, ...options });
  const page = watch(await context.newPage(), base, [403, 404, 409, 422]);
  await page.goto(linkOf(folder, base, `${name}@example.com`));
  await page.click('button.primary');
  await page.waitForURL(`${base}/`);
  return page;
}

/** The form is sent and its page left. */
const left = (page, end) => page.waitForURL((url) => !url.pathname.endsWith(end));
const shoot = async (page, name) => { if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); };
const choose = async (page, name, text) => {
  const box = page.locator('rl-combobox', { has: page.locator(`select[name="${name}"]`) });
  await box.locator('input[role=combobox]').fill(text);
  await box.locator('[role=option]').filter({ hasText: text }).first().click();
};
const save = (page) => page.locator('form button.primary[type=submit], form button.primary').last().click();
const saved = async (page, entity) => { await save(page); await page.waitForURL(new RegExp(`/records/${entity}/${entity}_\\w+(\\?|$)`)); return page.url().split('?')[0]; };
/** A row below a record: its tab, its button, its form. */
async function below(page, record, tab, values, links = {}) {
  await page.goto(`${record}?tab=${tab}`);
  await page.locator('section .button.small').filter({ has: page.locator('svg') }).first().click();
  for (const [name, text] of Object.entries(links)) await choose(page, name, text);
  for (const [name, value] of Object.entries(values)) {
    const control = page.locator(`[name="${name}"]`).first();
    if (await control.evaluate((one) => one.tagName) === 'SELECT') await control.selectOption(value);
    else await control.fill(value);
  }
  await save(page);
  await left(page, '/new');
}
/** Goes to a stage; what is asked on the way is filled in. */
async function move(page, record, to, values = {}) {
  await page.goto(`${record}/move?pipeline=${values._pipeline}&to=${to}`);
  for (const [name, value] of Object.entries(values).filter(([name]) => !name.startsWith('_'))) {
    const control = page.locator(`[data-move-form] [name="${name}"]`).first();
    if (await control.evaluate((one) => one.tagName) === 'SELECT') await control.selectOption(value);
    else await control.fill(value);
  }
  while (await page.locator('[data-move-form] .conditions .missing button').count() > 0) {
    await page.locator('[data-move-form] .conditions .missing button').first().click();
    await page.waitForLoadState();
  }
  await page.locator('[data-move-form] button[value=move]').click();
  await left(page, '/move');
}
async function ask(page, record) {
  await page.goto(record);
  const form = page.locator('#approvals details').last();
  await form.locator('summary').click();
  await form.locator('button.primary').click();
  await page.locator('.banner.ok').waitFor();
}
async function approve(page) {
  await page.goto(`${base}/approvals`);
  await page.locator('main a[href*="/approvals/"]').first().click();
  await page.locator('button[value=approve]').click();
  await page.locator('.banner.ok').waitFor();
}

const [rep, boss, law, chief, admin] = [await person('rep'), await person('boss'), await person('law'), await person('chief'), await person('admin')];
let [lead, deal, quote, contract] = ['', '', '', ''];

await step('people get their managers, the house its products', async () => {
  const made = await admin.evaluate(async () => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const people = (await (await fetch('/api/v1/records/user?limit=50', { headers })).json()).data;
    const of = (name) => people.find((one) => one.name === name);
    const change = (who, values) => fetch(`/api/v1/records/user/${of(who).id}`, { method: 'PATCH', headers: { ...headers, 'if-match': `"v${of(who).version}"` }, body: JSON.stringify(values) });
    const answers = [await change('Rep', { manager: of('Boss').id }), await change('Boss', { manager: of('Chief').id })];
    answers.push(await fetch('/api/v1/records/product', { method: 'POST', headers, body: JSON.stringify({ name: 'Rope', price: '1000' }) }));
    return Promise.all(answers.map(async (answer) => answer.ok || `${answer.status} ${await answer.text()}`));
  });
  assert.deepEqual(made, [true, true, true]);
});

await step('a lead is taken down and qualified, its project filed', async () => {
  await rep.goto(`${base}/records/lead/new`);
  await rep.fill('[name=name]', 'Dana Whitlock');
  await rep.fill('[name=company]', 'Meridian Foods');
  await rep.fill('[name=email]', 'dana@example.com');
  lead = await saved(rep, 'lead');
  assert.match(await rep.textContent('.stage-path'), /Call for the first time/);
  await rep.goto(`${lead}/edit`);
  await rep.fill('[name=project]', 'Three plants');
  await rep.fill('[name=need]', 'One figure by Monday');
  await rep.fill('[name=expected]', '30000');
  await rep.selectOption('[name=authority]', 'decides');
  await saved(rep, 'lead');
  await accessible(rep, 'lead');
  await move(rep, lead, 'qualified', { _pipeline: 'lead' });
  // What stands in the way of converting it leads to where it is filed.
  await rep.goto(lead);
  await rep.click('.actions a[href*="convert"]');
  await accessible(rep, 'converting what is not registered');
  await shoot(rep, '00-not-registered');
  await rep.click('#error-summary a[href*="file=project"]');
  await rep.locator('#registrations form button.primary').first().click();
  await rep.locator('.banner.ok').waitFor();
  await shoot(rep, '01-lead');
});

await step('it becomes an account, a contact and a deal', async () => {
  await rep.goto(lead);
  await rep.click('.actions a[href*="convert"]');
  await accessible(rep, 'converting a lead');
  await shoot(rep, '02-convert');
  await rep.click('form.stack button.primary');
  await left(rep, '/convert');
  deal = await rep.locator('.banner a[href*="/records/deal/"]').first().evaluate((link) => link.href);
  await rep.goto(deal);
  assert.match(await rep.textContent('h1'), /Three plants/);
  await accessible(rep, 'deal');
});

await step('the deal gets its team, contact, competitor and lines, and goes to its solution', async () => {
  await below(rep, deal, 'team', { part: 'presales' }, { person: 'Pre' });
  await rep.goto(`${deal}/edit`);
  for (const [name, text] of [['decision', 'Dana decides'], ['solution', 'One suite for all'], ['price_strategy', 'Hold the licence'], ['next_step', 'Present']]) await rep.fill(`[name=${name}]`, text);
  await rep.fill('[name=close_on]', '2099-12-31');
  await rep.selectOption('[name=budget_state]', 'approved');
  await rep.selectOption('[name=fit]', 'good');
  await saved(rep, 'deal');
  await move(rep, deal, 'qualified', { _pipeline: 'sales' });
  await rep.goto(deal);
  await shoot(rep, '03-qualified');
  await move(rep, deal, 'solution', { _pipeline: 'sales' });
  await below(rep, deal, 'items', { quantity: '30', price: '1000' }, { product: 'Rope' });
  await move(rep, deal, 'proposal', { _pipeline: 'sales' });
});

await step('a quote is made of the lines, its discount asked for, and sent', async () => {
  await rep.goto(deal);
  await rep.click('.actions a[href*="conversion=quote"]');
  await accessible(rep, 'making a quote');
  assert.match(await rep.textContent('main'), /Lines: 1 go along/);
  await shoot(rep, '04-make-quote');
  await rep.click('form.stack button.primary');
  await rep.waitForURL(/\/records\/quote\/quote_/);
  quote = rep.url().split('?')[0];
  assert.match(await rep.textContent('.highlights'), /30,000\.00/);
  await rep.goto(`${quote}?tab=items`);
  await rep.locator('tbody a').first().click();
  await rep.locator('.actions a.primary').click();
  await rep.fill('[name=discount]', '20');
  await save(rep);
  await left(rep, '/edit');
  await rep.goto(`${quote}/edit`);
  await choose(rep, 'contact', 'Dana');
  await saved(rep, 'quote');
  await ask(rep, quote);
  await approve(boss);
  await shoot(boss, '05-approved');
  await move(rep, quote, 'sent', { _pipeline: 'quote' });
  await rep.goto(quote);
  await accessible(rep, 'quote');
  await shoot(rep, '06-quote');
});

await step('they want it changed: a new version is sent and accepted, and the deal is worth it', async () => {
  await rep.click('.actions a[href*="conversion=revise"]');
  await rep.click('form.stack button.primary');
  await left(rep, '/convert');
  quote = await rep.locator('.banner a[href*="/records/quote/"]').first().evaluate((link) => link.href);
  await rep.goto(`${quote}?tab=items`);
  await rep.locator('tbody a').first().click();
  await rep.locator('.actions a.primary').click();
  await rep.fill('[name=discount]', '10');
  await save(rep);
  await left(rep, '/edit');
  await move(rep, quote, 'sent', { _pipeline: 'quote' });
  await move(rep, deal, 'negotiation', { _pipeline: 'sales' });
  await move(rep, quote, 'accepted', { _pipeline: 'quote' });
  let facts = '';
  for (let tries = 0; tries < 60 && !/27,000/.test(facts); tries += 1) {
    await rep.goto(deal);
    facts = await rep.textContent('.highlights');
    await rep.waitForTimeout(250);
  }
  assert.match(facts, /27,000/);
  await move(rep, deal, 'signing', { _pipeline: 'sales' });
});

await step('the contract is made of the quote, approved by legal, signed and in force', async () => {
  await rep.goto(quote);
  await rep.click('.actions a[href*="conversion=contract"]');
  await rep.click('form.stack button.primary');
  await left(rep, '/convert');
  contract = await rep.locator('.banner a[href*="/records/contract/"]').first().evaluate((link) => link.href);
  await rep.goto(`${contract}/edit`);
  await rep.fill('[name=starts_on]', '2026-01-01');
  await saved(rep, 'contract');
  await below(rep, contract, 'payments', { name: 'In full', due_on: '2099-01-31', amount: '27000' });
  await move(rep, contract, 'review', { _pipeline: 'contract' });
  await ask(rep, contract);
  await approve(law);
  await move(law, contract, 'signing', { _pipeline: 'contract' });
  await law.goto(`${contract}/edit`);
  await choose(law, 'signer', 'Dana');
  await choose(law, 'our_signer', 'Chief');
  await law.fill('[name=signed_on]', '2026-01-02');
  await writeFile(join(folder, 'signed.pdf'), '%PDF-1.4\n');
  await law.setInputFiles('input[type=file]', join(folder, 'signed.pdf'));
  await law.waitForTimeout(1500);
  await saved(law, 'contract');
  await move(law, contract, 'active', { _pipeline: 'contract' });
  await law.goto(contract);
  await accessible(law, 'contract');
  await shoot(law, '07-contract');
});

await step('the deal is won, and looked back on', async () => {
  await move(rep, deal, 'won', { _pipeline: 'sales', won_reason: 'solution' });
  await shoot(rep, '08-won');
  let found = 0;
  for (let tries = 0; tries < 60 && found === 0; tries += 1) {
    await rep.goto(`${deal}?tab=reviews`);
    found = await rep.locator('tbody a[href*="/records/review/"]').count();
    await rep.waitForTimeout(250);
  }
  await rep.locator('tbody a[href*="/records/review/"]').first().click();
  const review = rep.url().split('?')[0];
  await rep.goto(`${review}/edit`);
  await rep.fill('[name=why]', 'We let them try it');
  await rep.fill('[name=lesson]', 'Let the plants try it before any price');
  await rep.selectOption('[name=status]', 'done');
  await saved(rep, 'review');
  await accessible(rep, 'post-mortem');
  await shoot(rep, '09-review');
  await chief.goto(`${base}/records/review?view=lessons`);
  assert.match(await chief.textContent('#list'), /Let the plants try it/);
});

await step('a tender asks for the decision to bid before anybody writes one', async () => {
  await rep.goto(`${base}/records/deal/new`);
  await rep.fill('[name=name]', 'Port of Ashford');
  await choose(rep, 'account', 'Meridian');
  assert.equal(await rep.locator('[name=tender_number]').count(), 0);
  await rep.selectOption('[name=way]', 'tender');
  await rep.fill('[name=amount]', '250000');
  // What a tender asks for appears while the form is filled in, and what was entered before stays.
  await rep.fill('[name=tender_number]', 'T-77');
  await rep.fill('[name=bid_strategy]', 'Show the reference');
  await rep.fill('[name=price_strategy]', 'Below the budget');
  const held = () => rep.evaluate(() => Object.fromEntries([...new FormData(document.getElementById('form'))].filter(([name]) => ['name', 'account', 'amount', 'way', 'tender_number'].includes(name))));
  const before = await held();
  assert.deepEqual([before.name, before.amount, before.way, before.tender_number, before.account.startsWith('account_')], ['Port of Ashford', '250000', 'tender', 'T-77', true]);
  const tender = await saved(rep, 'deal');
  // What a choice hides and another one shows again is what it was, and so it stays when that is saved.
  await rep.goto(`${tender}/edit`);
  await rep.selectOption('[name=way]', 'direct');
  await rep.locator('[name=tender_number]').waitFor({ state: 'detached' });
  await rep.fill('[name=next_step]', 'Read it');
  await rep.selectOption('[name=way]', 'tender');
  await rep.locator('[name=tender_number]').waitFor();
  assert.deepEqual({ ...await held(), amount: '250000' }, before);
  assert.deepEqual([await rep.inputValue('[name=bid_strategy]'), await rep.inputValue('[name=next_step]')], ['Show the reference', 'Read it']);
  await saved(rep, 'deal');
  await shoot(rep, '10-tender');
  await ask(rep, tender);
  await approve(boss);
  await approve(chief);
  await rep.goto(tender);
  assert.match(await rep.textContent('main'), /We bid/);
});

for (const [locale, colorScheme, filed] of [['zh-CN', 'dark', /项目报备/], ['zh-TW', 'light', /專案報備/]]) await step(`in Chinese (${locale}), on a telephone (${colorScheme}) it is all there`, async () => {
  const phone = await person('rep', locale, { viewport: { width: 360, height: 740 }, colorScheme });
  for (const [name, address] of [['deals', `${base}/records/deal`], ['deal', deal], ['quote', quote], ['contract', contract], ['review', `${base}/records/review?view=lessons`], ['board', `${base}/records/deal/board/sales`], ['lead', lead]]) {
    await phone.goto(address);
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true, address);
    await accessible(phone, `${name}, ${locale}, narrow, ${colorScheme}`);
    await shoot(phone, `20-${name}-${locale}-360-${colorScheme}`);
    if (['deal', 'quote', 'contract', 'lead'].includes(name)) {
      const { left: from, right: to } = await phone.locator('.steps [aria-current]').first().evaluate((one) => one.getBoundingClientRect().toJSON());
      assert.ok(from >= 0 && to <= 360, `${name}: the stage is out of sight`);
    }
  }
  assert.match(await phone.textContent('main'), filed);
});

await browser.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
report();
if (process.exitCode) console.log(server.log());
