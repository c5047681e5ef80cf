// Generated from player-wasm/attributes.json by `cargo xtask fix`. Do not edit.

import type { Token } from './index.js';

/** Booleans as templates write them. */
type Switch = boolean | 'true' | 'false' | '';
type Size = number | string;

/** Values of `protocol` of an `<srs-player>`. */
export type Protocol = 'auto' | 'webrtc' | 'flv' | 'ws-flv' | 'hls' | 'ts' | 'native';

/** Values of `latency` of an `<srs-player>`. */
export type Latency = 'realtime' | 'low' | 'normal';

/** Values of `preload` of an `<srs-player>`. */
export type Preload = 'none' | 'metadata' | 'auto';

/** Values of `source` of an `<srs-publisher>`. */
export type PublisherSource = 'camera' | 'screen' | 'audio';

/** Values of `protocol` of an `<srs-publisher>`. */
export type PublisherProtocol = 'auto' | 'webrtc' | 'ws-flv';

/** Values of `layout` of an `<srs-mixer>`. */
export type MixLayoutName = 'grid' | 'speaker' | 'side' | 'pip' | 'screen';

/** Attributes that templates may write on an `<srs-player>`. */
export interface SrsPlayerAttributes {
  url?: string;
  src?: string;
  protocol?: Protocol | '';
  latency?: Latency | '';
  autoplay?: Switch;
  muted?: Switch;
  controls?: Switch;
  loop?: Switch;
  preload?: Preload | '';
  retry?: Size;
  viewers?: Switch;
  stats?: Switch;
  title?: string;
  poster?: string;
  offline?: string;
  captions?: string;
  width?: Size;
  height?: Size;
  ratio?: string;
  token?: Token;
  danmaku?: string;
  lang?: string;
  base?: string;
}

/** Properties of an `<srs-player>` that are attributes too. */
export interface SrsPlayerProperties {
  /** The stream's address, absolute or relative; may change at any time. `src` is another name for it. */
  url: string;
  /** The stream's address, absolute or relative; may change at any time. `src` is another name for it. */
  src: string;
  /** Protocol to use for the address: `auto` (default), `webrtc`, `flv`, `ws-flv`, `hls`, `ts`, `native`. */
  protocol: string;
  /** `realtime` (as near to live as the network allows), `low` (default), `normal` (about three seconds, with WebRTC one, for bad networks); may change while playing. */
  latency: string;
  /** Start without a click. If the browser needs a click for sound, the player starts muted and offers “Tap for sound”. */
  autoplay: boolean;
  /** Start without sound; as with `<video>`, the property `muted` is the present state and `defaultMuted` the attribute. */
  muted: boolean;
  /** Show the player's controls and enable its keys. */
  controls: boolean;
  /** Play a file again when it ends. */
  loop: boolean;
  /** For files that the browser itself plays: `none` (default), `metadata`, `auto`. Live streams are never preloaded. */
  preload: string;
  /** Attempts to reconnect before giving up; default: unlimited, `0`: none. */
  get retry(): string;
  set retry(value: string | number);
  /** Show the number of viewers, if the server provides it: Lianmai does, SRS if the page may read its list of streams. */
  viewers: boolean;
  /** Image to show before the stream. */
  poster: string;
  /** Text to show while nobody publishes, instead of “Waiting for the stream…”. */
  offline: string;
  /** Address of a WebVTT file, for recordings; a button and the key c switch captions. */
  captions: string;
  /** In CSS pixels. Without them: 640 wide, never wider than the surrounding element, in the aspect ratio of the video. */
  width: number;
  /** In CSS pixels. Without them: 640 wide, never wider than the surrounding element, in the aspect ratio of the video. */
  height: number;
  /** Aspect ratio of the player, such as `16:9` or `4/3`; default: that of the video, or of `width` and `height`. */
  ratio: string;
  /** Token or secret that allows playing: see Tokens. A token set as a property is not written into the page. */
  token: Token;
  /** Name of a room on the same server: while the stream plays, the messages of its docs/chat.md fly over the video. */
  danmaku: string;
  /** Folder of the player's files, if a bundler or an optimiser does not keep them beside the script: docs/npm.md. */
  base: string;
}

