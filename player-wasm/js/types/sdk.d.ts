// Types of `lianmai/sdk.js`: the names of srs.sdk.js. New pages use `<srs-player>` and `<srs-publisher>`.

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

/** What to publish: camera and microphone, unless it says otherwise. */
export interface Sources {
  camera?: boolean;
  screen?: boolean;
  audio?: boolean;
  /** `false`: no picture. */
  video?: boolean;
}

/** The same, to publish: {@link stream} is the preview. */
export class SrsRtcPublisherAsync extends SrsRtcPlayerAsync {
  /** Of camera and microphone. */
  constraints: MediaStreamConstraints;
  /** `webrtc://host/app/stream`, or a WHIP address. Rejects with an error that has a `code`. */
  publish(url: string, sources?: Sources): Promise<Session>;
}

/** The same for WHIP and WHEP addresses. */
export class SrsRtcWhipWhepAsync extends SrsRtcPublisherAsync {}
