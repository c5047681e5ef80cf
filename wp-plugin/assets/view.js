// What a page with a player loads before anything plays: a button in each player's place. The player itself
// comes with the first press (with `autoplay`: when it comes into view), and a publisher shows itself to those who may.
// A room is that of its audience, unless WordPress says that the person is a host.
//
// The page is the same for everybody, so that caches may keep it; who somebody is, WordPress is asked here.
(() => {
  const page = /** @type {any} */ (window);
  if (page.lianmai) return;
  page.lianmai = {};
  /** What the page was told: before this script, or in a part of a page that another script put in. @type {any} */
  let config;
  const told = () => {
    const text = document.getElementById('lianmai-config')?.textContent
      ?? document.querySelector('[data-lianmai-config]')?.getAttribute('data-lianmai-config');
    if (!config && text) page.lianmai = config = JSON.parse(text);
    return !!config;
  };
  /** Elements that were seen to, and those that ask for tokens. */
  const [seen, armed] = [new WeakSet(), new WeakSet()];
  /** Of rooms: those that were started, and those whose person gets tokens. Visitors come in without. */
  const [begun, entitled] = [new WeakSet(), new WeakSet()];

  /** How long WordPress may think, in milliseconds. */
  const PATIENCE = 15_000;
  /** Refusals of WordPress: another try does not mend them. Each comes with a sentence for the reader. */
  const REFUSALS = ['lianmai_login', 'lianmai_denied', 'lianmai_ticket', 'blocked'];
  /** Codes of answers that WordPress or this plugin gave. */
  const OURS = /^(?:lianmai_|rest_cookie_invalid_nonce$)/;

  /** So many answers of a kind that may get better in a moment are one that does not. */
  const FAILURES = 6;
  let failures = 0;

  /** Tries that a browser may remember as failed. */
  let misses = 0;
  /** @type {Record<string, Promise<any> | undefined>} */
  const modules = {};

  /** Modules that an element needs, as the page was told of them. @type {Record<string, string[]>} */
  const NEEDS = {
    'srs-player': ['player'], 'srs-publisher': ['publisher'],
    'srs-audience': ['player', 'chat'], 'srs-chat': ['chat'], 'srs-room-list': ['chat'], 'srs-room': ['chat', 'room'],
  };
  /** Classes of modules that do not define their elements themselves. @type {Record<string, [string, string]>} */
  const CLASSES = { player: ['srs-player', 'SrsPlayerElement'], publisher: ['srs-publisher', 'SrsPublisherElement'] };
  /** What a room is shown as. */
  const ROOM = ['srs-audience', 'srs-room'];
  /** Elements that enter a room. */
  const IN_ROOM = ['srs-chat', ...ROOM];
  /** Elements that may ask for tokens. */
  const ASKING = ['srs-player', 'srs-publisher', ...IN_ROOM];

  /** Loads the modules of an element, and defines it. @param {string} tag */
  const define = (tag) => Promise.all(NEEDS[tag].map(load));

  /** @param {string} name of a module, as the page was told of it */
  const load = (name) => modules[name] ??= (async () => {
    const file = config.modules + config[name];
    // A page in a cache may name a file that an update removed; the name without the hash stays. A browser may remember
    // a failed address.
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

  /** Whether a server may answer better in a moment. @param {Response} response */
  const later = ({ status }) => status === 408 || status === 429 || status >= 500;

  /** The nonce of whoever is logged in; empty: nobody. @type {Promise<string> | undefined} */
  let nonce;
  const askNonce = () => {
    const asked = nonce ??= request(config.nonce).then(async (response) => {
      const text = (await response.text()).trim();
      if (later(response)) throw new Error(`${response.status}`);
      // Where WordPress's own folder is closed to visitors, whoever asks is a visitor.
      return response.ok && /^[0-9a-f]{10}$/.test(text) ? text : '';
    });
    asked.catch(() => { if (nonce === asked) nonce = undefined; });
    return asked;
  };

  /**
   * Asks WordPress about an element's ticket.
   * @param {string} what `may` or `token`
   * @param {Element} element
   * @param {string[]} [tried] what was mended already
   * @returns {Promise<any>} its answer; `code` tells what is wrong
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
    // Of a firewall or a plugin that closes the REST API: neither a right nor one of our refusals.
    if (!('may' in answer || answer.token || OURS.test(code))) {
      const said = `${response.status}${typeof code === 'string' ? ` ${code.slice(0, 60)}` : ''}`;
      const message = (config.words.blocked ?? config.words.busy).replace('%s', said);
      const help = (config.words.open ?? '').replace('%s', config.rest);
      console.error('lianmai:', message, help);
      return { code: 'blocked', message: known ? `${message} ${help}` : message };
    }
    if (tried.includes(code)) return answer;
    // Nonces live for half a day, and end with a login.
    if (code === 'rest_cookie_invalid_nonce') nonce = undefined;
    else if (code !== 'lianmai_ticket' || !await renew(element)) return answer;
    return ask(what, element, [...tried, code]);
  }

  /** Somebody has edited the page: whoever is live on it goes on with its new tickets. @param {Element} element */
  async function renew(element) {
    // In the page as WordPress sends it, a room is always that of its audience.
    const selector = (ROOM.includes(element.localName) ? ROOM : [element.localName]).map((tag) => `${tag}[data-ticket]`).join();
    const place = [...document.querySelectorAll(selector)].indexOf(element);
    const text = await (await request(location.href)).text();
    const other = new DOMParser().parseFromString(text, 'text/html').querySelectorAll(selector)[place];
    const ticket = other?.getAttribute('data-ticket');
    if (!ticket || ticket === element.getAttribute('data-ticket') || subject(other) !== subject(element)) return false;
    element.setAttribute('data-ticket', ticket);
    return true;
  }

  /** The stream or room of an element. @param {Element} element */
  const subject = (element) => element.getAttribute('url') ?? `${element.getAttribute('server')} ${element.getAttribute('room') ?? element.getAttribute('data-room')}`;

  /** Lets the elements of a kind ask for a token whenever they connect. @param {string} tag */
  function authorise(tag) {
    if (!customElements.get(tag)) return;
    for (const element of document.querySelectorAll(`${tag}[data-lianmai][data-token]`)) {
      if (armed.has(element) || (IN_ROOM.includes(tag) && !entitled.has(element))) continue;
      armed.add(element);
      Object.assign(element, {
        token: async () => {
          const { token, code, message } = await ask('token', element).catch(() => ({}));
          if (token) return token;
          // A site that does not answer, or not now, will: the element tries again.
          const refused = REFUSALS.includes(code);
          throw Object.assign(new Error(refused ? message : config.words.busy), { code: refused ? 'forbidden' : 'network' });
        },
      });
    }
  }

  /** The shape of the picture that is to come. @param {HTMLElement} element */
  function shape(element) {
    const [, width, height] = /^(\d+)[:/](\d+)$/.exec(element.getAttribute('ratio') ?? '') ?? [];
    const given = [width ?? element.getAttribute('width'), height ?? element.getAttribute('height')].map(Number);
    if (given[0] > 0 && given[1] > 0) element.style.setProperty('aspect-ratio', given.join(' / '));
  }

  /** A picture of 24 x 24. @param {string} outline */
  function icon(outline) {
    const [svg, path] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', outline);
    svg.append(path);
    return svg;
  }

  /**
   * Puts a button where the element will be.
   * @param {HTMLElement} element
   * @param {string} word on the button
   * @param {string} outline beside it
   * @param {(element: any) => unknown} go once it is defined
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
        // What stood here is hidden now by what the element shows itself.
        element.replaceChildren();
        void go(element);
        // The keyboard stays where the button was.
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

  /** Once a reader comes near: who does not scroll there loads nothing. @param {Element} element @param {() => unknown} go */
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
    // Else all of the page would begin with the first.
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
      // Somebody who works on the site can do something about it.
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
   * Puts a room's element of another kind in the place of one.
   * @param {HTMLElement} element
   * @param {string} tag of the other
   */
  function become(element, tag) {
    const other = document.createElement(tag);
    for (const { name, value } of element.attributes) other.setAttribute(name, value);
    // Guests without an account come in by the gateway's own page.
    const room = other.getAttribute('data-room') ?? other.getAttribute('room') ?? '';
    Object.assign(other, { page: `${other.getAttribute('server')}/rooms/${encodeURIComponent(room)}` });
    seen.add(other);
    if (entitled.has(element)) entitled.add(other);
    element.replaceWith(other);
    return other;
  }

  /**
   * A room or its chat. An element connects once it has the name of its room; before that it is a button.
   * @param {HTMLElement} element
   */
  async function room(element) {
    if (begun.has(element)) return;
    const name = element.getAttribute('data-room') ?? element.getAttribute('room') ?? '';
    element.setAttribute('data-room', name);
    element.removeAttribute('room');
    const asker = element.hasAttribute('data-ticket') ? await askNonce().catch(() => null) : '';
    const answer = asker || element.hasAttribute('data-all') ? await ask('may', element).catch(() => null) : {};
    // While WordPress does not answer, everybody is a visitor. It is asked again.
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
      // The seat is this page's: the gateway's page, where the element would go, does not know it.
      event.preventDefault();
      void define('srs-room').then(() => begun.add(become(shown, 'srs-room')));
    });
    const word = config.words[chat ? 'chat' : takesPart ? 'enter' : 'watch'];
    const start = facade(shown, word, chat ? 'M4 4h16v12H9l-5 4z' : 'M8 5v14l11-7z', go);
    // Another element of the page may have brought the same modules: what stood here is hidden then.
    void customElements.whenDefined(shown.localName).then(go);
    if (shown.hasAttribute('autoplay')) near(shown, start);
    shown.removeAttribute('autoplay');
    const box = /** @type {HTMLElement} */ (shown.closest('.lianmai') ?? shown);
    const note = (/** @type {string} */ text) => box.append(Object.assign(document.createElement('p'), { className: 'lianmai-note', textContent: text }));
    if (code === 'blocked' && document.getElementById('wpadminbar')) note(message);
    if (takesPart) note(config.words.host.replace('%s', name));
    box.hidden = false;
  }

  /** Sees to the elements that were not there before. */
  function look() {
    if (!told()) return;
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-lianmai]'))) {
      if (seen.has(element)) continue;
      seen.add(element);
      if (element.localName === 'srs-player') player(element);
      else if (element.localName === 'srs-room-list') near(element, () => define('srs-room-list').catch((error) => console.error('lianmai:', error)));
      else if (IN_ROOM.includes(element.localName)) void room(element);
      // WordPress did not answer: asked again when there is a network, or somebody looks.
      else publisher(element).catch(() => void setTimeout(() => seen.delete(element), 1000));
    }
  }
  // Another script of the page may define them, too.
  for (const tag of ASKING) void customElements.whenDefined(tag).then(() => authorise(tag));
  look();
  // Themes that change pages without loading them bring new ones.
  new MutationObserver(() => {
    look();
    ASKING.forEach(authorise);
  }).observe(document.documentElement, { childList: true, subtree: true });
  addEventListener('online', look);
  document.addEventListener('visibilitychange', look);
})();
