// Passkeys: the browser's own dialogues, started by a button and finished by an ordinary form.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

if (!window.PublicKeyCredential) document.querySelectorAll('[data-passkey]').forEach((form) => { form.hidden = true; });

async function begin(form) {
  const answer = await fetch(form.dataset.begin, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || form.dataset.failed);
  return said;
}

function put(form, values) {
  for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
  form.dataset.ready = 'yes';
  form.submit();
}

async function make(form) {
  const said = await begin(form);
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(said.challenge),
      rp: { id: said.host, name: said.site },
      user: { id: bytes(said.user), name: said.email, displayName: said.name },
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: said.known.map((id) => ({ type: 'public-key', id: bytes(id) })),
      attestation: 'none',
    },
  });
  const { response } = made;
  put(form, {
    id: text(made.rawId),
    client_data: text(response.clientDataJSON),
    device_data: text(response.getAuthenticatorData()),
    public_key: text(response.getPublicKey()),
  });
}

async function use(form) {
  const said = await begin(form);
  const used = await navigator.credentials.get({
    publicKey: { challenge: bytes(said.challenge), rpId: said.host, userVerification: 'required' },
  });
  const { response } = used;
  put(form, {
    id: text(used.rawId),
    client_data: text(response.clientDataJSON),
    device_data: text(response.authenticatorData),
    signature: text(response.signature),
  });
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('[data-passkey]') || form.dataset.ready) return;
  event.preventDefault();
  const told = form.querySelector('[data-passkey-told]');
  told.textContent = '';
  (form.dataset.passkey === 'make' ? make(form) : use(form)).catch((fault) => {
    // Closing the browser's dialogue is no fault to be told of.
    if (fault.name !== 'NotAllowedError' && fault.name !== 'AbortError') told.textContent = fault.name === 'Error' ? fault.message : form.dataset.failed;
  });
});
