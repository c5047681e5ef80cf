//! H.265 / HEVC (ITU-T H.265; `hvcC` in ISO/IEC 14496-15 8.3.3).

use bytes::Bytes;

use super::nal::{self, EntryPoint};
pub use super::nal::{annex_b, length_prefixed};
use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};

const FORMAT: &str = "hevc";

/// The `nal_unit_type` values (table 7-1) that are used here.
pub mod nal_type {
    /// Video parameter set.
    pub const VPS: u8 = 32;
    /// Sequence parameter set.
    pub const SPS: u8 = 33;
    /// Picture parameter set.
    pub const PPS: u8 = 34;
    /// Access unit delimiter.
    pub const AUD: u8 = 35;
    /// Supplemental enhancement information before the picture.
    pub const SEI: u8 = 39;
}

/// Returns the type of a NAL unit; 63 (unspecified) for an empty one.
pub fn nal_type_of(nal: &[u8]) -> u8 {
    nal.first().map_or(63, |b| b >> 1 & 0x3f)
}

/// The fields of a sequence parameter set (7.3.2.2.1) that this crate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// `sps_seq_parameter_set_id`.
    pub id: u32,
    /// `sps_max_sub_layers_minus1` plus 1.
    pub sub_layers: u8,
    /// `sps_temporal_id_nesting_flag`.
    pub temporal_nesting: bool,
    /// The general profile, tier and level: 12 bytes, as `hvcC` has them.
    pub profile_tier_level: [u8; 12],
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

impl Sps {
    /// Reads a sequence parameter set NAL unit, its two header bytes included.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        if nal_type_of(nal) != nal_type::SPS {
            return Err(Error::invalid(FORMAT, 0, "SPS NAL unit type"));
        }
        let payload = nal::unescape(nal);
        let mut r = BitReader::new(FORMAT, &payload);
        r.skip(16 + 4)?;
        let sub_layers = r.bits(3)? as u8 + 1;
        let temporal_nesting = r.bit()?;
        let mut profile_tier_level = [0; 12];
        for byte in &mut profile_tier_level {
            *byte = r.bits(8)? as u8;
        }
        skip_sub_layers(&mut r, sub_layers)?;
        let id = r.ue()?;
        let chroma_format = r.ue()?;
        let separate_planes = chroma_format == 3 && r.bit()?;
        let (width, height) = (r.ue()?, r.ue()?);
        let (mut crop_x, mut crop_y) = (0, 0);
        if r.bit()? {
            let (unit_x, unit_y) = match chroma_format {
                1 => (2, 2),
                2 if !separate_planes => (2, 1),
                _ => (1, 1),
            };
            crop_x = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_x;
            crop_y = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_y;
        }
        let (luma, chroma) = (r.ue()?, r.ue()?);
        if id > 15 || chroma_format > 3 || luma > 8 || chroma > 8 || sub_layers > 7 {
            return Err(Error::invalid(FORMAT, 2, "SPS"));
        }
        if crop_x >= width.into() || crop_y >= height.into() || width > 0x4000 || height > 0x4000 {
            return Err(Error::invalid(FORMAT, 2, "picture size"));
        }
        Ok(Self {
            id,
            sub_layers,
            temporal_nesting,
            profile_tier_level,
            chroma_format: chroma_format as u8,
            bit_depth_luma: luma as u8 + 8,
            bit_depth_chroma: chroma as u8 + 8,
            width: width - crop_x as u32,
            height: height - crop_y as u32,
        })
    }
}

/// Skips the sub-layers' part of profile_tier_level() (7.3.3).
fn skip_sub_layers(r: &mut BitReader<'_>, sub_layers: u8) -> Result<()> {
    if sub_layers < 2 {
        return Ok(());
    }
    let mut bits = 0;
    for layer in 0..8 {
        let (profile, level) = (r.bit()?, r.bit()?);
        if layer < sub_layers - 1 {
            bits += if profile { 88 } else { 0 } + if level { 8 } else { 0 };
        }
    }
    r.skip(bits)
}

fn pps_id(nal: &[u8]) -> Result<u32> {
    pps_ids(nal).map(|(id, _)| id)
}