/** Attributes for an `<srs-player>` that `new SrsPlayer()` makes. */
export interface SrsPlayerOptions {
  /** Protocol to use for the address: `auto` (default), `webrtc`, `flv`, `ws-flv`, `hls`, `ts`, `native`. */
  protocol?: Protocol;
  /** `realtime` (as near to live as the network allows), `low` (default), `normal` (about three seconds, with WebRTC one, for bad networks); may change while playing. */
  latency?: Latency;
  /** Start without a click. If the browser needs a click for sound, the player starts muted and offers “Tap for sound”. */
  autoplay?: boolean;
  /** Start without sound; as with `<video>`, the property `muted` is the present state and `defaultMuted` the attribute. */
  muted?: boolean;
  /** Show the player's controls and enable its keys. */
  controls?: boolean;
  /** Play a file again when it ends. */
  loop?: boolean;
  /** For files that the browser itself plays: `none` (default), `metadata`, `auto`. Live streams are never preloaded. */
  preload?: Preload;
  /** Attempts to reconnect before giving up; default: unlimited, `0`: none. */
  retry?: number;
  /** Show the number of viewers, if the server provides it: Lianmai does, SRS if the page may read its list of streams. */
  viewers?: boolean;
  /** Show statistics over the video (the property `stats` contains the figures). */
  stats?: boolean;
  /** Shown over the video with the controls; also the player's name for screen readers. */
  title?: string;
  /** Image to show before the stream. */
  poster?: string;
  /** Text to show while nobody publishes, instead of “Waiting for the stream…”. */
  offline?: string;
  /** Address of a WebVTT file, for recordings; a button and the key c switch captions. */
  captions?: string;
  /** In CSS pixels. Without them: 640 wide, never wider than the surrounding element, in the aspect ratio of the video. */
  width?: number;
  /** In CSS pixels. Without them: 640 wide, never wider than the surrounding element, in the aspect ratio of the video. */
  height?: number;
  /** Aspect ratio of the player, such as `16:9` or `4/3`; default: that of the video, or of `width` and `height`. */
  ratio?: string;
  /** Token or secret that allows playing: see Tokens. A token set as a property is not written into the page. */
  token?: Token;
  /** Name of a room on the same server: while the stream plays, the messages of its docs/chat.md fly over the video. */
  danmaku?: string;
  /** Language of the controls: `en…` or `zh…`; default: the browser's. */
  lang?: string;
  /** Folder of the player's files, if a bundler or an optimiser does not keep them beside the script: docs/npm.md. */
  base?: string;
}

/** Attributes that templates may write on an `<srs-publisher>`. */
export interface SrsPublisherAttributes {
  url?: string;
  source?: PublisherSource | '';
  protocol?: PublisherProtocol | '';
  bitrate?: Size;
  preview?: Switch;
  width?: Size;
  height?: Size;
  fps?: Size;
  camera?: string;
  microphone?: string;
  muted?: Switch;
  'camera-off'?: Switch;
  retry?: Size;
  base?: string;
  token?: Token;
  lang?: string;
  stats?: Switch;
}

/** Properties of an `<srs-publisher>` that are attributes too. */
export interface SrsPublisherProperties {
  /** `webrtc://host[:port]/app/stream`, a WHIP address (`https://…/whip`), or `https://…/app/stream.flv` for FLV only. Its query, such as `?secret=…`, is passed on. */
  url: string;
  /** `camera` (default), `screen` (with the microphone and the screen's own sound), `audio`. */
  source: PublisherSource;
  /** `auto` (default), `webrtc`, `ws-flv`. `auto` is WebRTC, or a WebSocket where WebRTC does not work or the browser has H.264 only there (Firefox without its OpenH264 plugin). */
  protocol: string;
  /** Maximum bit rate of the video, in kb/s; default: chosen by the size (2500 for 720p). */
  bitrate: number;
  /** Open camera and microphone, and show them, before publishing. */
  preview: boolean;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  width: number;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  height: number;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  fps: number;
  /** A device's id; default: the browser's choice. */
  camera: string;
  /** A device's id; default: the browser's choice. */
  microphone: string;
  /** Send silence. */
  muted: boolean;
  /** Send black video. The property is `cameraOff`. */
  cameraOff: boolean;
  /** Attempts to reconnect before giving up; default: unlimited. */
  get retry(): string;
  set retry(value: string | number);
  /** Folder of the package's files, if a bundler does not keep them beside the script: docs/npm.md. */
  base: string;
  /** A token or the server's secret, sent as `Authorization: Bearer` (over a WebSocket in the address), or a function that returns one: see Tokens. A token set as a property is not written into the page. */
  token: Token;
}

