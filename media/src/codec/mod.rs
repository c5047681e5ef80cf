//! Parameter sets and framing of the codecs, as pure functions of bytes. Nothing is decoded here.

pub mod aac;
pub mod access_unit;
pub mod av1;
pub mod h264;
pub mod h265;
pub(crate) mod in_band;
pub mod mp3;
pub mod nal;
pub mod opus;
pub mod rfc6381;
#[cfg(test)]
pub(crate) mod samples;
pub mod vpx;

use bytes::Bytes;

use crate::config::{Codec, Config};
use crate::error::{Error, Result};
use crate::time::{Micros, from_ticks};
pub use rfc6381::rfc6381;

/// Returns the configuration from a codec's `description` (see [`Config::description`]).
///
/// Codecs without a description ([`Codec::Mp3`], G.711) are an error: their frames or container hold the
/// parameters.
pub fn config_of(codec: Codec, description: Bytes) -> Result<Config> {
    match codec {
        Codec::H264 => h264::config_from_avcc(description),
        Codec::H265 => h265::config_from_hvcc(description),
        Codec::Av1 => av1::config_from_av1c(description),
        Codec::Vp8 | Codec::Vp9 => vpx::config_from_vpcc(codec, description),
        Codec::Aac => aac::config_from_asc(description),
        Codec::Opus => opus::config_from_head(description),
        Codec::Mp3 | Codec::PcmAlaw | Codec::PcmMulaw => {
            Err(Error::unsupported(codec.name(), 0, "decoder description"))
        }
    }
}

/// Returns the number of samples, at the configuration's rate, in this audio frame. `None` for video and for
/// broken frames.
pub fn audio_samples(config: &Config, data: &[u8]) -> Option<u32> {
    let audio = config.audio()?;
    match config.codec {
        Codec::Aac => aac::AudioSpecificConfig::parse(&config.description).ok().map(|asc| asc.samples()),
        Codec::Opus => opus::samples(data),
        Codec::Mp3 => mp3::Header::parse(data).ok().map(|header| header.samples),
        Codec::PcmAlaw | Codec::PcmMulaw => Some(data.len() as u32 / u32::from(audio.channels.max(1))),
        _ => None,
    }
}

/// Returns the playing time of this audio frame. `None` for video and for broken frames.
pub fn audio_duration(config: &Config, data: &[u8]) -> Option<Micros> {
    let rate = config.audio()?.sample_rate;
    let samples = audio_samples(config, data)?;
    (rate > 0).then(|| from_ticks(samples.into(), rate))
}
