// Where the publisher sends what it is told, and its signalling's texts: no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoints, secureAddress, socketOf } from '../../player-wasm/js/net/publish-address.js';
import { DeviceClock } from '../../player-wasm/js/publisher/engine/clock.js';
import { flvHeader, videoFrame } from '../../player-wasm/js/publisher/engine/tags.js';
import { fragment, iceServers, restarted } from '../../player-wasm/js/publisher/engine/whip.js';
import { publishAddress, streamOf } from '../../demo/pages/assets/query.js';

const whip = (text, page) => endpoints(text, page).map((endpoint) => endpoint.whip);
const flv = (text, page) => endpoints(text, page).map((endpoint) => endpoint.flv);

test('webrtc:// is the page\'s own server, or what is usual', () => {
  const at = 'app=live&stream=x';
  assert.deepEqual(whip('webrtc://h/live/x', 'http://h:8080/a'), [`http://h:8080/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://localhost/live/x', 'http://127.0.0.1:8080/'), [`http://127.0.0.1:8080/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://h/live/x', 'https://h:8443/'), [`https://h:8443/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://h/live/x', 'https://blog/'), [`https://h/rtc/v1/whip/?${at}`, `https://h:8443/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://h/live/x', 'http://localhost/'), [`http://h:1985/rtc/v1/whip/?${at}`, `http://h:8080/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://h:99/live/x', 'https://blog/'), [`https://h:99/rtc/v1/whip/?${at}`]);
  assert.deepEqual(whip('webrtc://h:99/live/x?schema=http', 'https://h:99/'), [`http://h:99/rtc/v1/whip/?${at}&schema=http`]);
  assert.deepEqual(whip('webrtc://h/a/b/x?secret=s%26t', 'http://h/'), ['http://h/rtc/v1/whip/?app=a%2Fb&stream=x&secret=s%26t']);
  assert.deepEqual(flv('webrtc://h/a/b/x?secret=s%26t', 'http://h/'), ['http://h/a/b/x.flv?secret=s%26t']);
});

test('WHIP addresses are what they are, and tell the FLV address where they can', () => {
  const page = 'https://blog/';
  assert.deepEqual(endpoints('https://h/rtc/v1/whip/?app=live&stream=x&secret=s', page),
    [{ whip: 'https://h/rtc/v1/whip/?app=live&stream=x&secret=s', flv: 'https://h/live/x.flv?secret=s' }]);
  assert.deepEqual(endpoints('/sub/live/x/whip', page), [{ whip: 'https://blog/sub/live/x/whip', flv: 'https://blog/sub/live/x.flv' }]);
  assert.deepEqual(endpoints('https://elsewhere/endpoint', page), [{ whip: 'https://elsewhere/endpoint', flv: '' }]);
  // WordPress passes offers on, by whichever address its site has.
  for (const relay of ['https://blog/wp-json/lianmai/v1/whip', 'https://blog/wp-json/lianmai/v1/whip?app=live&stream=x',
    'https://blog/sub/index.php/wp-json/lianmai/v1/whip', 'https://blog/api/lianmai/v1/whip',
    'https://blog/?rest_route=%2Flianmai%2Fv1%2Fwhip&app=live&stream=x']) {
    assert.deepEqual(endpoints(relay, page), [{ whip: relay, flv: '' }]);
  }
  assert.deepEqual(endpoints('wss://h/live/x.flv?secret=s', page), [{ whip: '', flv: 'https://h/live/x.flv?secret=s' }]);
  for (const text of ['', 'rtmp://h/live/x', 'webrtc://h', 'webrtc://h/x', 'webrtc://[/live/x', 'http://']) assert.deepEqual(endpoints(text, page), [], text);
  assert.equal(socketOf('https://h/live/x.flv', ''), 'wss://h/live/x.flv?action=publish');
  assert.equal(socketOf('http://h/live/x.flv?a=b', 's&t'), 'ws://h/live/x.flv?a=b&action=publish&secret=s%26t');
  assert.equal(secureAddress(new URL('http://h:8080/p?q')), 'https://h:8443/p?q');
  assert.equal(secureAddress(new URL('http://h/p')), 'https://h/p');
});

test('the page reads its own query, and which stream an address names', () => {
  const of = (search) => publishAddress(new URLSearchParams(search), { hostname: 'h' });
  assert.equal(of(''), 'webrtc://h/live/livestream');
  assert.equal(of('?app=a&stream=x&server=s&token=t&lang=zh'), 'webrtc://s/a/x?token=t');
  assert.equal(of('?url=https://w/whip'), 'https://w/whip');
  assert.deepEqual(streamOf('webrtc://h:1/live/x?secret=s'), { hostname: 'h', name: 'live/x' });
  assert.deepEqual(streamOf('https://h/rtc/v1/whip/?app=live&stream=x'), { hostname: 'h', name: 'live/x' });
  assert.deepEqual(streamOf('https://h/live/x/whip'), { hostname: 'h', name: 'live/x' });
  for (const text of ['webrtc://h', 'x', 'https://h/']) assert.equal(streamOf(text), null, text);
});

test('ICE servers of a Link header', () => {
  assert.deepEqual(iceServers('<stun:s:3478>; rel="ice-server", </x>; rel=next, <turn:t?transport=tcp>; rel="ice-server"; username="u"; credential="c;d"; credential-type="password"'), [
    { urls: 'stun:s:3478' }, { urls: 'turn:t?transport=tcp', username: 'u', credential: 'c;d' },
  ]);
  assert.deepEqual(iceServers(''), []);
});

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

test('FLV tags', () => {
  assert.equal(Buffer.from(flvHeader(true, true)).toString('hex'), '464c5601050000000900000000');
  assert.equal(flvHeader(false, true)[4], 1);
  const units = [Uint8Array.of(1, 2, 3), Uint8Array.of(9)];
  const [head, body] = ['0900001102030401000000', '1701000000' + '00000003010203' + '0000000109'];
  assert.equal(Buffer.from(videoFrame(0x01020304, true, units)).toString('hex'), `${head}${body}0000001c`);
});

test('a device\'s clock is followed where it runs faster or slower, and not where it is late', () => {
  for (const speed of [1 + 5e-5, 1 - 5e-5]) {
    const clock = new DeviceClock();
    let worst = 0;
    for (let now = 0; now < 3_600_000; now += 20) {
      // Late by up to 40 ms, most of the time by little.
      const late = now % 500 === 0 ? 40 : now % 7;
      const mapped = clock.map(now * speed + 12_345, now + late);
      if (now > 5_000) worst = Math.max(worst, Math.abs(mapped - now));
    }
    assert.ok(worst < 10, `${worst} ms in an hour`);
  }
});
