// Where a record stands is in sight, also where the path of its stages is wider than the page.
function showWhereItStands() {
  for (const steps of document.querySelectorAll('.steps')) {
    const here = steps.querySelector('[aria-current]');
    if (here) steps.scrollLeft = here.offsetLeft - (steps.clientWidth - here.offsetWidth) / 2;
  }
}

showWhereItStands();
document.addEventListener('htmx:after:swap', (event) => {
  if (event.detail.ctx?.target?.querySelector?.('.steps')) showWhereItStands();
});
