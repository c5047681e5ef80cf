// The pages at `/rooms/NAME` and `/rooms/NAME/scene`: shows the room in the address.

import { ROOT, gateway } from './site.js';

/** @typedef {HTMLElement & { invite: string, page: string, secureAddress: string }} Room */
const room = /** @type {Room} */ (document.getElementById('room'));
const { pathname, hash, search } = location;
const [, name = ''] = /\/rooms\/([^/]+)/.exec(pathname) ?? [];
const decoded = decodeURIComponent(name);
const query = new URLSearchParams(search);
const scene = room.hasAttribute('scene');

room.setAttribute('server', ROOT.href);
room.page = new URL(`rooms/${name}`, ROOT).href;
// Browsers do not send the fragment to a server. It stays in the address, so that a reload finds it again.
const invite = new URLSearchParams(hash.slice(1)).get('invite');
if (invite) room.invite = invite;
for (const attribute of scene ? ['layout', 'secret'] : ['layout', 'name', 'as', 'secret']) {
  const value = query.get(attribute);
  if (value) room.setAttribute(attribute, value);
}
if (scene && query.has('names') && query.get('names') !== '0') room.setAttribute('names', '');
document.title = `${decoded} · Lianmai 连麦`;
const title = document.getElementById('title');
if (title) title.textContent = decoded;
// Set the room last: this attribute starts the element.
room.setAttribute('room', decoded);

if (!scene && !globalThis.isSecureContext) void gateway().then(({ https }) => {
  if (!https) return;
  const secure = new URL(location.href);
  secure.protocol = 'https:';
  secure.port = String(https);
  room.secureAddress = secure.href;
});
