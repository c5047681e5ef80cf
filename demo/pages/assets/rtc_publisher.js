// The page at `/players/rtc_publisher.html`: publishes camera, screen or microphone.

import { publishAddress, streamOf } from './query.js';
import { $, ROOT, copyable, gateway } from './site.js';
import { t, translate } from './words.js';

/** @typedef {import('../../../player-wasm/dist/srs-player/index.js').SrsPublisherElement} SrsPublisherElement */
const publisher = /** @type {SrsPublisherElement} */ ($('publisher'));
const url = /** @type {HTMLInputElement} */ ($('url'));
const source = /** @type {HTMLSelectElement} */ ($('source'));
const protocol = /** @type {HTMLSelectElement} */ ($('protocol'));

translate();
url.value = publishAddress(new URLSearchParams(location.search), location);
let rtmp = `rtmp://${location.hostname}`;

/** Links to HTTPS, because browsers do not allow the camera on HTTP pages. @param {number} port of HTTPS; 0 for none */
function insecure(port) {
  if (window.isSecureContext || !port) return;
  const secure = new URL(location.href);
  secure.protocol = 'https:';
  secure.port = String(port);
  const link = /** @type {HTMLAnchorElement} */ ($('secure'));
  link.href = link.textContent = publisher.secureAddress = secure.href;
  $('insecure').hidden = false;
}

/** Copies the values of the fields to the element. */
function apply() {
  const text = url.value.trim();
  publisher.setAttribute('url', text);
  publisher.setAttribute('source', source.value);
  publisher.setAttribute('protocol', protocol.value);
  // A page on another host needs the port to find this server.
  const full = text.replace(`webrtc://${location.hostname}/`, `webrtc://${location.host}/`);
  const quoted = full.replace(/\?.*$/, '').replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  copyable($('code'), [
    [t('html'), `<script src="${new URL('srs-player.js', ROOT)}"></script>\n<srs-publisher url="${quoted}"></srs-publisher>`],
  ]);
  show(text);
}

/** Shows the addresses for viewers, without the publisher's secret. @param {string} text */
function show(text) {
  const stream = streamOf(text);
  const own = stream && stream.hostname === location.hostname;
  $('watching').hidden = !own;
  if (!own) return;
  const player = new URL('players/srs_player.html', ROOT);
  player.search = new URLSearchParams({ url: `webrtc://${location.host}/${stream.name}`, autoplay: '' }).toString();
  copyable($('addresses'), [
    [t('webPlayer'), player.href, player.href],
    [t('webrtc'), `webrtc://${location.host}/${stream.name}`],
    [t('flv'), new URL(`${stream.name}.flv`, ROOT).href],
    [t('hls'), new URL(`${stream.name}.m3u8`, ROOT).href],
    [t('rtmp'), `${rtmp}/${stream.name}`],
  ]);
}

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  apply();
});
for (const field of [url, source, protocol]) field.addEventListener('change', apply);
// The element has its own menus.
for (const type of ['statechange', 'stats']) publisher.addEventListener(type, () => { source.value = publisher.source; });
apply();
void gateway().then((known) => {
  rtmp = known.rtmp;
  insecure(known.https);
  show(url.value.trim());
});
