// The page at `/players/mixer.html`: mixes several streams into one.

import { $, ROOT, copyable, gateway } from './site.js';
import { t, translate } from './words.js';

/** @typedef {import('../../../player-wasm/dist/srs-player/define-mixer.js').SrsMixerElement} SrsMixerElement */
const mixer = /** @type {SrsMixerElement} */ ($('mixer'));
const field = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ ($(id));
const layout = /** @type {HTMLSelectElement} */ ($('layout'));

translate();
const query = new URLSearchParams(location.search);
field('inputs').value = query.get('inputs') ?? '';
field('output').value = query.get('output') ?? 'live/merge';
if (query.has('layout')) layout.value = query.get('layout') ?? '';
let rtmp = `rtmp://${location.hostname}`;

/** Copies the values of the fields to the element. */
function apply() {
  const inputs = field('inputs').value.trim();
  const output = field('output').value.trim();
  mixer.setAttribute('server', ROOT.href);
  mixer.setAttribute('inputs', inputs);
  mixer.setAttribute('output', output);
  mixer.setAttribute('layout', layout.value);
  mixer.toggleAttribute('names', field('names').checked);
  const quoted = (/** @type {string} */ text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  copyable($('code'), [
    [t('html'), `<script src="${new URL('srs-player.js', ROOT)}"></script>\n<srs-mixer server="${ROOT.href}" inputs="${quoted(inputs)}" output="${quoted(output)}" layout="${layout.value}"></srs-mixer>`],
  ]);
  // The link must not contain the publisher's secret.
  const name = output.replace(/\?.*/, '');
  const player = new URL('players/srs_player.html', ROOT);
  player.search = new URLSearchParams({ url: `webrtc://${location.host}/${name}`, autoplay: '' }).toString();
  copyable($('addresses'), [
    [t('webPlayer'), player.href, player.href],
    [t('webrtc'), `webrtc://${location.host}/${name}`],
    [t('flv'), new URL(`${name}.flv`, ROOT).href],
    [t('hls'), new URL(`${name}.m3u8`, ROOT).href],
    [t('rtmp'), `${rtmp}/${name}`],
  ]);
}

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  apply();
});
for (const id of ['inputs', 'output', 'layout', 'names']) $(id).addEventListener('change', apply);
apply();
void gateway().then((known) => {
  rtmp = known.rtmp;
  apply();
});
