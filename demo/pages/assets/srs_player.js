// The page at `/players/srs_player.html`: plays an address.

import { address, complete } from './query.js';
import { $, ROOT, copyable, h, watchStreams } from './site.js';
import { t, translate } from './words.js';

/** @typedef {import('../../../player-wasm/dist/srs-player/index.js').SrsPlayerElement} SrsPlayerElement */
const player = /** @type {SrsPlayerElement} */ ($('player'));
const url = /** @type {HTMLInputElement} */ ($('url'));
const latency = /** @type {HTMLSelectElement} */ ($('latency'));
const muted = /** @type {HTMLInputElement} */ ($('muted'));
const stop = /** @type {HTMLButtonElement} */ ($('stop'));

translate();
const asked = address(new URLSearchParams(location.search), location);
url.value = asked.url || new URL('live/livestream.flv', ROOT).href;
muted.checked = asked.muted;
if (asked.latency) latency.value = asked.latency;

function start() {
  const text = complete(url.value.trim(), ROOT);
  url.value = text;
  player.toggleAttribute('muted', muted.checked);
  // This click unmutes a player that the browser has muted.
  if (player.matches(':defined')) player.muted = muted.checked;
  player.setAttribute('latency', latency.value);
  // Use attributes only: they work before the element's code is loaded.
  player.removeAttribute('url');
  player.setAttribute('autoplay', '');
  player.setAttribute('url', text);
  $('statistics').hidden = false;
  stop.hidden = false;
  share(text);
}

/** Sets the page's address to one that plays the same stream again. @param {string} text */
function share(text) {
  const page = new URL(location.href);
  const lang = page.searchParams.get('lang');
  page.search = new URLSearchParams({
    url: text, autoplay: '',
    ...(latency.value !== 'low' && { latency: latency.value }),
    ...(muted.checked && { muted: '' }),
    ...(lang && { lang }),
  }).toString();
  history.replaceState(null, '', page);
  $('sharing').hidden = false;
  // A relative address would mean another address on another page.
  const full = URL.canParse(text, location.href) ? new URL(text, location.href).href : text;
  const quoted = full.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  copyable($('links'), [
    [t('page'), page.href],
    [t('html'), `<script src="${new URL('srs-player.js', ROOT)}"></script>\n<srs-player url="${quoted}" autoplay muted controls></srs-player>`],
  ]);
}

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  start();
});
stop.addEventListener('click', () => {
  player.removeAttribute('url');
  stop.hidden = true;
  url.focus();
});
latency.addEventListener('change', () => player.setAttribute('latency', latency.value));
muted.addEventListener('change', () => { player.muted = muted.checked; });
player.addEventListener('volumechange', () => {
  // The browser, not the viewer, asks for a click first.
  if (!player.soundBlocked) muted.checked = player.muted;
});

player.addEventListener('stats', () => {
  const { stats } = player;
  if (!stats) return;
  /** @type {[string, string][]} */
  const rows = [
    [t('statLatency'), `${stats.latency.toFixed(2)} s`],
    // WebRTC has almost no buffer. Show figures of the network instead.
    [t('statBuffer'), stats.rtt === undefined ? `${stats.buffer.toFixed(2)} s` : ''],
    [t('statRtt'), stats.rtt === undefined ? '' : `${Math.round(stats.rtt * 1000)} ms`],
    [t('statLoss'), stats.loss === undefined ? '' : `${(stats.loss * 100).toFixed(1)} %`],
    [t('statBitrate'), stats.bitrate ? `${Math.round(stats.bitrate / 1000)} kb/s` : '–'],
    [t('statSize'), stats.width ? `${stats.width}×${stats.height}` : '–'],
    [t('statFps'), stats.fps ? String(Math.round(stats.fps)) : '–'],
    [t('statDropped'), String(stats.dropped)],
    [t('statStalls'), String(stats.stalls)],
    [t('statProtocol'), stats.protocol || '–'],
    [t('statCodecs'), stats.codecs || '–'],
  ];
  const known = rows.filter(([, value]) => value);
  $('stats').replaceChildren(...known.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
});

watchStreams((streams) => {
  const live = streams.filter((stream) => stream.publish.active).slice(0, 12);
  $('live').hidden = live.length === 0;
  const chips = live.map((stream) => {
    const chip = h('button', { type: 'button' }, `${stream.app}/${stream.name}`);
    chip.addEventListener('click', () => {
      url.value = new URL(`${stream.app}/${stream.name}.flv`, ROOT).href;
      start();
    });
    return chip;
  });
  // Keep the button under the pointer or with the focus.
  if ($('live').contains(document.activeElement)) return;
  $('live').replaceChildren(/** @type {Node} */ ($('live').firstElementChild), ...chips);
});

if (asked.autoplay) start();
