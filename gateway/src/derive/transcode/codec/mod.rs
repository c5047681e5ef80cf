//! Audio codecs. Two small traits hide the crates, so that these can be replaced.
//!
//! The codecs are third-party code that reads bytes from the network. A panic in a codec is caught, and a new codec
//! replaces it.

mod aac;
mod g711;
mod opus;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use media::{Codec, Config};

use super::AudioTarget;

/// Sample rate of all encoders, in hertz.
pub(crate) const RATE: u32 = 48_000;

/// The packet or the configuration is broken: there is no audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Audio samples between two codecs: one or two planes of equal length, with values that are nominally within
/// -1 to 1.
#[derive(Debug, Clone)]
pub(crate) struct Pcm {
    /// Sample rate in hertz.
    pub(crate) rate: u32,
    /// The left (or only) channel, and the right one.
    pub(crate) planes: Vec<Vec<f32>>,
}

impl Pcm {
    /// Creates a buffer without samples, for one or two channels.
    pub(crate) fn new(rate: u32, channels: usize) -> Self {
        Self { rate, planes: vec![Vec::new(); channels] }
    }

    /// Returns the number of samples in each plane.
    pub(crate) fn len(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Removes all samples. The memory stays allocated.
    pub(crate) fn clear(&mut self) {
        self.planes.iter_mut().for_each(Vec::clear);
    }

    /// Appends silence.
    pub(crate) fn pad(&mut self, samples: usize) {
        for plane in &mut self.planes {
            plane.resize(plane.len() + samples, 0.0);
        }
    }

    /// Removes the first samples.
    pub(crate) fn drop_front(&mut self, samples: usize) {
        for plane in &mut self.planes {
            plane.drain(..samples.min(plane.len()));
        }
    }
}

/// Decodes the packets of one track, in order.
pub(crate) trait Decoder: Send {
    /// Appends a packet's samples to `out`, in as many channels as `out` has, and sets its rate. The decoder adds no
    /// delay: its first samples have the time of the first packet.
    fn decode(&mut self, packet: &[u8], out: &mut Pcm) -> Result<(), Broken>;

    /// Appends about `samples` samples that replace lost packets, if the codec can conceal losses.
    fn conceal(&mut self, _samples: usize, _out: &mut Pcm) -> Result<(), Broken> {
        Ok(())
    }
}

/// Encodes audio at [`RATE`].
pub(crate) trait Encoder: Send {
    /// Returns the number of samples per packet.
    fn frame(&self) -> usize;

    /// Returns the delay of encoder and decoder together, in samples.
    fn delay(&self) -> usize;

    /// Encodes [`Encoder::frame`] samples of each plane, all within -1 to 1.
    fn encode(&mut self, planes: &[&[f32]]) -> Result<Bytes, Broken>;
}

/// Creates a decoder for packets of this configuration.
pub(crate) fn decoder(config: &Config) -> Result<Box<dyn Decoder>, Broken> {
    match config.codec {
        Codec::Aac => Ok(Box::new(aac::Decoder::new(&config.description)?)),
        Codec::Opus => Ok(Box::new(opus::Decoder::new(config)?)),
        Codec::PcmAlaw | Codec::PcmMulaw => Ok(Box::new(g711::Decoder::new(config)?)),
        _ => Err(Broken),
    }
}

/// Creates an encoder for one or two channels.
pub(crate) fn encoder(to: AudioTarget, channels: usize) -> Result<Box<dyn Encoder>, Broken> {
    match to {
        AudioTarget::Aac => Ok(Box::new(aac::Encoder::new(channels)?)),
        AudioTarget::Opus => Ok(Box::new(opus::Encoder::new(channels)?)),
    }
}

/// Calls a codec and returns the result. Returns [`None`] if the codec panicked and must not be called again.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, Broken>) -> Option<Result<T, Broken>> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
