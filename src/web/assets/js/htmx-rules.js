// What every htmx request of this house obeys: a failed request never replaces content, a request in
// progress shows, and the reader can try again.
import { toast } from './toast.js';

const root = document.documentElement;
let running = 0;

const text = (name) => document.body.dataset[name] ?? '';

document.addEventListener('htmx:before:request', () => {
  running += 1;
  root.classList.add('busy');
});

document.addEventListener('htmx:finally:request', () => {
  running = Math.max(0, running - 1);
  if (running === 0) root.classList.remove('busy');
});

document.addEventListener('htmx:before:swap', (event) => {
  const { ctx } = event.detail;
  const status = ctx.response?.status ?? 200;
  if (status < 500 && status !== 401 && status !== 403 && status !== 404 && status !== 429) return;
  event.preventDefault();
  if (isQuestion(ctx)) return;
  if (status === 401) {
    location.reload();
    return;
  }
  const id = ctx.response.headers?.get('x-request-id');
  const reason = status === 403 ? text('textForbidden') : text('textFailed');
  toast(id ? `${reason} (${id})` : reason, { again: () => ctx.sourceElement?.isConnected && retry(ctx) });
});

document.addEventListener('htmx:error', (event) => {
  if (event.detail.ctx?.request?.signal?.aborted && event.detail.ctx.request.signal.reason !== 'timeout') return;
  if (isQuestion(event.detail.ctx)) return;
  toast(text('textOffline'), { again: () => retry(event.detail.ctx) });
});

// What a form asks while it is filled in: without an answer it stays as it is, and what was entered with it.
export function isQuestion(ctx) {
  return ctx?.sourceElement?.id === 'form-fields';
}

function retry(ctx) {
  const { method, action } = ctx.request;
  const form = ctx.request.form;
  if (form?.isConnected && method !== 'GET') form.requestSubmit(ctx.request.submitter ?? undefined);
  else window.htmx?.ajax(method, action, { source: ctx.sourceElement, target: ctx.target, swap: ctx.swap });
}

// After an error the summary takes the focus; after a part was swapped in, its first marked element does.
document.addEventListener('htmx:after:swap', (event) => {
  const status = event.detail.ctx?.response?.status ?? 200;
  const summary = document.querySelector('[data-error-summary]');
  if (summary && status >= 400 && status < 500) summary.focus();
});
