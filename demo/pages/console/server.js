// The view of the server: version, load, certificate, warnings, bans, jobs, hooks, settings, events.

import { call, isAbsent, refusal } from './api.js';
import { announce, button, dialog, h, keyed, say, section, show, table } from './dom.js';
import { hookTable } from './hooks.js';
import { nodeTable } from './nodes.js';
import { facts, figures } from './state.js';
import { fact } from './stream.js';
import * as words from './words.js';
import { warnings } from './warnings.js';
import { duration, moment, size, t } from './words.js';

const EVERY_MS = 5000;
/** Events that are listed. */
const MAX_EVENTS = 100;

/** A list of names and values that stays in place. @param {string} label */
function values(label) {
  const node = h('dl', { class: 'figures', 'aria-label': label });
  const update = keyed(node, ([name]) => name, (/** @type {[string, string]} */ [name]) => {
    const value = h('dd');
    return { node: h('div', {}, h('dt', {}, name), value), update: ([, text]) => say(value, text) };
  });
  return { node, update: (/** @type {[string, string][]} */ rows) => update(rows.filter(([, text]) => text !== '')) };
}

/** @param {HTMLElement} main */
export function server(main) {
  const about = values(t('aboutServer'));
  const certificate = values(t('certificate'));
  const settings = table(t('settings'), [t('setting'), t('value')], ([name]) => name, (/** @type {[string, string]} */ [name]) => ({
    cells: [name, ''], update: ([, value], cells) => say(cells[1], value),
  }));
  const noServer = h('p', { class: 'notice', hidden: '' }, t('absent', { what: t('absentServer') }));
  const bans = banTable(() => ask());
  const noBans = h('p', { class: 'quiet' }, t('noBans'));
  const nodes = nodeTable(() => ask());
  const nodeSection = section(t('nodes'), nodes.node);
  show(nodeSection, false);
  const jobs = jobTable(() => ask());
  const noJobs = h('p', { class: 'quiet' }, t('noJobs'));
  const hooks = hookTable(() => ask());
  const log = warnings();
  const noHooks = h('p', { class: 'quiet' });
  const happened = h('ol', { class: 'events' });
  const nothing = h('p', { class: 'quiet' }, t('noEvents'));
  const certificateSection = section(t('certificate'), certificate.node);
  const settingsSection = h('section', {}, h('details', {}, h('summary', {}, h('h2', {}, t('settings'))), settings.node));
  main.replaceChildren(
    h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, t('server')), button(t('reload'), reload)),
    section(t('aboutServer'), about.node, noServer), nodeSection, certificateSection,
    section(t('warnings'), log.node, log.none),
    section(t('bans'), bans.node, noBans),
    section(t('jobs'), jobs.node, noJobs),
    section(t('hooks'), hooks.node, noHooks),
    section(t('events'), happened, nothing),
    settingsSection,
  );
  const events = keyed(happened, ({ number }) => String(number), fact);
  /** @type {any} */
  let known = {};
  /** @type {any} */
  let versions = {};

  async function ask() {
    if (document.hidden) return;
    const [own, summary, version, banned, running, hooked, logged, cluster] = await Promise.all(
      ['server', 'summaries', 'versions', 'bans', 'jobs', 'hooks', 'log', 'nodes'].map((name) => call('GET', `api/v1/${name}`)));
    if (summary.ok) known = summary.data.data;
    if (version.ok) versions = version.data.data;
    show(noServer, isAbsent(own));
    showServer(own.ok ? own.data.data : {});
    if (banned.ok) bans.update(banned.data.bans);
    show(bans.node, banned.data.bans?.length);
    show(noBans, banned.ok && !banned.data.bans.length);
    // A gateway alone has none.
    if (cluster.ok) nodes.update(cluster.data.nodes);
    show(nodeSection, cluster.data.nodes?.length);
    if (running.ok) jobs.update(running.data.jobs);
    show(jobs.node, running.data.jobs?.length);
    show(noJobs, running.ok && !running.data.jobs.length);
    const list = hooked.ok ? hooked.data.hooks ?? [] : [];
    hooks.update(list);
    show(hooks.node, list.length);
    say(noHooks, isAbsent(hooked) ? t('absent', { what: t('absentHooks') }) : t('none'));
    show(noHooks, !list.length);
    if (logged.ok) log.update(logged.data.lines);
    update();
  }

  /** @type {[string, string][]} */
  let more = [];
  /** @param {any} own */
  function showServer(own) {
    const cert = own.certificate;
    show(certificateSection, cert);
    if (cert) {
      certificate.update([
        [t('certIssuer'), t(`cert_${cert.source}`)],
        [t('certNames'), cert.names.join(', ')],
        [t('until'), cert.expires_ms ? moment(cert.expires_ms) : ''],
        [t('certDays'), cert.days_left === null ? '' : String(cert.days_left)],
        [t('lastWords'), cert.acme_error ?? ''],
      ]);
    }
    const { disk } = own;
    const [free, all] = [disk?.free_bytes, disk?.total_bytes];
    more = free == null ? [] : [[t('diskTitle'), t('disk', { free: size(free), all: size(all) })]];
    const set = Object.entries(own.settings ?? {}).map(([name, value]) => /** @type {[string, string]} */ ([name, typeof value === 'string' ? value : JSON.stringify(value)]));
    settings.update(set);
    show(settingsSection, set.length);
  }

  function update() {
    const { self: own, system } = known;
    about.update([
      [t('version'), own?.version ?? ''],
      [t('uptime'), own ? duration(own.srs_uptime * 1000) : ''],
      [t('cpuNow'), figures?.cpu_percent == null ? '' : t('cpuOf', { n: figures.cpu_percent })],
      [t('memoryNow'), figures ? size(figures.memory_bytes) : ''],
      [t('connections'), figures ? String(figures.connections) : ''],
      [t('load'), system ? `${system.load_1m} / ${system.cpus}` : ''],
      [t('ports'), [versions.rtmp_port && `RTMP ${versions.rtmp_port}`, versions.https_port && `HTTPS ${versions.https_port}`].filter(Boolean).join(', ')],
      ...more,
    ]);
    const list = facts.slice(-MAX_EVENTS).reverse();
    events(list);
    show(nothing, !list.length);
  }
  void ask();
  const timer = setInterval(ask, EVERY_MS);
  return { update, end: () => clearInterval(timer) };
}

