// The small script of pages with a player: shows a button in place of each player. The first press loads the player (with
// `autoplay`: its scrolling into view). A publisher is shown to people who may publish. A room shows the view of its
// audience, unless WordPress reports that the person is a host.
//
// The page is the same for everybody, so that it can be cached. This script asks WordPress for the rights of the person.
(() => {
  const page = /** @type {any} */ (window);
  if (page.lianmai) return;
  page.lianmai = {};
  /** The settings from the page: before this script, or in a part of a page that another script has inserted. @type {any} */
  let config;
  const told = () => {
    const text = document.getElementById('lianmai-config')?.textContent
      ?? document.querySelector('[data-lianmai-config]')?.getAttribute('data-lianmai-config');
    if (!config && text) page.lianmai = config = JSON.parse(text);
    return !!config;
  };
  /** Elements that were handled, and elements that ask for tokens. */
  const [seen, armed] = [new WeakSet(), new WeakSet()];
  /** Rooms that were started, and rooms whose person gets tokens. Visitors join without a token. */
  const [begun, entitled] = [new WeakSet(), new WeakSet()];

  /** Timeout of requests to WordPress, in milliseconds. */
  const PATIENCE = 15_000;
  /** Permanent refusals of WordPress. Each has a sentence for the reader. */
  const REFUSALS = ['lianmai_login', 'lianmai_denied', 'lianmai_ticket', 'blocked'];
  /** Matches error codes of WordPress and of this plugin. */
  const OURS = /^(?:lianmai_|rest_cookie_invalid_nonce$)/;

  /** Number of temporary failures in a row that count as a permanent failure. */
  const FAILURES = 6;
  let failures = 0;

  /** Number of failed imports, whose addresses a browser may remember as failed. */
  let misses = 0;
  /** @type {Record<string, Promise<any> | undefined>} */
  const modules = {};

  /** Modules of each element, by their names in the settings. @type {Record<string, string[]>} */
  const NEEDS = {
    'srs-player': ['player'], 'srs-publisher': ['publisher'],
    'srs-audience': ['player', 'chat'], 'srs-chat': ['chat'], 'srs-room-list': ['chat'], 'srs-room': ['chat', 'room'],
  };
  /** Classes of modules that do not define their elements. @type {Record<string, [string, string]>} */
  const CLASSES = { player: ['srs-player', 'SrsPlayerElement'], publisher: ['srs-publisher', 'SrsPublisherElement'] };
  /** Elements that can show a room. */
  const ROOM = ['srs-audience', 'srs-room'];
  /** Elements that enter a room. */
  const IN_ROOM = ['srs-chat', ...ROOM];
  /** Elements that may ask for tokens. */
  const ASKING = ['srs-player', 'srs-publisher', ...IN_ROOM];

  /** Loads the modules of an element, and defines it. @param {string} tag */
  const define = (tag) => Promise.all(NEEDS[tag].map(load));

  /** @param {string} name of a module in the settings */
  const load = (name) => modules[name] ??= (async () => {
    const file = config.modules + config[name];
    // A cached page may name a file that an update has removed; the name without the hash stays valid. A browser may
    // remember a failed address.
    const again = () => `${file.replace(/\.[0-9a-f]{8}\.js$/, '.js')}${file.includes('?') ? '&' : '?'}try=${++misses}`;
    try {
      const module = await import(misses ? again() : file).catch(() => import(again()));
      const [tag, named] = CLASSES[name] ?? [];
      if (tag && !customElements.get(tag)) customElements.define(tag, module[named]);
      ASKING.forEach(authorise);
    } catch (error) {
      modules[name] = undefined;
      throw error;
    }
  })();

  /** @param {string} url @param {RequestInit} [more] */
  const request = (url, more) => fetch(url, { credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout?.(PATIENCE), ...more });

  /** Returns whether a failure may be temporary. @param {Response} response */
  const later = ({ status }) => status === 408 || status === 429 || status >= 500;

  /** Fetches the nonce of the logged-in person; empty for visitors. @type {Promise<string> | undefined} */
  let nonce;
  const askNonce = () => {
    const asked = nonce ??= request(config.nonce).then(async (response) => {
      const text = (await response.text()).trim();
      if (later(response)) throw new Error(`${response.status}`);
      // If the site closes wp-admin to visitors, a refused person is a visitor.
      return response.ok && /^[0-9a-f]{10}$/.test(text) ? text : '';
    });
    asked.catch(() => { if (nonce === asked) nonce = undefined; });
    return asked;
  };

  /**
   * Asks WordPress about the ticket of an element.
   * @param {string} what `may` or `token`
   * @param {Element} element
   * @param {string[]} [tried] repairs that were tried already
   * @returns {Promise<any>} its answer; `code` is the code of an error
   */
  async function ask(what, element, tried = []) {
    const known = await askNonce();
    /** @type {Record<string, string>} */
    const headers = { 'content-type': 'application/json' };
    if (known) headers['x-wp-nonce'] = known;
    const body = JSON.stringify({ ticket: element.getAttribute('data-ticket') });
    const response = await request(config.rest + what, { method: 'POST', headers, body });
    const json = await response.json().catch(() => null);
    const answer = json && typeof json === 'object' ? json : {};
    const { code } = answer;
    failures = later(response) ? failures + 1 : 0;
    if (failures && (failures < FAILURES || OURS.test(code))) throw new Error(`${response.status}`);
    // A firewall or a plugin that closes the REST API has answered, not this plugin.
    if (!('may' in answer || answer.token || OURS.test(code))) {
      const said = `${response.status}${typeof code === 'string' ? ` ${code.slice(0, 60)}` : ''}`;
      const message = (config.words.blocked ?? config.words.busy).replace('%s', said);
      const help = (config.words.open ?? '').replace('%s', config.rest);
      console.error('lianmai:', message, help);
      return { code: 'blocked', message: known ? `${message} ${help}` : message };
    }
    if (tried.includes(code)) return answer;
    // Nonces are valid for half a day, and until the next login.
    if (code === 'rest_cookie_invalid_nonce') nonce = undefined;
    else if (code !== 'lianmai_ticket' || !await renew(element)) return answer;
    return ask(what, element, [...tried, code]);
  }

  /** Fetches the new tickets of an edited page, so that a live publisher can continue. @param {Element} element */
  async function renew(element) {
    // In the page from WordPress, a room is always the view of its audience.
    const selector = (ROOM.includes(element.localName) ? ROOM : [element.localName]).map((tag) => `${tag}[data-ticket]`).join();
    const place = [...document.querySelectorAll(selector)].indexOf(element);
    const text = await (await request(location.href)).text();
    const other = new DOMParser().parseFromString(text, 'text/html').querySelectorAll(selector)[place];
    const ticket = other?.getAttribute('data-ticket');
    if (!ticket || ticket === element.getAttribute('data-ticket') || subject(other) !== subject(element)) return false;
    element.setAttribute('data-ticket', ticket);
    return true;
  }

  /** Returns the stream or room of an element. @param {Element} element */
  const subject = (element) => element.getAttribute('url') ?? `${element.getAttribute('server')} ${element.getAttribute('room') ?? element.getAttribute('data-room')}`;

  /** Lets the elements of a kind ask for a token each time they connect. @param {string} tag */
  function authorise(tag) {
    if (!customElements.get(tag)) return;
    for (const element of document.querySelectorAll(`${tag}[data-lianmai][data-token]`)) {
      if (armed.has(element) || (IN_ROOM.includes(tag) && !entitled.has(element))) continue;
      armed.add(element);
      Object.assign(element, {
        token: async () => {
          const { token, code, message } = await ask('token', element).catch(() => ({}));
          if (token) return token;
          // The failure may be temporary, so the element tries again.
          const refused = REFUSALS.includes(code);
          throw Object.assign(new Error(refused ? message : config.words.busy), { code: refused ? 'forbidden' : 'network' });
        },
      });
    }
  }

  /** Returns the aspect ratio of the element. @param {HTMLElement} element */
  function shape(element) {
    const [, width, height] = /^(\d+)[:/](\d+)$/.exec(element.getAttribute('ratio') ?? '') ?? [];
    const given = [width ?? element.getAttribute('width'), height ?? element.getAttribute('height')].map(Number);
    if (given[0] > 0 && given[1] > 0) element.style.setProperty('aspect-ratio', given.join(' / '));
  }

  /** Creates an icon of 24 x 24. @param {string} outline */
  function icon(outline) {
    const [svg, path] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', outline);
    svg.append(path);
    return svg;
  }

  /**
   * Shows a button in place of the element.
   * @param {HTMLElement} element
   * @param {string} word on the button
   * @param {string} outline of its icon
   * @param {(element: any) => unknown} go called when the element is defined
   * @returns {() => Promise<void>} the same as a press
   */
  function facade(element, word, outline, go) {
    const tag = element.localName;
    if (customElements.get(tag)) return async () => void go(element);
    shape(element);
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', className: 'lianmai-start' });
    const title = element.getAttribute('title');
    if (title) button.setAttribute('aria-label', `${word}: ${title}`);
    const label = document.createElement('span');
    label.textContent = word;
    button.append(icon(outline), label);
    const status = document.createElement('p');
    status.setAttribute('role', 'status');
    element.replaceChildren(button, status);
    const poster = element.getAttribute('poster');
    if (poster) element.prepend(Object.assign(document.createElement('img'), { src: poster, alt: '', className: 'lianmai-poster', loading: 'lazy' }));

    let busy = false;
    const start = async () => {
      if (busy) return;
      busy = true;
      button.setAttribute('aria-disabled', 'true');
      status.textContent = config.words.loading;
      try {
        await define(tag);
        const focused = document.activeElement === button;
        // The content of the element now hides the placeholder.
        element.replaceChildren();
        void go(element);
        // Keep the keyboard focus at the position of the button.
        if (focused) [...element.shadowRoot?.querySelectorAll('[part~="play"], [part~="stop"], [part~="start"]') ?? []].forEach((next) => /** @type {HTMLElement} */ (next).focus({ preventScroll: true }));
      } catch (error) {
        console.error('lianmai:', error);
        button.removeAttribute('aria-disabled');
        status.textContent = config.words.failed;
      }
      busy = false;
    };
    button.addEventListener('click', start);
    return start;
  }

  /** Calls a function when the element comes near the visible area, so that readers who do not scroll load nothing. @param {Element} element @param {() => unknown} go */
  function near(element, go) {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      go();
    }, { rootMargin: '200px' });
    observer.observe(element);
  }

  /** @param {HTMLElement} element */
  function player(element) {
    const start = facade(element, config.words.play, 'M8 5v14l11-7z', (ready) => void ready.play().catch(() => {}));
    // Otherwise the first press would start all players of the page.
    if (element.hasAttribute('autoplay')) near(element, start);
    element.removeAttribute('autoplay');
  }

  /** @param {HTMLElement} element */
  async function publisher(element) {
    const known = await askNonce();
    const { may, stream, code, message } = known ? await ask('may', element) : {};
    const box = /** @type {HTMLElement} */ (element.closest('[hidden]') ?? element);
    const say = (/** @type {string} */ text) => box.append(Object.assign(document.createElement('p'), { className: 'lianmai-note', textContent: text }));
    if (code === 'blocked' && document.getElementById('wpadminbar')) {
      // People who can edit the site can fix the problem.
      say(message);
      element.remove();
      box.hidden = false;
    }
    if (!may) return;
    facade(element, config.words.golive, 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z', (ready) => ready.hasAttribute('preview') || ready.start());
    if (config.words.own) say(config.words.own.replace('%s', stream || element.getAttribute('url')?.replace(/[?#].*$/, '') || ''));
    box.hidden = false;
  }

  /**
   * Replaces the element of a room by one of another kind.
   * @param {HTMLElement} element
   * @param {string} tag of the new element
   */
  function become(element, tag) {
    const other = document.createElement(tag);
    for (const { name, value } of element.attributes) other.setAttribute(name, value);
    // Guests without an account join on the gateway's own page.
    const room = other.getAttribute('data-room') ?? other.getAttribute('room') ?? '';
    Object.assign(other, { page: `${other.getAttribute('server')}/rooms/${encodeURIComponent(room)}` });
    seen.add(other);
    if (entitled.has(element)) entitled.add(other);
    element.replaceWith(other);
    return other;
  }

  /**
   * Shows a room or its chat. An element connects when it gets the name of its room; before that, a button is shown.
   * @param {HTMLElement} element
   */
  async function room(element) {
    if (begun.has(element)) return;
    const name = element.getAttribute('data-room') ?? element.getAttribute('room') ?? '';
    element.setAttribute('data-room', name);
    element.removeAttribute('room');
    const asker = element.hasAttribute('data-ticket') ? await askNonce().catch(() => null) : '';
    const answer = asker || element.hasAttribute('data-all') ? await ask('may', element).catch(() => null) : {};
    // While WordPress does not answer, treat the person as a visitor, and ask again.
    if (asker === null || !answer) setTimeout(() => seen.delete(element), 1000);
    const { may, role, name: person, code, message } = answer ?? {};
    if (begun.has(element)) return;
    if (may) entitled.add(element);
    if (person) element.setAttribute('name', person);
    const chat = element.localName === 'srs-chat';
    const takesPart = !chat && (role === 'host' || role === 'guest');
    const shown = takesPart ? become(element, 'srs-room') : element;
    const go = () => {
      begun.add(shown);
      shown.setAttribute('room', name);
    };
    if (!chat && !takesPart) shown.addEventListener('stage', (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (detail.role !== 'host' && detail.role !== 'guest') return;
      // The seat belongs to this page. The gateway's page, which the element would open, does not know it.
      event.preventDefault();
      void define('srs-room').then(() => begun.add(become(shown, 'srs-room')));
    });
    const word = config.words[chat ? 'chat' : takesPart ? 'enter' : 'watch'];
    const start = facade(shown, word, chat ? 'M4 4h16v12H9l-5 4z' : 'M8 5v14l11-7z', go);
    // Another element of the page may have loaded the same modules. The placeholder is then hidden.
    void customElements.whenDefined(shown.localName).then(go);
    if (shown.hasAttribute('autoplay')) near(shown, start);
    shown.removeAttribute('autoplay');
    const box = /** @type {HTMLElement} */ (shown.closest('.lianmai') ?? shown);
    const note = (/** @type {string} */ text) => box.append(Object.assign(document.createElement('p'), { className: 'lianmai-note', textContent: text }));
    if (code === 'blocked' && document.getElementById('wpadminbar')) note(message);
    if (takesPart) note(config.words.host.replace('%s', name));
    box.hidden = false;
  }

  /** Handles elements that were added to the page. */
  function look() {
    if (!told()) return;
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-lianmai]'))) {
      if (seen.has(element)) continue;
      seen.add(element);
      if (element.localName === 'srs-player') player(element);
      else if (element.localName === 'srs-room-list') near(element, () => define('srs-room-list').catch((error) => console.error('lianmai:', error)));
      else if (IN_ROOM.includes(element.localName)) void room(element);
      // WordPress did not answer. Ask again when the network returns or the page becomes visible.
      else publisher(element).catch(() => void setTimeout(() => seen.delete(element), 1000));
    }
  }
  // Another script of the page may define the elements too.
  for (const tag of ASKING) void customElements.whenDefined(tag).then(() => authorise(tag));
  look();
  // Themes that change pages without a reload add new elements.
  new MutationObserver(() => {
    look();
    ASKING.forEach(authorise);
  }).observe(document.documentElement, { childList: true, subtree: true });
  addEventListener('online', look);
  document.addEventListener('visibilitychange', look);
})();
