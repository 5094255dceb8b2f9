// The service desk as a new user meets it: a workspace from the template, a request that is routed, whose clock runs, that is
// escalated, solved, answered badly and comes back; by an agent, a lead and the administrator.
//   node service.mjs [PATH OF relata] [FOLDER FOR SCREENSHOTS]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { accessible, demo, faults, freePort, launch, linkOf, relata, report, step, watch as watchAt } from './shared.mjs';

const shots = process.argv[3];
if (shots) await mkdir(shots, { recursive: true });
const folder = await mkdtemp(join(tmpdir(), 'relata-service-'));
const desk = join(folder, 'desk');
const port = await freePort();
const base = `http://localhost:${port}`;

// As the README says, with one thing of one's own: an urgent request is answered within a minute, so that its clock runs out here.
relata(folder, ['init', desk, '--template', 'service', '--yes']);
await mkdir(join(desk, 'definitions/site'), { recursive: true });
await writeFile(join(desk, 'definitions/site/quick.yaml'), `kind: extension
of: service.request
clocks:
  - id: response
    label: {en: First answer, zh-CN: 首次响应, zh-TW: 首次回應}
    targets: [{when: "priority = 'urgent'", time: 1m}, {time: 9h}]
    stop: "answers > 0 or status in ('solved', 'closed', 'cancelled')"
`);
const server = await demo(folder, port, [desk, '--template', 'service']);

const browser = await launch();
const watch = (page) => watchAt(page, base, [404, 409, 422]);

/** Somebody at a browser of their own. */
async function person(address, settings = {}) {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 }, ...settings });
  const page = watch(await context.newPage());
  await page.goto(address);
  await page.click('button.primary');
  await page.waitForURL(`${base}/`);
  return page;
}

/** A request of the API, as whoever is signed in. */
const ask = (page, path, body, method = body ? 'POST' : 'GET') => page.evaluate(async ([path, body, method]) => {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return (await fetch(`/api/v1/records/${path}`, { method, headers, body: body && JSON.stringify(body) })).json();
}, [path, body, method]);

/** Looks until it is so: jobs run beside. */
async function until(what, look, seconds = 30) {
  for (let tries = 0; tries < seconds * 2; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => { setTimeout(done, 500); });
  }
  throw new Error(`${what}: not within ${seconds} seconds`);
}

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

async function choose(page, field, text) {
  const box = page.locator('rl-combobox', { has: page.locator(`select[name=${field}]`) });
  await box.locator('input[role=combobox]').fill(text);
  await box.locator('[role=option]').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
}

let admin;
let lead;
let agent;
let record = '';
let id = '';

await step('the administrator, the lead and an agent sign in', async () => {
  admin = await person(server.first);
  lead = await person(linkOf(desk, base, 'chen.jing@example.com'));
  agent = await person(linkOf(desk, base, 'emma.clarke@example.com'));
  await shot(admin, 'home');
});

await step('the sample is there, with clocks that run', async () => {
  await admin.goto(`${base}/records/request?view=open`);
  assert.ok(await admin.locator('#list tbody tr').count() > 15);
  await accessible(admin, 'open requests');
  await shot(admin, 'open');
});

await step('a request is entered with the form', async () => {
  await admin.goto(`${base}/records/request/new`);
  await shot(admin, 'new');
  await accessible(admin, 'new request');
  await admin.fill('[name=subject]', 'Hall three is dark');
  await admin.selectOption('[name=priority]', 'urgent');
  await admin.selectOption('[name=category]', 'account');
  // What it is about, more closely, follows from what it is about.
  await admin.locator('[name=topic] option[value=sign_in]').waitFor({ state: 'attached' });
  assert.equal(await admin.locator('[name=topic] option[value=late]').count(), 0);
  await choose(admin, 'account', 'Meridian');
  await admin.click('button.primary[type=submit]');
  await admin.waitForURL(/\/records\/request\/[a-z]+_/);
  record = admin.url().split('?')[0];
  id = record.split('/').pop();
  assert.match(await admin.textContent('h1'), /Hall three is dark/);
});

await step('its contract, its queue and somebody of the team are found by themselves', async () => {
  const found = await until('an agent', async () => {
    const one = await ask(admin, `request/${id}?select=level,status,queue(name),agent(name)`);
    return one.agent && one.status === 'triaged' ? one : null;
  });
  assert.equal(found.level, 'premium');
  assert.match(found.queue.name, /Technical/);
  await admin.goto(record);
  await accessible(admin, 'a request');
  assert.match(await admin.textContent('main'), /First answer/);
  await shot(admin, 'request');
});

await step('who is not of the team does not see it', async () => {
  const response = await agent.goto(record);
  assert.equal(response.status(), 404);
  await agent.goto(`${base}/records/request?view=open`);
  assert.ok(await agent.locator('#list tbody tr').count() > 3);
});

await step('nobody answers: it is escalated to the lead, who is told', async () => {
  await until('the escalation', async () => {
    const one = await ask(admin, `request/${id}`);
    return one.escalation === 'lead' && one.response_state === 'over';
  }, 200);
  await lead.goto(`${base}/notifications`);
  assert.match(await lead.textContent('main'), /S-\d+-\d+/);
  await lead.goto(`${base}/records/request?view=escalated`);
  assert.match(await lead.textContent('#list'), /Hall three is dark/);
  await accessible(lead, 'escalated');
  await shot(lead, 'escalated');
  await lead.goto(record);
  assert.match(await lead.textContent('main'), /已超时/);
  await shot(lead, 'over');
});

