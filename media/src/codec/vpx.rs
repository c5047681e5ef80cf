//! VP8 and VP9 (RFC 6386; VP9 Bitstream Specification; `vpcC` in "VP Codec ISO Media File Format
//! Binding").

use bytes::Bytes;

use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};

/// Returns the configuration that a `vpcC` describes, with or without its FullBox header. The frame size is
/// not part of it: see [`size`].
pub fn config_from_vpcc(codec: Codec, vpcc: Bytes) -> Result<Config> {
    let record = if vpcc.len() >= 12 && vpcc.starts_with(&[1, 0, 0, 0]) { vpcc.slice(4..) } else { vpcc };
    if record.len() < 8 {
        return Err(Error::truncated(codec.name(), record.len() as u64));
    }
    if record[0] > 3 || !matches!(record[2] >> 4, 8 | 10 | 12) {
        return Err(Error::invalid(codec.name(), 0, "vpcC"));
    }
    Ok(Config { codec, format: Format::Video(Video { width: 0, height: 0 }), description: record })
}

/// Returns the size from a key frame; `None` for other frames.
pub fn size(codec: Codec, frame: &[u8]) -> Option<Video> {
    KeyFrame::parse(codec, frame).map(|key| key.size)
}

/// Returns the configuration from a key frame; `None` for other frames. Its `vpcC` contains no colours, and
/// only the level that the size requires.
pub fn config_of_key_frame(codec: Codec, frame: &[u8]) -> Option<Config> {
    let KeyFrame { profile, depth, chroma, size } = KeyFrame::parse(codec, frame)?;
    let record = [profile, level(size), depth << 4 | chroma << 1, 2, 2, 2, 0, 0];
    Some(Config { codec, format: Format::Video(size), description: Bytes::copy_from_slice(&record) })
}

/// Returns ten times the level for this size at about 60 frames per second (VP9 Bitstream Specification,
/// annex A).
fn level(size: Video) -> u8 {
    const LEVELS: [(u64, u8); 9] = [
        (36_864, 10),
        (73_728, 11),
        (122_880, 20),
        (245_760, 21),
        (552_960, 30),
        (983_040, 31),
        (2_228_224, 41),
        (8_912_896, 51),
        (u64::MAX, 61),
    ];
    let pixels = u64::from(size.width) * u64::from(size.height);
    LEVELS.iter().find(|&&(most, _)| pixels <= most).map_or(61, |&(_, level)| level)
}

/// The fields of a key frame's header.
struct KeyFrame {
    profile: u8,
    depth: u8,
    /// Encoded as in `vpcC`: 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    chroma: u8,
    size: Video,
}

impl KeyFrame {
    fn parse(codec: Codec, frame: &[u8]) -> Option<Self> {
        if codec != Codec::Vp8 {
            return Self::vp9(frame).ok()?;
        }
        let head = frame.first_chunk::<10>()?;
        let key = head[0] & 1 == 0 && head[3..6] == [0x9d, 0x01, 0x2a];
        let field = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff);
        let size = Video { width: field(6), height: field(8) };
        key.then_some(Self { profile: head[0] >> 1 & 7, depth: 8, chroma: 1, size })
    }

    /// Reads uncompressed_header() up to the size (6.2).
    fn vp9(frame: &[u8]) -> Result<Option<Self>> {
        let mut r = BitReader::new("vp9", frame);
        let marker = r.bits(2)?;
        let profile = (r.bits(1)? | r.bits(1)? << 1) as u8;
        if profile == 3 {
            r.skip(1)?;
        }
        let (show_existing, inter) = (r.bit()?, r.bit()?);
        if marker != 2 || show_existing || inter {
            return Ok(None);
        }
        r.skip(2)?;
        if r.bits(24)? != 0x49_8342 {
            return Ok(None);
        }
        let depth = match profile >= 2 {
            true if r.bit()? => 12,
            true => 10,
            false => 8,
        };
        // color_config(): profiles 1 and 3 carry the chroma sampling, and RGB is never subsampled.
        let sampled = profile & 1 == 1;
        let rgb = r.bits(3)? == 7;
        if !rgb {
            r.skip(1)?;
        }
        let chroma = match (sampled, rgb) {
            (false, false) => 1,
            (false, true) => 3,
            (true, _) => {
                let (x, y) = if rgb { (false, false) } else { (r.bit()?, r.bit()?) };
                r.skip(1)?;
                match (x, y) {
                    (false, false) => 3,
                    (true, false) => 2,
                    _ => 1,
                }
            }
        };
        let size = Video { width: r.bits(16)? + 1, height: r.bits(16)? + 1 };
        Ok(Some(Self { profile, depth, chroma, size }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::samples::hex;

    #[test]
    fn vpcc_with_and_without_its_header() {
        let full = config_from_vpcc(Codec::Vp9, hex("010000000015820202020000").into()).unwrap();
        assert_eq!(Ok(&full), config_from_vpcc(Codec::Vp9, hex("0015820202020000").into()).as_ref());
        assert_eq!(full.codec_string(), "vp09.00.21.08");
        assert!(config_from_vpcc(Codec::Vp9, hex("00158202").into()).is_err());
    }

    #[test]
    fn sizes_of_key_frames() {
        let vp9 = hex("82498342 0027f0167 0");
        assert_eq!(size(Codec::Vp9, &vp9), Some(Video { width: 640, height: 360 }));
        let vp8 = hex("5042009d012a80026801");
        assert_eq!(size(Codec::Vp8, &vp8), Some(Video { width: 640, height: 360 }));
        assert_eq!(size(Codec::Vp8, &[1; 20]), None);
        let [vp9, vp8] = [(Codec::Vp9, vp9), (Codec::Vp8, vp8)]
            .map(|(codec, frame)| config_of_key_frame(codec, &frame).unwrap());
        assert_eq!(vp9.codec_string(), "vp09.00.21.08");
        for config in [vp9, vp8] {
            let read = config_from_vpcc(config.codec, config.description.clone()).unwrap();
            assert_eq!(read.description, config.description);
            assert_eq!(config.video(), Some(Video { width: 640, height: 360 }));
        }
        // From libvpx: profile, depth and chroma of 4:4:4, 4:2:2, RGB, and 4:2:0 and 4:4:0 of 10 bits.
        for (frame, profile, depth_and_chroma) in [
            ("a24983420004fe02cec1", 1, 0x86),
            ("a24983420804fe02cec1", 1, 0x84),
            ("a2498342e027f0167602", 1, 0x86),
            ("924983420013f80b3b06", 2, 0xa2),
            ("b124c1a101013f80b3b0", 3, 0xa2),
        ] {
            let config = config_of_key_frame(Codec::Vp9, &hex(frame)).unwrap();
            assert_eq!(
                (config.description[0], config.description[2]),
                (profile, depth_and_chroma),
                "{frame}"
            );
            assert_eq!(config.video(), Some(Video { width: 640, height: 360 }), "{frame}");
        }
    }
}
