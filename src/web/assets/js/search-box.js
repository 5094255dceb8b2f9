// Fires `rl:search` while someone types: never inside an input method's composition, once when it
// ends, and not for a text that did not change.
const DELAY_MS = 250;
const waiting = new WeakMap();
const last = new WeakMap();

function later(input) {
  clearTimeout(waiting.get(input));
  waiting.set(input, setTimeout(() => fire(input), DELAY_MS));
}

function fire(input) {
  if (last.get(input) === input.value || !input.isConnected) return;
  last.set(input, input.value);
  input.dispatchEvent(new CustomEvent('rl:search', { bubbles: true }));
}

const isSearch = (target) => target instanceof HTMLInputElement && target.matches('[data-search]');

document.addEventListener('focusin', ({ target }) => {
  if (isSearch(target) && !last.has(target)) last.set(target, target.value);
});
document.addEventListener('input', (event) => {
  if (isSearch(event.target) && !event.isComposing) later(event.target);
});
document.addEventListener('compositionend', ({ target }) => {
  if (isSearch(target)) later(target);
});
// Enter confirms a composition; it must not submit the form.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.isComposing || event.keyCode === 229)) event.preventDefault();
}, true);
