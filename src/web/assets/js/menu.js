// Menus are `details`, the drawer is a `:target`: both open without scripts. Here they also close
// with Escape, a click outside and when the focus leaves.
const openMenus = () => document.querySelectorAll('details.menu[open], details.panel.floating[open]');

document.addEventListener('click', (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener('focusin', (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector('summary')?.focus();
  }
  if (location.hash === '#sidebar') {
    location.hash = '#main';
    document.querySelector('[href="#sidebar"]')?.focus();
  }
});

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('.menu-body');
  if (!menu || !['ArrowDown', 'ArrowUp'].includes(event.key)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll('a, button')];
  const step = event.key === 'ArrowDown' ? 1 : -1;
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
});

// Shortcuts with one key stay silent while someone types.
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  const finder = document.getElementById('find');
  if ((event.key === 'k' && (event.ctrlKey || event.metaKey)) || (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey)) {
    if (!finder) return;
    event.preventDefault();
    if (finder.offsetParent === null) location.href = finder.form.action;
    else finder.select();
  }
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.form?.matches('[data-form]')) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// Selects that act at once (theme, filter field) have a button for those without scripts.
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-submit-on-change]')) event.target.form.requestSubmit();
});

document.addEventListener('click', (event) => {
  const toggle = event.target.closest('[data-show-password]');
  if (!toggle) return;
  const input = document.getElementById(toggle.dataset.showPassword);
  const shown = input.type === 'text';
  input.type = shown ? 'password' : 'text';
  toggle.setAttribute('aria-pressed', String(!shown));
});
