// The page at `/rooms/NAME/watch`: a room for people without a seat.

import { $, ROOT } from './site.js';
import { t, translate } from './words.js';

const [, name = ''] = /\/rooms\/([^/]+)\/watch\/?$/.exec(location.pathname) ?? [];
const room = decodeURIComponent(name);
// The invitation is in the fragment, which browsers do not send to the server.
const invite = new URLSearchParams(location.hash.slice(1)).get('invite');
const audience = $('audience');
audience.setAttribute('server', ROOT.href.replace(/\/$/, ''));
if (invite) audience.setAttribute('invite', invite);
audience.setAttribute('room', room);

$('stage').setAttribute('href', new URL(`rooms/${name}`, ROOT).href);
translate();
if (room) document.title = `${room} · ${t('watchTitle') || document.title}`;
