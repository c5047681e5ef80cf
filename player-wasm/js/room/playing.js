// Plays one kind of media of one stream by WHEP, and again after interruptions.

import { onlyLoopback } from '../net/browser.js';
import { Connection } from '../net/connection.js';
import { negotiate } from '../net/whep.js';

/** Milliseconds that a session may take until media comes, and those that a working one may carry nothing. */
const CONNECT = 10_000;
const SILENCE = 6_000;
/** The time for a session doubles with each one that failed before, up to this: more sessions do not help a busy machine. */
const LONGEST = 30_000;
/** Sessions in a row that failed, after which the pauses between them may grow to 10 s. */
const PATIENT = 2;
/** Milliseconds before a stream that was given up is tried again while it is listed: it may have no audio yet. */
const AGAIN = 5_000;

/** @typedef {{ bytes: number, packets: number, lost: number, rtt: number }} Received */

export class StreamPlay extends Connection {
  #url; #kind; #ontrack;
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {import('../net/signalling.js').Signalling | null} */
  #session = null;
  #timer = 0;
  /** Sessions that were answered, and brought no media, in a row. */
  #vain = 0;
  /** When the last bytes came, and how many there were. */
  #last = { at: 0, bytes: 0 };

  /**
   * @param {() => string} url of the WHEP endpoint, with the seat's key of the moment
   * @param {'audio' | 'video'} kind
   * @param {(track: MediaStreamTrack) => void} ontrack media come by this track
   */
  constructor(url, kind, ontrack) {
    super(Infinity, { state: () => {}, fail: () => { this.#timer = setTimeout(() => this.again(), AGAIN); } });
    this.#url = url;
    this.#kind = kind;
    this.#ontrack = ontrack;
    addEventListener('pagehide', this.#gone);
    this.connect();
  }

  #gone = () => this.pause();

  /** Several sessions have failed: more of them only load the machine. @override */
  get costly() { return this.#vain >= PATIENT; }

  /** @override */
  close() {
    removeEventListener('pagehide', this.#gone);
    clearTimeout(this.#timer);
    super.close();
  }

  /** @override */
  pause() {
    super.pause();
    if (this.#session) void this.#session.end(this.#peer);
    else this.#peer?.close();
    this.#peer = this.#session = null;
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    const peer = this.#peer = new RTCPeerConnection();
    const { receiver: { track } } = peer.addTransceiver(this.#kind, { direction: 'recvonly' });
    const works = () => {
      if (abort.signal.aborted || track.muted) return;
      this.works();
      this.rest();
      this.#vain = 0;
      this.#last = { at: performance.now(), bytes: 0 };
      this.#ontrack(track);
    };
    track.onunmute = works;
    peer.onconnectionstatechange = () => {
      const { connectionState: state } = peer;
      if (state === 'failed' || state === 'closed') this.failed(abort, 'ice-failed');
      else if (state === 'disconnected') this.alive(SILENCE, abort);
      else if (state === 'connected' && this.worked) this.rest();
    };
    this.asked(abort);
    await negotiate(peer, { url: this.#url(), streamurl: '' }, (session) => { this.#session = session; }, abort.signal)
      .catch((error) => { throw error.code === 'codec-unsupported' ? { ...error, fatal: true } : error; });
    if (abort.signal.aborted) return;
    // A server that stops closes the transport; the peer stays connected.
    const transport = peer.getReceivers()[0]?.transport;
    transport?.addEventListener('statechange', () => { if (transport.state === 'closed') this.failed(abort, 'closed'); });
    const usual = onlyLoopback(peer.remoteDescription?.sdp ?? '') ? CONNECT / 2 : CONNECT;
    this.alive(Math.min(LONGEST, usual * 2 ** this.#vain++), abort);
    works();
  }

  /** What has arrived so far; null: there is no connection. @returns {Promise<Received | null>} */
  async received() {
    const { abort } = this;
    const report = await this.#peer?.getStats().catch(() => null);
    if (!report || abort !== this.abort || abort.signal.aborted) return null;
    const sum = { bytes: 0, packets: 0, lost: 0, rtt: 0 };
    for (const one of report.values()) {
      if (one.type === 'inbound-rtp') {
        sum.bytes += one.bytesReceived ?? 0;
        sum.packets += one.packetsReceived ?? 0;
        sum.lost += one.packetsLost ?? 0;
      } else if (one.type === 'candidate-pair' && one.nominated) sum.rtt = Math.max(sum.rtt, one.currentRoundTripTime ?? 0);
    }
    const at = performance.now();
    if (sum.bytes !== this.#last.bytes || !this.worked) this.#last = { at, bytes: sum.bytes };
    else if (at - this.#last.at > SILENCE) this.failed(abort, 'stalled');
    return sum;
  }
}