/** Attributes for an `<srs-publisher>` that `new SrsPublisher()` makes. */
export interface SrsPublisherOptions {
  /** `camera` (default), `screen` (with the microphone and the screen's own sound), `audio`. */
  source?: PublisherSource;
  /** `auto` (default), `webrtc`, `ws-flv`. `auto` is WebRTC, or a WebSocket where WebRTC does not work or the browser has H.264 only there (Firefox without its OpenH264 plugin). */
  protocol?: PublisherProtocol;
  /** Maximum bit rate of the video, in kb/s; default: chosen by the size (2500 for 720p). */
  bitrate?: number;
  /** Open camera and microphone, and show them, before publishing. */
  preview?: boolean;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  width?: number;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  height?: number;
  /** Requested size and frame rate; default 1280×720, 30. A camera provides the nearest that it can. */
  fps?: number;
  /** A device's id; default: the browser's choice. */
  camera?: string;
  /** A device's id; default: the browser's choice. */
  microphone?: string;
  /** Send silence. */
  muted?: boolean;
  /** Send black video. The property is `cameraOff`. */
  cameraOff?: boolean;
  /** Attempts to reconnect before giving up; default: unlimited. */
  retry?: number;
  /** Folder of the package's files, if a bundler does not keep them beside the script: docs/npm.md. */
  base?: string;
  /** A token or the server's secret, sent as `Authorization: Bearer` (over a WebSocket in the address), or a function that returns one: see Tokens. A token set as a property is not written into the page. */
  token?: Token;
  /** As for the docs/player.md. */
  lang?: string;
  /** As for the docs/player.md. */
  stats?: boolean;
}

/** Attributes that templates may write on an `<srs-room>`. */
export interface SrsRoomAttributes {
  room?: string;
  server?: string;
  name?: string;
  as?: string;
  invite?: string;
  token?: Token;
  secret?: string;
  layout?: string;
  scene?: Switch;
  names?: Switch;
  lang?: string;
}

/** Properties of an `<srs-room>` that are attributes too. */
export interface SrsRoomProperties {
  /** Name of the room, such as `friday-show`. */
  room: string;
  /** Address of the gateway, such as `https://live.example.com`; default: where the page comes from. */
  server: string;
  /** Name of the participant; the page asks for it, and the browser remembers the last one. */
  name: string;
  /** An invitation to the room. Set as a property it is not written into the page. */
  invite: string;
  /** A token with the claim `room`, or a function that returns one. Set as a property it is not written into the page. */
  token: Token;
  /** `grid`, `speaker`, `side` or `screen`; default: the layout of the room. */
  layout: string;
  /** Shows the stage only, on a transparent background, for a broadcast: joins at once as audience, and never publishes. */
  scene: boolean;
  /** With `scene`: shows the names too. */
  names: boolean;
}

/** Attributes for an `<srs-room>` that `new SrsRoom()` makes. */
export interface SrsRoomOptions {
  /** Name of the room, such as `friday-show`. */
  room?: string;
  /** Address of the gateway, such as `https://live.example.com`; default: where the page comes from. */
  server?: string;
  /** Name of the participant; the page asks for it, and the browser remembers the last one. */
  name?: string;
  /** Role to join with: `host`, `guest` or `audience`; default: the highest that the credentials allow. */
  as?: string;
  /** An invitation to the room. Set as a property it is not written into the page. */
  invite?: string;
  /** A token with the claim `room`, or a function that returns one. Set as a property it is not written into the page. */
  token?: Token;
  /** The secret of the gateway; the element asks for it where it is needed. */
  secret?: string;
  /** `grid`, `speaker`, `side` or `screen`; default: the layout of the room. */
  layout?: string;
  /** Shows the stage only, on a transparent background, for a broadcast: joins at once as audience, and never publishes. */
  scene?: boolean;
  /** With `scene`: shows the names too. */
  names?: boolean;
  /** As for the docs/player.md. */
  lang?: string;
}

/** Attributes that templates may write on an `<srs-mixer>`. */
export interface SrsMixerAttributes {
  inputs?: string;
  output?: string;
  server?: string;
  layout?: MixLayoutName | '';
  names?: Switch;
  size?: string;
  rate?: Size;
  bitrate?: Size;
  background?: string;
  margin?: Size;
  gap?: Size;
  retry?: Size;
  base?: string;
  token?: Token;
  lang?: string;
}

