// What the flows in a browser have in common: a free port, the browser, named steps, and what counts as a fault.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const program = resolve(process.argv[2] ?? new URL('../../target/debug/relata', import.meta.url).pathname);

/** What went wrong, in words. */
export const faults = [];

export function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** Runs a command of the program in the folder and gives what it printed; one that fails ends the flow. */
export function relata(folder, args, input) {
  const done = spawnSync(program, args, { cwd: folder, input, encoding: 'utf8' });
  assert.equal(done.status, 0, `${args.join(' ')}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/**
 * Starts `demo` or `serve` in the folder and waits until `ready` gives something of what it has printed so far. `log()` is all
 * it printed, `stop()` ends it.
 */
export async function start(folder, args, ready) {
  const server = spawn(program, args, { cwd: folder });
  const ended = new Promise((done) => { server.once('exit', done); });
  let said = '';
  const stop = async () => { server.kill('SIGTERM'); await Promise.race([ended, later(15_000)]); };
  const first = new Promise((done, fail) => {
    const hear = (piece) => {
      said += piece;
      const found = ready(said);
      if (found) done(found);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    ended.then(() => fail(new Error(`${args.join(' ')} ended early:\n${said}`)));
    later(120_000).then(() => fail(new Error(`${args.join(' ')} is not ready:\n${said}`)));
  });
  return { first: await first, log: () => said, stop };
}

/** A demo of its own: `first` is the link that signs its administrator in. */
export function demo(folder, port, args) {
  return start(folder, ['demo', ...args, '--listen', `127.0.0.1:${port}`], (said) => said.match(/http:\/\/\S+\/sign-in\/link\?token=\S+/)?.[0]);
}

/** The workspace in the folder, served. */
export async function serve(folder, port) {
  const server = await start(folder, ['serve', '--listen', `127.0.0.1:${port}`], (said) => said.length > 0);
  for (let tries = 0; tries < 600; tries += 1) {
    if (await fetch(`http://localhost:${port}/healthz`).then((answer) => answer.ok, () => false)) return server;
    await later(100);
  }
  throw new Error(`the server is not well:\n${server.log()}`);
}

function later(milliseconds) {
  return new Promise((done) => { setTimeout(done, milliseconds).unref(); });
}

/** The link that signs somebody in, on this site. */
export function linkOf(folder, base, email) {
  const token = relata(folder, ['user', 'link', email]).match(/\/sign-in\/link\?token=\S+/);
  assert.ok(token, `no link for ${email}`);
  return base + token[0];
}

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

export async function step(name, action) {
  try {
    await action();
    console.log(`ok   ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}\n     ${String(error.stack ?? error).split('\n').slice(0, 6).join('\n     ')}`);
    faults.push(name);
    for (const page of watched.filter((page) => !page.isClosed()).slice(-3)) {
      const text = await page.innerText('body', { timeout: 2_000 }).catch((fault) => `(${fault.message})`);
      console.log(`     at ${page.url()}: ${text.replace(/\s+/g, ' ').slice(0, 400)}`);
    }
  }
}

/** Pages in the order in which they were opened; what the last of them show is told where a step fails. */
const watched = [];

/** Takes down what the console of a page of this site says, CSP reports among it; Chromium logs `refusals` of forms as failed loads. */
export function watch(page, base, refusals) {
  watched.push(page);
  const failed = new RegExp(`status of (${refusals.join('|')})`);
  page.on('console', (message) => {
    const isOurs = page.url().startsWith(base);
    if (isOurs && ['error', 'warning'].includes(message.type()) && !failed.test(message.text())) faults.push(`${page.url()}: ${message.text()}`);
  });
  // Leaving what was saved is not asked about.
  page.on('dialog', (dialog) => { faults.push(`${page.url()}: ${dialog.type()} ${dialog.message()}`); dialog.accept(); });
  page.on('pageerror', (error) => { if (page.url().startsWith(base)) faults.push(`${page.url()}: ${error.message}`); });
  page.setDefaultTimeout(20_000);
  return page;
}

export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  for (const violation of violations) faults.push(`${name}: ${violation.id} at ${violation.nodes.map((node) => node.target).join(', ').slice(0, 300)}`);
}

/** Tells the faults and sets the program's status. */
export function report() {
  for (const fault of faults) console.log(`fault: ${fault}`);
  console.log(faults.length === 0 ? 'all well' : `${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
