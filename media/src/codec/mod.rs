//! The codecs' parameter sets and framing: pure functions of bytes. Nothing is decoded here.

pub mod aac;
pub mod h264;
pub mod nal;
pub mod rfc6381;
#[cfg(test)]
pub(crate) mod samples;

use bytes::Bytes;

use crate::config::{Codec, Config};
use crate::error::{Error, Result};
pub use rfc6381::rfc6381;

/// The configuration that a codec's `description` (see [`Config::description`]) makes.
///
/// Codecs without one ([`Codec::Mp3`], G.711) are unsupported here: their frames or container say it.
pub fn config_of(codec: Codec, description: Bytes) -> Result<Config> {
    match codec {
        Codec::H264 => h264::config_from_avcc(description),
        Codec::Aac => aac::config_from_asc(description),
        other => Err(Error::unsupported(other.name(), 0, "decoder description")),
    }
}
