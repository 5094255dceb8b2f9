// The entry of Relata's page scripts. Every page works without them; they only make it quicker.
import './htmx-rules.js';
import './toast.js';
import './menu.js';
import './search-box.js';
import './form-state.js';
import './combobox.js';
import './rows.js';
import './passkey.js';
import './board.js';
import './stages.js';

document.documentElement.classList.add('js');