/// Reads `pps_pic_parameter_set_id` and `pps_seq_parameter_set_id`.
fn pps_ids(nal: &[u8]) -> Result<(u32, u32)> {
    let payload = nal::unescape(&nal[..nal.len().min(16)]);
    let mut r = BitReader::new(FORMAT, payload.get(2..).unwrap_or_default());
    Ok((r.ue()?, r.ue()?))
}

/// Reads `vps_video_parameter_set_id`, or the id of the VPS that an SPS refers to: both NAL units begin with
/// it.
fn vps_id(nal: &[u8]) -> Option<u8> {
    nal.get(2).map(|byte| byte >> 4)
}

/// Returns whether the 16 reserved bits of a VPS are all ones (`vps_reserved_0xffff_16bits`).
fn is_vps(nal: &[u8]) -> bool {
    nal.get(4..6) == Some(&[0xff, 0xff])
}

/// The parts of an `hvcC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hvcc<'a> {
    /// Bytes in each NAL unit's length prefix: 1 to 4.
    pub length_size: usize,
    /// The video parameter sets.
    pub vps: Vec<&'a [u8]>,
    /// The sequence parameter sets.
    pub sps: Vec<&'a [u8]>,
    /// The picture parameter sets.
    pub pps: Vec<&'a [u8]>,
}

impl<'a> Hvcc<'a> {
    /// Creates an `hvcC` without parameter sets, with 4-byte length prefixes.
    const fn new() -> Self {
        Self { length_size: 4, vps: Vec::new(), sps: Vec::new(), pps: Vec::new() }
    }

    /// Reads the content of an `hvcC` box. Arrays of other NAL units (SEI) are skipped.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        let truncated = || Error::truncated(FORMAT, data.len() as u64);
        let (head, mut rest) = data.split_first_chunk::<23>().ok_or_else(truncated)?;
        // Version 0 was used before the standard was final; its layout is the same.
        if head[0] > 1 {
            return Err(Error::invalid(FORMAT, 0, "hvcC version"));
        }
        let mut hvcc = Self { length_size: usize::from(head[21] & 3) + 1, ..Self::new() };
        for _ in 0..head[22] {
            let (&[kind, c0, c1], tail) = rest.split_first_chunk::<3>().ok_or_else(truncated)?;
            rest = tail;
            let sets = nal::take_sets(&mut rest, u16::from_be_bytes([c0, c1])).ok_or_else(truncated)?;
            match kind & 0x3f {
                nal_type::VPS => hvcc.vps.extend(sets),
                nal_type::SPS => hvcc.sps.extend(sets),
                nal_type::PPS => hvcc.pps.extend(sets),
                _ => {}
            }
            nal::check_sets(FORMAT, hvcc.vps.len() + hvcc.sps.len() + hvcc.pps.len())?;
        }
        Ok(hvcc)
    }

    /// Puts an in-band SPS first and removes parameter sets that cannot belong to the stream, as
    /// [`super::h264::Avcc`] does. Returns whether anything changed.
    fn follow(&mut self, sps: &'a [u8]) -> bool {
        let mut changed = nal::keep_sets(&mut self.vps, &[], &is_vps);
        let vps = &self.vps;
        changed |= nal::keep_sets(&mut self.sps, sps, &|set| {
            set == sps || Sps::parse(set).is_ok() && vps.iter().any(|vps| vps_id(vps) == vps_id(set))
        });
        let known: Vec<u32> = self.sps.iter().filter_map(|sps| Some(Sps::parse(sps).ok()?.id)).collect();
        changed |=
            nal::keep_sets(&mut self.pps, &[], &|set| pps_ids(set).is_ok_and(|(_, id)| known.contains(&id)));
        changed
    }
}

/// Returns the configuration that an `hvcC` describes.
///
/// Its `description` always says 4-byte lengths. Use [`Hvcc::parse`] for the original size.
pub fn config_from_hvcc(hvcc: Bytes) -> Result<Config> {
    let parsed = Hvcc::parse(&hvcc)?;
    if parsed.length_size != 4 || hvcc[0] != 1 {
        return config_from_parameter_sets(&parsed.vps, &parsed.sps, &parsed.pps);
    }
    let sps = first_sps(&parsed.sps)?;
    Ok(config(&sps, hvcc))
}

