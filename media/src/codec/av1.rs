//! AV1 (AV1 Bitstream & Decoding Process Specification; `av1C` in "AV1 Codec ISO Media File Format
//! Binding" 2.3).

use bytes::Bytes;

use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};

const FORMAT: &str = "av1";
const OBU_SEQUENCE_HEADER: u8 = 1;
const OBU_TEMPORAL_DELIMITER: u8 = 2;
const OBU_FRAME_HEADER: u8 = 3;
const OBU_FRAME: u8 = 6;

/// Iterates over the open bitstream units of a temporal unit in the low-overhead format. Yields the type and
/// the whole unit with its header. Ends at an incomplete unit.
#[derive(Debug, Clone)]
pub struct Obus<'a> {
    rest: &'a [u8],
}

/// Splits a temporal unit.
pub const fn obus(data: &[u8]) -> Obus<'_> {
    Obus { rest: data }
}

impl<'a> Obus<'a> {
    /// Returns type, header size and total size of the next unit (5.3.2).
    fn sizes(&self) -> Option<(u8, usize, usize)> {
        let first = *self.rest.first()?;
        let mut header = if first & 4 != 0 { 2 } else { 1 };
        let mut size = self.rest.len().checked_sub(header)?;
        if first & 2 != 0 {
            let mut value = 0u64;
            for index in 0..8 {
                let byte = *self.rest.get(header)?;
                header += 1;
                value |= u64::from(byte & 0x7f) << (7 * index);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            size = usize::try_from(value).ok()?;
        }
        let whole = header.checked_add(size).filter(|&whole| whole <= self.rest.len())?;
        Some((first >> 3 & 15, header, whole))
    }
}

impl<'a> Iterator for Obus<'a> {
    /// Type, payload, whole unit.
    type Item = (u8, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, header, whole) = self.sizes()?;
        let (unit, rest) = self.rest.split_at(whole);
        self.rest = rest;
        Some((kind, &unit[header..], unit))
    }
}

/// The fields of a sequence header (5.5) that this crate uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SequenceHeader {
    /// `max_frame_width_minus_1` plus 1.
    pub width: u32,
    /// `max_frame_height_minus_1` plus 1.
    pub height: u32,
    /// The second and third byte of an `av1C`: profile, level, tier, bit depth, subsampling.
    pub av1c: [u8; 2],
}

impl SequenceHeader {
    /// Reads a sequence header's payload.
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut r = BitReader::new(FORMAT, payload);
        let profile = r.bits(3)? as u8;
        r.skip(1)?;
        let reduced = r.bit()?;
        let (level, tier) = if reduced { (r.bits(5)? as u8, false) } else { operating_points(&mut r)? };
        let (width_bits, height_bits) = (r.bits(4)? + 1, r.bits(4)? + 1);
        let (width, height) = (r.bits(width_bits)? + 1, r.bits(height_bits)? + 1);
        if !reduced && r.bit()? {
            r.skip(4 + 3)?;
        }
        r.skip(3)?; // 128x128 superblocks, filter intra, intra edge filter
        if !reduced {
            r.skip(4)?;
            let order_hint = r.bit()?;
            if order_hint {
                r.skip(2)?;
            }
            let screen_content = if r.bit()? { 2 } else { r.bits(1)? };
            if screen_content > 0 && !r.bit()? {
                r.skip(1)?;
            }
            if order_hint {
                r.skip(3)?;
            }
        }
        r.skip(3)?; // superres, cdef, restoration
        let color = color_config(&mut r, profile)?;
        Ok(Self { width, height, av1c: [profile << 5 | level, u8::from(tier) << 7 | color] })
    }
}

/// Reads timing, decoder model and operating points; returns level and tier of the first.
fn operating_points(r: &mut BitReader<'_>) -> Result<(u8, bool)> {
    let mut delay_bits = 0;
    if r.bit()? {
        r.skip(64)?;
        if r.bit()? {
            r.ue()?; // uvlc() has the same bits as ue(v)
        }
        if r.bit()? {
            delay_bits = r.bits(5)? as usize + 1;
            r.skip(32 + 5 + 5)?;
        }
    }
    let display_delay = r.bit()?;
    let count = r.bits(5)? + 1;
    let mut first = (0, false);
    for index in 0..count {
        r.skip(12)?;
        let level = r.bits(5)? as u8;
        let tier = level > 7 && r.bit()?;
        if delay_bits > 0 && r.bit()? {
            r.skip(2 * delay_bits + 1)?;
        }
        if display_delay && r.bit()? {
            r.skip(4)?;
        }
        if index == 0 {
            first = (level, tier);
        }
    }
    Ok(first)
}

