//! Opus (RFC 6716; OpusHead in RFC 7845 5.1).

use bytes::Bytes;

use crate::config::{Audio, Codec, Config, Format};
use crate::error::{Error, Result};

const FORMAT: &str = "opus";
/// The rate of every Opus decoder.
pub const SAMPLE_RATE: u32 = 48_000;

/// Returns the configuration that an OpusHead describes.
pub fn config_from_head(head: Bytes) -> Result<Config> {
    if head.len() < 19 {
        return Err(Error::truncated(FORMAT, head.len() as u64));
    }
    let channels = head[9];
    if !head.starts_with(b"OpusHead") || head[8] & 0xf0 != 0 || channels == 0 {
        return Err(Error::invalid(FORMAT, 0, "OpusHead"));
    }
    if head[18] == 0 && channels > 2 || head[18] != 0 && head.len() < 21 + usize::from(channels) {
        return Err(Error::invalid(FORMAT, 18, "channel mapping"));
    }
    Ok(config(channels, head))
}

/// Returns the configuration of a mono or stereo stream without an OpusHead (RTP, MPEG-TS).
pub fn config_of_channels(channels: u8) -> Config {
    let channels = channels.clamp(1, 2);
    let mut head = *b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";
    head[9] = channels;
    config(channels, Bytes::copy_from_slice(&head))
}

fn config(channels: u8, description: Bytes) -> Config {
    let format = Format::Audio(Audio { sample_rate: SAMPLE_RATE, channels });
    Config { codec: Codec::Opus, format, description }
}

/// Returns whether a packet is coded in stereo (RFC 6716 3.1).
pub fn is_stereo(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc & 4 != 0)
}

/// Returns the number of samples of a packet at 48 kHz; `None` for an invalid packet.
pub fn samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..=15 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    Some(frame * count).filter(|samples| (1..=5760).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_durations() {
        let stereo = config_of_channels(2);
        assert_eq!(config_from_head(stereo.description.clone()), Ok(stereo));
        assert!(config_from_head(Bytes::from_static(b"OpusHead\x01\x06\0\0\0\0\0\0\0\0\0")).is_err());
        assert_eq!(samples(&[0xfc]), Some(960));
        assert_eq!(samples(&[0x9b, 3]), Some(2880));
        assert_eq!(samples(&[0xff, 0x3f]), None);
        assert_eq!(samples(&[]), None);
    }
}
