// Forms of records: ask the server what a change means (shown fields, options, requirements), warn
// before leaving with unsaved input, and send each form once.
import { isQuestion } from './htmx-rules.js';

const DELAY_MS = 150;
let dirty = null;
let leaving = false;
let timer = 0;
let isAsking = false;

const formOf = (target) => target?.closest?.('form[data-form]');

function changed(event) {
  const form = formOf(event.target);
  if (!form) return;
  // An answer knows nothing of what was entered after its question: that is asked anew.
  if (isAsking) {
    stopAsking(form);
    ask(form);
  }
  if (event.isComposing) return;
  dirty = form;
  const state = form.querySelector('[data-form-status]');
  if (state) state.textContent = form.dataset.textUnsaved ?? '';
}

document.addEventListener('input', changed);
document.addEventListener('change', (event) => {
  changed(event);
  const form = formOf(event.target);
  if (form?.dataset.state && affects(form, event.target)) ask(form);
});

function ask(form) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (form.isConnected && !form.dataset.sent) form.dispatchEvent(new CustomEvent('rl:changed', { bubbles: true }));
  }, DELAY_MS);
}

function stopAsking(form) {
  form.querySelector('#form-fields')?.dispatchEvent(new CustomEvent('htmx:abort'));
}

document.addEventListener('htmx:before:request', (event) => { if (isQuestion(event.detail.ctx)) isAsking = true; });
document.addEventListener('htmx:finally:request', (event) => { if (isQuestion(event.detail.ctx)) isAsking = false; });

// Only fields that others depend on need the server.
function affects(form, control) {
  const watched = (form.dataset.watch ?? '').split(' ').filter(Boolean);
  const name = control.name?.split('.')[0];
  return watched.includes('*') || watched.includes(name);
}

// Which files were chosen means nothing to the other fields; they are sent once, with the form.
document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx;
  if (!isQuestion(event.detail.ctx) || !(request.body instanceof FormData)) return;
  for (const [name, value] of [...request.body]) if (value instanceof File) request.body.delete(name);
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.sent && form.method.toLowerCase() === 'post') {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form === dirty) leaving = true;
  // What the fields mean is settled by saving.
  clearTimeout(timer);
  if (isAsking) stopAsking(form);
  if (form.method.toLowerCase() === 'post') {
    form.dataset.sent = 'yes';
    form.classList.add('is-saving');
    const state = form.querySelector('[data-form-status]');
    if (state) state.textContent = form.dataset.textSaving ?? '';
    setTimeout(() => release(form), 15000);
  }
}, true);

function release(form) {
  delete form.dataset.sent;
  form.classList.remove('is-saving');
  leaving = false;
}

document.addEventListener('htmx:finally:request', (event) => {
  if (isQuestion(event.detail.ctx)) return;
  const form = event.detail.ctx?.request?.form;
  if (form) release(form);
  else document.querySelectorAll('form[data-sent]').forEach(release);
});

window.addEventListener('beforeunload', (event) => {
  if (dirty?.isConnected && !leaving) event.preventDefault();
});

window.addEventListener('pageshow', () => {
  document.querySelectorAll('form[data-sent]').forEach(release);
});

// Leaving on purpose: Cancel, sign out.
document.addEventListener('click', (event) => {
  if (event.target.closest('[data-leave]')) leaving = true;
});

// Files can be dropped on their field.
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    const place = event.target.closest?.('.file-drop');
    if (!place) return;
    event.preventDefault();
    place.classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
    if (kind !== 'drop') return;
    const input = place.querySelector('input[type=file]');
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
}