/// color_config() (5.5.2) as the bits of `av1C`: high_bitdepth 6, twelve_bit 5, monochrome 4,
/// chroma_subsampling_x 3 and _y 2, chroma_sample_position 1 and 0.
fn color_config(r: &mut BitReader<'_>, profile: u8) -> Result<u8> {
    let high = r.bit()?;
    let twelve = profile == 2 && high && r.bit()?;
    let mono = profile != 1 && r.bit()?;
    let description = if r.bit()? { [r.bits(8)?, r.bits(8)?, r.bits(8)?] } else { [2, 2, 2] };
    let depth = u8::from(high) << 6 | u8::from(twelve) << 5;
    if mono {
        return Ok(depth | 0x1c);
    }
    if description == [1, 13, 0] {
        return Ok(depth);
    }
    r.skip(1)?;
    let (x, y) = match profile {
        0 => (true, true),
        1 => (false, false),
        _ if twelve => {
            let x = r.bit()?;
            (x, x && r.bit()?)
        }
        _ => (true, false),
    };
    let position = if x && y { r.bits(2)? as u8 } else { 0 };
    Ok(depth | u8::from(x) << 3 | u8::from(y) << 2 | position)
}

/// Returns the configuration that an `av1C` describes; its size is 0 without a sequence header.
pub fn config_from_av1c(av1c: Bytes) -> Result<Config> {
    let Some((head, units)) = av1c.split_first_chunk::<4>() else {
        return Err(Error::truncated(FORMAT, av1c.len() as u64));
    };
    if head[0] != 0x81 {
        return Err(Error::invalid(FORMAT, 0, "av1C version"));
    }
    let header = match sequence_header(units) {
        Some((payload, _)) => SequenceHeader::parse(payload)?,
        None => SequenceHeader::default(),
    };
    Ok(config(&header, av1c))
}

fn config(header: &SequenceHeader, description: Bytes) -> Config {
    let format = Format::Video(Video { width: header.width, height: header.height });
    Config { codec: Codec::Av1, format, description }
}

fn sequence_header(units: &[u8]) -> Option<(&[u8], &[u8])> {
    obus(units).find(|&(kind, ..)| kind == OBU_SEQUENCE_HEADER).map(|(_, payload, unit)| (payload, unit))
}

/// Returns the configuration from a temporal unit's own sequence header, if it differs from `current`.
pub fn config_in_band(data: &[u8], current: Option<&Config>) -> Result<Option<Config>> {
    let Some((payload, unit)) = sequence_header(data) else { return Ok(None) };
    let known = current
        .filter(|config| config.codec == Codec::Av1)
        .and_then(|config| sequence_header(config.description.get(4..)?))
        .map(|(payload, _)| payload);
    if known == Some(payload) || unit.len() > 1024 {
        return Ok(None);
    }
    let header = SequenceHeader::parse(payload)?;
    let mut out = vec![0x81, header.av1c[0], header.av1c[1], 0];
    out.extend_from_slice(unit);
    Ok(Some(config(&header, out.into())))
}

/// Returns whether decoding may start at this temporal unit: its first frame is a shown key frame (5.9.2).
///
/// The reduced header of a still picture, which lacks these fields, is not recognised.
pub fn is_key(data: &[u8]) -> bool {
    let header = obus(data).find(|&(kind, ..)| matches!(kind, OBU_FRAME_HEADER | OBU_FRAME));
    // show_existing_frame, frame_type, show_frame.
    header.and_then(|(_, payload, _)| payload.first()).is_some_and(|first| first >> 4 == 0b0001)
}

/// Returns the temporal unit without leading temporal delimiters, which containers leave out.
pub fn without_delimiter(data: Bytes) -> Bytes {
    let mut units = obus(&data);
    let mut at = 0;
    while let Some((OBU_TEMPORAL_DELIMITER, _, unit)) = units.next() {
        at += unit.len();
    }
    data.slice(at..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::samples::hex;

    /// From SVT-AV1 in FFmpeg's MP4, 640x360.
    const AV1C: &str = "81010c000a0b0000000cc4ff6700be0010";

    #[test]
    fn size_and_string() {
        let config = config_from_av1c(hex(AV1C).into()).unwrap();
        assert_eq!(config.video(), Some(Video { width: 640, height: 360 }));
        assert_eq!(config.codec_string(), "av01.0.01M.08");
        assert!(config_from_av1c(hex("010104").into()).is_err());
    }

    #[test]
    fn a_sequence_header_in_band_is_a_config_once() {
        let unit = hex("1200 0a0b0000000cc4ff6700be0010 3203aabbcc");
        let config = config_in_band(&unit, None).unwrap().expect("nothing was known");
        assert_eq!(config.description[..], hex(AV1C));
        assert_eq!(config_in_band(&unit, Some(&config)), Ok(None));
        assert_eq!(without_delimiter(unit.clone().into())[..], unit[2..]);
    }

    #[test]
    fn key_frames() {
        assert!(is_key(&hex("1200 0a0b0000000cc4ff6700be0010 3203100000")));
        assert!(is_key(&hex("1a03100000")));
        // An inter frame, an intra-only frame, a hidden frame, and an old frame shown again.
        for unit in ["1200 3203300000", "3203500000", "3203000000", "1a01a0", "1200", ""] {
            assert!(!is_key(&hex(unit)), "{unit}");
        }
    }
}
