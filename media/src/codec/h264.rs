//! H.264 / AVC (ITU-T H.264; `avcC` in ISO/IEC 14496-15 5.3.3).

use bytes::Bytes;

use super::nal;
pub use super::nal::{Entry, annex_b, length_prefixed};
use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};

const FORMAT: &str = "h264";

/// `nal_unit_type` values (table 7-1) that matter here.
pub mod nal_type {
    /// A slice of a picture that is not IDR.
    pub const SLICE: u8 = 1;
    /// A slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Supplemental enhancement information.
    pub const SEI: u8 = 6;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Access unit delimiter.
    pub const AUD: u8 = 9;
}

/// The type of a NAL unit; 0 (unspecified) for an empty one.
pub fn nal_type_of(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |b| b & 0x1f)
}

/// What is used of a sequence parameter set (7.3.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`, e.g. 66, 77, 100.
    pub profile: u8,
    /// The constraint flags' byte.
    pub compatibility: u8,
    /// `level_idc`: ten times the level.
    pub level: u8,
    /// `seq_parameter_set_id`.
    pub id: u32,
    /// `chroma_format_idc`: 1 is 4:2:0.
    pub chroma_format: u8,
    /// Bits per luma sample.
    pub bit_depth_luma: u8,
    /// Bits per chroma sample.
    pub bit_depth_chroma: u8,
    /// Width in pixels after cropping.
    pub width: u32,
    /// Height in pixels after cropping.
    pub height: u32,
}

/// Whether the profile's SPS and `avcC` have chroma format and bit depths.
const fn has_chroma_format(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

impl Sps {
    /// Reads a sequence parameter set NAL unit, header byte included.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        if nal_type_of(nal) != nal_type::SPS {
            return Err(Error::invalid(FORMAT, 0, "SPS NAL unit type"));
        }
        let payload = nal::unescape(nal);
        let mut r = BitReader::new(FORMAT, &payload);
        r.skip(8)?;
        let profile = r.bits(8)? as u8;
        let compatibility = r.bits(8)? as u8;
        let level = r.bits(8)? as u8;
        let id = r.ue()?;
        let (mut chroma_format, mut bit_depth_luma, mut bit_depth_chroma) = (1, 8, 8);
        let mut separate_planes = false;
        if has_chroma_format(profile) {
            chroma_format = r.ue()?;
            if chroma_format == 3 {
                separate_planes = r.bit()?;
            }
            bit_depth_luma = r.ue()?.saturating_add(8);
            bit_depth_chroma = r.ue()?.saturating_add(8);
            r.skip(1)?;
            if r.bit()? {
                skip_scaling_matrix(&mut r, if chroma_format == 3 { 12 } else { 8 })?;
            }
        }
        if id > 31 || chroma_format > 3 || bit_depth_luma > 14 || bit_depth_chroma > 14 {
            return Err(Error::invalid(FORMAT, 4, "SPS"));
        }
        r.ue()?; // log2_max_frame_num_minus4
        skip_picture_order(&mut r)?;
        r.ue()?; // max_num_ref_frames
        r.skip(1)?;
        let width = (u64::from(r.ue()?) + 1) * 16;
        let map_units = u64::from(r.ue()?) + 1;
        let frame_mbs_only = r.bit()?;
        let fields = if frame_mbs_only { 1 } else { 2 };
        let height = map_units * 16 * fields;
        if !frame_mbs_only {
            r.skip(1)?;
        }
        r.skip(1)?;
        let (mut crop_x, mut crop_y) = (0, 0);
        if r.bit()? {
            // Monochrome and separately coded planes crop in luma samples (7.4.2.1.1).
            let (unit_x, unit_y) = match chroma_format {
                1 => (2, 2),
                2 => (2, 1),
                3 if !separate_planes => (1, 1),
                _ => (1, 1),
            };
            crop_x = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_x;
            crop_y = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_y * fields;
        }
        if crop_x >= width || crop_y >= height || width > 0x4000 || height > 0x4000 {
            return Err(Error::invalid(FORMAT, 4, "picture size"));
        }
        Ok(Self {
            profile,
            compatibility,
            level,
            id,
            chroma_format: chroma_format as u8,
            bit_depth_luma: bit_depth_luma as u8,
            bit_depth_chroma: bit_depth_chroma as u8,
            width: (width - crop_x) as u32,
            height: (height - crop_y) as u32,
        })
    }
}

fn skip_scaling_matrix(r: &mut BitReader<'_>, lists: u32) -> Result<()> {
    for list in 0..lists {
        if !r.bit()? {
            continue;
        }
        let mut next = 8i32;
        for _ in 0..if list < 6 { 16 } else { 64 } {
            next = next.wrapping_add(r.se()?) & 0xff;
            if next == 0 {
                break;
            }
        }
    }
    Ok(())
}

