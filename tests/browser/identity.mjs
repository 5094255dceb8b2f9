// Signing in in a real browser: an authenticator app, and single sign-on with a real identity provider, both started here.
//   node identity.mjs [PATH OF relata]
import { createHmac } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import Provider from 'oidc-provider';
import { accessible, faults, freePort, launch, relata, report, serve, step, watch } from './shared.mjs';

const folder = await mkdtemp(join(tmpdir(), 'relata-identity-'));
const PASSWORD = 'correct horse battery';
const SECRET = 'a secret of these two alone';

const [port, providerPort] = [await freePort(), await freePort()];
const [base, issuer] = [`http://localhost:${port}`, `http://127.0.0.1:${providerPort}`];

const provider = new Provider(issuer, {
  clients: [{ client_id: 'relata', client_secret: SECRET, redirect_uris: [`${base}/sign-in/sso/callback`], response_types: ['code'], grant_types: ['authorization_code'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  pkce: { required: () => true },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: `${sub}@example.com`, email_verified: sub !== 'mallory', name: sub, groups: ['crm-users'] }),
  }),
});
const providerServer = provider.listen(providerPort, '127.0.0.1');

relata(folder, ['init', '.', '--template', 'crm', '--yes']);
await writeFile(join(folder, 'secret'), SECRET);
await chmod(join(folder, 'secret'), 0o600);
await writeFile(join(folder, 'relata-server.yaml'), [
  `oidc_issuer: "${issuer}"`, 'oidc_name: Test', 'oidc_client_id: relata', 'oidc_client_secret_file: secret', 'oidc_plain_http: "yes"',
  `egress_allow: "127.0.0.1:${providerPort}"`, 'oidc_create: "yes"', '',
].join('\n'));
relata(folder, ['user', 'add', 'bo@example.com', '--name', 'Bo', '--admin'], `${PASSWORD}\n`);

const server = await serve(folder, port);

