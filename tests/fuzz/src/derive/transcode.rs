//! `gateway::derive::transcode`, the audio codecs.

use media::Config;

#[path = "../../../../gateway/src/derive/transcode/codec/mod.rs"]
mod codec;

/// What audio is transcoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    Aac,
    Opus,
}

/// Decodes packets of this configuration as the gateway does, into so many channels (1 or 2).
///
/// # Panics
/// When a decoder panics (the gateway catches that, and loses the decoder), answers more than a packet can
/// hold, or planes that differ.
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
