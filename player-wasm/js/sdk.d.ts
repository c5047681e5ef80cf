// Types of `lianmai/sdk.js`: the names of srs.sdk.js that play. New pages use `<srs-player>`.

/** One kind of media only. */
export interface Only {
  videoOnly?: boolean;
  audioOnly?: boolean;
}

/** What SRS's servers answer. */
export interface Session {
  code: number;
  sessionid: string;
  simulator: string;
}

/** Plays a stream over WebRTC into {@link stream}, which the page shows: `video.srcObject = sdk.stream`. */
export class SrsRtcPlayerAsync {
  /** Null once it is closed. */
  pc: RTCPeerConnection | null;
  readonly stream: MediaStream;
  /** Takes each track; may be replaced. */
  ontrack(event: RTCTrackEvent): void;
  /** `webrtc://host/app/stream`, or a WHEP address. Rejects with an error that has a `code`. */
  play(url: string, only?: Only): Promise<Session>;
  close(): void;
}

/** The same for WHEP addresses. */
export class SrsRtcWhipWhepAsync extends SrsRtcPlayerAsync {}
