// Computes the player's statistics from the statistics of a peer connection.

/** Returns the RFC 6381 name of a WebRTC codec, without a profile if the SDP has none. */
const NAMES = { VP8: 'vp8', VP9: 'vp09', AV1: 'av01', H265: 'hvc1', opus: 'opus' };

/** @param {{ mimeType?: string, sdpFmtpLine?: string }} codec */
function codecName({ mimeType = '', sdpFmtpLine = '' }) {
  const name = mimeType.split('/')[1] ?? '';
  const profile = /profile-level-id=(\w+)/.exec(sdpFmtpLine)?.[1];
  return name === 'H264' ? `avc1.${profile ?? '42e01f'}` : NAMES[/** @type {keyof typeof NAMES} */ (name)] ?? name.toLowerCase();
}

/**
 * Counters since the start.
 * @param {RTCStatsReport} report
 */
export function totals(report) {
  const sum = { bytes: 0, received: 0, lost: 0, nacks: 0, freezes: 0, jitter: 0, rtt: 0, fps: 0, decoded: 0, dropped: 0 };
  /** By kind: seconds that media waited in the jitter buffer, and the number of samples or frames. @type {Record<string, [number, number]>} */
  const waits = {};
  /** @type {string[]} */
  const codecs = [];
  for (const one of /** @type {Iterable<any>} */ (report.values())) {
    if (one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded') sum.rtt = one.currentRoundTripTime ?? 0;
    if (one.type !== 'inbound-rtp' || !one.bytesReceived) continue;
    const video = one.kind === 'video';
    sum.bytes += one.bytesReceived + (one.headerBytesReceived ?? 0);
    sum.received += one.packetsReceived ?? 0;
    sum.lost += one.packetsLost ?? 0;
    sum.nacks += one.nackCount ?? 0;
    sum.jitter = Math.max(sum.jitter, one.jitter ?? 0);
    const codec = report.get(one.codecId);
    if (codec) codecs[video ? 'unshift' : 'push'](codecName(codec));
    if (video) {
      const { framesPerSecond: fps = 0, freezeCount: freezes = 0, framesDecoded: decoded = 0, framesDropped: dropped = 0 } = one;
      Object.assign(sum, { fps, freezes, decoded, dropped });
    }
    waits[one.kind] = [one.jitterBufferDelay ?? 0, one.jitterBufferEmittedCount ?? 0];
  }
  return { ...sum, waits, codecs: codecs.join(',') };
}

/**
 * Computes figures for the time between two reports.
 * @param {ReturnType<typeof totals>} now
 * @param {ReturnType<typeof totals> | null} before
 * @param {number} seconds between them
 */
export function figures(now, before, seconds) {
  const per = (/** @type {'bytes' | 'lost' | 'received'} */ name) => now[name] - (before?.[name] ?? 0);
  const lost = Math.max(0, per('lost')), all = lost + per('received');
  const waits = Object.entries(now.waits).map(([kind, [time, count]]) => {
    const [past, counted] = before?.waits[kind] ?? [0, 0];
    return count > counted ? (time - past) / (count - counted) : 0;
  });
  return {
    // Browsers synchronize both tracks, so the larger delay counts.
    latency: Math.max(0, ...waits) + now.rtt / 2,
    bitrate: before ? Math.round(per('bytes') * 8 / seconds) : 0,
    fps: now.fps,
    codecs: now.codecs,
    rtt: now.rtt,
    jitter: now.jitter,
    loss: all > 0 ? lost / all : 0,
    packetsLost: now.lost,
    nackCount: now.nacks,
    freezeCount: now.freezes,
    decoded: now.decoded,
    dropped: now.dropped,
  };
}
