//! VP8 and VP9 (RFC 6386; VP9 Bitstream Specification; `vpcC` in "VP Codec ISO Media File Format
//! Binding").

use bytes::Bytes;

use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};

/// The configuration that a `vpcC` describes, with or without its FullBox header. The picture's size
/// is not in it: see [`size`].
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

/// The picture's size that a key frame says; none for other frames.
pub fn size(codec: Codec, frame: &[u8]) -> Option<Video> {
    match codec {
        Codec::Vp8 => {
            let head = frame.first_chunk::<10>()?;
            let key = head[0] & 1 == 0 && head[3..6] == [0x9d, 0x01, 0x2a];
            let field = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff);
            key.then(|| Video { width: field(6), height: field(8) })
        }
        _ => vp9_size(frame).ok()?,
    }
}

/// uncompressed_header() as far as the size (6.2).
fn vp9_size(frame: &[u8]) -> Result<Option<Video>> {
    let mut r = BitReader::new("vp9", frame);
    r.skip(2)?;
    let profile = r.bits(1)? | r.bits(1)? << 1;
    if profile == 3 {
        r.skip(1)?;
    }
    let (show_existing, inter) = (r.bit()?, r.bit()?);
    if show_existing || inter {
        return Ok(None);
    }
    r.skip(2)?;
    if r.bits(24)? != 0x49_8342 {
        return Ok(None);
    }
    if profile >= 2 {
        r.skip(1)?;
    }
    let subsampled = profile & 1 == 1;
    if r.bits(3)? == 7 {
        r.skip(usize::from(subsampled))?;
    } else {
        r.skip(if subsampled { 4 } else { 1 })?;
    }
    Ok(Some(Video { width: r.bits(16)? + 1, height: r.bits(16)? + 1 }))
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
    }
}
