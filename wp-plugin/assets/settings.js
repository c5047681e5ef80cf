// The settings page: shows what fits the kind of server, and copies lines.
(() => {
  const page = /** @type {HTMLElement | null} */ (document.querySelector('.lianmai-settings'));
  if (!page) return;
  for (const choice of /** @type {NodeListOf<HTMLInputElement>} */ (page.querySelectorAll('[name="lianmai_settings[kind]"]'))) {
    choice.addEventListener('change', () => { page.dataset.kind = choice.value; });
  }
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (page.querySelectorAll('[data-copy]'))) {
    const line = /** @type {HTMLElement} */ (document.getElementById(button.dataset.copy ?? ''));
    button.addEventListener('click', async () => {
      getSelection()?.selectAllChildren(line);
      // A page without HTTPS has no clipboard.
      if (navigator.clipboard) await navigator.clipboard.writeText(line.textContent ?? '').catch(() => document.execCommand('copy'));
      else document.execCommand('copy');
      const { textContent } = button;
      button.textContent = button.dataset.done ?? '';
      setTimeout(() => { button.textContent = textContent; }, 2000);
    });
  }
})();
