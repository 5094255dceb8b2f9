// Reads lines of JSON, each a case `{secret, headers, body}` with the body in base64; writes a line `true` or `false` for each:
// whether the library of npm verifies it.
const { Webhook } = require('standardwebhooks');

const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  let verifies = true;
  try {
    new Webhook(secret).verify(Buffer.from(body, 'base64').toString('utf8'), headers);
  } catch {
    verifies = false;
  }
  console.log(verifies);
}
