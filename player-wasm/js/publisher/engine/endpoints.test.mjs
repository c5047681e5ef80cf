// Where an address publishes to. What is played and what is published under one address is the same stream, at the same
// servers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elsewhere, endpointOf, pathOf, readAddress } from '../../net/stream-address.js';
import { playEndpoint } from '../../net/whep.js';
import { endpoints } from './endpoints.js';
import { socketOf } from './socket-address.js';

const HTTP = 'http://host:8080/players/srs_player.html';
const HTTPS = 'https://host:8443/';
/** Where an offer to play goes, in the order to try. */
const plays = (text, page) => readAddress(text, page)?.origins.map((_, n) => playEndpoint(readAddress(text, page), n, text).url) ?? null;
/** Where an offer to publish goes. */
const publishes = (text, page) => endpoints(text, page).map(({ whip }) => whip);
const STREAM = '?app=live&stream=x';

test('playing and publishing ask the same servers, in the same order', () => {
  for (const [text, page, origins] of [
    ['webrtc://host/live/x', HTTP, ['http://host:8080', 'http://host:1985']],
    ['webrtc://host/live/x', HTTPS, ['https://host:8443', 'https://host']],
    ['webrtc://host/live/x', 'http://host/', ['http://host', 'http://host:1985', 'http://host:8080']],
    ['webrtc://localhost/live/x', 'http://127.0.0.1:8080/', ['http://127.0.0.1:8080', 'http://localhost:1985', 'http://localhost:8080']],
    ['webrtc://[::1]/live/x', 'http://localhost:8080/', ['http://localhost:8080', 'http://[::1]:1985', 'http://[::1]:8080']],
    ['webrtc://127.0.0.1/live/x', 'http://[::1]:8080/', ['http://[::1]:8080', 'http://127.0.0.1:1985', 'http://127.0.0.1:8080']],
    ['webrtc://other/live/x', HTTP, ['http://other:1985', 'http://other:8080']],
    ['webrtc://other/live/x', HTTPS, ['https://other', 'https://other:8443']],
    ['webrtc://other:1985/live/x', HTTPS, ['https://other:1985']],
    ['webrtc://host:1990/live/x', HTTP, ['http://host:1990']],
    ['webrtc://host:80/live/x', HTTP, ['http://host']],
    ['webrtc://[::1]:1990/live/x', HTTP, ['http://[::1]:1990']],
    [' WebRTC://Other/live/x/ ', 'file:///a.html', ['http://other:1985', 'http://other:8080']],
  ]) {
    assert.deepEqual(plays(text, page), origins.map((origin) => `${origin}/rtc/v1/whep/${STREAM}`), `${text} on ${page}`);
    assert.deepEqual(publishes(text, page), origins.map((origin) => `${origin}/rtc/v1/whip/${STREAM}`), `${text} on ${page}`);
  }
});

test('a name means the same to both, and to every protocol', () => {
  for (const [written, name, query, path] of [
    ['live/a+b', 'live/a+b', 'app=live&stream=a%2Bb', '/live/a+b'],
    ['live/a%2Bb', 'live/a+b', 'app=live&stream=a%2Bb', '/live/a+b'],
    ['live/a&b', 'live/a&b', 'app=live&stream=a%26b', '/live/a&b'],
    ['live/a%26b', 'live/a&b', 'app=live&stream=a%26b', '/live/a&b'],
    ['live/a=b;c,d', 'live/a=b;c,d', 'app=live&stream=a%3Db%3Bc%2Cd', '/live/a=b;c,d'],
    ['live/直播', 'live/直播', 'app=live&stream=%E7%9B%B4%E6%92%AD', '/live/%E7%9B%B4%E6%92%AD'],
    ['live/%E7%9B%B4%E6%92%AD', 'live/直播', 'app=live&stream=%E7%9B%B4%E6%92%AD', '/live/%E7%9B%B4%E6%92%AD'],
    ['a/b/x', 'a/b/x', 'app=a/b&stream=x', '/a/b/x'],
    ['live//x', 'live/x', 'app=live&stream=x', '/live/x'],
    ['live/a%ff', 'live/a%ff', 'app=live&stream=a%25ff', '/live/a%25ff'],
  ]) {
    const text = `webrtc://other/${written}?secret=s%26t`;
    assert.equal(readAddress(text, HTTP).name, name, text);
    assert.equal(plays(text, HTTP)[0], `http://other:1985/rtc/v1/whep/?${query}&secret=s%26t`);
    const [endpoint] = endpoints(text, HTTP);
    assert.deepEqual(endpoint, { whip: `http://other:1985/rtc/v1/whip/?${query}&secret=s%26t`, flv: `http://other:1985${path}.flv?secret=s%26t` });
    assert.equal(elsewhere(readAddress(text, HTTP), 0, 'flv'), endpoint.flv);
    // Every address made of one names the same stream again.
    for (const made of [endpoint.whip, endpoint.flv, plays(text, HTTP)[0], elsewhere(readAddress(text, HTTP), 0, 'hls')]) {
      const again = readAddress(made, HTTP);
      assert.equal(again.name, name, made);
      assert.equal(pathOf(again), path, made);
      if (!again.endpoint) assert.equal(endpointOf(again, 0, 'whep'), plays(text, HTTP)[0], made);
    }
  }
});

