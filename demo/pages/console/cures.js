// Cures for warnings of the gateway's log: the begin of the message, and what an operator does about it.

import { chinese } from './words.js';

/** @type {[begin: string, english: string, chinese: string][]} */
const CURES = [
  ['wrong secret', 'Somebody shows a wrong secret. If it is your encoder: copy server and key again. The gateway answers others late by itself; deny_ip keeps a network out.', '有人使用错误的密钥。如果是您的编码器：请重新复制服务器与串流密钥。网关会自动放慢应答；deny_ip 可禁止一个网段。'],
  ['wrong credential', 'Somebody shows a wrong key, token or signature. Was the key revoked, or is the site that makes tokens not in auth_jwks?', '有人使用错误的密钥、令牌或签名。密钥是否已撤销？签发令牌的站点是否在 auth_jwks 中？'],
  ['the limit of open files', 'Raise the limit: LimitNOFILE in the systemd unit, or ulimit -n before the start.', '请提高限制：systemd 单元中的 LimitNOFILE，或启动前执行 ulimit -n。'],
  ['ffmpeg is not in PATH', 'Install ffmpeg (apt install ffmpeg), or let publishers turn B-frames off.', '请安装 ffmpeg（apt install ffmpeg），或让推流者关闭 B 帧。'],
  ['ffmpeg', 'Look whether ffmpeg runs on this machine (ffmpeg -version), and whether memory and processor are free.', '请检查本机的 ffmpeg 能否运行（ffmpeg -version），以及内存与处理器是否空闲。'],
  ['this machine is too slow', 'Let publishers turn B-frames off, lower their resolution, or use a faster machine.', '请让推流者关闭 B 帧或降低分辨率，或使用更快的机器。'],
  ['no video encoder is free', 'Let publishers turn B-frames off: then nothing has to be encoded again.', '请让推流者关闭 B 帧：这样无需重新编码。'],
  ['token keys not loaded', 'The gateway cannot reach the site in auth_jwks. Open the address from this machine: certificate, firewall, redirects.', '网关无法访问 auth_jwks 中的站点。请在本机打开该地址：检查证书、防火墙与重定向。'],
  ['no usable token key', 'The site answers, but lists no key that the gateway knows: Ed25519, RSA or P-256.', '站点有应答，但没有网关支持的密钥：Ed25519、RSA 或 P-256。'],
  ['token key ignored', 'The site lists a key of another type: the gateway knows Ed25519, RSA and P-256.', '站点列出了其他类型的密钥：网关支持 Ed25519、RSA 与 P-256。'],
  ['the operator\'s secret is the publish secret', 'Choose another operator_secret, or remove the setting: the gateway makes one.', '请更换 operator_secret，或删除该设置：网关会自动生成。'],
  ['the operator\'s secret cannot be stored', 'Make the data folder writable for the gateway, or free some space.', '请让网关可以写入数据文件夹，或释放空间。'],
  ['other users can read this secret', 'chmod 600 the file that the line names.', '请对该行所示文件执行 chmod 600。'],
  ['all users of this machine can read', 'chmod 640 the settings file, and give it to the gateway\'s group.', '请对设置文件执行 chmod 640，并归属网关的用户组。'],
  ['the certificate', 'Renew the certificate. With ACME, the server section says what the authority answered; port 443 has to be reachable.', '请续期证书。使用 ACME 时，服务器部分会显示颁发机构的应答；443 端口必须可以访问。'],
  ['new certificate', 'The new files do not fit together: certificate and key have to be of one pair, in PEM form.', '新文件不匹配：证书与私钥必须成对，且为 PEM 格式。'],
  ['hook', 'Press Test at the hook: it shows the request and the answer. The back end has to answer 200 with 0 or {"code":0}.', '请在回调处按“测试”：会显示请求与应答。后端须以 200 应答 0 或 {"code":0}。'],
  ['forward', 'Look at the target in the stream\'s view: key, address, and whether the platform expects a stream now.', '请在流的视图中查看目标：密钥、地址，以及平台现在是否等待推流。'],
  ['stream not forwarded', 'There are as many forwards as allowed: raise forward_max, or remove some.', '转推数量已达上限：请提高 forward_max，或移除一些。'],
  ['stream not pulled', 'There are as many pulls as allowed: raise pull_max, or remove some.', '拉流数量已达上限：请提高 pull_max，或移除一些。'],
  ['pull disconnected', 'Open the source with a player from this machine: address, key, and whether it is live.', '请在本机用播放器打开源地址：检查地址、密钥以及是否正在直播。'],
  ['recording stopped', 'Free space: delete recordings, or lower record_keep or record_max.', '请释放空间：删除录像，或降低 record_keep 或 record_max。'],
  ['streams are not recorded', 'Make the folder of the recordings writable for the gateway.', '请让网关可以写入录像文件夹。'],
  ['recording', 'Look whether the folder of the recordings is writable, and the disk healthy.', '请检查录像文件夹是否可写，磁盘是否正常。'],
  ['settings not reloaded', 'Correct the settings file, and reload again. The old settings stay in force.', '请更正设置文件后重新加载。旧设置仍然有效。'],
  ['variable ignored', 'A misspelt variable, or one of Kubernetes: lianmai config --print lists the settings.', '变量拼写错误，或来自 Kubernetes：lianmai config --print 会列出所有设置。'],
  ['worker stalled', 'A processor core did not answer for some time. Is the machine overloaded, or was it suspended?', '一个处理器核心一段时间没有响应。机器是否过载或被挂起？'],
  ['cannot accept connections', 'The process has no free file: raise LimitNOFILE, or lower max_connections.', '进程没有可用的文件描述符：请提高 LimitNOFILE，或降低 max_connections。'],
  ['candidate\'s name', 'The name in candidate cannot be resolved: correct it, or use an address.', '无法解析 candidate 中的名称：请更正，或使用 IP 地址。'],
  ['job failed', 'The line says why. A job starts again by itself; Restart tries at once.', '原因见该行。任务会自动重启；按“重启”立即重试。'],
  ['slate not usable', 'The file has to be a picture or a clip that ffmpeg reads.', '文件必须是 ffmpeg 能读取的图片或视频。'],
  ['input of a mix', 'The mix goes on without it. Look at the stream\'s codec in its view.', '混流会继续，不含该输入。请在流的视图中查看其编码。'],
];

/** Returns the cure of a warning; an empty text if none is known. @param {string} message */
export function cureOf(message) {
  const [, english = '', own = ''] = CURES.find(([begin]) => message.startsWith(begin)) ?? [];
  return chinese ? own : english;
}

/** The begins, for the test that looks for them in the gateway's source. */
export const BEGINS = CURES.map(([begin]) => begin);
