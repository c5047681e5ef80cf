// The nodes of a cluster: their load, and a button that drains one.

import { call, refusal } from './api.js';
import { announce, button, dialog, h, say, show, table } from './dom.js';
import { duration, t } from './words.js';

/** @typedef {{ node: string, answered: boolean, own: boolean, region?: string, version?: string, uptime_s?: number,
 *   publishers?: number, viewers?: number, relays?: number, draining?: boolean }} Node */

/** The state of a node in words. @param {Node} node */
const state = (node) => t(!node.answered ? 'nodeSilent' : node.draining ? 'nodeDraining' : 'nodeServes');

/** Asks before a node is drained. @param {Node} node @param {() => void} changed */
function askToDrain(node, changed) {
  dialog(t('drainOf', { name: node.node }), [h('p', {}, t('drainText'))], {
    label: t('drain'),
    press: async () => {
      const answer = await call('POST', `api/v1/drain?node=${encodeURIComponent(node.node)}`);
      if (!answer.ok) return refusal(answer);
      changed();
    },
  });
}

/** @param {Node} node @param {() => void} changed */
async function serveAgain(node, changed) {
  const answer = await call('DELETE', `api/v1/drain?node=${encodeURIComponent(node.node)}`);
  announce(answer.ok ? t('nodeServes') : refusal(answer));
  changed();
}

/** The table of nodes, in which a node stays in its place. @param {() => void} changed */
export function nodeTable(changed) {
  const columns = ['node', 'region', 'state', 'nodePublishers', 'nodeViewers', 'nodeRelays', 'version', 'uptime', 'action'].map((name) => t(name));
  return table(t('nodes'), columns, (node) => node.node, (/** @type {Node} */ first) => {
    let node = first;
    const act = button('', () => (node.draining ? serveAgain(node, changed) : askToDrain(node, changed)));
    const name = first.own ? t('nodeOwn', { name: first.node }) : first.node;
    return { cells: [name, '', '', '', '', '', '', '', act], update: (now, cells) => {
      node = now;
      const number = (/** @type {number | undefined} */ n) => (n === undefined ? '–' : String(n));
      const texts = [now.region || '–', state(now), number(now.publishers), number(now.viewers), number(now.relays),
        now.version ?? '–', now.uptime_s === undefined ? '–' : duration(now.uptime_s * 1000)];
      texts.forEach((text, at) => say(cells[at + 1], text));
      cells[2].classList.toggle('amiss', !now.answered || now.draining === true);
      say(act, t(now.draining ? 'drainEnd' : 'drain'));
      act.setAttribute('aria-label', t(now.draining ? 'drainEndOf' : 'drainOf', { name: now.node }));
      show(act, now.answered);
    } };
  });
}
