// The pages' words: English stands in the HTML and here, Chinese here only.

const en = {
  watchTitle: 'Watch · Lianmai 连麦',
  copy: 'Copy',
  copied: 'Copied',
  copyOf: 'Copy: {name}',
  webrtc: 'WebRTC: browsers (with the player), a moment behind',
  rtmp: 'RTMP: VLC, ffplay, mpv',
  flv: 'HTTP-FLV: browsers (with the player), VLC',
  hls: 'HLS: phones, Safari, TV sets',
  server: 'Server',
  key: 'Stream key',
  command: 'Command',
  html: 'HTML',
  webPlayer: 'This gateway’s player',
  page: 'Link to this page',
  behind: '{seconds} s behind live',
  viewers: '{n} watching',
  connecting: 'Connecting…',
  waiting: 'Waiting for a publisher',
  buffering: 'Buffering…',
  reconnecting: 'Trying again…',
  paused: 'Paused',
  ended: 'Ended',
  away: 'publisher is away',
  statLatency: 'Behind live',
  statRtt: 'Round trip',
  statLoss: 'Packets lost',
  statBuffer: 'Buffered',
  statBitrate: 'Bit rate',
  statSize: 'Picture',
  statFps: 'Frames per second',
  statDropped: 'Dropped frames',
  statStalls: 'Stalls',
  statProtocol: 'Protocol',
  statCodecs: 'Codecs',
};

/** @type {Record<string, string>} */
const zh = {
  title: 'Lianmai 连麦：网页上的直播',
  skip: '跳到正文',
  pages: '页面',
  home: '直播',
  rooms: '房间',
  roomsTitle: '房间 · Lianmai 连麦',
  roomsText: '最多十人上麦聊天，其他人观看并发言。',
  watchTitle: '观看 · Lianmai 连麦',
  onStage: '上麦',
  player: '播放器',
  publisher: '开播',
  publisherTitle: '开播 · Lianmai 连麦',
  publisherHeading: '在本页开始直播',
  publishTo: '推流地址',
  source: '来源',
  camera: '摄像头',
  screen: '屏幕',
  soundOnly: '仅声音',
  way: '方式',
  automatic: '自动',
  insecure: '浏览器只允许 HTTPS 页面使用摄像头和麦克风。请打开：',
  certificate: '若浏览器提示证书未知：那是服务器自己生成的证书。',
  watchLive: '观看地址',
  fromPage: '摄像头、屏幕或麦克风，打开网页即可直播，无需安装。',
  goLive: '打开开播页面',
  examples: '可以照抄的页面：',
  asScript: '一行脚本',
  asModule: '模块',
  asBoth: '播放与推流并排',
  thisPage: '网页',
  watch: '随处观看',
  watchText: '一路流，所有播放器都能看。把地址粘贴到 VLC、ffplay 或浏览器即可。',
  streams: '正在直播',
  none: '现在没有人推流，来做第一个：',
  publish: '推送你自己的流',
  publishText: '用同一个流名会替换演示片段；换一个名字就是一路新的流。',
  secret: '此服务器要求推流密钥：请在串流密钥后加上 ?secret=…，服务器启动时会打印出来。',
  obsText: '设置 → 直播 → 服务选“自定义…”，填入下面两项。关键帧间隔设为 1 或 2 秒，打开画面更快。',
  ffmpegText: '任何 H.264 + AAC 文件，按播放速度推送。',
  embed: '放到你的网页',
  embedText: '任何网页只需两行：这个元素用起来就像 <video>。',
  api: '流列表（JSON）',
  metrics: '监控指标',
  health: '健康检查',
  playerTitle: '播放器 · Lianmai 连麦',
  playerHeading: '播放直播流',
  address: '流地址',
  play: '播放',
  stop: '停止',
  latency: '延迟',
  realtime: '尽可能低',
  low: '低',
  normal: '平稳',
  muted: '静音',
  onAir: '正在直播：',
  figures: '播放器数据',
  share: '用在别处',
  copy: '复制',
  copied: '已复制',
  copyOf: '复制：{name}',
  webrtc: 'WebRTC：浏览器（用本播放器），延迟最低',
  rtmp: 'RTMP：VLC、ffplay、mpv',
  flv: 'HTTP-FLV：浏览器（用本播放器）、VLC',
  hls: 'HLS：手机、Safari、电视',
  server: '服务器',
  key: '串流密钥',
  command: '命令',
  html: 'HTML',
  webPlayer: '本服务器的播放器',
  page: '本页链接',
  behind: '延迟 {seconds} 秒',
  viewers: '{n} 人观看',
  connecting: '正在连接…',
  waiting: '等待推流',
  buffering: '正在缓冲…',
  reconnecting: '正在重连…',
  paused: '已暂停',
  ended: '已结束',
  away: '推流中断',
  statLatency: '延迟',
  statRtt: '往返时间',
  statLoss: '丢包',
  statBuffer: '缓冲',
  statBitrate: '码率',
  statSize: '画面',
  statFps: '帧率',
  statDropped: '丢帧',
  statStalls: '卡顿',
  statProtocol: '协议',
  statCodecs: '编码',
};

const chinese = /^zh\b/i.test(new URLSearchParams(location.search).get('lang') ?? navigator.language);

/**
 * A text by its name.
 * @param {string} name
 * @param {Record<string, string | number>} [values] for what stands in braces
 */
export function t(name, values = {}) {
  /** @type {Record<string, string>} */
  const table = chinese ? zh : en;
  return (table[name] ?? '').replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ''));
}

/** Puts the page into Chinese, if that is the browser's language (or `?lang=zh`). */
export function translate() {
  if (!chinese) return;
  document.documentElement.lang = 'zh-CN';
  for (const player of document.querySelectorAll('srs-player, srs-publisher, srs-room-list, srs-audience, srs-chat')) player.setAttribute('lang', 'zh-CN');
  for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(node.getAttribute('data-t') ?? '');
  for (const node of document.querySelectorAll('[data-t-label]')) {
    node.setAttribute('aria-label', t(node.getAttribute('data-t-label') ?? ''));
  }
}
