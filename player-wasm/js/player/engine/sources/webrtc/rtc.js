// Plays over WebRTC with the browser's peer connection. Exchanges messages with the player, as the pipeline does.
//
// in:  clock, latency, resume, rebuild
// out: attach, state, warning, error, stats, instead (other addresses of the stream, to be played from now on)

import { onlyLoopback } from '../../../../net/browser.js';
import { Connection, PAUSE_LIMIT } from '../../../../net/connection.js';
import { elsewhere, readAddress } from '../../../../net/stream-address.js';
import { negotiate, playEndpoint } from '../../../../net/whep.js';
import { figures, totals } from './stats.js';

export { negotiate, playEndpoint, readAddress };

/** Milliseconds after which a peer connection has failed: UDP and TCP are blocked. */
const CONNECT = 4_000;
/** The same for a kind of connection that this browser does not support. A later version may support it. */
const CONNECT_LOOPBACK = 1_000;
/** Milliseconds without media after which a session that has received media counts as dead. */
const SILENT = 3_000;
/** Milliseconds after which audio plays without video. */
const VIDEO = 1_000;
/** Target of the jitter buffer in milliseconds. */
const HOLD = { realtime: 0, low: 0, normal: 1000 };

/** Sentences about why there is no WebRTC. @type {Record<string, string>} */
const REASONS = {
  'no-webrtc': 'WebRTC is missing in this browser or on this server.',
  'ice-loopback': 'Firefox makes no WebRTC connection to a server that listens on 127.0.0.1 alone. `lianmai serve --webrtc 0.0.0.0:8000` listens on the network as well.',
  'ice-failed': 'WebRTC does not get through to the server: its UDP and TCP port is blocked, or not announced.',
};

/** Plays one stream over WebRTC. */
export class Rtc extends Connection {
  #report; #request; #address;
  /** Index of the origin that the current attempt uses. */
  #origin = 0;
  /** The peer of the current attempt, and the peer whose media is shown. The last frame stays until a new one arrives. */
  #peer = /** @type {RTCPeerConnection | null} */ (null);
  #shown = /** @type {RTCPeerConnection | null} */ (null);
  /** The kinds of tracks that are shown. */
  #kinds = '';
  /** The address of the session at the server. @type {import('../../../../net/signalling.js').Signalling | null} */
  #session = null;
  /** Time of the first media. */
  #since = 0;
  /** Number of attempts in a row in which the server answered but no connection was established. */
  #blocked = 0;
  /** Whether the origin has answered, so it is a gateway. */
  #proven = false;
  /** Whether media has arrived. */
  #worked = false;
  #asleep = false;
  #paused = false;
  #pausedAt = 0;
  #counted = 0;
  #totals = /** @type {ReturnType<typeof totals> | null} */ (null);
  #gone = () => void this.#session?.end();

  /**
   * @param {import('../messages.js').Request} request
   * @param {import('../messages.js').Report} report
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
    const address = this.#address = readAddress(request.url, document.baseURI);
    const other = protocol !== 'auto' && protocol !== 'webrtc';
    if (!address || !(address.name || (address.endpoint && !other))) {
      report({ type: 'error', code: 'bad-url' });
    } else if (other) {
      report({ type: 'instead', urls: [elsewhere(address, 0, protocol)] });
    } else {
      addEventListener('pagehide', this.#gone);
      this.connect();
    }
  }

  /** @param {import('../messages.js').ToSource} message */
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
    const peer = this.#peer === this.#shown ? null : this.#peer;
    if (this.#session) void this.#session.end(peer);
    else peer?.close();
    this.#peer = this.#session = this.#totals = null;
  }

  /** Closes the peer that is shown. */
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
    const address = /** @type {import('../../../../net/stream-address.js').StreamAddress} */ (this.#address);
    const { origins } = address;
    const endpoint = playEndpoint(address, this.#origin, this.#request.url);
    try {
      await this.reach(abort, () => negotiate(peer, endpoint, (session) => { this.#session = session; }, abort.signal, token));
      if (abort.signal.aborted) return undefined;
    } catch (error) {
      const { code = 'network' } = /** @type {{ code?: string }} */ (error);
      if (abort.signal.aborted) return undefined;
      // If no origin has answered yet, try the next one.
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
    // A server that shuts down closes the transport. Browsers report that on the transport only; the peer stays connected.
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

  /** Handles an attempt in which the server answered but no connection was established. @param {AbortController} abort */
  #unreachable(abort) {
    if (abort.signal.aborted) return;
    if (onlyLoopback(this.#peer?.remoteDescription?.sdp ?? '')) this.#useless('ice-loopback');
    // A server that worked before may be restarting.
    else if (++this.#blocked > (this.#worked ? 1 : 0)) this.#useless('ice-failed');
    else this.failed(abort, 'ice-failed');
  }

  /** Gives up on WebRTC, and plays over another protocol if the options allow it. @param {string} code */
  #useless(code) {
    const address = /** @type {import('../../../../net/stream-address.js').StreamAddress} */ (this.#address);
    if (this.#request.protocol !== 'auto' || !address.name) return this.failed(this.abort, code, !/^ice/.test(code));
    this.#report({ type: 'warning', ...told(code) });
    const origin = this.#proven ? this.#origin : 0;
    this.#report({ type: 'instead', urls: ['flv', 'hls'].map((protocol) => elsewhere(address, origin, protocol)) });
    return undefined;
  }

  /** Sets the target of the jitter buffer. */
  #hold() {
    const hold = HOLD[this.#request.latency];
    for (const receiver of this.#peer?.getReceivers() ?? []) {
      receiver.jitterBufferTarget = hold;
      // The older property, in seconds.
      receiver.playoutDelayHint = hold / 1000;
    }
  }

  /** Shows tracks of the current peer. @param {MediaStreamTrack[]} what */
  #show(what) {
    const kinds = what.map((track) => track.kind).sort().join();
    if (!this.#peer || (this.#shown === this.#peer && this.#kinds === kinds)) return;
    if (this.#shown !== this.#peer) this.#forget();
    this.#shown = this.#peer;
    this.#kinds = kinds;
    this.#report({ type: 'attach', handle: new MediaStream(what) });
  }

  /** Checks whether the current peer receives media. */
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
    // A video element shows nothing and plays nothing until each of its tracks has received media.
    if (!silent) this.#show(all);
    else if (now - this.#since > VIDEO) this.#show(flowing);
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

  /** Runs once a second. @param {number} now */
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
      target: HOLD[this.#request.latency] / 1000,
      reconnects: this.reconnects,
    };
    this.#totals = peer && sum;
    this.#report({ type: 'stats', stats });
  }
}

/** Returns the page's code for a failure, and its sentence. @param {string} [code] */
const told = (code = '') => ({ code: code in REASONS ? 'no-webrtc' : code, message: REASONS[code] });

/** Returns the tracks that were negotiated. @param {RTCPeerConnection} peer */
const tracks = (peer) =>
  peer.getTransceivers().filter((one) => /recv/.test(one.currentDirection ?? '')).map((one) => one.receiver.track);
