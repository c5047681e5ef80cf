//! Streams for those who cannot play what is published: sound in another codec (AAC to Opus and back,
//! G.711 to either), and pictures in the order shown.
//!
//! An edge reads a [`Source`] in place of the stream. While the stream's sound is what the edge
//! carries, that is the stream's own ring, and nothing here runs. Else it is the stream's view for
//! this sound: a second ring with the same pictures (shared, not copied) and with sound that is
//! decoded and encoded anew, on threads of its own, once for all who need it. The first of them
//! starts it, and 10 s after the last it stops.
//!
//! MP3 is passed to those who carry it, and is not decoded: who takes only Opus hears nothing.
//!
//! An edge whose players can't put pictures in order reads [`InOrder`]: the same, with pictures encoded
//! anew where there are B-frames.

mod codec;
mod counters;
mod decoding;
mod follow;
mod in_order;
mod pictures;
mod pipeline;
mod pool;
mod replace;
mod resample;
mod settings;
mod source;
mod view;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use media::{Audio, Codec, Config, Format, Track};

pub use self::counters::{Counted, counted};
pub use self::in_order::{InOrder, reordered};
pub use self::pictures::Reencoders;
pub use self::settings::{Transcode, TranscodeSettings};
pub use self::source::Source;
use crate::core::hub::Stream;

/// What sound an edge can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// AAC, and MP3 where it comes: FLV, RTMP and HLS, in players that know nothing newer.
    Aac,
    /// Opus and nothing else: WebRTC.
    Opus,
}

/// How a codec reaches an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it is.
    Direct,
    /// Decoded and encoded anew.
    Transcoded,
    /// Not at all.
    Nothing,
}

impl Sound {
    /// Both, in the order of the metrics.
    pub const ALL: [Self; 2] = [Self::Aac, Self::Opus];

    /// The codec's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aac => Codec::Aac.name(),
            Self::Opus => Codec::Opus.name(),
        }
    }

    const fn way(self, codec: Codec) -> Way {
        match (self, codec) {
            (_, Codec::PcmAlaw | Codec::PcmMulaw) | (Self::Aac, Codec::Opus) | (Self::Opus, Codec::Aac) => {
                Way::Transcoded
            }
            (Self::Opus, Codec::Mp3) => Way::Nothing,
            _ => Way::Direct,
        }
    }

    /// The configuration of sound that is transcoded: the same `Arc` for every stream.
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

    /// Whether this is a configuration made by [`Sound::output`].
    fn made(self, config: &Arc<Config>) -> bool {
        [1, 2].iter().any(|&channels| Arc::ptr_eq(config, &self.output(channels)))
    }
}

/// AAC-LC at 48 kHz; its AudioSpecificConfig has the object type, the rate's index and the channels.
fn aac(channels: u8) -> Arc<Config> {
    let format = Format::Audio(Audio { sample_rate: codec::RATE, channels });
    let description = Bytes::copy_from_slice(&[2 << 3 | 3 >> 1, (3 & 1) << 7 | channels << 3]);
    Arc::new(Config { codec: Codec::Aac, format, description })
}

fn opus(channels: u8) -> Arc<Config> {
    Arc::new(media::codec::opus::config_of_channels(channels))
}

/// The channels that sound of this configuration is transcoded to: one stays one, more are mixed to two.
fn channels(config: &Config) -> usize {
    if config.audio().is_some_and(|audio| audio.channels == 1) { 1 } else { 2 }
}

/// Whether the stream's sound is transcoded for an edge for `sound`.
pub fn needed(stream: &Stream, sound: Sound) -> bool {
    stream.config(Track::Audio).is_some_and(|config| sound.way(config.codec) == Way::Transcoded)
}

/// The newest configuration of a track as an edge for `sound` sees it.
pub fn config(stream: &Stream, sound: Sound, track: Track) -> Option<Arc<Config>> {
    let config = stream.config(track)?;
    match sound.way(config.codec) {
        Way::Direct => Some(config),
        Way::Transcoded => Some(sound.output(channels(&config))),
        Way::Nothing => None,
    }
}
