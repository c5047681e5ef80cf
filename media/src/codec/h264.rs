//! H.264 / AVC (ITU-T H.264; `avcC` in ISO/IEC 14496-15 5.3.3).

use bytes::Bytes;

mod order;
mod sps;

use super::nal;
pub use super::nal::{EntryPoint, annex_b, length_prefixed};
use crate::bits::BitReader;
use crate::config::{Codec, Config, Format, Video};
use crate::error::{Error, Result};
pub use order::{FrameRole, Order, Reorder, is_b, is_reference, profile_level_id, reorder_depth};
pub use sps::Sps;
use sps::has_chroma_format;

const FORMAT: &str = "h264";

/// The `nal_unit_type` values (table 7-1) that are used here.
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
    /// Filler data; 10 and 11 are the ends of a sequence and of a stream.
    pub const FILLER: u8 = 12;
}

/// Returns the type of a NAL unit; 0 (unspecified) for an empty one.
pub fn nal_type_of(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |b| b & 0x1f)
}

/// Reads `pic_parameter_set_id` of a PPS NAL unit.
pub fn pps_id(nal: &[u8]) -> Result<u32> {
    pps_ids(nal).map(|(id, _)| id)
}

/// Reads `pic_parameter_set_id` and `seq_parameter_set_id` of a PPS NAL unit.
fn pps_ids(nal: &[u8]) -> Result<(u32, u32)> {
    let payload = nal::unescape(&nal[..nal.len().min(16)]);
    let mut r = BitReader::new(FORMAT, payload.get(1..).unwrap_or_default());
    Ok((r.ue()?, r.ue()?))
}

/// The parts of an `avcC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avcc<'a> {
    /// Bytes in each NAL unit's length prefix: 1, 2 or 4 (3 is read as well).
    pub length_size: usize,
    /// The sequence parameter sets.
    pub sps: Vec<&'a [u8]>,
    /// The picture parameter sets.
    pub pps: Vec<&'a [u8]>,
}

impl<'a> Avcc<'a> {
    /// Creates an `avcC` without parameter sets, with 4-byte length prefixes.
    pub(crate) const fn new() -> Self {
        Self { length_size: 4, sps: Vec::new(), pps: Vec::new() }
    }

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

    /// Puts an in-band SPS first and removes parameter sets that cannot belong to the stream. Returns whether
    /// anything changed.
    ///
    /// Some encoders write wrong `avcC` records (Firefox repeats the NAL header byte in each set), but their
    /// in-band parameter sets are right.
    fn follow(&mut self, sps: &'a [u8]) -> bool {
        let sets = nal::keep_sets(&mut self.sps, sps, &|set| {
            set == sps || Sps::parse(set).is_ok_and(|set| set.has_known_profile())
        });
        let known: Vec<u32> = self.sps.iter().filter_map(|sps| Some(Sps::parse(sps).ok()?.id)).collect();
        sets | nal::keep_sets(&mut self.pps, &[], &|set| {
            pps_ids(set).is_ok_and(|(_, id)| known.contains(&id))
        })
    }
}

/// Returns the configuration that an `avcC` describes.
///
/// Its `description` always says 4-byte lengths, which is the format of all frames inside this project. Use
/// [`Avcc::parse`] for the original size.
pub fn config_from_avcc(avcc: Bytes) -> Result<Config> {
    let parsed = Avcc::parse(&avcc)?;
    if parsed.length_size != 4 {
        return config_from_parameter_sets(&parsed.sps, &parsed.pps);
    }
    let sps = first_sps(&parsed.sps)?;
    Ok(config(&sps, avcc))
}

/// Returns the configuration from these SPS and PPS NAL units (header byte included).
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

/// Removes the parameter sets from a key access unit (4-byte lengths). Returns the new configuration, made of
/// these sets and those of `current`, if it differs from `current`; and the access unit without them. Without
/// parameter sets, which is the usual case, `au` is returned without a copy.
///
/// An in-band SPS comes first in the configuration and determines the size. Sets of `current` that contradict
/// the in-band ones are removed: those with an unknown profile, and a PPS without its SPS.
pub fn take_parameter_sets(au: Bytes, current: Option<&Config>) -> Result<(Option<Config>, Bytes)> {
    let is_set = |nal: &[u8]| matches!(nal_type_of(nal), nal_type::SPS | nal_type::PPS);
    let count = length_prefixed(&au).filter(|nal| is_set(nal)).count();
    if count == 0 {
        return Ok((None, au));
    }
    nal::check_sets(FORMAT, count)?;
    let mut known = match current {
        Some(config) if config.codec == Codec::H264 => Avcc::parse(&config.description)?,
        _ => Avcc::new(),
    };
    let mut changed = false;
    let mut first_sps = None;
    for set in length_prefixed(&au).filter(|nal| is_set(nal)) {
        changed |= if nal_type_of(set) == nal_type::SPS {
            let id = Sps::parse(set)?.id;
            first_sps.get_or_insert(set);
            nal::replace_set(&mut known.sps, set, |old| Sps::parse(old).is_ok_and(|old| old.id == id))
        } else {
            let id = pps_id(set)?;
            nal::replace_set(&mut known.pps, set, |old| pps_id(old) == Ok(id))
        };
    }
    changed |= first_sps.is_some_and(|set| known.follow(set));
    let config = if changed { Some(config_from_parameter_sets(&known.sps, &known.pps)?) } else { None };
    Ok((config, nal::without(&au, is_set)))
}

/// Returns whether, and how, decoding may start at this access unit (4-byte lengths).
pub fn entry_point(au: &[u8]) -> EntryPoint {
    let mut recovery = false;
    for nal in length_prefixed(au) {
        match nal_type_of(nal) {
            nal_type::IDR => return EntryPoint::Idr,
            nal_type::SEI => recovery |= nal::has_recovery_point(nal.get(1..).unwrap_or_default()),
            nal_type::SLICE if recovery || is_intra_slice(nal) => return EntryPoint::Recovery,
            // Other slices, and the partitions of a slice.
            1..=4 => return EntryPoint::None,
            _ => {}
        }
    }
    EntryPoint::NoPicture
}

/// Returns whether this access unit (4-byte lengths) is an IDR picture, an I picture or a recovery point.
pub fn is_key(au: &[u8]) -> bool {
    matches!(entry_point(au), EntryPoint::Idr | EntryPoint::Recovery)
}

/// Returns whether `slice_type` says "all slices of the picture are I" (7) or "this slice is I" (2).
fn is_intra_slice(nal: &[u8]) -> bool {
    matches!(slice_type(nal), Ok(2 | 7))
}

/// Reads `slice_type` of a slice NAL unit (table 7-6).
fn slice_type(nal: &[u8]) -> Result<u32> {
    let payload = nal::unescape(&nal[..nal.len().min(16)]);
    let mut r = BitReader::new(FORMAT, payload.get(1..).unwrap_or_default());
    r.ue()?; // first_mb_in_slice
    r.ue()
}

#[cfg(test)]
mod tests;
