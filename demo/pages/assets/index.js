// The page at `/`.

import { $, ROOT, copyable, gateway, h, watchStreams } from './site.js';
import { t, translate } from './words.js';

const NAME = 'live/livestream';
const flv = new URL(`${NAME}.flv`, ROOT).href;
const hls = new URL(`${NAME}.m3u8`, ROOT).href;
const webrtc = `webrtc://${/^(|8080|1985|8443)$/.test(ROOT.port) ? ROOT.hostname : ROOT.host}/${NAME}`;

translate();

/** @param {string} rtmp `rtmp://host[:port]` */
function show(rtmp) {
  copyable($('addresses'), [
    [t('webrtc'), webrtc],
    [t('flv'), flv],
    [t('hls'), hls],
    [t('rtmp'), `${rtmp}/${NAME}`],
  ]);
  copyable($('obs'), [
    [t('server'), `${rtmp}/live/`],
    [t('key'), 'livestream'],
  ]);
  copyable($('ffmpeg'), [
    [t('command'), `ffmpeg -re -i clip.mp4 -c copy -f flv ${rtmp}/${NAME}`],
  ]);
}
copyable($('code'), [
  [t('html'), `<script src="${new URL('srs-player.js', ROOT)}"></script>\n<srs-player url="${flv}" autoplay muted controls></srs-player>`],
]);
void gateway().then(({ rtmp, mayPublish }) => {
  show(rtmp);
  $('secret').hidden = mayPublish;
});

/** @typedef {import('../../../player-wasm/dist/srs-player/index.js').SrsPlayerElement} SrsPlayerElement */
const player = /** @type {SrsPlayerElement} */ ($('player'));
player.setAttribute('url', flv);

/** Returns the number of viewers: all clients except the publisher. @param {import('./site.js').Stream} stream */
const watching = (stream) => Math.max(0, stream.clients - (stream.publish.cid ? 1 : 0));

let viewers = 0;
function status() {
  const { state, stats, error } = player;
  const live = state === 'live' && stats;
  const words = live ? [t('behind', { seconds: stats.latency.toFixed(1) }), viewers ? t('viewers', { n: viewers }) : '']
    : [error ? '' : t(state ?? 'connecting')];
  const text = words.filter(Boolean).join(' · ');
  if ($('status').textContent !== text) $('status').textContent = text;
}
player.addEventListener('statechange', status);
player.addEventListener('stats', status);

watchStreams((streams) => {
  $('onair').hidden = false;
  const live = streams.filter((stream) => stream.publish.active || stream.clients > 0);
  const own = streams.find((stream) => `${stream.app}/${stream.name}` === NAME);
  viewers = own ? watching(own) : 0;
  $('none').hidden = live.length > 0;
  $('list').replaceChildren(...live.map((stream) => {
    const name = `${stream.app}/${stream.name}`;
    const page = new URL('players/srs_player.html', ROOT);
    page.search = new URLSearchParams({ url: new URL(`${name}.flv`, ROOT).href, autoplay: '' }).toString();
    const about = [
      stream.publish.active ? '' : t('away'),
      stream.video ? `${stream.video.codec} ${stream.video.width}×${stream.video.height}` : '',
      stream.audio?.codec ?? '',
      watching(stream) ? t('viewers', { n: watching(stream) }) : '',
    ].filter(Boolean).join(' · ');
    return h('li', {}, h('a', { href: page.href, class: stream.publish.active ? 'on' : 'off' }, h('strong', {}, name), h('span', {}, about)));
  }));
});
