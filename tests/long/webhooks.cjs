// Reads lines of JSON, each a case with the body in base64, and writes a line for each. Of `{secret, headers, body}` whether the
// library of npm verifies it, `true` or `false`; with `sign`, of `{secret, id, timestamp, body}` the signature it makes.
const { Webhook } = require('standardwebhooks');

const verifies = ({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(Buffer.from(body, 'base64').toString('utf8'), headers);
    return true;
  } catch {
    return false;
  }
};

const signature = ({ secret, id, timestamp, body }) =>
  new Webhook(secret).sign(id, new Date(timestamp * 1000), Buffer.from(body, 'base64').toString('utf8'));

const answer = process.argv[2] === 'sign' ? signature : verifies;
const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) console.log(answer(JSON.parse(line)));
