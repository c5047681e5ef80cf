// The checklist after a post with live video was published: the results of WordPress, and the servers that this browser
// can reach. checklist-editor.js has the part for the block editor; the notice of the classic editor is at the end.
(() => {
  const page = /** @type {any} */ (window);
  const told = page.lianmaiChecklist;
  /** @type {{ path: string, signs: string[], words: Record<string, string> }} */
  const { path, signs, words } = told;
  const { reach } = page.lianmaiReach;

  /** Timeout of requests to the media server, in milliseconds. */
  const PATIENCE = 10_000;
  /** Storage key for posts whose notice was dismissed, and their maximum number. */
  const KEPT = 'lianmai-checklist', MOST = 100;

  /** Returns the lines of a post's content with players or publishers. @param {string} content */
  const live = (content) => content.split('\n').filter((line) => signs.some((sign) => line.includes(sign))).join('\n');

  /** Returns a text that identifies a set of players and publishers. @param {string} content */
  const mark = (content) => [...live(content)].reduce((sum, sign) => (sum * 33 + (sign.codePointAt(0) ?? 0)) % 4_294_967_291, 5381).toString(36);

  /** @returns {string[]} */
  const kept = () => {
    try {
      const list = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
      return Array.isArray(list) ? list : [];
    } catch {
      return [];
    }
  };
  /** @param {number} post @param {string} what */
  const isDismissed = (post, what) => kept().includes(`${post} ${what}`);
  /** @param {number} post @param {string} what */
  function dismiss(post, what) {
    try {
      localStorage.setItem(KEPT, JSON.stringify([...kept(), `${post} ${what}`].slice(-MOST)));
    } catch {
      // A browser without storage shows the notice again.
    }
  }

  /** Fetches the list of a post as HTML; empty if the post has no live video. @param {number} post @returns {Promise<string>} */
  const check = async (post) => (await page.wp.apiFetch({ path, method: 'POST', data: { post } })).html;

  /** Checks whether this browser reaches a server. @param {HTMLElement} row of the list */
  async function fill(row) {
    const [state, label, advice] = row.children;
    const { reach: url = '', mode } = row.dataset;
    const init = { mode, method: mode === 'cors' ? 'HEAD' : 'GET', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout?.(PATIENCE) };
    try {
      await reach(url, init);
      row.dataset.state = 'good';
      state.textContent = `${words.good}: `;
    } catch (failure) {
      const { message = '', advice: help = '' } = /** @type {any} */ (failure);
      row.dataset.state = 'problem';
      state.textContent = `${words.problem}: `;
      label.textContent = words.unreached.replace('%s', new URL(url).origin);
      advice.textContent = [message, help].filter(Boolean).join(' ');
    }
  }

  /** @param {string} word @param {() => unknown} go */
  function button(word, go) {
    const made = Object.assign(document.createElement('button'), { type: 'button', className: 'button', textContent: word });
    made.addEventListener('click', go);
    return made;
  }

  /**
   * Shows the list of a post.
   * @param {HTMLElement} box
   * @param {number} post
   * @param {{ onDismiss?: () => void, onEmpty?: () => void }} [on]
   */
  async function show(box, post, on = {}) {
    const [status, list, foot] = ['p', 'div', 'p'].map((name) => document.createElement(name));
    status.setAttribute('role', 'status');
    let runs = 0;
    const run = async () => {
      const mine = ++runs;
      status.textContent = words.running;
      try {
        const html = await check(post);
        if (mine !== runs) return;
        if (!html && on.onEmpty) return on.onEmpty();
        list.innerHTML = html || words.none;
        foot.hidden = false;
        await Promise.all([.../** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('[data-reach]'))].map(fill));
        if (mine === runs) status.textContent = !html ? '' : list.querySelector('[data-state=problem], [data-state=warning]') ? words.some : words.all;
      } catch (error) {
        status.textContent = words.failed.replace('%s', /** @type {any} */ (error)?.message ?? String(error));
        foot.hidden = false;
      }
    };
    foot.append(button(words.again, run), ...(on.onDismiss ? [' ', button(words.dismiss, on.onDismiss)] : []));
    foot.hidden = true;
    box.replaceChildren(status, list, foot);
    await run();
  }
  Object.assign(told, { check, dismiss, isDismissed, isLive: (/** @type {string} */ content) => live(content) !== '', mark, show });

  const notice = /** @type {HTMLElement | null} */ (document.querySelector('.lianmai-checklist-notice'));
  if (!notice) return;
  const { post = '', mark: what = '' } = notice.dataset;
  if (isDismissed(Number(post), what)) return notice.remove();
  notice.hidden = false;
  // WordPress adds its button to the notice.
  notice.addEventListener('click', ({ target }) => {
    if (/** @type {Element} */ (target).closest('.notice-dismiss')) dismiss(Number(post), what);
  });
  void show(/** @type {HTMLElement} */ (notice.lastElementChild), Number(post), { onEmpty: () => notice.remove() });
})();
