// WebRTC: a peer connection of the browser's own, for as long as it takes. Talks to the player as the
// pipeline does, by messages.
//
// in:  clock, latency, resume, rebuild
// out: attach, state, warning, error, stats, instead (other addresses of the stream, to be played from now on)

import { onlyLoopback } from '../../../../net/browser.js';
import { Connection } from '../../../../net/connection.js';
import { elsewhere, place } from '../../../../net/stream-address.js';
import { figures, totals } from './stats.js';
import { end, negotiate } from '../../../../net/whep.js';

export { end, negotiate, place };

/** A paused stream is let go after this many milliseconds. */
const PAUSE_LIMIT = 30_000;
/** A peer connection that takes longer than this many milliseconds will not come about: UDP and TCP are blocked. */
const CONNECT = 4_000;
/** The same where it is known not to come about, should a later browser be better. */
const CONNECT_LOOPBACK = 1_000;
/** Nothing for this long, once something came: the session is dead. What is real-time does not pause. */
const SILENT = 3_000;
/** Sound without a picture after this many milliseconds is shown without one. */
const PICTURE = 1_000;
/** Milliseconds that the browser shall hold media for, to ride out a bad network. */
const HOLD = { realtime: 0, low: 0, normal: 1000 };

/** Why there is no WebRTC. @type {Record<string, string>} */
const REASONS = {
  'no-webrtc': 'WebRTC is missing in this browser or on this server.',
  'ice-loopback': 'Firefox makes no WebRTC connection to a server that listens on 127.0.0.1 alone. `lianmai serve --webrtc 0.0.0.0:8000` listens on the network as well.',
  'ice-failed': 'WebRTC does not get through to the server: its UDP and TCP port is blocked, or not announced.',
};

/** Plays one stream. */
export class Rtc extends Connection {
  #report; #request; #place;
  /** Which of the addresses where the gateway may listen. */
  #origin = 0;
  /** The present attempt's, and the one whose media is shown: the last picture stays until there is a new one. */
  #peer = /** @type {RTCPeerConnection | null} */ (null);
  #shown = /** @type {RTCPeerConnection | null} */ (null);
  /** What of the peer is shown. */
  #kinds = '';
  /** Its session at the server. */
  #location = '';
  /** When media began to come. */
  #since = 0;
  /** Attempts in a row that did not get through, though the server had answered. */
  #blocked = 0;
  /** An origin has answered. */
  #proven = false;
  /** Media has come. */
  #worked = false;
  #asleep = false;
  #paused = false;
  #pausedAt = 0;
  #counted = 0;
  #totals = /** @type {ReturnType<typeof totals> | null} */ (null);
  #gone = () => {
    end(this.#location);
    this.#location = '';
  };