/** The code of the step of time `later` steps from now. */
function code(secret, later = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(' ', '')].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const tag = createHmac('sha1', key).update(step).digest();
  const at = tag[19] & 15;
  return String((tag.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const browser = await launch();

async function fresh() {
  const context = await browser.newContext({ locale: 'en' });
  return watch(await context.newPage(), base, [403, 404, 422]);
}

async function password(page, email) {
  await page.goto(`${base}/sign-in`);
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await page.click('form[action="/sign-in"] button[type=submit], form[action="/sign-in"] button.primary');
}

/** To the provider and through its own pages. */
async function vouch(page, login) {
  await page.goto(`${base}/sign-in`);
  await page.click('form[action="/sign-in/sso"] button');
  await page.waitForURL((url) => url.href.startsWith(issuer));
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.waitForSelector('form[action*="interaction"] button[type=submit]');
  await page.click('button[type=submit]');
  await page.waitForURL((url) => url.href.startsWith(base));
}

let secret = '';
let recovery = [];

await step('an authenticator app is set up from the letters beside the QR code', async () => {
  const page = await fresh();
  await password(page, 'bo@example.com');
  await page.waitForURL(`${base}/`);
  await page.goto(`${base}/account`);
  await page.click('form[action="/account/second-factor/begin"] button');
  await page.waitForSelector('svg.qr');
  await accessible(page, 'setting up an authenticator app');
  secret = await page.textContent('#enrol-secret');
  await page.fill('#code', code(secret));
  await page.click('form[action="/account/second-factor/finish"] button');
  recovery = await page.locator('#recovery-codes code').allTextContents();
  assert.equal(recovery.length, 10);
});

await step('a password alone does not sign in, a wrong code neither, the next code does', async () => {
  const page = await fresh();
  await password(page, 'bo@example.com');
  await page.waitForSelector('form[action="/sign-in/code"]');
  assert.equal((await page.context().cookies()).some((cookie) => cookie.name === 'relata'), false);
  await page.fill('#code', '000000');
  await page.click('form[action="/sign-in/code"] button');
  await page.waitForSelector('#code-error');
  await page.fill('#code', code(secret, 1));
  await page.click('form[action="/sign-in/code"] button');
  await page.waitForURL(`${base}/`);
});

await step('single sign-on joins an account by the local password and asks for the second factor', async () => {
  const page = await fresh();
  await vouch(page, 'bo');
  await page.waitForSelector('form[action="/sign-in/sso/join"]');
  await page.fill('#password', PASSWORD);
  await page.click('form[action="/sign-in/sso/join"] button');
  await page.fill('#code', recovery[0]);
  await page.click('form[action="/sign-in/code"] button');
  await page.waitForURL(`${base}/`);
});

await step('the joined account signs in without the password', async () => {
  const page = await fresh();
  await vouch(page, 'bo');
  await page.fill('#code', recovery[1]);
  await page.click('form[action="/sign-in/code"] button');
  await page.waitForURL(`${base}/`);
});

await step('someone with a verified address is made, someone without is not', async () => {
  const page = await fresh();
  await vouch(page, 'carol');
  await page.waitForURL(`${base}/`);
  const stranger = await fresh();
  await vouch(stranger, 'mallory');
  assert.match(await stranger.textContent('body'), /nobody's here/);
  assert.match(relata(folder, ['user', 'list']), /carol@example.com/);
  assert.doesNotMatch(relata(folder, ['user', 'list']), /mallory/);
});

await step('a session ended on the account page is out at once', async () => {
  const [one, two] = [await fresh(), await fresh()];
  for (const page of [one, two]) {
    await vouch(page, 'carol');
    await page.waitForURL(`${base}/`);
  }
  await one.goto(`${base}/account`);
  await one.click('form[action="/account/sessions/end-others"] button');
  await one.getByText('All other sessions have ended.').first().waitFor();
  await two.goto(`${base}/account`);
  assert.match(two.url(), /\/sign-in/);
});

await step('a passkey of a virtual device is added and signs in without password or code', async () => {
  const page = await fresh();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await password(page, 'bo@example.com');
  await page.fill('#code', recovery[2]);
  await page.click('form[action="/sign-in/code"] button');
  await page.waitForURL(`${base}/`);
  await page.goto(`${base}/account`);
  await page.fill('#passkey-name', 'Virtual');
  await page.click('form[data-passkey=make] button');
  await page.getByText('The passkey was added.').first().waitFor();
  assert.match(await page.textContent('#passkeys + p + form'), /Virtual/);
  await accessible(page, 'account with a passkey');
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials.length, 1);
  await page.click('form[action="/sign-out"] button');
  await page.waitForURL(/sign-in/);
  await page.click('form[data-passkey=use] button');
  await page.waitForURL(`${base}/`);
  // A device that does not know who is there is refused.
  await page.click('form[action="/sign-out"] button');
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await page.waitForURL(/sign-in/);
  await page.evaluate(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => get(options).catch((fault) => {
      document.body.dataset.refused = fault.name;
      throw fault;
    });
  });
  await page.click('form[data-passkey=use] button');
  await page.waitForSelector('body[data-refused=NotAllowedError]');
  assert.match(page.url(), /sign-in/);
  // A key that was taken away is worth nothing, whatever the device thinks.
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  relata(folder, ['user', 'reset-second-factor', 'bo@example.com']);
  await page.reload();
  await page.click('form[data-passkey=use] button');
  await page.waitForSelector('#sign-in-error');
});

await step('no secret, code or address is in the log', async () => {
  for (const word of [secret.replaceAll(' ', ''), ...recovery, PASSWORD, SECRET, 'bo@example.com', 'carol@example.com']) {
    assert.equal(server.log().includes(word), false, `the log names ${word}`);
  }
});

await browser.close();
await server.stop();
providerServer.close();
providerServer.closeAllConnections?.();
await rm(folder, { recursive: true, force: true });
report();
if (faults.length) console.log(`\nlog:\n${server.log()}`);
