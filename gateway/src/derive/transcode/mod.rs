//! Converts streams for readers whose format cannot carry them: transcodes audio (AAC to Opus and back, G.711
//! to either) and puts video in presentation order.
//!
//! An edge reads [`Frames`] instead of the stream. A [`Want`] lists the codecs that its format carries. If
//! the format carries the stream as it is, the frames come from the stream's own ring and nothing of this
//! module runs. Otherwise:
//!
//! - Audio in another codec is read from `view`: a derived stream with the same video (shared, not copied) and with
//!   transcoded audio. It is transcoded once for all readers, on separate threads.
//! - Video with B-frames, for players that cannot reorder frames, is read through `in_order` from a derived stream of
//!   re-encoded video.
//!
//! The first reader starts a derived stream. It stops 10 s after the last reader has left.
//!
//! MP3 is not decoded: formats that carry it get it as it is, and WebRTC viewers get no audio.

mod audio_switch;
pub(crate) mod codec;
mod counters;
pub(crate) mod decoding;
mod follow;
mod frames;
mod in_order;
mod pictures;
mod pipeline;
mod pool;
mod replace;
pub(crate) mod resample;
mod settings;
mod view;
mod want;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use media::{Audio, Codec, Config, Format};

pub use self::counters::{TranscodeStats, counted};
pub use self::frames::Frames;
pub use self::in_order::reordered;
pub use self::pictures::Reencoders;
pub use self::settings::{Transcode, TranscodeSettings};
pub use self::want::{Codecs, Want};

/// The codec that audio is transcoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioTarget {
    /// AAC-LC.
    Aac,
    /// Opus.
    Opus,
}

impl AudioTarget {
    /// All targets, the preferred one first. The metrics list them in this order.
    pub const ALL: [Self; 2] = [Self::Aac, Self::Opus];

    /// Returns the codec.
    pub const fn codec(self) -> Codec {
        match self {
            Self::Aac => Codec::Aac,
            Self::Opus => Codec::Opus,
        }
    }

    /// Returns the codec's name.
    pub const fn name(self) -> &'static str {
        self.codec().name()
    }

    /// Returns the configuration of transcoded audio. It is the same `Arc` for every stream, which identifies it.
    pub(crate) fn output(self, channels: usize) -> Arc<Config> {
        static OUTPUT: OnceLock<[[Arc<Config>; 2]; 2]> = OnceLock::new();
        let mono = channels == 1;
        let [aac, opus] = OUTPUT.get_or_init(|| [[aac(1), aac(2)], [opus(1), opus(2)]]);
        let of = match self {
            Self::Aac => aac,
            Self::Opus => opus,
        };
        of[usize::from(!mono)].clone()
    }

    /// Returns whether [`AudioTarget::output`] made this configuration.
    fn made(self, config: &Arc<Config>) -> bool {
        [1, 2].iter().any(|&channels| Arc::ptr_eq(config, &self.output(channels)))
    }
}

/// Returns the configuration of AAC-LC at 48 kHz. The description is an AudioSpecificConfig (ISO 14496-3 1.6.2.1):
/// object type 2, sample rate index 3, channels.
fn aac(channels: u8) -> Arc<Config> {
    let format = Format::Audio(Audio { sample_rate: codec::RATE, channels });
    let description = Bytes::copy_from_slice(&[2 << 3 | 3 >> 1, (3 & 1) << 7 | channels << 3]);
    Arc::new(Config { codec: Codec::Aac, format, description })
}

fn opus(channels: u8) -> Arc<Config> {
    Arc::new(media::codec::opus::config_of_channels(channels))
}

/// Returns the number of channels after transcoding: mono stays mono, and more channels are mixed to two.
fn channels(config: &Config) -> usize {
    if config.audio().is_some_and(|audio| audio.channels == 1) { 1 } else { 2 }
}