test('the query is passed on, and means what it means with SRS', () => {
  const text = 'webrtc://other/live/x?secret=a%26b&eip=1.2.3.4&schema=https&vhost=v';
  const origins = ['https://other', 'https://other:8443'];
  assert.deepEqual(plays(text, HTTP), origins.map((origin) => `${origin}/rtc/v1/whep/${STREAM}&secret=a%26b&eip=1.2.3.4&vhost=v`));
  assert.deepEqual(publishes(text, HTTP), origins.map((origin) => `${origin}/rtc/v1/whip/${STREAM}&secret=a%26b&eip=1.2.3.4&vhost=v`));
  assert.equal(endpoints(text, HTTP)[0].flv, 'https://other/live/x.flv?secret=a%26b&vhost=v');
  assert.deepEqual(publishes('webrtc://h:99/live/x?schema=http', 'https://h:99/'), [`http://h:99/rtc/v1/whip/${STREAM}`]);
  // A query cannot name another stream.
  assert.deepEqual(plays('webrtc://h:99/live/x?app=a&stream=b', HTTP), [`http://h:99/rtc/v1/whep/${STREAM}`]);
});

test('an endpoint is used as it is, and tells the FLV address where it can', () => {
  assert.deepEqual(endpoints('https://h/rtc/v1/whip/?app=live&stream=x&secret=s', HTTP),
    [{ whip: 'https://h/rtc/v1/whip/?app=live&stream=x&secret=s', flv: 'https://h/live/x.flv?secret=s' }]);
  assert.deepEqual(endpoints('/sub/live/x/whip', 'https://blog/'), [{ whip: 'https://blog/sub/live/x/whip', flv: 'https://blog/sub/live/x.flv' }]);
  assert.deepEqual(endpoints('https://elsewhere/endpoint', HTTP), [{ whip: 'https://elsewhere/endpoint', flv: '' }]);
  // WordPress passes offers on, under whichever address its site has.
  for (const relay of ['https://blog/wp-json/lianmai/v1/whip', 'https://blog/wp-json/lianmai/v1/whip?app=live&stream=x',
    'https://blog/sub/index.php/wp-json/lianmai/v1/whip', 'https://blog/api/lianmai/v1/whip',
    'https://blog/?rest_route=%2Flianmai%2Fv1%2Fwhip&app=live&stream=x']) {
    assert.deepEqual(endpoints(relay, HTTP), [{ whip: relay, flv: '' }]);
  }
});

test('FLV goes over a WebSocket, whose address carries the token', () => {
  assert.deepEqual(endpoints('wss://h/live/x.flv?secret=s', HTTP), [{ whip: '', flv: 'https://h/live/x.flv?secret=s' }]);
  assert.equal(socketOf('https://h/live/x.flv', ''), 'wss://h/live/x.flv?action=publish');
  assert.equal(socketOf('http://h/live/x.flv?a=b', 's&t'), 'ws://h/live/x.flv?a=b&action=publish&secret=s%26t');
});

test('what is no address to publish to has no endpoint', () => {
  for (const text of ['', ' ', 'rtmp://h/live/x', 'webrtc://h', 'webrtc://h/x', 'webrtc://[/live/x', 'webrtc://u:p@h/live/x', 'http://']) {
    assert.deepEqual(endpoints(text, HTTP), [], text);
  }
});