/// Returns the configuration from these VPS, SPS and PPS NAL units (header bytes included).
pub fn config_from_parameter_sets(vps: &[&[u8]], sps: &[&[u8]], pps: &[&[u8]]) -> Result<Config> {
    let first = first_sps(sps)?;
    let mut out = vec![1];
    out.extend_from_slice(&first.profile_tier_level);
    out.extend_from_slice(&[
        0xf0,
        0,    // min_spatial_segmentation_idc: not known
        0xfc, // parallelismType: not known
        0xfc | first.chroma_format,
        0xf8 | (first.bit_depth_luma - 8),
        0xf8 | (first.bit_depth_chroma - 8),
        0,
        0, // average frame rate: not known
        first.sub_layers << 3 | u8::from(first.temporal_nesting) << 2 | 3,
        [vps, sps, pps].iter().filter(|sets| !sets.is_empty()).count() as u8,
    ]);
    for (kind, sets) in [(nal_type::VPS, vps), (nal_type::SPS, sps), (nal_type::PPS, pps)] {
        if sets.is_empty() {
            continue;
        }
        out.push(0x80 | kind);
        out.extend_from_slice(&(sets.len() as u16).to_be_bytes());
        nal::push_sets(FORMAT, &mut out, sets, 64)?;
    }
    Ok(config(&first, out.into()))
}

fn first_sps(sps: &[&[u8]]) -> Result<Sps> {
    Sps::parse(sps.first().ok_or(Error::invalid(FORMAT, 22, "hvcC without SPS"))?)
}

fn config(sps: &Sps, description: Bytes) -> Config {
    let format = Format::Video(Video { width: sps.width, height: sps.height });
    Config { codec: Codec::H265, format, description }
}

/// The same as [`super::h264::take_parameter_sets`], for H.265.
pub fn take_parameter_sets(au: Bytes, current: Option<&Config>) -> Result<(Option<Config>, Bytes)> {
    let is_set = |nal: &[u8]| matches!(nal_type_of(nal), nal_type::VPS..=nal_type::PPS);
    let count = length_prefixed(&au).filter(|nal| is_set(nal)).count();
    if count == 0 {
        return Ok((None, au));
    }
    nal::check_sets(FORMAT, count)?;
    let mut known = match current {
        Some(config) if config.codec == Codec::H265 => Hvcc::parse(&config.description)?,
        _ => Hvcc::new(),
    };
    let mut changed = false;
    let mut first_sps = None;
    for set in length_prefixed(&au).filter(|nal| is_set(nal)) {
        changed |= match nal_type_of(set) {
            nal_type::VPS => nal::replace_set(&mut known.vps, set, |old| vps_id(old) == vps_id(set)),
            nal_type::SPS => {
                let id = Sps::parse(set)?.id;
                first_sps.get_or_insert(set);
                nal::replace_set(&mut known.sps, set, |old| Sps::parse(old).is_ok_and(|old| old.id == id))
            }
            _ => {
                let id = pps_id(set)?;
                nal::replace_set(&mut known.pps, set, |old| pps_id(old) == Ok(id))
            }
        };
    }
    changed |= first_sps.is_some_and(|set| known.follow(set));
    let config = match changed {
        true => Some(config_from_parameter_sets(&known.vps, &known.sps, &known.pps)?),
        false => None,
    };
    Ok((config, nal::without(&au, is_set)))
}

/// Returns whether, and how, decoding may start at this access unit (4-byte lengths): IDR, BLA and CRA
/// pictures, and recovery points.
pub fn entry_point(au: &[u8]) -> EntryPoint {
    let mut recovery = false;
    for nal in length_prefixed(au) {
        match nal_type_of(nal) {
            16..=23 => return EntryPoint::Idr,
            nal_type::SEI => recovery |= nal::has_recovery_point(nal.get(2..).unwrap_or_default()),
            0..=31 if recovery => return EntryPoint::Recovery,
            0..=31 => return EntryPoint::None,
            _ => {}
        }
    }
    EntryPoint::NoPicture
}

/// Returns whether decoding may start at this access unit (4-byte lengths).
pub fn is_key(au: &[u8]) -> bool {
    matches!(entry_point(au), EntryPoint::Idr | EntryPoint::Recovery)
}

#[cfg(test)]
mod tests;
