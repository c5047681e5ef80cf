//! Opus (RFC 6716), one or two channels.

use bytes::Bytes;
use media::Config;
use media::codec::opus;
use rusty_opus::{Application, OpusDecoder, OpusEncoder};

use super::{Broken, Pcm, RATE};

/// Bits per second for two channels.
const STEREO: i32 = 128_000;
/// Bits per second for one channel.
const MONO: i32 = 64_000;
/// The encoder's effort: more costs CPU and cannot be heard at these bit rates.
const COMPLEXITY: i32 = 5;
/// The packet loss that the encoder is told to expect, in percent: one lost packet does not spoil the next.
const LOSS: i32 = 5;
/// The largest packet, in bytes.
const MAX_PACKET: usize = 1500;
/// Samples of the longest packet (120 ms).
const MAX_SAMPLES: usize = 5760;

/// Decodes packets.
pub(super) struct Decoder {
    inner: OpusDecoder,
    channels: usize,
    interleaved: Vec<f32>,
}

impl Decoder {
    pub(super) fn new(config: &Config) -> Result<Self, Broken> {
        let channels = config.audio().map_or(2, |audio| usize::from(audio.channels));
        let inner = OpusDecoder::new(RATE as i32, channels).map_err(|_| Broken)?;
        Ok(Self { inner, channels, interleaved: vec![0.0; MAX_SAMPLES * channels] })
    }

    fn run(&mut self, packet: &[u8], samples: usize, out: &mut Pcm) -> Result<(), Broken> {
        let decoded = self.inner.decode(packet, samples, &mut self.interleaved).map_err(|_| Broken)?;
        out.rate = RATE;
        for frame in self.interleaved.chunks_exact(self.channels).take(decoded) {
            for (plane, sample) in out.planes.iter_mut().zip(frame.iter().cycle()) {
                plane.push(*sample);
            }
        }
        Ok(())
    }
}

impl super::Decoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Pcm) -> Result<(), Broken> {
        let samples = opus::samples(packet).ok_or(Broken)?;
        self.run(packet, samples as usize, out)
    }

    fn conceal(&mut self, samples: usize, out: &mut Pcm) -> Result<(), Broken> {
        // The decoder conceals in steps of 2.5 ms: this rounds up.
        self.run(&[], samples.next_multiple_of(120).min(MAX_SAMPLES), out)
    }
}

/// Encodes packets of 20 ms.
pub(super) struct Encoder {
    inner: OpusEncoder,
    interleaved: Vec<f32>,
    packet: Vec<u8>,
}

impl Encoder {
    const FRAME: usize = 960;

    pub(super) fn new(channels: usize) -> Result<Self, Broken> {
        // At these bit rates the encoder would not use its speech mode, except now and then. It is turned off, which
        // saves 4 ms of delay.
        let application = Application::RestrictedLowDelay;
        let mut inner = OpusEncoder::new(RATE as i32, channels, application).map_err(|_| Broken)?;
        inner.bitrate_bps = if channels == 1 { MONO } else { STEREO };
        inner.complexity = COMPLEXITY;
        inner.packet_loss_perc = LOSS;
        Ok(Self { inner, interleaved: Vec::new(), packet: vec![0; MAX_PACKET] })
    }
}

impl super::Encoder for Encoder {
    fn frame(&self) -> usize {
        Self::FRAME
    }

    /// The overlap of the encoder's transform: 2.5 ms.
    fn delay(&self) -> usize {
        120
    }

    fn encode(&mut self, planes: &[&[f32]]) -> Result<Bytes, Broken> {
        self.interleaved.clear();
        for at in 0..Self::FRAME {
            self.interleaved.extend(planes.iter().filter_map(|plane| plane.get(at)));
        }
        let size = self.inner.encode(&self.interleaved, Self::FRAME, &mut self.packet).map_err(|_| Broken)?;
        self.packet.get(..size).filter(|packet| !packet.is_empty()).map(Bytes::copy_from_slice).ok_or(Broken)
    }
}
