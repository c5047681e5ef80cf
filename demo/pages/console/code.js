// The QR code of an address, drawn by the module that draws those of rooms.

import { ROOT, dialog, h } from './dom.js';
import { t } from './words.js';

/** Shows an address as a QR code, for the camera of a phone. @param {string} name @param {string} address */
export async function codeDialog(name, address) {
  const place = h('div', { class: 'code', role: 'img', 'aria-label': t('codeOf', { name }) });
  dialog(name, [place, h('p', { class: 'quiet' }, address)]);
  try {
    const { qrSvg } = await import(new URL('srs-player/room-qr.js', ROOT).href);
    place.append(qrSvg(address));
  } catch {
    place.replaceWith(h('p', { class: 'wrong' }, t('noCode')));
  }
}
