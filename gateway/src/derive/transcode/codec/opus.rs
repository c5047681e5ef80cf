//! Opus (RFC 6716), one or two channels.

use bytes::Bytes;
use media::Config;
use media::codec::opus;
use rusty_opus::{Application, OpusDecoder, OpusEncoder};

use super::{Broken, Pcm, RATE};

/// Bit rate for two channels, in bits per second.
const STEREO: i32 = 128_000;
/// Bit rate for one channel, in bits per second.
const MONO: i32 = 64_000;
/// Complexity of the encoder, 0 to 10. A higher value needs more CPU time, without an audible difference at these bit
/// rates.
const COMPLEXITY: i32 = 5;
/// Packet loss that the encoder expects, in percent. The encoder then makes packets depend less on previous ones.
const LOSS: i32 = 5;
/// Maximum packet size in bytes.
const MAX_PACKET: usize = 1500;
/// Number of samples of the longest packet (120 ms).
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
        // The decoder conceals multiples of 2.5 ms, so this rounds up.
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
        // Turns the speech mode off, which saves 4 ms of delay. At these bit rates the encoder would rarely use it.
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

    /// Returns the overlap of the encoder's transform: 2.5 ms.
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
