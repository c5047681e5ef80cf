// The console's words in English; Chinese stands in words-zh.js, which is loaded only where it is needed.

const en = {
  console: 'Console',
  skip: 'Skip to the content',
  views: 'Views',
  live: 'Live',
  recordings: 'Recordings',
  keys: 'Keys',
  server: 'Server',
  logOut: 'Log out',
  lost: 'The gateway does not answer. Trying again…',
  missed: 'This browser was too slow: {n} events are missing.',

  logInTitle: 'Log in to the console',
  logInText: 'There is no password. Run this command on the gateway’s machine, and open the link that it prints. The link is valid once, for 10 minutes.',
  command: 'Command',
  link: 'Link or token',
  logIn: 'Log in',
  linkWrong: 'That is not a link of the console: it contains no token.',
  loggedOut: 'You are logged out.',

  streams_0: 'No streams',
  streams_1: '1 stream',
  streams_n: '{n} streams',
  viewers_0: 'no viewers',
  viewers_1: '1 viewer',
  viewers_n: '{n} viewers',
  cpu: 'CPU {n} %',
  memory: 'memory {n}',
  more: '{n} more streams are not listed here.',
  filter: 'Filter by name',
  noMatch: 'No stream has such a name.',

  nobody: 'Nobody is live',
  nobodyText: 'A stream appears here by itself as soon as somebody publishes it.',
  obs: 'With OBS',
  obsText: 'Settings → Stream → Service “Custom…”, then these two. Set the keyframe interval to 2 s.',
  browser: 'With this browser',
  browserText: 'Camera, screen or microphone. Nothing to install.',
  goLive: 'Open the publisher’s page',
  obsServer: 'OBS: server',
  obsKey: 'OBS: stream key',

  onAir: 'Live',
  awayFor: 'Publisher is away',
  liveFor: 'Live for {time}',
  by: '{agent} over {protocol} from {ip}',
  byNoIp: '{agent} over {protocol}',
  byUnknown: 'Unknown program',
  job: 'The gateway itself ({name})',
  itself: 'The gateway itself',
  nobodyWatches: 'Nobody watches',
  watching: '{viewers}: {list}',
  noVideo: 'no video',
  noAudio: 'no audio',
  fps: '{n} fps',
  badgeMix: 'Mix',
  badgeRoom: 'Room {name}',
  badgeRecorded: 'Recording',
  badgeSent: 'Sent on to {n}',
  badgeSentBad: 'Sending on fails: {n}',

  lookIn: 'Look in',
  lookInAt: 'Look in at {name}',
  closePicture: 'Close the picture',
  closePictureOf: 'Close the picture of {name}',
  addresses: 'Addresses…',
  addressesOf: 'Addresses of {name}',
  record: 'Record',
  recordIt: 'Record {name}',
  stopRecord: 'Stop recording',
  stopRecordOf: 'Stop recording {name}',
  sendOn: 'Send on…',
  sendOnOf: 'Send on… ({name})',
  stop: 'Stop…',
  stopOf: 'Stop {name}',
  close: 'Close',
  cancel: 'Cancel',

  stopTitle: 'Stop {name}?',
  stopText: 'The publisher’s connection ends. Most encoders connect again by themselves.',
  keepOut: 'Keep it out for',
  minutes: 'minutes',
  stopNow: 'Stop',
  kickTitle: 'End this viewer’s connection?',
  kickNow: 'End',
  stopped: '{name} was stopped.',
  ended: 'The connection has ended.',

  amissKeys: 'A key frame only every {n} s: viewers wait for the picture, and HLS lags. Set the keyframe interval to 2 s in the encoder.',
  amissOrder: 'B-frames: WebRTC viewers need the video encoded again, which costs a part of a core. Turn B-frames off in the encoder.',
  amissAway: 'Viewers wait for the publisher for {n} s more.',
  amissAwayNow: 'The stream ends if the publisher does not come back now.',
  amissAudio: 'There is no audio. If that is not on purpose, look at the audio source of the encoder.',
  amissRate: 'The bit rate swings between {low} and {high}: the publisher’s network or encoder is not steady.',
  amissNone: 'Nothing arrives from the publisher at the moment.',

  toPublish: 'To publish',
  toWatch: 'To watch',
  forPages: 'For pages',
  whip: 'WHIP (OBS 30 and later, browsers)',
  ffmpeg: 'FFmpeg',
  publisherPage: 'Publisher’s page',
  playerPage: 'Player’s page',
  webrtc: 'WebRTC',
  flv: 'HTTP-FLV',
  hls: 'HLS',
  rtmp: 'RTMP',
  element: 'HTML: player',
  wpPlayer: 'WordPress: player',
  wpPublisher: 'WordPress: publisher',
  secretInside: 'The addresses to publish contain the publish secret. Give single people keys instead, which can be revoked.',
  playClosed: 'Viewers need a token, a key or the viewers’ secret too.',
  code: 'QR code',
  codeOf: 'QR code: {name}',
  noCode: 'The code cannot be drawn: the address is too long, or the gateway does not answer.',

  back: 'All streams',
  gone: '{name} is not live',
  goneText: 'The stream has ended, or nobody has published it yet.',
  publisher: 'Publisher',
  viewers: 'Viewers',
  events: 'Events of the last hour',
  noEvents: 'Nothing has happened in the last hour.',
  address: 'Address',
  how: 'How',
  who: 'Who',
  since: 'Since',
  behind: 'Behind',
  missedItems: 'Missed',
  rate: 'Rate',
  program: 'Program',
  action: 'Action',
  end: 'End…',
  endOf: 'End the connection of {name}',
  andMore: 'and {n} more',
  mixOf: 'Inputs of the mix',
  mixText: '{fps} fps, {cpu} % of a core, encoder {ms} ms, quality {quality}',
  mixLimit: 'limited by {why}',
  input: 'Input',
  state: 'State',
  delay: 'Delay',
  drops: 'Left out',
  level: 'Level',
  targets: 'Sent on to',
  noTargets: 'Not sent on to anywhere.',
  target: 'Target',
  lastWords: 'Last message',
  remove: 'Remove',
  removeOf: 'Remove {name}',
  sendTo: 'Address of the target',
  sendToHint: 'rtmp://, rtmps:// or https:// (WHIP), with its stream key. It is stored on the server, and not shown again.',
  add: 'Add',
  added: 'Added.',
  removed: 'Removed.',

  absent: 'This gateway does not offer that: {what}. A newer version may.',
  absentRecords: 'recordings',
  absentHooks: 'hooks',
  absentServer: 'certificate, disk and settings',
  none: 'None.',
  failed: 'That did not work: {why}',

  noRecords: 'There are no recordings.',
  recordsText: 'Recordings are made of streams that the setting names, or that are started here.',
  recordingNow: 'recording now',
  storedToo: 'in the object store, too',
  storedOnly: 'in the object store',
  uploading: 'waits for upload',
  uploadFailed: 'Not uploaded: {why}',
  uploadAgain: 'Upload again',
  uploadAgainOf: 'Upload {name} again',
  play: 'Play',
  playOf: 'Play {name}',
  download: 'Download',
  downloadOf: 'Download {name}',
  pin: 'Keep',
  unpin: 'Do not keep',
  pinOf: 'Keep {name}',
  unpinOf: 'Do not keep {name}',
  kept: 'kept',
  remove1: 'Delete…',
  removeRecordOf: 'Delete {name}',
  deleteTitle: 'Delete this recording?',
  deleteNow: 'Delete',
  disk: '{free} free of {all}',

  secretTitle: 'The publish secret',
  secretText: 'Whoever has it may publish every stream.',
  secretNone: 'Publishing needs no secret here: this gateway serves its own machine, or everybody may publish.',
  show: 'Show',
  hide: 'Hide',
  secret: 'Secret',
  secretSet: 'It is a setting (secret): change it there, and reload the settings.',
  renew: 'New secret…',
  renewTitle: 'Make a new publish secret?',
  renewText: 'Encoders with the old one are refused from now on. Those that publish now go on until they end or lose their connection: stop them in the view Live.',
  renewKeys: 'Everybody who streams with the secret needs the new stream key. Keys of people stay valid.',
  renewNow: 'Make a new secret',
  renewed: 'The publish secret is new.',
  sites: 'Trusted sites',
  sitesText: 'Tokens that these sites sign let people in (setting auth_jwks).',
  site: 'Site',
  siteOwn: 'This gateway’s own key',
  siteKeys: 'Keys',
  asked: 'Last asked',
  siteGood: 'trusted',
  siteNone: 'no keys yet',
  operateVerb: 'operate',
  keysTitle: 'Keys for people and encoders',
  keysText: 'A key lets one person publish or watch some streams until you revoke it. Revoking ends its connections at once.',
  keyName: 'Name',
  keyStreams: 'Streams',
  keyStreamsHint: 'live/anna, live/* or *',
  mayPublish: 'may publish',
  mayPlay: 'may watch',
  makeKey: 'Make a key',
  keyMade: 'The key of {name}. It is shown now only: copy what you need.',
  keyItself: 'Key',
  guestLink: 'Link for a guest: publish with a browser',
  watchLink: 'Link to watch',
  used: 'Last used',
  never: 'never',
  made: 'Made',
  may: 'May',
  revoke: 'Revoke…',
  revokeOf: 'Revoke the key of {name}',
  revokeTitle: 'Revoke the key of {name}?',
  revokeText: 'Its connections end at once.',
  revokeNow: 'Revoke',
  noKeys: 'There are no keys.',
  logins: 'Logged-in browsers',
  loginsText: 'A login lasts 30 days. End those that you do not know.',
  thisBrowser: 'this browser',
  endLogin: 'End',
  endLoginOf: 'End the login of {name}',
  until: 'Until',

  aboutServer: 'This gateway',
  version: 'Version',
  uptime: 'Running for',
  cpuNow: 'CPU',
  cpuOf: '{n} % of one core',
  memoryNow: 'Memory',
  connections: 'Connections',
  load: 'Load of the machine',
  ports: 'Ports',
  certificate: 'Certificate',
  certIssuer: 'From',
  certNames: 'Names',
  certDays: 'Days left',
  cert_own: 'the gateway itself: browsers warn',
  cert_files: 'files',
  cert_acme: 'ACME',
  diskTitle: 'Disk',
  settings: 'Settings in force',
  setting: 'Setting',
  value: 'Value',
  bans: 'Kept out',
  noBans: 'Nobody is kept out.',
  lift: 'Let in again',
  liftOf: 'Let {name} in again',
  left: 'Time left',
  jobs: 'Jobs',
  noJobs: 'No jobs.',
  restarts: 'Restarts',
  restart: 'Restart',
  restartOf: 'Restart {name}',
  hooks: 'Hooks',
  hookAnswer: 'Last answer',
  hookTest: 'Test',
  hookTestOf: 'Test {name}',
  hookRequest: 'Request',
  hookReply: 'Answer',
  hookTook: 'Answered with status {status} after {ms} ms.',
  hookNone: 'No answer: {why}',
  warnings: 'Warnings of the log',
  noWarnings: 'No warnings since the start.',
  logWarning: 'Warning',
  logError: 'Error',
  reload: 'Reload the settings',
  reloadAbsent: 'This gateway reloads its settings by a signal only: systemctl reload lianmai, or kill -HUP.',
  reloadChanged: 'In force now: {names}.',
  reloadSame: 'Nothing has changed.',
  reloadRestart: 'These need a restart: {names}.',

  f_started: '{stream} is live',
  f_resumed: '{stream} goes on',
  f_paused: '{stream}: the publisher is away',
  f_ended: '{stream} has ended',
  f_publisher_came: '{stream}: a publisher connected over {protocol} from {ip} {name}',
  f_publisher_left: '{stream}: the publisher left: {reason}',
  f_refused_publish: '{stream}: a publisher from {ip} was refused: {reason}',
  f_refused_play: '{stream}: a viewer from {ip} was refused: {reason}',
  f_kicked_publish: '{stream}: an operator ended the publisher at {ip}',
  f_kicked_play: '{stream}: an operator ended a viewer at {ip}',
  f_kicked_out: '{text}, and keeps it out for {count} min',
  f_ban_lifted: 'An operator let somebody in again',
  f_key_made: 'Key made: {name}',
  f_key_revoked: 'Key revoked: {name}',
  f_secret_replaced: 'An operator made a new publish secret',
  f_logged_in: '{name} logged in to the console from {ip}',
  f_login_refused: 'A login to the console from {ip} was refused: {reason}',
  f_login_ended: 'A login to the console was ended',
  f_other: '{what} {stream} {reason}',

  onAirFor: 'Live · {time}',
  addressesTitle: 'Addresses',
  recordsUse: 'Recordings use {size}',
  diskFree: '{free} are free on the disk',
  publishVerb: 'publish',
  watchVerb: 'watch',
  mayNot: 'May not',
  job1: 'Job',
  hookCounts: '{delivered} delivered, {waiting} waiting, {failed} failed, {given_up} given up',
  s_live: 'live',
  s_card: 'name card',
  s_waiting: 'waiting',
  s_failed: 'failed',
  s_running: 'running',
  s_ended: 'ended',
  s_connecting: 'connecting',
  s_sending: 'sending',
  s_retrying: 'trying again',
  s_refused: 'refused',
  i_token: 'token',
  i_secret: 'secret',
  i_local: 'this machine',
  i_open: 'anybody',
  i_seat: 'room',
  i_operator: 'console',
  i_job: 'gateway',

  time_s: '{n} s',
  time_min: '{n} min',
  time_h: '{h} h {min} min',
  time_d: '{d} d {h} h',
};

