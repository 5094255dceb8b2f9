// Boards: cards move by dragging, by a menu, and by the key `m`. The server decides; a move is a plain form.
const board = document.querySelector('[data-board]');
const form = document.getElementById('board-move');
const menu = document.getElementById('board-menu');
const gate = document.getElementById('board-gate');
let held = null;

async function move(card, to) {
  if (card.closest('[data-stage]').dataset.stage === to) return;
  const action = `/records/${board.dataset.entity}/${card.dataset.id}/move`;
  if ((await told(card)).get(to) > 0 && (await ask(action, to))) return;
  form.action = action;
  form.elements._to.value = to;
  form.elements._version.value = card.dataset.version;
  form.submit();
}

// The form of the page that asks for what is missing, over the board.
async function ask(action, to) {
  const asked = new URLSearchParams({ pipeline: board.dataset.pipeline, to, _return: form.elements._return.value });
  try {
    const answer = await fetch(`${action}?${asked}`, { headers: { accept: 'text/html' } });
    const found = answer.ok && new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-move-form]');
    if (!found) return false;
    gate.replaceChildren(document.importNode(found, true));
    gate.showModal();
    return true;
  } catch {
    return false;
  }
}

// What each stage still needs for this card, so that it is seen before the card is dropped. Asked for once a card: it
// changes only with a move, which brings a new page, or with another's save, which the server finds out.
const known = new WeakMap();
function told(card) {
  if (!known.has(card)) known.set(card, look(card).catch(() => new Map()));
  return known.get(card);
}

async function look(card) {
  const answer = await fetch(`/api/v1/records/${board.dataset.entity}/${card.dataset.id}/moves`, { headers: { accept: 'application/json' } });
  if (!answer.ok) return new Map();
  const standing = (await answer.json()).data.find((one) => one.pipeline === board.dataset.pipeline);
  return new Map((standing?.moves ?? []).map((one) => [one.to, one.conditions.filter((condition) => condition.state === 'missing').length]));
}

function mark(waits) {
  for (const column of board.querySelectorAll('[data-stage]')) {
    const count = waits.get(column.dataset.stage) ?? 0;
    const note = column.querySelector('.wait');
    note.hidden = count === 0;
    note.textContent = count === 0 ? '' : `${board.dataset.textWaits}: ${count}`;
    column.classList.toggle('waits', count > 0);
  }
}

async function open(card) {
  held = card;
  const here = card.closest('[data-stage]').dataset.stage;
  for (const button of menu.querySelectorAll('[data-to]')) {
    button.disabled = button.dataset.to === here;
    button.querySelector('small').textContent = '';
  }
  menu.showModal();
  const waits = await told(card);
  for (const button of menu.querySelectorAll('[data-to]')) {
    const count = waits.get(button.dataset.to) ?? 0;
    button.querySelector('small').textContent = count === 0 ? '' : `${board.dataset.textWaits}: ${count}`;
  }
}

if (board && form) {
  board.addEventListener('click', (event) => {
    const button = event.target.closest('[data-move]');
    if (!button) return;
    event.preventDefault();
    open(button.closest('[data-id]'));
  });
  board.addEventListener('keydown', (event) => {
    if (event.key !== 'm' || event.ctrlKey || event.metaKey || event.altKey) return;
    const card = event.target.closest('[data-id]');
    if (!card) return;
    event.preventDefault();
    open(card);
  });
  menu.addEventListener('click', (event) => {
    if (event.target === menu || event.target.closest('[data-close]')) menu.close();
    const to = event.target.closest('[data-to]')?.dataset.to;
    if (!to || !held) return;
    menu.close();
    move(held, to);
  });
  gate.addEventListener('click', (event) => {
    if (event.target !== gate && !event.target.closest('[data-cancel]')) return;
    event.preventDefault();
    gate.close();
  });
  board.addEventListener('dragstart', (event) => {
    held = event.target.closest('[data-id]');
    if (!held) return;
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', held.dataset.id);
    held.classList.add('held');
    // A browser that sees the page change under a drag that begins gives it up.
    setTimeout(() => held && board.classList.add('dragging'));
    const card = held;
    told(card).then((waits) => card.classList.contains('held') && mark(waits));
  });
  board.addEventListener('dragend', () => {
    held?.classList.remove('held');
    held = null;
    board.classList.remove('dragging');
    for (const column of board.querySelectorAll('.over')) column.classList.remove('over');
    mark(new Map());
  });
  board.addEventListener('dragover', (event) => {
    const column = event.target.closest('[data-stage]');
    if (!column || !held) return;
    event.preventDefault();
    for (const other of board.querySelectorAll('.over')) if (other !== column) other.classList.remove('over');
    column.classList.add('over');
  });
  board.addEventListener('drop', (event) => {
    const column = event.target.closest('[data-stage]');
    if (!column || !held) return;
    event.preventDefault();
    move(held, column.dataset.stage);
  });
}
