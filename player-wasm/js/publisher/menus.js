// The settings panel: source, devices, size and bit rate.

import { h } from '../ui/dom.js';

const SIZES = [[640, 360], [854, 480], [1280, 720], [1920, 1080]];
/** Bit rates to choose from, in kb/s. */
const RATES = [500, 1000, 1500, 2500, 4000, 6000];

/**
 * Replaces the options of a menu if they have changed. An open menu stays unchanged otherwise.
 * @param {HTMLSelectElement} select
 * @param {[value: string, text: string][]} options
 * @param {string} value
 */
function fill(select, options, value) {
  const all = options.some(([one]) => one === value) ? options : [...options, /** @type {[string, string]} */ ([value, value])];
  const text = JSON.stringify(all);
  if (select.dataset.is !== text) {
    select.dataset.is = text;
    select.replaceChildren(...all.map(([one, name]) => h('option', { value: one }, name)));
  }
  select.value = value;
}

export class Menus {
  #host;
  /** @type {MediaDeviceInfo[]} */
  #devices = [];
  /** @type {Record<string, { label: HTMLElement, select: HTMLSelectElement }>} */
  #all = {};

  /** @param {import('../types/index.js').SrsPublisherElement} host */
  constructor(host) {
    this.#host = host;
    /** @type {[string, (value: string) => void][]} */
    const menus = [
      ['source', (value) => { host.source = /** @type {import('../types/index.js').PublisherSource} */ (value); }],
      ['camera', (value) => { host.camera = value; }],
      ['microphone', (value) => { host.microphone = value; }],
      ['size', (value) => {
        const [width = 0, height = 0] = value.split('×').map(Number);
        Object.assign(host, { width, height });
      }],
      ['rate', (value) => { if (value) host.bitrate = Number(value); else host.removeAttribute('bitrate'); }],
    ];
    const rows = menus.map(([name, choose]) => {
      const label = h('span', {});
      const select = h('select', { part: `menu ${name}`, onchange: () => choose(select.value) });
      this.#all[name] = { label, select };
      return h('label', {}, label, select);
    });
    this.panel = h('div', { class: 'panel', part: 'settings', role: 'group', hidden: true }, ...rows);
  }

  /** @param {(word: string, detail?: string) => string} say */
  render(say) {
    const host = this.#host;
    for (const [name, { label, select }] of Object.entries(this.#all)) {
      label.textContent = say(name);
      // Otherwise a screen reader reads the options as part of the label around the menu.
      select.setAttribute('aria-label', say(name));
    }
    const menu = (/** @type {string} */ name) => /** @type {{ select: HTMLSelectElement }} */ (this.#all[name]).select;
    fill(menu('source'), ['camera', 'screen', 'audio'].map((one) => [one, say(one)]), host.source);
    for (const name of /** @type {const} */ (['camera', 'microphone'])) {
      const kind = name === 'camera' ? 'videoinput' : 'audioinput';
      const known = this.#devices.filter((device) => device.kind === kind && device.deviceId);
      const chosen = host[name] || host.devices[name];
      const names = known.map(({ deviceId, label }, at) => /** @type {[string, string]} */ ([deviceId, label || say('device', String(at + 1))]));
      // Browsers hide the names of devices before the permission.
      fill(menu(name), names.some(([id]) => id === chosen) ? names : [['', say('byBrowser')], ...names], names.some(([id]) => id === chosen) ? chosen : '');
    }
    menu('camera').disabled = host.source !== 'camera';
    menu('size').disabled = host.source === 'audio';
    menu('rate').disabled = host.source === 'audio';
    const sizes = SIZES.map(([width, height]) => `${width}×${height}`);
    fill(menu('size'), sizes.map((one) => [one, one]), `${host.width}×${host.height}`);
    const rates = RATES.map((one) => /** @type {[string, string]} */ ([String(one), `${one} kb/s`]));
    fill(menu('rate'), [['', say('automatic')], ...rates], host.bitrate ? String(host.bitrate) : '');
  }

  /** Reads the list of devices. Call it only after the permission. */
  async look() {
    this.#devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  }
}