/** Whether the page is in Chinese. */
export const chinese = /^zh\b/i.test(new URLSearchParams(location.search).get('lang') ?? navigator.language);
/** @type {Record<string, string>} */
const table = chinese ? (await import('./words-zh.js')).zh : en;

/** For the test that compares both tables. */
export const english = en;

/**
 * A text by its name.
 * @param {string} name
 * @param {Record<string, string | number>} [values] for what stands in braces
 */
export function t(name, values = {}) {
  const text = table[name] ?? /** @type {Record<string, string>} */ (en)[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ''));
}

/** A text that counts. @param {string} name @param {number} n */
export const count = (name, n) => t(`${name}_${n === 0 ? 0 : n === 1 ? 1 : 'n'}`, { n });

/** A word of the gateway in this language; words that are not known stay. @param {string} kind @param {string} word */
function known(kind, word) {
  const text = t(`${kind}_${word}`);
  return text === `${kind}_${word}` ? word : text;
}
/** A state of a job, a target or an input. @param {string} word */
export const state = (word) => known('s', word);
/** How a client was let in. @param {string} word */
export const identity = (word) => known('i', word);

/** A duration. @param {number} ms */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const min = Math.floor(s / 60);
  const hours = Math.floor(min / 60);
  if (s < 60) return t('time_s', { n: s });
  if (min < 60) return t('time_min', { n: min });
  if (hours < 48) return t('time_h', { h: hours, min: min % 60 });
  return t('time_d', { d: Math.floor(hours / 24), h: hours % 24 });
}

/** A rate. @param {number} kbps */
export const rate = (kbps) => (kbps < 1000 ? `${Math.round(kbps)} kb/s` : `${(kbps / 1000).toFixed(1)} Mb/s`);

/** A size. @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

const language = chinese ? 'zh-CN' : undefined;
/** A date and time. @param {number} ms since 1970 */
export const moment = (ms) => new Date(ms).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
/** A time of day. @param {number} ms since 1970 */
export const clock = (ms) => new Date(ms).toLocaleTimeString(language);
/** A day. @param {number} ms since 1970 */
export const day = (ms) => new Date(ms).toLocaleDateString(language, { dateStyle: 'full' });
