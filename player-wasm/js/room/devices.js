// Menus of cameras and microphones.

import { h } from '../ui/dom.js';

const KINDS = /** @type {const} */ ({ camera: 'videoinput', microphone: 'audioinput' });

export class Devices {
  #publishing;
  /** @type {Record<string, { label: HTMLElement, select: HTMLSelectElement }>} */
  #menus = {};
  cameras = 0;

  /** @param {import('./publishing.js').RoomPublishing} publishing */
  constructor(publishing) {
    this.#publishing = publishing;
    this.node = h('div', { class: 'devices' }, ...Object.keys(KINDS).map((name) => {
      const label = h('span', {});
      const select = h('select', { part: `menu ${name}`, onchange: () => publishing.set({ [name]: select.value }) });
      this.#menus[name] = { label, select };
      return h('label', {}, label, select);
    }));
  }

  /** @param {(word: string, detail?: string) => string} say */
  async render(say) {
    // Browsers name no devices before the permission.
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    this.cameras = all.filter(({ kind }) => kind === 'videoinput').length;
    for (const [name, kind] of Object.entries(KINDS)) {
      const { label, select } = /** @type {{ label: HTMLElement, select: HTMLSelectElement }} */ (this.#menus[name]);
      const menu = /** @type {'camera' | 'microphone'} */ (name);
      label.textContent = say(name);
      select.setAttribute('aria-label', say(name));
      const known = all.filter((device) => device.kind === kind && device.deviceId);
      const names = known.map(({ deviceId, label: text }, at) => ({ value: deviceId, text: text || `${say(name)} ${at + 1}` }));
      const options = names.length ? names : [{ value: '', text: say('byBrowser') }];
      const is = JSON.stringify(options);
      // An open menu stays as it is.
      if (select.dataset.is !== is) {
        select.dataset.is = is;
        select.replaceChildren(...options.map(({ value, text }) => h('option', { value }, text)));
      }
      select.value = this.#publishing.options[menu] || this.#publishing.devices[menu] || options[0]?.value || '';
      if (select.selectedIndex < 0) select.selectedIndex = 0;
      select.disabled = options.length < 2;
    }
  }
}
