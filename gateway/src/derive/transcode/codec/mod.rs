//! The codecs behind two small traits, so that the crates that do the work can be exchanged.
//!
//! The codecs read bytes from the network and are other people's code: a panic in one is caught, and a new codec takes
//! its place.

mod aac;
mod g711;
mod opus;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use media::{Codec, Config};

use super::AudioTarget;

/// Samples per second of everything that is encoded.
pub(super) const RATE: u32 = 48_000;

/// The packet or the configuration gives no audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// Audio samples between two codecs: one or two planes of equal length, with values that are nominally within -1 to 1.
#[derive(Debug, Clone)]
pub(super) struct Pcm {
    /// Samples per second.
    pub(super) rate: u32,
    /// The left (or only) channel, and the right one.
    pub(super) planes: Vec<Vec<f32>>,
}

impl Pcm {
    /// No samples, for one or two channels.
    pub(super) fn new(rate: u32, channels: usize) -> Self {
        Self { rate, planes: vec![Vec::new(); channels] }
    }

    /// Samples in each plane.
    pub(super) fn len(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Takes all samples out; the memory stays.
    pub(super) fn clear(&mut self) {
        self.planes.iter_mut().for_each(Vec::clear);
    }

    /// Appends silence.
    pub(super) fn pad(&mut self, samples: usize) {
        for plane in &mut self.planes {
            plane.resize(plane.len() + samples, 0.0);
        }
    }

    /// Takes the first samples out.
    pub(super) fn drop_front(&mut self, samples: usize) {
        for plane in &mut self.planes {
            plane.drain(..samples.min(plane.len()));
        }
    }
}

/// Decodes the packets of one track, in order.
pub(super) trait Decoder: Send {
    /// Appends a packet's samples to `out`, in as many channels as `out` has, and sets its rate. The first samples that
    /// come out belong to the time of the first packet.
    fn decode(&mut self, packet: &[u8], out: &mut Pcm) -> Result<(), Broken>;

    /// Appends about `samples` in place of lost packets, if the codec can conceal losses.
    fn conceal(&mut self, _samples: usize, _out: &mut Pcm) -> Result<(), Broken> {
        Ok(())
    }
}

/// Encodes audio at [`RATE`].
pub(super) trait Encoder: Send {
    /// Samples per packet.
    fn frame(&self) -> usize;

    /// The delay of encoder and decoder together, in samples.
    fn delay(&self) -> usize;

    /// Encodes [`Encoder::frame`] samples of each plane, all within -1 to 1.
    fn encode(&mut self, planes: &[&[f32]]) -> Result<Bytes, Broken>;
}

/// A decoder for packets of this configuration.
pub(super) fn decoder(config: &Config) -> Result<Box<dyn Decoder>, Broken> {
    match config.codec {
        Codec::Aac => Ok(Box::new(aac::Decoder::new(&config.description)?)),
        Codec::Opus => Ok(Box::new(opus::Decoder::new(config)?)),
        Codec::PcmAlaw | Codec::PcmMulaw => Ok(Box::new(g711::Decoder::new(config)?)),
        _ => Err(Broken),
    }
}

/// An encoder for one or two channels.
pub(super) fn encoder(to: AudioTarget, channels: usize) -> Result<Box<dyn Encoder>, Broken> {
    match to {
        AudioTarget::Aac => Ok(Box::new(aac::Encoder::new(channels)?)),
        AudioTarget::Opus => Ok(Box::new(opus::Encoder::new(channels)?)),
    }
}

/// The result of a call into a codec; [`None`] when the codec panicked and must not be called again.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, Broken>) -> Option<Result<T, Broken>> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
