//! Settings of transcoding.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::flags;

/// Conditions for re-encoding video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transcode {
    /// Video is re-encoded for viewers who could not play it otherwise.
    Auto,
    /// Video is never re-encoded.
    Off,
}

/// Settings of transcoding.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct TranscodeSettings {
    /// Video of streams with B-frames for WebRTC viewers, who cannot play them. auto: ffmpeg, if it is in PATH,
    /// encodes the video again while somebody plays it over WebRTC; off: B-frames are left out
    #[arg(long, env = "LIANMAI_TRANSCODE", value_name = "HOW", default_value = "auto", value_enum)]
    pub transcode: Transcode,

    /// Maximum number of ffmpeg processes that encode video for WebRTC viewers; 0: twice the number of cores
    #[arg(
        long,
        env = "LIANMAI_MAX_REENCODERS",
        value_name = "N",
        default_value_t = 0,
        help_heading = "Limits"
    )]
    pub max_reencoders: usize,
}

impl Default for TranscodeSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
