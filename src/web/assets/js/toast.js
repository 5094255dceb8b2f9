// Short messages in the page's one live region. Messages wait in `data-toast` elements of a full page,
// so they also show (as a banner) without scripts.
const region = () => document.getElementById('toasts');

export function toast(message, { again } = {}) {
  const place = region();
  if (!place || !message) return;
  const item = document.createElement('div');
  item.className = 'toast';
  const words = document.createElement('span');
  words.textContent = message;
  item.append(words);
  if (again) item.append(button(document.body.dataset.textRetry, () => { item.remove(); again(); }));
  item.append(button(document.body.dataset.textClose, () => item.remove()));
  place.replaceChildren(item);
  if (!again) setTimeout(() => item.remove(), 8000);
}

function button(label, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'button small';
  made.textContent = label;
  made.addEventListener('click', action);
  return made;
}

// The address says what was just done (`?done=created`); once shown, a reload should not say it again.
const url = new URL(location.href);
if (url.searchParams.has('done')) {
  url.searchParams.delete('done');
  url.searchParams.delete('what');
  history.replaceState(history.state, '', url);
}

document.addEventListener('click', (event) => {
  const copy = event.target.closest('[data-copy]');
  if (copy) navigator.clipboard?.writeText(document.getElementById(copy.dataset.copy)?.textContent ?? '').then(() => toast(document.body.dataset.textCopied));
  const close = event.target.closest('[data-dismiss]');
  if (close) close.closest('[data-dismissible]')?.remove();
});
