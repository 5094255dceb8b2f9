// Rows of a sub-table in a form: added from a template row, removed at once (the server also takes
// empty rows as absent, so the table works without this).
document.addEventListener('click', (event) => {
  const add = event.target.closest('[data-add-row]');
  if (add) {
    const table = document.getElementById(add.dataset.addRow);
    const pattern = table?.querySelector('template');
    if (!pattern) return;
    const next = Number(table.dataset.next ?? 0);
    table.dataset.next = String(next + 1);
    const made = document.createElement('template');
    made.innerHTML = pattern.innerHTML.replaceAll('__row__', String(next));
    const row = made.content.firstElementChild;
    table.querySelector('tbody').append(row);
    window.htmx?.process(row);
    row.querySelector('input:not([type=hidden]), select, textarea')?.focus();
    table.closest('form')?.dispatchEvent(new Event('input', { bubbles: true }));
    return;
  }
  const remove = event.target.closest('[data-remove-row]');
  if (remove) {
    event.preventDefault();
    const row = remove.closest('tr');
    const form = row.closest('form');
    const near = row.nextElementSibling ?? row.previousElementSibling;
    // A stored row is only marked: its id must reach the server.
    if (row.querySelector('input[name$=".id"]')) {
      row.querySelector('input[name$="._delete"]').checked = true;
      row.hidden = true;
    } else row.remove();
    near?.querySelector('input:not([type=hidden]), select, textarea')?.focus();
    form?.dispatchEvent(new Event('input', { bubbles: true }));
  }
});