await step('the lead answers with a text module', async () => {
  await lead.goto(`${base}/records/message/new?request=${id}`);
  await choose(lead, 'macro', 'Apology');
  await lead.click('button.primary[type=submit]');
  await lead.waitForURL(/\/records\/(message|request)\/[a-z]+_/);
  const said = await ask(lead, `message?filter=${encodeURIComponent(`request = '${id}'`)}`);
  assert.match(said.data[0].body, /Hello|您好/);
  assert.equal((await ask(lead, `request/${id}`)).response_state, 'missed');
  await lead.goto(`${record}?tab=conversation`);
  await shot(lead, 'conversation');
});

await step('solving asks for what is missing', async () => {
  await lead.goto(`${record}/move?pipeline=service&to=in_work`);
  await lead.locator('[data-move-form] button[name=_do][value=move]').click();
  await lead.waitForURL(/\/records\/request\/[a-z]+_\w+(\?|$)/);
  await lead.goto(`${record}/move?pipeline=service&to=solved`);
  await accessible(lead, 'the move to solved');
  await shot(lead, 'solve');
  await lead.fill('[name=resolution]', 'The fuse was replaced.');
  await lead.selectOption('[name=outcome]', 'solved');
  await lead.locator('[data-move-form] button[name=_do][value=move]').click();
  await lead.waitForURL(/\/records\/request\/[a-z]+_\w+(\?|$)/);
  const solved = await ask(lead, `request/${id}`);
  assert.equal(solved.status, 'solved');
  assert.equal(solved.resolution_state, 'met');
  await shot(lead, 'solved');
});

await step('the customer says on a page, without signing in, that it is not solved', async () => {
  await lead.goto(record);
  await lead.locator('form[action$="/surveys"] button').click();
  const link = await lead.textContent('#survey-link');
  await accessible(lead, 'a link to a survey');
  await shot(lead, 'survey-link');
  for (const [locale, colorScheme] of [['en', 'dark'], ['zh-CN', 'light'], ['zh-TW', 'light']]) {
    const context = await browser.newContext({ locale, colorScheme, viewport: { width: 360, height: 740 } });
    const customer = watch(await context.newPage());
    await customer.goto(`${link}?lang=${locale}`);
    assert.equal(await customer.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true);
    assert.doesNotMatch(await customer.textContent('main'), /Hall three/);
    assert.match(await customer.textContent('h1'), { en: /How did we do/, 'zh-CN': /您对我们的服务满意吗/, 'zh-TW': /您對我們的服務滿意嗎/ }[locale]);
    await accessible(customer, `the survey, ${locale}`);
    await shot(customer, `survey-${locale}`);
    if (locale === 'zh-TW') {
      await customer.click('button.primary');
      await customer.locator('main [role=alert]').waitFor();
      await accessible(customer, 'the survey, incomplete');
      await shot(customer, 'survey-incomplete');
      await customer.locator('[name=score][value="1"]').check({ force: true });
      await customer.fill('[name=comment]', 'It is dark again.');
      await customer.click('button.primary');
      await customer.locator('main [role=status]').waitFor();
      await shot(customer, 'survey-thanks');
    }
    await context.close();
  }
});

await step('a low answer brings it back', async () => {
  const back = await until('the request', async () => {
    const one = await ask(lead, `request/${id}`);
    return one.status === 'reopened' ? one : null;
  });
  assert.equal(back.escalation, 'lead');
  assert.equal(Number(back.satisfaction), 1);
  assert.equal(back.reopenings, 1);
  await lead.goto(record);
  await accessible(lead, 'reopened');
  await shot(lead, 'reopened');
  await lead.goto(`${base}/surveys`);
  assert.match(await lead.textContent('main'), /满意度/);
  await shot(lead, 'surveys');
  await lead.goto(`${base}/surveys/service.satisfaction`);
  await accessible(lead, 'what came back');
  assert.match(await lead.textContent('main'), /1 份答复/);
  await shot(lead, 'survey-results');
});

await step('the board of requests, and every list, fits a narrow page', async () => {
  const narrow = await admin.context().browser().newContext({
    locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 360, height: 740 }, storageState: await lead.context().storageState(),
  });
  const page = watch(await narrow.newPage());
  const path = record.slice(base.length);
  const places = { home: '/', mine: '/records/request?view=mine', due: '/records/request?view=due_soon', record: path, edit: `${path}/edit`, conversation: `${path}?tab=conversation`, solutions: '/records/solution', tell: '/notifications' };
  for (const [name, place] of Object.entries(places)) {
    await page.goto(base + place);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true, place);
    await accessible(page, `${name}, narrow, dark, zh-CN`);
    await shot(page, `narrow-${name}`);
  }
  await narrow.close();
  await admin.goto(`${base}/records/request/board/service`);
  await accessible(admin, 'board of requests');
  await shot(admin, 'board');
  await admin.goto(`${base}/records/request/board/complaint`);
  await shot(admin, 'board-complaint');
  await admin.goto(`${base}/records/queue`);
  await shot(admin, 'queues');
  await admin.goto(`${base}/records/service_contract`);
  await shot(admin, 'contracts');
});

await browser.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
if (faults.length > 0) console.log(`${faults.length} faults`);
report();
