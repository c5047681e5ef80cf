// What an address says, and the stream's other addresses. (publisher/engine/endpoints.test.mjs has the pairs of playing
// and publishing.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elsewhere, endpointOf, pathOf, readAddress } from './stream-address.js';
import { playEndpoint } from './whep.js';

const HTTP = 'http://host:8080/players/srs_player.html';
const STREAM = '?app=live&stream=x';

test("SRS's JSON API is used where the address names it", () => {
  const json = 'webrtc://other/live/x?play=/rtc/v1/play&token=t';
  assert.deepEqual(playEndpoint(readAddress(json, HTTP), 0, json), { url: 'http://other:1985/rtc/v1/play/?token=t', streamurl: json });
});

test('the address of an endpoint is used as it is, and names the stream where it can', () => {
  for (const [rest, name, path] of [
    ['/live/x/WAY?token=t', 'live/x', '/live/x'],
    ['/sub/live/x/WAY', 'sub/live/x', '/sub/live/x'],
    ['/rtc/v1/WAY/?app=live&stream=x&secret=s', 'live/x', '/live/x'],
    ['/rtc/v1/WAY/?stream=x', 'live/x', '/live/x'],
    ['/sub/rtc/v1/WAY/?app=a&stream=a%2Bb', 'a/a+b', '/a/a+b'],
    ['/rtc/v1/WAY/', '', ''],
    ['/WAY', '', ''],
  ]) {
    for (const way of ['whip', 'whep']) {
      const text = `https://cdn.example${rest.replace('WAY', way)}`;
      const address = readAddress(text, HTTP);
      assert.deepEqual([address.name, endpointOf(address, 0, way), address.endpoint], [name, text, true], text);
      if (name) assert.equal(pathOf(address), path, text);
    }
  }
});

test('an address of another protocol names the stream', () => {
  for (const [text, wanted] of [
    ['http://a:8080/live/x.flv?secret=s', `http://a:8080/rtc/v1/whep/${STREAM}&secret=s`],
    ['wss://a/live/x.flv#fragment', `https://a/rtc/v1/whep/${STREAM}`],
    ['http://a/live/x.m3u8', `http://a/rtc/v1/whep/${STREAM}`],
    ['/live/a+b.flv', 'http://host:8080/rtc/v1/whep/?app=live&stream=a%2Bb'],
  ]) assert.equal(endpointOf(readAddress(text, HTTP), 0, 'whep'), wanted);
  for (const [text, protocol, wanted] of [
    ['webrtc://host/live/x?secret=s&eip=1.2.3.4', 'flv', 'http://host:8080/live/x.flv?secret=s'],
    ['webrtc://host/live/x', 'ws-flv', 'ws://host:8080/live/x.flv'],
    ['https://a/rtc/v1/whep/?app=live&stream=x&secret=s', 'hls', 'https://a/live/x.m3u8?secret=s'],
    ['https://a/live/x/whep', 'flv', 'https://a/live/x.flv'],
  ]) assert.equal(elsewhere(readAddress(text, HTTP), 0, protocol), wanted);
});

test('what is no address of a stream is refused', () => {
  for (const text of ['webrtc://host', 'webrtc://host/live', 'webrtc:///live/x', 'webrtc:host', 'webrtc://[/live/x', 'webrtc://u:p@host/live/x',
    'rtmp://h/live/x', 'http://', 'mailto:a@b']) {
    assert.equal(readAddress(text, HTTP), null, text);
  }
  const { name, endpoint } = readAddress('http://a/x.flv', HTTP);
  assert.deepEqual([name, endpoint], ['', false]);
});

test('a server below a path of a proxy has its other addresses there too', () => {
  const address = readAddress('https://proxy/sub/rtc/v1/whep/?app=live&stream=x&secret=s', HTTP);
  assert.equal(elsewhere(address, 0, 'flv'), 'https://proxy/sub/live/x.flv?secret=s');
});
