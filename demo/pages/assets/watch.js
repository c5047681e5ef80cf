// The page at `/rooms/NAME/watch`: a room for those without a seat.

import { $, ROOT, h } from './site.js';
import { t, translate } from './words.js';

const [, name = ''] = /\/rooms\/([^/]+)\/watch\/?$/.exec(location.pathname) ?? [];
const room = decodeURIComponent(name);
/** @type {Record<string, string>} */
const attributes = { room, server: ROOT.href.replace(/\/$/, '') };
// An invitation is in the fragment, which the server's log does not see.
const invite = new URLSearchParams(location.hash.slice(1)).get('invite');
if (invite) attributes.invite = invite;

$('stage').setAttribute('href', new URL(`rooms/${name}`, ROOT).href);
$('main').append(h('srs-audience', attributes));
translate();
if (room) document.title = `${room} · ${t('watchTitle') || document.title}`;
