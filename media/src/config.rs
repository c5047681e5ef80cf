//! Decoder configurations: the parameters a decoder needs before the first frame, as in WebCodecs.

use bytes::Bytes;

/// The kind of a track: video or audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// Video.
    Video,
    /// Audio.
    Audio,
}

/// Identifies one track of a stream.
///
/// A stream has at most one video and one audio track today, both with number 0. Other numbers are reserved for a
/// second audio language or a simulcast layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    /// Video or audio.
    pub kind: Track,
    /// Number among the tracks of the same kind; 0 is the default track.
    pub number: u8,
}

impl TrackId {
    /// The default video track.
    pub const VIDEO: Self = Self { kind: Track::Video, number: 0 };
    /// The default audio track.
    pub const AUDIO: Self = Self { kind: Track::Audio, number: 0 };

    /// Returns whether this is the default track of its kind.
    pub const fn is_default(self) -> bool {
        self.number == 0
    }
}

/// Converts a kind to its default track.
impl From<Track> for TrackId {
    fn from(kind: Track) -> Self {
        Self { kind, number: 0 }
    }
}

/// The encoding of a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// H.264 / AVC, length-prefixed NAL units without parameter sets.
    H264,
    /// H.265 / HEVC, length-prefixed NAL units without parameter sets.
    H265,
    /// AV1, a temporal unit of low-overhead OBUs.
    Av1,
    /// VP8 frames.
    Vp8,
    /// VP9 frames.
    Vp9,
    /// Raw AAC access units (no ADTS header).
    Aac,
    /// Raw Opus packets.
    Opus,
    /// MPEG-1/2 Audio Layer III frames with their header.
    Mp3,
    /// G.711 A-law samples.
    PcmAlaw,
    /// G.711 µ-law samples.
    PcmMulaw,
}

impl Codec {
    /// The track this codec belongs to.
    pub const fn track(self) -> Track {
        match self {
            Self::H264 | Self::H265 | Self::Av1 | Self::Vp8 | Self::Vp9 => Track::Video,
            Self::Aac | Self::Opus | Self::Mp3 | Self::PcmAlaw | Self::PcmMulaw => Track::Audio,
        }
    }

    /// Returns FFmpeg's name: `h264`, `hevc`, `av1`, `aac`, `opus`, `pcm_alaw` …
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "hevc",
            Self::Av1 => "av1",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::Aac => "aac",
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
            Self::PcmAlaw => "pcm_alaw",
            Self::PcmMulaw => "pcm_mulaw",
        }
    }
}

/// Properties of a video track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Video {
    /// Coded width in pixels after cropping; 0 when not known.
    pub width: u32,
    /// Coded height in pixels after cropping; 0 when not known.
    pub height: u32,
}

/// Properties of an audio track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// Samples per second at the decoder's output.
    pub sample_rate: u32,
    /// Channels at the decoder's output.
    pub channels: u8,
}

/// The track-specific part of a [`Config`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Properties of a video track.
    Video(Video),
    /// Properties of an audio track.
    Audio(Audio),
}

/// A track's decoder configuration. Frames share it by `Arc`; a different `Arc` means that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The codec.
    pub codec: Codec,
    /// Size, or sample rate and channels.
    pub format: Format,
    /// `avcC`, `hvcC`, `av1C`, `vpcC` box content (without the FullBox header for `vpcC`),
    /// AudioSpecificConfig, OpusHead; empty for codecs that have none.
    pub description: Bytes,
}

impl Config {
    /// Returns the track that this configures.
    pub const fn track(&self) -> Track {
        self.codec.track()
    }

    /// Returns the video properties; `None` for audio.
    pub const fn video(&self) -> Option<Video> {
        match self.format {
            Format::Video(v) => Some(v),
            Format::Audio(_) => None,
        }
    }

    /// Returns the audio properties; `None` for video.
    pub const fn audio(&self) -> Option<Audio> {
        match self.format {
            Format::Audio(a) => Some(a),
            Format::Video(_) => None,
        }
    }
}
