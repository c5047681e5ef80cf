//! Streams for readers who cannot use what is published: audio in another codec (AAC to Opus and back, G.711 to
//! either), and video in presentation order.
//!
//! An edge reads [`Frames`] in place of the stream, and a [`Want`] says what its format carries. If the format carries
//! the stream as it is, the frames come from the stream's own ring and nothing here runs. Otherwise:
//!
//! - Audio in another codec comes from `view`, a derived stream with the same video (shared, not copied) and with audio
//!   that is decoded and encoded again, on threads of its own, once for all who need it.
//! - Video in another order than it is shown, for players that cannot put it in order, comes from `in_order`, which
//!   takes it from a derived stream of re-encoded video.
//!
//! The first reader starts a derived stream, and 10 s after the last one has left it stops.
//!
//! MP3 is passed to formats that carry it and is not decoded: viewers over WebRTC get no audio.

mod codec;
mod counters;
mod decoding;
mod follow;
mod frames;
mod in_order;
mod pictures;
mod pipeline;
mod pool;
mod replace;
mod resample;
mod settings;
mod source;
mod view;
mod want;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use media::{Audio, Codec, Config, Format};

pub use self::counters::{Counted, counted};
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
    /// Both, in the order of preference and of the metrics.
    pub const ALL: [Self; 2] = [Self::Aac, Self::Opus];

    /// The codec.
    pub const fn codec(self) -> Codec {
        match self {
            Self::Aac => Codec::Aac,
            Self::Opus => Codec::Opus,
        }
    }

    /// The codec's name.
    pub const fn name(self) -> &'static str {
        self.codec().name()
    }

    /// The configuration of transcoded audio: the same `Arc` for every stream.
    fn output(self, channels: usize) -> Arc<Config> {
        static OUTPUT: OnceLock<[[Arc<Config>; 2]; 2]> = OnceLock::new();
        let mono = channels == 1;
        let [aac, opus] = OUTPUT.get_or_init(|| [[aac(1), aac(2)], [opus(1), opus(2)]]);
        let of = match self {
            Self::Aac => aac,
            Self::Opus => opus,
        };
        of[usize::from(!mono)].clone()
    }

    /// Whether this is a configuration made by [`AudioTarget::output`].
    fn made(self, config: &Arc<Config>) -> bool {
        [1, 2].iter().any(|&channels| Arc::ptr_eq(config, &self.output(channels)))
    }
}

/// AAC-LC at 48 kHz; its AudioSpecificConfig holds the object type, the rate's index and the channels.
fn aac(channels: u8) -> Arc<Config> {
    let format = Format::Audio(Audio { sample_rate: codec::RATE, channels });
    let description = Bytes::copy_from_slice(&[2 << 3 | 3 >> 1, (3 & 1) << 7 | channels << 3]);
    Arc::new(Config { codec: Codec::Aac, format, description })
}

fn opus(channels: u8) -> Arc<Config> {
    Arc::new(media::codec::opus::config_of_channels(channels))
}

/// The number of channels that audio of this configuration is transcoded to: one stays one, more are mixed to two.
fn channels(config: &Config) -> usize {
    if config.audio().is_some_and(|audio| audio.channels == 1) { 1 } else { 2 }
}
