// Copy buttons: a button with `data-copy` copies the code beside it.
document.addEventListener('click', async ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  const line = button?.parentElement?.querySelector('code');
  if (!(button instanceof HTMLElement) || !line || button.dataset.copied) return;
  getSelection()?.selectAllChildren(line);
  // A page without HTTPS cannot use the clipboard.
  if (navigator.clipboard) await navigator.clipboard.writeText(line.textContent ?? '').catch(() => document.execCommand('copy'));
  else document.execCommand('copy');
  const { textContent } = button;
  button.dataset.copied = '1';
  button.textContent = button.dataset.done ?? '';
  setTimeout(() => {
    button.textContent = textContent;
    delete button.dataset.copied;
  }, 2000);
});
