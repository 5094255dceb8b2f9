// What the flows in a browser have in common: a free port, the browser, named steps, and what counts as a fault.
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

export const program = resolve(process.argv[2] ?? new URL('../../target/debug/relata', import.meta.url).pathname);

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
  }
}

/** Takes down what the console of a page of this site says, CSP reports among it; Chromium logs `refusals` of forms as failed loads. */
export function watch(page, base, refusals) {
  const failed = new RegExp(`status of (${refusals.join('|')})`);
  page.on('console', (message) => {
    const isOurs = page.url().startsWith(base);
    if (isOurs && ['error', 'warning'].includes(message.type()) && !failed.test(message.text())) faults.push(`${page.url()}: ${message.text()}`);
  });
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
