// The mixer's texts.

import { texts } from '../ui/texts.js';

const ENGLISH = {
  mixer: 'Browser mix',
  start: 'Start the mix',
  stop: 'Stop',
  idle: '',
  connecting: 'Connecting…',
  reconnecting: 'The connection was interrupted. Reconnecting…',
  live: 'Live: {detail} inputs',
  ended: 'The mix has ended.',
  'sound-suspended': 'The browser holds the audio back: click anywhere on this page.',
  fallback: 'WebRTC does not work here. The mix is sent over a WebSocket instead.',
  'too-many': 'A mix has up to {detail} inputs; further ones are left out.',
  'bad-size': 'A mix cannot have this size: {detail}. Both numbers must be even, and at most 1920×1080.',
  'bad-layout': 'This layout is not possible: {detail}',
  'no-output': 'The mix has no address to go to: the attribute output is missing.',
  insecure: 'A browser mixes only on pages opened over HTTPS: {detail}',
  'bad-url': 'This is not an address to publish to: {detail}',
  'no-h264': 'This browser or the server cannot send H.264, which viewers need. Try Chrome or Edge.',
  'no-webrtc': 'There is no server for WebRTC at this address.',
  busy: 'Somebody is already live under this name. Take another name, or wait until they stop.',
  forbidden: 'The server wants its secret, or a token, from those who publish.',
  network: 'The server cannot be reached. Is it running, and is the address right?',
  ice: 'The media does not get through to the server: a firewall blocks UDP and TCP.',
  http: 'The server answered with an error: {detail}',
  engine: 'The mixer could not be started: {detail}',
};

/** @type {typeof ENGLISH} */
const CHINESE = {
  mixer: '浏览器混流',
  start: '开始混流',
  stop: '停止',
  idle: '',
  connecting: '正在连接…',
  reconnecting: '连接已中断，正在重新连接…',
  live: '直播中：{detail} 路输入',
  ended: '混流已结束。',
  'sound-suspended': '浏览器暂停了声音：请点击本页任意位置。',
  fallback: '此处无法使用 WebRTC，混流改经 WebSocket 发送。',
  'too-many': '混流最多 {detail} 路输入，其余的不显示。',
  'bad-size': '混流不能用这个尺寸：{detail}。宽高须为偶数，且不超过 1920×1080。',
  'bad-layout': '无法使用此布局：{detail}',
  'no-output': '没有推流地址：缺少 output 属性。',
  insecure: '浏览器只在通过 HTTPS 打开的页面上混流：{detail}',
  'bad-url': '这不是可以推流的地址：{detail}',
  'no-h264': '此浏览器或服务器无法发送观众所需的 H.264。请使用 Chrome 或 Edge。',
  'no-webrtc': '此地址没有 WebRTC 服务器。',
  busy: '已有人在用这个名称直播。请换一个名称，或等对方结束。',
  forbidden: '服务器要求推流者提供密钥或令牌。',
  network: '无法连接服务器。请检查服务器是否运行、地址是否正确。',
  ice: '媒体无法到达服务器：防火墙拦截了 UDP 和 TCP。',
  http: '服务器返回错误：{detail}',
  engine: '无法启动混流：{detail}',
};

/** The texts for a language tag such as `zh-CN`. */
export const words = texts(ENGLISH, () => CHINESE);
