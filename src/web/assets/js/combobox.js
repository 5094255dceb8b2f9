// `<rl-combobox>`: a typed field that finds its choice on the server (links) or in its own select.
// Inside is a plain select, or a plain text field with a typed name, which is what gets posted
// without scripts. ARIA 1.2 combobox with a listbox popup.
const DELAY_MS = 200;
let count = 0;

class Combobox extends HTMLElement {
  static observedAttributes = ['data-choices'];

  // The choices of a select that depends on another one arrive with the morphed form.
  attributeChangedCallback(_name, before, after) {
    if (!this.ready || before === after || !this.select) return;
    const chosen = new Set(this.chosen().map((option) => option.value));
    const blank = this.several ? [] : [new Option('', '')];
    this.select.replaceChildren(...blank, ...JSON.parse(after).map(({ value, label, selected }) => new Option(label, value, false, selected || chosen.has(value))));
    this.showChosen();
  }

  connectedCallback() {
    if (this.ready) return;
    this.ready = true;
    this.select = this.querySelector('select');
    if (!this.select) return;
    this.several = this.select.multiple;
    this.querySelector('[data-plain]')?.remove();
    this.build();
    this.showChosen();
  }

  build() {
    count += 1;
    const { select } = this;
    this.box = el('div', { class: 'box' });
    this.input = el('input', {
      class: 'input', type: 'text', role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list', 'aria-expanded': 'false',
      'aria-controls': `rl-list-${count}`, placeholder: this.dataset.placeholder ?? '',
    });
    for (const name of ['aria-describedby', 'aria-invalid', 'aria-required']) if (select.hasAttribute(name)) this.input.setAttribute(name, select.getAttribute(name));
    this.input.disabled = select.disabled;
    this.list = el('div', { class: 'listbox', role: 'listbox', id: `rl-list-${count}`, 'aria-label': this.dataset.label ?? '' });
    this.list.hidden = true;
    this.clearer = el('button', { type: 'button', class: 'clear', 'aria-label': this.dataset.textClear ?? '' });
    this.clearer.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg>';
    this.clearer.querySelector('use').setAttribute('href', `${document.body.dataset.sprite}#x`);
    this.tokens = el('div', { class: 'tokens' });
    // The label keeps naming the visible control.
    this.input.id = select.id;
    select.removeAttribute('id');
    select.hidden = true;
    if (this.several) this.append(this.tokens);
    this.box.append(this.input, this.clearer);
    this.append(this.box, this.list);

    this.input.addEventListener('input', (event) => { if (!event.isComposing) this.later(); });
    this.input.addEventListener('compositionend', () => this.later());
    this.input.addEventListener('keydown', (event) => this.key(event));
    this.input.addEventListener('click', () => this.open(''));
    this.input.addEventListener('blur', () => setTimeout(() => { if (!this.contains(document.activeElement)) this.close(true); }, 120));
    this.clearer.addEventListener('click', () => { this.choose('', ''); this.input.focus(); });
    this.list.addEventListener('mousedown', (event) => event.preventDefault());
    this.list.addEventListener('click', (event) => {
      const option = event.target.closest('[role=option]');
      if (option) this.choose(option.dataset.value, option.dataset.label);
    });
  }

  chosen() {
    return [...this.select.selectedOptions].filter((option) => option.value !== '');
  }

