// The player's words. English and Chinese; the element's `lang` attribute wins over the browser.

const en = {
  player: 'Video player',
  play: 'Play',
  pause: 'Pause',
  mute: 'Mute',
  unmute: 'Unmute',
  volume: 'Volume',
  live: 'Live',
  goLive: 'Go to live',
  fullscreen: 'Full screen',
  exitFullscreen: 'Leave full screen',
  pip: 'Picture in picture',
  stats: 'Statistics',
  sound: 'Tap for sound',
  retry: 'Try again',
  connecting: 'Connecting…',
  waiting: 'Waiting for the stream…',
  buffering: 'Buffering…',
  reconnecting: 'Trying again…',
  ended: 'The stream has ended.',
  paused: 'Paused',
  // Errors, by code; the engine brings English sentences of its own.
  'bad-url': 'This is not an address of a stream: {detail}',
  'unsupported-protocol': 'Browsers cannot play {detail} addresses.',
  instead: 'The same stream for a browser: {detail}',
  engine: 'The player could not be loaded.',
  // Statistics.
  latency: 'Latency',
  buffer: 'Buffer',
  bitrate: 'Bit rate',
  dropped: 'Dropped / decoded',
  protocol: 'Protocol',
  size: 'Picture',
  fps: 'Frames per second',
  codecs: 'Codecs',
  rtt: 'Round trip / loss',
  rate: 'Speed',
  stalls: 'Stalls',
  reconnects: 'Reconnects',
};

/** @type {Record<string, string>} */
const zh = {
  player: '视频播放器',
  play: '播放',
  pause: '暂停',
  mute: '静音',
  unmute: '取消静音',
  volume: '音量',
  live: '直播',
  goLive: '回到直播',
  fullscreen: '全屏',
  exitFullscreen: '退出全屏',
  pip: '画中画',
  stats: '统计信息',
  sound: '点击开启声音',
  retry: '重试',
  connecting: '正在连接…',
  waiting: '等待直播开始…',
  buffering: '正在缓冲…',
  reconnecting: '正在重连…',
  ended: '直播已结束。',
  paused: '已暂停',
  'bad-url': '这不是直播流地址：{detail}',
  'unsupported-protocol': '浏览器无法播放 {detail} 地址。',
  instead: '同一路流的浏览器地址：{detail}',
  engine: '播放器加载失败。',
  'audio-unsupported': '此浏览器无法播放该流的声音，仅播放画面。',
  'autoplay-blocked': '浏览器要求先点击才能播放声音。',
  closed: '服务器关闭了连接。',
  'codec-unsupported': '此浏览器不支持该流的编码。',
  forbidden: '服务器不允许播放该流。',
  http: '服务器返回了错误。',
  'media-error': '浏览器无法解码该流。',
  network: '无法连接服务器。',
  'no-mse': '此浏览器无法播放直播流。',
  'no-worker': '播放器未使用 Worker 运行。',
  'no-webrtc': '无法建立 WebRTC 连接。',
  'not-found': '直播尚未开始。',
  stalled: '没有收到服务器的数据。',
  'unsupported-format': '播放器无法识别该流的格式。',
  latency: '延迟',
  buffer: '缓冲',
  bitrate: '码率',
  dropped: '丢帧 / 解码',
  protocol: '协议',
  size: '画面',
  fps: '帧率',
  codecs: '编码',
  rtt: '往返 / 丢包',
  rate: '倍速',
  stalls: '卡顿',
  reconnects: '重连',
};

/**
 * The words for a language tag: a function from a word's name, or an error's code, to text. What it
 * does not know is empty.
 * @param {string} [tag] such as `zh-CN`; none: the browser's language
 */
export function words(tag) {
  /** @type {Record<string, string>} */
  const table = /^zh\b/i.test(tag || globalThis.navigator?.language || '') ? zh : en;
  return (/** @type {string} */ word, detail = '') => (table[word] ?? '').replace('{detail}', () => detail);
}
