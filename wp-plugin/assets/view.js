// What a page with a player loads before anything plays: a button in each player's place. The player itself
// comes with the first press (with `autoplay`: when it comes into view), and a publisher shows itself to those who may.
//
// The page is the same for everybody, so that caches may keep it; who somebody is, WordPress is asked here.
(() => {
  const config = /** @type {any} */ (window).lianmai;
  if (!config || config.seen) return;
  config.seen = new WeakSet();
  const { words } = config;

  /** Tries that a browser may remember as failed. */
  let misses = 0;
  /** @type {Record<string, Promise<any> | undefined>} */
  const modules = {};

  /**
   * Loads the module of an element, and defines it.
   * @param {string} tag `srs-player` or `srs-publisher`
   */
  const define = (tag) => modules[tag] ??= (async () => {
    const file = config.modules + (tag === 'srs-player' ? config.player : config.publisher);
    try {
      const module = await import(misses ? `${file}?${misses}` : file);
      if (customElements.get(tag)) return;
      customElements.define(tag, tag === 'srs-player' ? module.SrsPlayerElement : module.SrsPublisherElement);
      // Before those with `autoplay` begin, which they do a moment later.
      document.querySelectorAll(`${tag}[data-token]`).forEach(authorise);
    } catch (error) {
      misses++;
      modules[tag] = undefined;
      throw error;
    }
  })();

  /** The nonce of whoever is logged in; empty: nobody. @type {Promise<string> | undefined} */
  let nonce;
  const askNonce = () => nonce ??= fetch(config.nonce, { credentials: 'same-origin', cache: 'no-store' })
    // Strangers are given none.
    .then(async (response) => (response.ok ? (await response.text()).trim() : ''));

  /**
   * Asks WordPress about a ticket.
   * @param {string} what `may` or `token`
   * @param {string} ticket
   * @returns {Promise<any>} its answer; `code` tells what is wrong
   */
  async function ask(what, ticket, again = true) {
    const known = await askNonce().catch((error) => {
      nonce = undefined;
      throw error;
    });
    /** @type {Record<string, string>} */
    const headers = { 'content-type': 'application/json' };
    if (known) headers['x-wp-nonce'] = known;
    const response = await fetch(config.rest + what, {
      method: 'POST', credentials: 'same-origin', cache: 'no-store', headers, body: JSON.stringify({ ticket }),
    });
    const answer = await response.json();
    // They live for half a day, and end with a login.
    if (answer.code === 'rest_cookie_invalid_nonce' && again) {
      nonce = undefined;
      return ask(what, ticket, false);
    }
    return answer;
  }

  /** @type {Record<string, string>} */
  const WHY = { lianmai_login: words.login, lianmai_denied: words.denied, lianmai_ticket: words.expired };

  /** Lets an element ask for a token whenever it connects. @param {Element} element */
  function authorise(element) {
    Object.assign(element, {
      token: async () => {
        const { token, code, message } = await ask('token', element.getAttribute('data-ticket') ?? '');
        if (token) return token;
        throw Object.assign(new Error(WHY[code] ?? message ?? words.denied), { code: 'forbidden' });
      },
    });
  }

  /** The shape of the picture that is to come. @param {HTMLElement} element */
  function shape(element) {
    const [, width, height] = /^(\d+)[:/](\d+)$/.exec(element.getAttribute('ratio') ?? '') ?? [];
    const given = [width ?? element.getAttribute('width'), height ?? element.getAttribute('height')].map(Number);
    if (given[0] > 0 && given[1] > 0) element.style.setProperty('aspect-ratio', given.join(' / '));
  }

  /**
   * Puts a button where the element will be.
   * @param {HTMLElement} element
   * @param {string} word on the button
   * @param {string} icon the path of a picture of 24 x 24
   * @param {(element: any) => unknown} go once it is defined
   */
  function facade(element, word, icon, go) {
    const tag = element.localName;
    if (customElements.get(tag)) return undefined;
    shape(element);
    const poster = element.getAttribute('poster');
    const picture = document.createElement('img');
    if (poster) Object.assign(picture, { src: poster, alt: '', className: 'lianmai-poster', loading: 'lazy' });
    const button = document.createElement('button');
    const title = element.getAttribute('title');
    Object.assign(button, { type: 'button', className: 'lianmai-start' });
    if (title) button.setAttribute('aria-label', `${word}: ${title}`);
    const [svg, path] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', icon);
    svg.append(path);
    const label = document.createElement('span');
    label.textContent = word;
    const status = document.createElement('p');
    status.setAttribute('role', 'status');
    button.append(svg, label);
    element.append(...(poster ? [picture] : []), button, status);

    const start = async () => {
      button.disabled = true;
      status.textContent = words.loading;
      try {
        await define(tag);
        // What was shown here is hidden now by what the element shows itself.
        for (const part of [picture, button, status]) part.remove();
        await go(element);
      } catch (error) {
        if (customElements.get(tag)) return;
        console.error('lianmai:', error);
        button.disabled = false;
        status.textContent = words.failed;
      }
    };
    button.addEventListener('click', start);
    return start;
  }

  /** Once a reader comes near: who does not scroll there loads nothing. @param {Element} element @param {() => unknown} go */
  function near(element, go) {
    const observer = new IntersectionObserver((seen) => {
      if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      go();
    }, { rootMargin: '200px' });
    observer.observe(element);
  }

  /** @param {HTMLElement} element */
  function player(element) {
    const start = facade(element, words.play, 'M8 5v14l11-7z', (ready) => ready.hasAttribute('autoplay') || ready.play());
    if (start && element.hasAttribute('autoplay')) near(element, start);
  }

  /** @param {HTMLElement} element */
  async function publisher(element) {
    const { may } = await askNonce().then((known) => known && ask('may', element.getAttribute('data-ticket') ?? '')).catch(() => ({}));
    if (!may) return;
    facade(element, words.golive, 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z', (ready) => ready.hasAttribute('preview') || ready.start());
    /** @type {HTMLElement} */ (element.closest('[hidden]') ?? element).hidden = false;
  }

  /** Sees to the elements that were not there before. */
  function look() {
    for (const element of document.querySelectorAll('[data-lianmai]')) {
      if (config.seen.has(element)) continue;
      config.seen.add(element);
      const known = customElements.get(element.localName);
      if (known && element.hasAttribute('data-token')) authorise(element);
      if (element.localName === 'srs-player') player(/** @type {HTMLElement} */ (element));
      else void publisher(/** @type {HTMLElement} */ (element));
    }
  }
  look();
  // Themes that change pages without loading them bring new ones.
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
