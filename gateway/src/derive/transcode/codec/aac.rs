//! AAC: decodes LC and HE-AAC, encodes LC.

use bytes::Bytes;
use syom::{Channel, DecodeOptions, EncodeOptions};

use super::{Broken, Pcm, RATE};

/// Bit rate for two channels, in bits per second. A lower rate gives music a worse quality than ffmpeg's encoder.
const STEREO: u32 = 160_000;
/// Bit rate for one channel, in bits per second.
const MONO: u32 = 96_000;
/// Gain of centre and surround channels when they are mixed to two (ITU-R BS.775, as browsers do).
const SIDE: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Decodes raw access units.
pub(super) struct Decoder {
    config: Bytes,
    inner: syom::Decoder,
}

impl Decoder {
    pub(super) fn new(config: &Bytes) -> Result<Self, Broken> {
        Ok(Self { config: config.clone(), inner: open(config)? })
    }
}

fn open(config: &[u8]) -> Result<syom::Decoder, Broken> {
    syom::Decoder::from_asc(config, DecodeOptions::unbounded()).map_err(|_| Broken)
}

impl super::Decoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Pcm) -> Result<(), Broken> {
        let decoded = self.inner.decode_au(packet, |frame| {
            out.rate = frame.sample_rate;
            mix(frame.planar, frame.meta.labels(), out);
            Ok(())
        });
        if decoded.is_err() {
            // This decoder cannot continue after an error.
            self.inner = open(&self.config)?;
        }
        decoded.map_err(|_| Broken)
    }
}

/// Mixes planes with these speaker positions to one or two planes, and appends them.
fn mix(planes: &[&[f32]], places: impl Iterator<Item = Channel>, out: &mut Pcm) {
    let mono = out.planes.len() == 1;
    let samples = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
    let start = out.len();
    out.pad(samples);
    // A single channel is used as it is, whatever its position.
    let places: Vec<_> = if planes.len() == 1 { vec![Channel::Other] } else { places.collect() };
    for (at, plane) in planes.iter().enumerate() {
        let (left, right) = match (places.get(at).copied().unwrap_or_default(), planes.len()) {
            (_, 1) => (1.0, 1.0),
            (Channel::FrontLeft, _) => (1.0, 0.0),
            (Channel::FrontRight, _) => (0.0, 1.0),
            (Channel::BackLeft | Channel::SideLeft, _) => (SIDE, 0.0),
            (Channel::BackRight | Channel::SideRight, _) => (0.0, SIDE),
            (Channel::BackCenter, _) => (0.5, 0.5),
            (Channel::Lfe, _) => continue,
            // Two channels without a position are left and right.
            (_, 2) => (1.0 - at as f32, at as f32),
            _ => (SIDE, SIDE),
        };
        let gains = if mono && planes.len() > 1 { [(left + right) / 2.0, 0.0] } else { [left, right] };
        for (to, gain) in out.planes.iter_mut().zip(gains).filter(|(_, gain)| *gain != 0.0) {
            for (sum, sample) in to[start..].iter_mut().zip(*plane) {
                *sum += gain * sample;
            }
        }
    }
}

/// Encodes raw access units.
pub(super) struct Encoder(syom::Encoder);

impl Encoder {
    /// Number of samples of one access unit, and the delay of the encoder's windows in samples.
    const FRAME: usize = 1024;

    pub(super) fn new(channels: usize) -> Result<Self, Broken> {
        let bitrate = if channels == 1 { MONO } else { STEREO };
        let options = EncodeOptions::raw().with_bitrate_bps(bitrate);
        syom::Encoder::new(RATE, channels, &options).map(Self).map_err(|_| Broken)
    }
}

impl super::Encoder for Encoder {
    fn frame(&self) -> usize {
        Self::FRAME
    }

    fn delay(&self) -> usize {
        Self::FRAME
    }

    fn encode(&mut self, planes: &[&[f32]]) -> Result<Bytes, Broken> {
        let mut packet = Bytes::new();
        let encoded = self.0.feed(planes, |frame| {
            packet = Bytes::copy_from_slice(frame.payload);
            Ok(())
        });
        if encoded.is_err() {
            self.0.reset().map_err(|_| Broken)?;
        }
        encoded.ok().filter(|_| !packet.is_empty()).map(|_| packet).ok_or(Broken)
    }
}