/** Has the gateway read its settings again, and tells what changed. */
async function reload() {
  const answer = await call('POST', 'api/v1/reload');
  const words = (/** @type {unknown} */ list) => (Array.isArray(list) ? list.join(', ') : '');
  const { changed, needs_restart: restart, failed } = answer.data.data ?? {};
  dialog(t('reload'), isAbsent(answer) ? [h('p', {}, t('reloadAbsent'))] : !answer.ok ? [h('p', { class: 'wrong' }, refusal(answer))] : [
    h('p', {}, words(changed) ? t('reloadChanged', { names: words(changed) }) : t('reloadSame')),
    ...(words(restart) ? [h('p', { class: 'amiss' }, t('reloadRestart', { names: words(restart) }))] : []),
    ...(words(failed) ? [h('p', { class: 'wrong' }, t('failed', { why: words(failed) }))] : []),
  ]);
}

/** Describes a banned client. @param {any} ban */
const banned = (ban) => ban.subject ?? ban.key ?? ban.seat ?? ban.ip ?? '–';

/** @param {() => void} changed */
function banTable(changed) {
  const columns = ['who', 'mayNot', 'keyStreams', 'left', 'action'].map((name) => t(name));
  return table(t('bans'), columns, (ban) => ban.id, (/** @type {any} */ ban) => {
    const lift = button(t('lift'), async () => {
      const answer = await call('DELETE', `api/v1/bans/${ban.id}`);
      announce(answer.ok ? t('removed') : refusal(answer));
      changed();
    }, t('liftOf', { name: banned(ban) }));
    const act = t(ban.act === 'publish' ? 'publishVerb' : 'watchVerb');
    return { cells: [banned(ban), act, ban.stream ?? '*', '', lift], update: (now, cells) => say(cells[3], duration(now.seconds_left * 1000)) };
  });
}

/** @param {() => void} changed */
function jobTable(changed) {
  const columns = ['job1', 'target', 'state', 'made', 'restarts', 'lastWords', 'action'].map((name) => t(name));
  return table(t('jobs'), columns, (job) => job.id, (/** @type {any} */ job) => {
    const restart = button(t('restart'), async () => {
      const answer = await call('POST', `api/v1/jobs/${job.id}/restart`);
      announce(answer.ok ? t('added') : refusal(answer));
      changed();
    }, t('restartOf', { name: `${job.kind} ${job.target}` }));
    return { cells: [job.kind, job.target, '', moment(job.since_ms), '', '', restart], update: (now, cells) => {
      say(cells[2], words.state(now.state));
      say(cells[4], String(now.restarts));
      say(cells[5], now.failure ?? '–');
    } };
  });
}
