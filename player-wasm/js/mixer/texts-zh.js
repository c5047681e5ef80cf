// The mixer's Chinese, which is fetched when somebody reads it.

/** @type {typeof import('./texts.js').ENGLISH} */
export const CHINESE = {
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
