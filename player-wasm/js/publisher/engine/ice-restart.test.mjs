// ICE restarts: the texts that go out and come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fragment, restarted } from './ice-restart.js';

const OFFER = 'v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 RTP/SAVPF 111\r\na=ice-ufrag:new\r\na=ice-pwd:word\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\nm=video 9 RTP/SAVPF 96\r\na=ice-ufrag:new\r\na=ice-pwd:word\r\na=mid:1\r\n';
const ANSWER = 'v=0\r\na=ice-lite\r\nm=audio 9 RTP/SAVPF 111\r\na=candidate:9 1 udp 1 10.0.0.9 8000 typ host ufrag old\r\na=end-of-candidates\r\na=ice-ufrag:old\r\na=ice-pwd:past\r\na=mid:0\r\nm=video 9 RTP/SAVPF 96\r\na=ice-ufrag:old\r\na=ice-pwd:past\r\na=mid:1\r\n';

test('an ICE restart is a fragment, and the answer to it the old one with other credentials', () => {
  assert.equal(fragment(OFFER), 'a=ice-ufrag:new\r\na=ice-pwd:word\r\nm=audio 9 RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=end-of-candidates\r\n');
  const next = restarted(ANSWER, 'a=ice-ufrag:more\r\na=ice-pwd:than\r\na=candidate:3 1 udp 1 10.0.0.3 8000 typ host\r\n');
  assert.equal(next, 'v=0\r\na=ice-lite\r\nm=audio 9 RTP/SAVPF 111\r\na=ice-ufrag:more\r\na=ice-pwd:than\r\na=mid:0\r\na=candidate:3 1 udp 1 10.0.0.3 8000 typ host\r\nm=video 9 RTP/SAVPF 96\r\na=ice-ufrag:more\r\na=ice-pwd:than\r\na=mid:1\r\n');
  // A server that names no candidates is where it was.
  assert.match(restarted(ANSWER, 'a=ice-ufrag:more\r\na=ice-pwd:than\r\n'), /\r\na=candidate:9 1 udp 1 10\.0\.0\.9 8000 typ host\r\nm=video/);
  assert.throws(() => restarted(ANSWER, 'm=audio 9 RTP/SAVPF 0\r\n'), { code: 'http' });
});
