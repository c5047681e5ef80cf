//! The words that pass between Rust and JavaScript.
//!
//! wasm-bindgen passes these enums as strings, and generates the union types that `tsc` checks the scripts against
//! (`player_wasm.d.ts`): a word is defined here and nowhere else. A script that passes an unknown word gets the last
//! arm of the conversions below.

// wasm-bindgen drops the comments of the variants.
#![allow(missing_docs)]

use media::{Codec, Track};
use wasm_bindgen::prelude::*;

use crate::pacing::Latency;

/// The format of a stream.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    Flv = "flv",
    /// One endless MPEG-TS response.
    Ts = "ts",
    /// MPEG-TS in segments.
    Hls = "hls",
}

/// The distance to live that the viewer prefers: [`Latency`].
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyName {
    Realtime = "realtime",
    Low = "low",
    Normal = "normal",
}

/// A track: [`Track`].
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackName {
    Video = "video",
    Audio = "audio",
}

/// A codec that MP4 and some browsers support: [`Codec`].
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecName {
    H264 = "H.264",
    H265 = "H.265",
    Av1 = "AV1",
    Vp8 = "VP8",
    Vp9 = "VP9",
    Aac = "AAC",
    Opus = "Opus",
    Mp3 = "MP3",
}

/// A piece to append to the MediaSource.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Fragments = "fragments",
    /// An initialisation segment.
    Init = "init",
    /// An initialisation segment that needs a new MediaSource.
    Rebuild = "rebuild",
}

/// An action of latency control.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionName {
    /// Set the playback rate.
    Rate = "rate",
    /// Set the media time.
    Seek = "seek",
}

/// What a loaded playlist is.
#[cfg(feature = "ts")]
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistKind {
    /// It lists segments.
    Media = "media",
    /// It lists variants: one of them is to be loaded instead.
    Master = "master",
    /// The text is not a playlist.
    Invalid = "invalid",
}

/// A feature of HLS that is not supported. The names are part of a sentence for viewers.
#[cfg(feature = "ts")]
#[wasm_bindgen]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HlsFeature {
    Encryption = "encrypted segments",
    FragmentedMp4 = "fragmented MP4",
    Audio = "audio of its own",
    Subtitles = "subtitles of its own",
    /// Segments without a container. The script finds them.
    PackedAudio = "packed audio",
}

impl From<LatencyName> for Latency {
    fn from(name: LatencyName) -> Self {
        match name {
            LatencyName::Realtime => Self::Realtime,
            LatencyName::Low => Self::Low,
            _ => Self::Normal,
        }
    }
}

impl From<TrackName> for Track {
    fn from(name: TrackName) -> Self {
        match name {
            TrackName::Video => Self::Video,
            _ => Self::Audio,
        }
    }
}

impl From<Track> for TrackName {
    fn from(track: Track) -> Self {
        match track {
            Track::Video => Self::Video,
            Track::Audio => Self::Audio,
        }
    }
}

impl CodecName {
    /// Returns the name of a codec; `None` if MP4 does not support it.
    pub(crate) const fn of(codec: Codec) -> Option<Self> {
        Some(match codec {
            Codec::H264 => Self::H264,
            Codec::H265 => Self::H265,
            Codec::Av1 => Self::Av1,
            Codec::Vp8 => Self::Vp8,
            Codec::Vp9 => Self::Vp9,
            Codec::Aac => Self::Aac,
            Codec::Opus => Self::Opus,
            Codec::Mp3 => Self::Mp3,
            _ => return None,
        })
    }

    /// Returns the codec; `None` if a script has passed another word.
    pub(crate) const fn codec(self) -> Option<Codec> {
        Some(match self {
            Self::H264 => Codec::H264,
            Self::H265 => Codec::H265,
            Self::Av1 => Codec::Av1,
            Self::Vp8 => Codec::Vp8,
            Self::Vp9 => Codec::Vp9,
            Self::Aac => Codec::Aac,
            Self::Opus => Codec::Opus,
            Self::Mp3 => Codec::Mp3,
            Self::__Invalid => return None,
        })
    }
}
