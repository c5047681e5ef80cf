// All addresses of a stream, to copy.

import { call, path } from './api.js';
import { ROOT, button, copyable, dialog, h } from './dom.js';
import { t } from './words.js';

/** Addresses and secret for publishers. @type {{ rtmp: string, secret: string, isNeeded: boolean, isRenewable: boolean, playIsClosed: boolean }} */
export const gateway = { rtmp: `rtmp://${location.hostname}`, secret: '', isNeeded: false, isRenewable: false, playIsClosed: false };

/** Asks the gateway where it listens, and for the publish secret. */
export async function learn() {
  const [versions, secrets] = await Promise.all([call('GET', 'api/v1/versions'), call('GET', 'api/v1/secrets')]);
  const port = versions.data.data?.rtmp_port ?? 1935;
  gateway.rtmp = port ? `rtmp://${location.hostname}${port === 1935 ? '' : `:${port}`}` : '';
  gateway.secret = secrets.data.publish ?? '';
  gateway.isNeeded = secrets.data.publish_needed === true;
  gateway.isRenewable = secrets.data.publish_renewable === true;
  gateway.playIsClosed = secrets.data.play_needed === true;
}

/** Returns the query that a publisher adds to the name of its stream. @param {string} key a lasting key, in place of the secret */
const credentials = (key) => (key ? `?key=${encodeURIComponent(key)}`
  : gateway.isNeeded && gateway.secret ? `?secret=${encodeURIComponent(gateway.secret)}` : '');

/**
 * Server and stream key for OBS.
 * @param {string} name @param {string} [key]
 * @returns {[string, string][]}
 */
export function obs(name, key = '') {
  const [app, ...rest] = name.split('/');
  return gateway.rtmp ? [[t('obsServer'), `${gateway.rtmp}/${app}/`], [t('obsKey'), `${rest.join('/')}${credentials(key)}`]] : [];
}

/** The page that publishes a stream with a browser's camera. @param {string} name @param {string} [key] */
export function publisherPage(name, key = '') {
  const page = new URL('players/rtc_publisher.html', ROOT);
  page.search = new URLSearchParams({ url: `webrtc://${location.host}/${name}${credentials(key)}` }).toString();
  return page.href;
}

/** The page that plays a stream. @param {string} name @param {string} [key] */
export function playerPage(name, key = '') {
  const page = new URL('players/srs_player.html', ROOT);
  page.search = new URLSearchParams({ url: `webrtc://${location.host}/${name}${key && `?key=${key}`}`, autoplay: '' }).toString();
  return page.href;
}

/** @param {string} text */
const quoted = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');

/** @param {string} name @returns {[title: string, rows: [string, string, string?][]][]} */
export function addresses(name) {
  const own = credentials('');
  const at = new URL(path(name), ROOT).href;
  const rtmp = gateway.rtmp && `${gateway.rtmp}/${name}`;
  return [
    [t('toPublish'), [
      ...obs(name),
      [t('whip'), `${at}/whip${own}`],
      ...(rtmp ? [/** @type {[string, string]} */ ([t('ffmpeg'), `ffmpeg -re -i clip.mp4 -c copy -f flv '${rtmp}${own}'`])] : []),
      [t('publisherPage'), publisherPage(name), publisherPage(name)],
    ]],
    [t('toWatch'), [
      [t('playerPage'), playerPage(name), playerPage(name)],
      [t('webrtc'), `webrtc://${location.host}/${name}`],
      [t('flv'), `${at}.flv`],
      [t('hls'), `${at}.m3u8`],
      ...(rtmp ? [/** @type {[string, string]} */ ([t('rtmp'), rtmp])] : []),
    ]],
    [t('forPages'), [
      [t('element'), `<script src="${new URL('srs-player.js', ROOT)}"></script>\n<srs-player url="${quoted(`${at}.flv`)}" autoplay muted controls></srs-player>`],
      [t('wpPlayer'), `[srs_player stream="${quoted(name)}"]`],
      [t('wpPublisher'), `[srs_publisher stream="${quoted(name)}"]`],
    ]],
  ];
}

/**
 * Fills a list with texts to copy; those that are pages also have a QR code, for a phone.
 * @param {HTMLElement} list
 * @param {[name: string, text: string, link?: string][]} rows
 */
export function withCodes(list, rows) {
  copyable(list, rows);
  rows.forEach(([name, text, link], at) => {
    if (!link) return;
    const code = button(t('code'), async () => (await import('./code.js')).codeDialog(name, text), t('codeOf', { name }));
    code.className = 'copy';
    list.children[at].querySelector('dd')?.append(code);
  });
}

/** The lists with their headings. @param {string} name */
export function addressLists(name) {
  const notes = [gateway.isNeeded && gateway.secret ? t('secretInside') : '', gateway.playIsClosed ? t('playClosed') : ''].filter(Boolean);
  return [
    ...notes.map((text) => h('p', { class: 'quiet' }, text)),
    h('div', { class: 'groups' }, ...addresses(name).map(([title, rows]) => {
      const list = h('dl', { class: 'addresses' });
      withCodes(list, rows);
      return h('div', {}, h('h3', {}, title), list);
    })),
  ];
}

/** @param {string} name */
export const addressDialog = (name) => dialog(t('addressesOf', { name }), addressLists(name));
