// What is read of initialisation sections and playlists, against ffmpeg's files.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { readInit, timeOf } from './boxes.js';
import { follow, readList, readMaster } from './list.js';

const folder = mkdtempSync(join(tmpdir(), 'lianmai-fmp4-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A fragmented file of ffmpeg. @param {...string} options */
function file(...options) {
  const path = join(folder, 'x.mp4');
  execFileSync('ffmpeg', ['-v', 'quiet', '-y', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10:duration=3',
    '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=3', ...options, '-movflags', 'frag_keyframe+empty_moov+default_base_moof', path]);
  return new Uint8Array(readFileSync(path));
}

for (const [options, mime] of /** @type {[string, RegExp][]} */ ([
  ['-c:v libx264 -profile:v high -pix_fmt yuv420p -c:a aac', /^video\/mp4; codecs="avc1\.6400[0-9a-f]{2},mp4a\.40\.2"$/],
  ['-c:v libx265 -tag:v hvc1 -x265-params log-level=none -pix_fmt yuv420p -c:a libopus', /^video\/mp4; codecs="hvc1\.1\.6\.L\d+\.90,opus"$/],
  ['-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -an', /^video\/mp4; codecs="vp09\.\d\d\.\d\d\.08"$/],
  ['-vn -c:a aac', /^audio\/mp4; codecs="mp4a\.40\.2"$/],
])) {
  test(`the codecs of ${options}`, () => {
    const init = readInit(file(...options.split(' ')));
    assert.match(init?.mime ?? '', mime);
    assert.equal(init?.tracks.length, init?.codecs.length);
  });
}

test('the time of a segment is that of its first fragment', () => {
  const data = file(...'-c:v libx264 -g 10 -bf 0 -pix_fmt yuv420p -an'.split(' '));
  const { tracks = [] } = readInit(data) ?? {};
  assert.equal(timeOf(data, tracks), 0);
  const text = Buffer.from(data.buffer, data.byteOffset, data.length);
  const second = text.indexOf('moof', text.indexOf('moof') + 4) - 4;
  assert.equal(timeOf(data.subarray(second), tracks), 1);
  assert.equal(timeOf(new Uint8Array(100), tracks), undefined);
  assert.equal(readInit(new Uint8Array(100)), undefined);
});

test('a playlist of byte ranges', () => {
  const list = readList(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="x.mp4",BYTERANGE="900@44"
#EXTINF:1.500,
#EXT-X-BYTERANGE:1000@944
x.mp4
#EXTINF:2,title
#EXT-X-BYTERANGE:500
x.mp4
#EXT-X-DISCONTINUITY
#EXT-X-GAP
#EXTINF:1,
gone.mp4
#EXTINF:1,
y.mp4
#EXT-X-ENDLIST
`, 'http://h/a/x.m3u8');
  assert.ok(list);
  assert.deepEqual(list.segments.map(({ number, part, duration, discontinuity }) => [number, part.url, part.range, duration, discontinuity]), [
    [7, 'http://h/a/x.mp4', 'bytes=944-1943', 1.5, false],
    [8, 'http://h/a/x.mp4', 'bytes=1944-2443', 2, false],
    [10, 'http://h/a/y.mp4', '', 1, true],
  ]);
  assert.equal(list.segments[0].map?.range, 'bytes=44-943');
  assert.equal(list.ended, true);
  follow(list, null);
  assert.deepEqual(list.segments.map(({ start }) => start), [0, 1.5, 4.5]);
  // The next list continues it, also without a segment that both have.
  const next = readList('#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:8\n#EXTINF:2,\nx.mp4\n', 'http://h/');
  assert.ok(next);
  follow(next, list);
  assert.equal(next.segments[0].start, 1.5);
  assert.equal(readList('<html>', 'http://h/'), undefined);
});

test('a master playlist with audio of its own', () => {
  const master = readMaster(`#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=NO,URI="other.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="y",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100,CODECS="avc1.42c00c,mp4a.40.2",AUDIO="a"
video.m3u8
`);
  assert.equal(master?.variants, '100\tavc1.42c00c,mp4a.40.2\tvideo.m3u8\n');
  assert.equal(master?.groups.get('video.m3u8'), 'a');
  assert.equal(master?.audio.get('a'), 'audio.m3u8');
  assert.equal(readMaster('#EXTM3U\n#EXTINF:1,\nx.ts\n'), undefined);
});