  /**
   * @param {{ url: string, protocol: string, latency: string, retry: number, token?: (unspent?: boolean) => Promise<string> }} request
   * @param {(message: any) => void} report
   */
  constructor(request, report) {
    super(request.retry, {
      state: (state, code, own) => report({ type: 'state', state, own, ...told(code) }),
      fail: (code, text) => report({ type: 'error', ...told(code), ...(text && { message: text }) }),
      token: request.token,
    });
    this.#report = report;
    this.#request = request;
    const { protocol } = request;
    const at = this.#place = place(request.url, document.baseURI);
    const other = protocol !== 'auto' && protocol !== 'webrtc';
    if (!at || (other && !at.path)) {
      report({ type: 'error', code: 'bad-url' });
    } else if (other) {
      report({ type: 'instead', urls: [elsewhere(at, 0, protocol)] });
    } else {
      addEventListener('pagehide', this.#gone);
      this.connect();
    }
  }

  /** @param {any} message */
  post(message) {
    switch (message.type) {
      case 'clock':
        this.hidden = message.hidden;
        this.#tick(message.paused);
        break;
      case 'latency':
        this.#request.latency = message.latency;
        this.#hold();
        break;
      case 'resume':
        this.#pausedAt = performance.now();
        if (this.#asleep) this.again();
        this.#asleep = false;
        break;
      case 'rebuild': this.again(1000); break;
    }
  }

  /** @override */
  close() {
    removeEventListener('pagehide', this.#gone);
    this.#forget();
    super.close();
  }

  /** @override */
  pause() {
    super.pause();
    end(this.#location, this.#peer === this.#shown ? null : this.#peer);
    this.#location = '';
    this.#peer = this.#totals = null;
  }

  /** What is shown need not stay. */
  #forget() {
    if (this.#shown !== this.#peer) this.#shown?.close();
    this.#shown = null;
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    this.#since = 0;
    if (!globalThis.RTCPeerConnection) return this.#useless('no-webrtc');
    const token = await this.token(abort);
    if (abort.signal.aborted) return undefined;
    const peer = this.#peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.addTransceiver('audio', { direction: 'recvonly' });
    peer.onconnectionstatechange = () => this.#changed(abort, peer);
    this.asked();
    const { origins, signalling, streamurl } = /** @type {import('../../../../net/stream-address.js').Place} */ (this.#place);
    try {
      const { location } = await this.reach(abort, () =>
        negotiate(peer, origins[this.#origin] + signalling, streamurl, abort.signal, token));
      if (abort.signal.aborted) return end(location);
      this.#location = location;
    } catch (error) {
      const { code = 'network' } = /** @type {{ code?: string }} */ (error);
      if (abort.signal.aborted) return undefined;
      // Where it listens is a guess as long as it has never answered.
      if (code === 'network' && !this.#proven) this.#origin = (this.#origin + 1) % origins.length;
      if (code === 'no-webrtc' && this.#origin + 1 < origins.length) {
        this.#origin++;
        return this.again();
      }
      this.#proven ||= code === 'codec-unsupported';
      if (code === 'no-webrtc' || code === 'codec-unsupported') return this.#useless(code);
      throw error;
    }
    this.#proven = true;
    this.#hold();
    // A server that stops says goodbye; browsers tell that of the transport alone, and stay connected.
    const transport = peer.getReceivers()[0]?.transport;
    transport?.addEventListener('statechange', () => { if (transport.state === 'closed') this.failed(abort, 'closed'); });
    if (!this.#worked) this.#show(tracks(peer));
    if (peer.connectionState === 'connected') return undefined;
    this.rest();
    const limit = setTimeout(() => this.#unreachable(abort), onlyLoopback(peer.remoteDescription?.sdp ?? '') ? CONNECT_LOOPBACK : CONNECT);
    abort.signal.addEventListener('abort', () => clearTimeout(limit));
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'connected') clearTimeout(limit);
    });
    return undefined;
  }

  /** @param {AbortController} abort @param {RTCPeerConnection} peer */
  #changed(abort, peer) {
    const { connectionState: state } = peer;
    if (abort !== this.abort || abort.signal.aborted) return;
    if (state === 'connected') {
      this.#blocked = 0;
      if (!this.#since) this.asked();
    } else if (state === 'failed' && !this.#since) {
      this.#unreachable(abort);
    } else if (state !== 'new' && state !== 'connecting') {
      this.failed(abort, 'closed');
    }
  }

  /** The server has answered, but no connection comes about. @param {AbortController} abort */
  #unreachable(abort) {
    if (abort.signal.aborted) return;
    if (onlyLoopback(this.#peer?.remoteDescription?.sdp ?? '')) this.#useless('ice-loopback');
    // Where it has worked before it may just have been restarted.
    else if (++this.#blocked > (this.#worked ? 1 : 0)) this.#useless('ice-failed');
    else this.failed(abort, 'ice-failed');
  }

  /** This will not do: by another way, if that is allowed. @param {string} code */
  #useless(code) {
    const at = /** @type {import('../../../../net/stream-address.js').Place} */ (this.#place);
    if (this.#request.protocol !== 'auto' || !at.path) return this.failed(this.abort, code, !/^ice/.test(code));
    this.#report({ type: 'warning', ...told(code) });
    const origin = this.#proven ? this.#origin : 0;
    this.#report({ type: 'instead', urls: ['flv', 'hls'].map((protocol) => elsewhere(at, origin, protocol)) });
    return undefined;
  }

  /** How much media the browser is to keep back. */
  #hold() {
    const hold = HOLD[/** @type {keyof typeof HOLD} */ (this.#request.latency)];
    for (const receiver of /** @type {any[]} */ (this.#peer?.getReceivers() ?? [])) {
      receiver.jitterBufferTarget = hold;
      // Its older name, in seconds.
      receiver.playoutDelayHint = hold / 1000;
    }
  }

  /** @param {MediaStreamTrack[]} what of the present peer */
  #show(what) {
    const kinds = what.map((track) => track.kind).sort().join();
    if (!this.#peer || (this.#shown === this.#peer && this.#kinds === kinds)) return;
    if (this.#shown !== this.#peer) this.#forget();
    this.#shown = this.#peer;
    this.#kinds = kinds;
    this.#report({ type: 'attach', handle: new MediaStream(what) });
  }

  /** Something of the present peer comes. */
  #look() {
    const peer = this.#peer;
    if (!peer) return;
    const flowing = peer.getReceivers().filter((one) => one.getSynchronizationSources().length).map((one) => one.track);
    if (!flowing.length) return;
    const now = performance.now();
    if (!this.#since) {
      this.#since = this.#pausedAt = now;
      this.#worked = true;
      this.rest();
      this.alive(SILENT);
      this.works();
    }
    const all = tracks(peer);
    const silent = all.length > 1 && flowing.every((track) => track.kind === 'audio');
    // A video element shows nothing, and is silent, until each of its tracks has brought something.
    if (!silent) this.#show(all);
    else if (now - this.#since > PICTURE) this.#show(flowing);
  }

  /** @param {boolean} paused whether the element is */
  #tick(paused) {
    const now = performance.now();
    if (paused !== this.#paused) this.#pausedAt = now;
    this.#paused = paused;
    this.#look();
    if (paused && this.#since && now - this.#pausedAt > PAUSE_LIMIT) {
      this.#asleep = true;
      this.#forget();
      this.pause();
      this.#since = 0;
      this.#report({ type: 'state', state: 'connecting' });
    }
    if (now - this.#counted >= 1000) void this.#count(now);
  }

  /** Once a second. @param {number} now */
  async #count(now) {
    const seconds = (now - this.#counted) / 1000;
    this.#counted = now;
    const peer = this.#peer;
    const sum = totals(await peer?.getStats() ?? new Map());
    if (peer !== this.#peer) return;
    if (sum.bytes > (this.#totals?.bytes ?? 0) && this.#since) this.alive(SILENT);
    const stats = {
      ...figures(sum, this.#totals, seconds),
      protocol: 'webrtc',
      target: HOLD[/** @type {keyof typeof HOLD} */ (this.#request.latency)] / 1000,
      reconnects: this.reconnects,
    };
    this.#totals = peer && sum;
    this.#report({ type: 'stats', stats });
  }
}

/** A code for the page, and a sentence. @param {string} [code] */
const told = (code = '') => ({ code: code in REASONS ? 'no-webrtc' : code, message: REASONS[code] });

/** What was agreed on. @param {RTCPeerConnection} peer */
const tracks = (peer) =>
  peer.getTransceivers().filter((one) => /recv/.test(one.currentDirection ?? '')).map((one) => one.receiver.track);
