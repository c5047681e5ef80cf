// The buttons of the classic editor. Both the page and the visual editor (as a plugin) load this script.
(() => {
  const page = /** @type {any} */ (window);
  const config = page.lianmaiClassic;
  if (!config) return;
  const { labels, ask, stream, askRoom, room } = config;

  /** Asks for a stream or room, and returns its shortcode; empty if nothing was entered. @param {string} who */
  const shortcode = (who) => {
    if (who === 'room') {
      const name = (prompt(askRoom, room) ?? '').replace(/["[\]<>]/g, '').trim();
      return name && `[srs_room room="${name}"]`;
    }
    const name = (prompt(ask, stream) ?? '').replace(/["[\]<>]/g, '').trim();
    return name && `[srs_${who} ${/^[a-z]+:\/\//i.test(name) ? 'url' : 'stream'}="${name}"]`;
  };

  // The visual editor calls this with `new`.
  page.tinymce?.PluginManager.add('lianmai', function plugin(/** @type {any} */ editor) {
    for (const who of Object.keys(labels)) {
      editor.addButton(`lianmai_${who}`, {
        text: labels[who],
        tooltip: labels[who],
        onclick: () => editor.insertContent(shortcode(who)),
      });
    }
  });
  if (config.ready) return;
  config.ready = true;

  document.addEventListener('click', ({ target }) => {
    const button = /** @type {HTMLElement} */ (target).closest?.('.lianmai-insert');
    if (!(button instanceof HTMLElement)) return;
    page.wpActiveEditor = button.dataset.editor;
    const text = shortcode(button.dataset.who ?? 'player');
    if (text) page.send_to_editor(text);
  });
  for (const who of Object.keys(labels)) {
    page.QTags?.addButton(`lianmai_${who}`, labels[who], () => {
      const text = shortcode(who);
      if (text) page.QTags.insertContent(text);
    });
  }
})();
