// What the player makes of the addresses of WebRTC, and of what a server says of its ICE servers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elsewhere, place } from '../../player-wasm/js/net/stream-address.js';
import { iceServers, stereo } from '../../player-wasm/js/net/whep.js';

const HTTP = 'http://host:8080/players/srs_player.html';
const HTTPS = 'https://host:8443/';
const where = (text, page) => {
  const found = place(text, page);
  return found && found.origins.map((origin) => origin + found.signalling);
};
const WHEP = '/rtc/v1/whep/?app=live&stream=x';

test('webrtc:// goes to the page\'s own server, to the port given, or to the usual one', () => {
  for (const [text, page, wanted] of [
    ['webrtc://host/live/x', HTTP, ['http://host:8080', 'http://host:1985']],
    ['webrtc://host/live/x', HTTPS, ['https://host:8443', 'https://host']],
    ['webrtc://localhost/live/x', 'http://127.0.0.1:8080/', ['http://127.0.0.1:8080', 'http://localhost:1985']],
    ['webrtc://other/live/x', HTTP, ['http://other:1985']],
    ['webrtc://other/live/x', HTTPS, ['https://other', 'https://other:8443']],
    ['webrtc://other:1985/live/x', HTTPS, ['https://other:1985']],
    ['webrtc://host:1990/live/x', HTTP, ['http://host:1990']],
    ['webrtc://[::1]:1990/live/x', HTTP, ['http://[::1]:1990']],
    ['WebRTC://other/live/x/', 'file:///a.html', ['http://other:1985']],
  ]) assert.deepEqual(where(text, page), wanted.map((origin) => origin + WHEP), `${text} on ${page}`);
});

test('the query is passed on, and means what it means with SRS', () => {
  assert.deepEqual(where('webrtc://other/live/x?secret=a%26b&eip=1.2.3.4&schema=https&vhost=v', HTTP),
    ['', ':8443'].map((port) => `https://other${port}${WHEP}&secret=a%26b&eip=1.2.3.4&vhost=v`));
  const json = place('webrtc://other/live/x?play=/rtc/v1/play&token=t', HTTP);
  assert.deepEqual([json?.signalling, json?.streamurl], ['/rtc/v1/play/?token=t', 'webrtc://other/live/x?play=/rtc/v1/play&token=t']);
  assert.equal(place('webrtc://other/a/b/x', HTTP)?.signalling, '/rtc/v1/whep/?app=a/b&stream=x');
});

test('a WHEP address is used as it is, and an address of another protocol names the stream', () => {
  for (const [text, wanted] of [
    ['https://cdn.example/live/x/whep?token=t', 'https://cdn.example/live/x/whep?token=t'],
    [`http://a:1985${WHEP}&secret=s`, `http://a:1985${WHEP}&secret=s`],
    ['http://a:8080/live/x.flv?secret=s', `http://a:8080${WHEP}&secret=s`],
    ['wss://a/live/x.flv', `https://a${WHEP}`],
    ['http://a/live/x.m3u8', `http://a${WHEP}`],
  ]) assert.deepEqual(where(text, HTTP), [wanted]);
  for (const text of ['webrtc://host', 'webrtc://host/live', 'webrtc:///live/x', 'webrtc:host', 'http://a/x.flv']) {
    assert.equal(place(text, HTTP), null, text);
  }
});

test('the same stream by other protocols', () => {
  for (const [text, protocol, wanted] of [
    ['webrtc://host/live/x?secret=s&eip=1.2.3.4', 'flv', 'http://host:8080/live/x.flv?secret=s'],
    ['webrtc://host/live/x', 'ws-flv', 'ws://host:8080/live/x.flv'],
    ['https://a/rtc/v1/whep/?app=live&stream=x&secret=s', 'hls', 'https://a/live/x.m3u8?secret=s'],
    ['https://a/live/x/whep', 'flv', 'https://a/live/x.flv'],
  ]) assert.equal(elsewhere(place(text, HTTP), 0, protocol), wanted);
  // Of somebody else's WHEP address nothing is known.
  assert.equal(place('https://a/whep', HTTP)?.path, '');
  assert.equal(place('https://a/b/c/d/whep', HTTP)?.path, '');
});

test('ICE servers are those that the server names', () => {
  assert.deepEqual(iceServers(''), []);
  assert.deepEqual(iceServers('<https://a/b>; rel="next", <stun:stun.example:3478>; rel="ice-server", '
    + '<turn:turn.example?transport=udp>; rel="ice-server"; username="u"; credential="c,d"; credential-type="password"'), [
    { urls: 'stun:stun.example:3478' },
    { urls: 'turn:turn.example?transport=udp', username: 'u', credential: 'c,d' },
  ]);
});

test('Opus is asked for in stereo, and nothing else is changed', () => {
  const sdp = 'm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n'
    + 'a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n';
  assert.equal(stereo(sdp), sdp.replace('useinbandfec=1', 'useinbandfec=1;stereo=1'));
  assert.equal(stereo('v=0\r\n'), 'v=0\r\n');
});