/** Properties of an `<srs-mixer>` that are attributes too. */
export interface SrsMixerProperties {
  /** The streams that are mixed, such as `live/a live/b`, or their addresses; up to 16. The property takes more: Inputs. */
  inputs: string;
  /** The stream that the mix is published as, such as `live/merge`, or its WHIP address. */
  output: string;
  /** Address of the gateway that streams without an address are on; default: where the page comes from. */
  server: string;
  /** `grid` (default), `speaker`, `side`, `pip`, `screen`: Layouts. */
  layout: MixLayoutName;
  /** Each input has its name at the lower edge. */
  names: boolean;
  /** Size of the mix in pixels; default `1280x720`. It counts from the next start. */
  size: string;
  /** Frames per second of the mix, 1 to 60; default 30. It counts from the next start. */
  rate: number;
  /** Maximum bit rate of the video, in kb/s; default: chosen by the size (2500 for 720p). */
  bitrate: number;
  /** Colour behind the inputs, `#rrggbb`. */
  background: string;
  /** Part of the canvas that stays free on each side, per cent (0 to 20), and pixels between two inputs (0 to 64, default 8). */
  margin: number;
  /** Part of the canvas that stays free on each side, per cent (0 to 20), and pixels between two inputs (0 to 64, default 8). */
  gap: number;
  /** Attempts to reconnect the output before giving up; default: unlimited. */
  get retry(): string;
  set retry(value: string | number);
  /** Folder of the package's files, if a bundler does not keep them beside the script: docs/npm.md. */
  base: string;
  /** A token or the server's secret, for the inputs and the output, or a function that returns one: see docs/publisher.md. A token set as a property is not written into the page. */
  token: Token;
}

/** Attributes for an `<srs-mixer>` that `new SrsMixer()` makes. */
export interface SrsMixerOptions {
  /** The streams that are mixed, such as `live/a live/b`, or their addresses; up to 16. The property takes more: Inputs. */
  inputs?: string;
  /** The stream that the mix is published as, such as `live/merge`, or its WHIP address. */
  output?: string;
  /** Address of the gateway that streams without an address are on; default: where the page comes from. */
  server?: string;
  /** `grid` (default), `speaker`, `side`, `pip`, `screen`: Layouts. */
  layout?: MixLayoutName;
  /** Each input has its name at the lower edge. */
  names?: boolean;
  /** Size of the mix in pixels; default `1280x720`. It counts from the next start. */
  size?: string;
  /** Frames per second of the mix, 1 to 60; default 30. It counts from the next start. */
  rate?: number;
  /** Maximum bit rate of the video, in kb/s; default: chosen by the size (2500 for 720p). */
  bitrate?: number;
  /** Colour behind the inputs, `#rrggbb`. */
  background?: string;
  /** Part of the canvas that stays free on each side, per cent (0 to 20), and pixels between two inputs (0 to 64, default 8). */
  margin?: number;
  /** Part of the canvas that stays free on each side, per cent (0 to 20), and pixels between two inputs (0 to 64, default 8). */
  gap?: number;
  /** Attempts to reconnect the output before giving up; default: unlimited. */
  retry?: number;
  /** Folder of the package's files, if a bundler does not keep them beside the script: docs/npm.md. */
  base?: string;
  /** A token or the server's secret, for the inputs and the output, or a function that returns one: see docs/publisher.md. A token set as a property is not written into the page. */
  token?: Token;
  /** As for the docs/player.md. */
  lang?: string;
}

/** Attributes that templates may write on an `<srs-chat>`. */
export interface SrsChatAttributes {
  room?: string;
  server?: string;
  name?: string;
  as?: string;
  token?: Token;
  secret?: string;
  invite?: string;
  lang?: string;
}

/** Properties of an `<srs-chat>` that are attributes too. */
export interface SrsChatProperties {
  /** Name of the room, such as `friday-show`. */
  room: string;
  /** Address of the gateway, such as `https://live.example.com`; default: where the page comes from. */
  server: string;
  /** Name of the person. Without it the element asks before the first message; the browser keeps the name. */
  name: string;
  /** A token with the claim `room`, where the gateway wants one, or a function that returns one. Set as a property it is not written into the page. */
  token: Token;
}

/** Attributes that templates may write on an `<srs-audience>`. */
export interface SrsAudienceAttributes {
  room?: string;
  server?: string;
  name?: string;
  token?: Token;
  secret?: string;
  invite?: string;
  lang?: string;
}

/** Properties of an `<srs-audience>` that are attributes too. */
export interface SrsAudienceProperties {
  /** A token with the claim `room`, where the gateway wants one, or a function that returns one. Set as a property it is not written into the page. */
  token: Token;
}

/** Attributes that templates may write on an `<srs-room-list>`. */
export interface SrsRoomListAttributes {
  server?: string;
  prefix?: string;
  lang?: string;
}

/** Properties of an `<srs-room-list>` that are attributes too. */
export interface SrsRoomListProperties {
  /** Address of the gateway, such as `https://live.example.com`; default: where the page comes from. */
  server: string;
}
