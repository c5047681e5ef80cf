//! The audio codecs of `gateway::derive::transcode`.

use media::Config;

#[path = "../../../../gateway/src/derive/transcode/codec/mod.rs"]
mod codec;

/// The target codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioTarget {
    Aac,
    Opus,
}

/// Decodes packets of this configuration as the gateway does, to 1 or 2 channels.
///
/// # Panics
/// If a decoder panics (the gateway catches that and drops the decoder), returns more than a packet can hold,
/// or planes that differ.
pub fn decode<'a>(config: &Config, channels: usize, packets: impl Iterator<Item = &'a [u8]>) {
    let Ok(mut decoder) = codec::decoder(config) else { return };
    let mut out = codec::Pcm::new(48_000, channels);
    for packet in packets {
        out.clear();
        let decoded =
            if packet.is_empty() { decoder.conceal(960, &mut out) } else { decoder.decode(packet, &mut out) };
        assert!(out.planes.iter().all(|plane| plane.len() == out.len()));
        if decoded.is_ok() {
            assert!(out.rate > 0 && out.len() <= 48_000, "{} samples", out.len());
            assert!(out.planes.iter().flatten().all(|sample| sample.is_finite()));
        }
    }
}
