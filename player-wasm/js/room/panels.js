// The panels beside the stage, but for the chat: loaded when one is opened.

import { Invite } from './invite.js';
import { LivePanel } from './live.js';
import { PANEL_CSS } from './panel-style.js';
import { People } from './people.js';
import { Settings } from './settings.js';

/**
 * Makes the panels of a room.
 * @param {import('./session.js').RoomSession} session
 * @param {{ page: () => string, credentials: () => import('../net/token-ask.js').Token, open: (name: 'invite' | 'live') => void, render: () => void }} act
 *   `page`: the address for guests; `credentials`: a token or the secret; `open` opens another panel; `render` has the
 *   view rendered
 */
export function panels(session, { page, credentials, open, render }) {
  const settings = new Settings(session);
  settings.dispatch = render;
  return { style: PANEL_CSS, people: new People(session, open), settings, invite: new Invite(session, page, render), live: new LivePanel(session, page, credentials, render) };
}