  showChosen() {
    const chosen = this.chosen();
    if (this.several) {
      this.input.value = '';
      this.clearer.hidden = true;
      this.tokens.replaceChildren(...chosen.map((option) => {
        const chip = el('span', { class: 'chip plain' });
        chip.textContent = option.textContent;
        const off = el('button', { type: 'button', class: 'x link-button', 'aria-label': `${this.dataset.textClear} ${option.textContent}` });
        off.textContent = '×';
        off.disabled = this.select.disabled;
        off.addEventListener('click', () => { option.selected = false; this.showChosen(); this.tell(); });
        chip.append(off);
        return chip;
      }));
    } else {
      this.input.value = chosen[0]?.textContent.trim() ?? '';
      this.clearer.hidden = chosen.length === 0 || this.select.disabled;
    }
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(this.input.value.trim()), DELAY_MS);
  }

  async open(text) {
    if (this.input.disabled) return;
    const options = this.dataset.source ? await this.ask(text) : this.own(text);
    if (!options) return;
    this.fill(options, text);
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
  }

  own(text) {
    const wanted = text.toLocaleLowerCase();
    return [...this.select.options]
      .filter((option) => option.value !== '' && !option.hidden && option.textContent.toLocaleLowerCase().includes(wanted))
      .map((option) => ({ value: option.value, label: option.textContent.trim(), note: '' }));
  }

  async ask(text) {
    this.stop?.abort();
    this.stop = new AbortController();
    const url = new URL(this.dataset.source, location.href);
    url.searchParams.set('q', text);
    try {
      const answer = await fetch(url, { signal: this.stop.signal, headers: { accept: 'text/html', 'HX-Request': 'true', 'HX-Request-Type': 'partial' } });
      if (!answer.ok) return [];
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      return [...page.querySelectorAll('[data-value]')].map((item) => ({ value: item.dataset.value, label: item.dataset.label, note: item.dataset.note ?? '' }));
    } catch (error) {
      return error.name === 'AbortError' ? null : [];
    }
  }

  fill(options, text) {
    const has = new Set(this.chosen().map((option) => option.value));
    const items = options.filter((option) => !(this.several && has.has(option.value))).map((option) => this.item(option));
    if (text && this.dataset.create && !options.some((option) => option.label === text)) items.push(this.item({ value: text, label: text, note: this.dataset.create }));
    if (items.length === 0) {
      const none = el('div', { class: 'note' });
      none.textContent = this.dataset.textNone ?? '';
      items.push(none);
    }
    this.list.replaceChildren(...items);
    this.point(null);
  }

  item({ value, label, note }) {
    const made = el('div', { role: 'option', id: `${this.list.id}-${Math.random().toString(36).slice(2)}`, 'aria-selected': 'false' });
    made.dataset.value = value;
    made.dataset.label = label;
    const name = el('span', {});
    name.textContent = label;
    made.append(name);
    if (note) {
      const small = el('small', {});
      small.textContent = note;
      made.append(small);
    }
    return made;
  }

  point(option) {
    this.list.querySelector('[aria-selected=true]')?.setAttribute('aria-selected', 'false');
    this.current = option;
    if (option) {
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      this.input.setAttribute('aria-activedescendant', option.id);
    } else this.input.removeAttribute('aria-activedescendant');
  }

  key(event) {
    if (event.isComposing) return;
    const shown = !this.list.hidden;
    const items = [...this.list.querySelectorAll('[role=option]')];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!shown) { this.open(''); return; }
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const at = items.indexOf(this.current);
      this.point(items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length] ?? null);
    } else if (event.key === 'Enter' && shown) {
      event.preventDefault();
      const pick = this.current ?? (items.length === 1 ? items[0] : null);
      if (pick) this.choose(pick.dataset.value, pick.dataset.label);
    } else if (event.key === 'Escape' && shown) {
      event.preventDefault();
      event.stopPropagation();
      this.close(true);
    } else if (event.key === 'Backspace' && this.several && this.input.value === '') {
      const lastChosen = this.chosen().at(-1);
      if (lastChosen) { lastChosen.selected = false; this.showChosen(); this.tell(); }
    }
  }

  choose(value, label) {
    let option = [...this.select.options].find((item) => item.value === value);
    if (!option) {
      option = new Option(label, value);
      this.select.append(option);
    }
    option.selected = true;
    this.close(false);
    this.showChosen();
    this.tell();
  }

  tell() {
    this.select.dispatchEvent(new Event('change', { bubbles: true }));
  }

  close(restore) {
    clearTimeout(this.timer);
    this.stop?.abort();
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
    this.point(null);
    if (restore) this.showChosen();
  }
}

function el(name, attributes) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

customElements.define('rl-combobox', Combobox);