fn skip_picture_order(r: &mut BitReader<'_>) -> Result<()> {
    match r.ue()? {
        0 => {
            r.ue()?;
        }
        1 => {
            r.skip(1)?;
            r.se()?;
            r.se()?;
            let cycle = r.ue()?;
            if cycle > 255 {
                return Err(Error::invalid(FORMAT, 4, "SPS"));
            }
            for _ in 0..cycle {
                r.se()?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// `pic_parameter_set_id` of a PPS NAL unit.
pub fn pps_id(nal: &[u8]) -> Result<u32> {
    let payload = nal::unescape(&nal[..nal.len().min(16)]);
    BitReader::new(FORMAT, payload.get(1..).unwrap_or_default()).ue()
}

/// The parts of an `avcC`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Avcc<'a> {
    /// Bytes in each NAL unit's length prefix: 1, 2 or 4 (3 is read as well).
    pub length_size: usize,
    /// The sequence parameter sets.
    pub sps: Vec<&'a [u8]>,
    /// The picture parameter sets.
    pub pps: Vec<&'a [u8]>,
}

impl<'a> Avcc<'a> {
    /// Reads the content of an `avcC` box.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        let truncated = || Error::truncated(FORMAT, data.len() as u64);
        let (head, mut rest) = data.split_at_checked(6).ok_or_else(truncated)?;
        if head[0] != 1 {
            return Err(Error::invalid(FORMAT, 0, "avcC version"));
        }
        let sps = nal::take_sets(&mut rest, (head[5] & 0x1f).into()).ok_or_else(truncated)?;
        let (&count, tail) = rest.split_first().ok_or_else(truncated)?;
        rest = tail;
        let pps = nal::take_sets(&mut rest, count.into()).ok_or_else(truncated)?;
        Ok(Self { length_size: usize::from(head[4] & 3) + 1, sps, pps })
    }
}

/// The configuration that an `avcC` describes.
///
/// Its `description` always says 4-byte lengths, as everything inside this house has; ask
/// [`Avcc::parse`] for the original size.
pub fn config_from_avcc(avcc: Bytes) -> Result<Config> {
    let parsed = Avcc::parse(&avcc)?;
    if parsed.length_size != 4 {
        return config_from_parameter_sets(&parsed.sps, &parsed.pps);
    }
    let sps = first_sps(&parsed.sps)?;
    Ok(config(&sps, avcc))
}

/// The configuration that these SPS and PPS NAL units (header byte included) describe.
pub fn config_from_parameter_sets(sps: &[&[u8]], pps: &[&[u8]]) -> Result<Config> {
    let first = first_sps(sps)?;
    let mut out = vec![1, first.profile, first.compatibility, first.level, 0xff, 0xe0 | sps.len() as u8];
    nal::push_sets(FORMAT, &mut out, sps, 31)?;
    out.push(pps.len() as u8);
    nal::push_sets(FORMAT, &mut out, pps, 255)?;
    if has_chroma_format(first.profile) {
        out.extend_from_slice(&[
            0xfc | first.chroma_format,
            0xf8 | (first.bit_depth_luma - 8),
            0xf8 | (first.bit_depth_chroma - 8),
            0,
        ]);
    }
    Ok(config(&first, out.into()))
}

fn first_sps(sps: &[&[u8]]) -> Result<Sps> {
    Sps::parse(sps.first().ok_or(Error::invalid(FORMAT, 5, "avcC without SPS"))?)
}

fn config(sps: &Sps, description: Bytes) -> Config {
    let format = Format::Video(Video { width: sps.width, height: sps.height });
    Config { codec: Codec::H264, format, description }
}

/// Takes the parameter sets out of a key access unit (4-byte lengths): the configuration they make
/// together with those of `current`, when it differs from `current`, and the access unit without
/// them. Without any, and that is the usual case, `au` comes back uncopied.
pub fn take_parameter_sets(au: Bytes, current: Option<&Config>) -> Result<(Option<Config>, Bytes)> {
    let is_set = |nal: &[u8]| matches!(nal_type_of(nal), nal_type::SPS | nal_type::PPS);
    if !length_prefixed(&au).any(is_set) {
        return Ok((None, au));
    }
    let mut known = match current {
        Some(config) if config.codec == Codec::H264 => Avcc::parse(&config.description)?,
        _ => Avcc::default(),
    };
    let mut changed = false;
    for set in length_prefixed(&au).filter(|nal| is_set(nal)) {
        changed |= if nal_type_of(set) == nal_type::SPS {
            let id = Sps::parse(set)?.id;
            nal::replace_set(&mut known.sps, set, |old| Sps::parse(old).is_ok_and(|old| old.id == id))
        } else {
            let id = pps_id(set)?;
            nal::replace_set(&mut known.pps, set, |old| pps_id(old) == Ok(id))
        };
    }
    let config = if changed { Some(config_from_parameter_sets(&known.sps, &known.pps)?) } else { None };
    Ok((config, nal::without(&au, is_set)))
}

/// What in this access unit (4-byte lengths) lets decoding start there.
pub fn entry_point(au: &[u8]) -> Entry {
    let mut recovery = false;
    for nal in length_prefixed(au) {
        match nal_type_of(nal) {
            nal_type::IDR => return Entry::Idr,
            nal_type::SEI => recovery |= nal::has_recovery_point(nal.get(1..).unwrap_or_default()),
            nal_type::SLICE if recovery || is_intra_slice(nal) => return Entry::Recovery,
            // The other slices, and the partitions of a slice.
            1..=4 => return Entry::None,
            _ => {}
        }
    }
    Entry::NoPicture
}

/// Whether this access unit (4-byte lengths) is an IDR picture, an I picture or a recovery point.
pub fn is_key(au: &[u8]) -> bool {
    matches!(entry_point(au), Entry::Idr | Entry::Recovery)
}

/// `slice_type` says "all slices of the picture are I" (7), or this one is (2).
fn is_intra_slice(nal: &[u8]) -> bool {
    let payload = nal::unescape(&nal[..nal.len().min(16)]);
    let mut r = BitReader::new(FORMAT, payload.get(1..).unwrap_or_default());
    r.ue().is_ok() && matches!(r.ue(), Ok(2 | 7))
}

#[cfg(test)]
mod tests;
