// What browsers have and TypeScript does not know yet. These types are not published.

interface ManagedMediaSource extends MediaSource {
  /** Whether the browser wants more media. */
  readonly streaming: boolean;
}

declare var ManagedMediaSource: typeof MediaSource | undefined;

interface HTMLVideoElement {
  /** Safari on iPhones. */
  webkitEnterFullscreen?(): void;
}

interface HTMLMediaElement {
  captureStream?(): MediaStream;
}

interface RTCRtpReceiver {
  /** The older name of `jitterBufferTarget`, in seconds. */
  playoutDelayHint?: number;
}

/** Firefox and Safari have none for video on the page's thread. */
declare var MediaStreamTrackProcessor: (new (init: { track: MediaStreamTrack }) => { readonly readable: ReadableStream<VideoFrame> }) | undefined;

/** Chromium only. */
declare var fetchLater: ((url: string, init?: RequestInit) => unknown) | undefined;

interface MediaStreamTrackGenerator extends MediaStreamTrack {
  readonly writable: WritableStream<VideoFrame>;
}

/** Chromium only. */
declare var MediaStreamTrackGenerator: (new (init: { kind: 'video' }) => MediaStreamTrackGenerator) | undefined;
