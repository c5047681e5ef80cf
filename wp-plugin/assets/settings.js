// The settings page: shows the fields for the chosen kind of server.
(() => {
  const page = /** @type {HTMLElement | null} */ (document.querySelector('.lianmai-settings'));
  if (!page) return;
  for (const choice of /** @type {NodeListOf<HTMLInputElement>} */ (page.querySelectorAll('[name="lianmai_settings[kind]"]'))) {
    choice.addEventListener('change', () => { page.dataset.kind = choice.value; });
  }
})();
