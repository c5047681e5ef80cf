//! The sequence parameter set.

use super::{FORMAT, nal_type, nal_type_of};
use crate::bits::BitReader;
use crate::codec::nal;
use crate::error::{Error, Result};

/// The fields of a sequence parameter set (7.3.2.1.1) that this crate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`, e.g. 66, 77, 100.
    pub profile: u8,
    /// The byte with the constraint flags.
    pub compatibility: u8,
    /// `level_idc`: ten times the level.
    pub level: u8,
    /// `seq_parameter_set_id`.
    pub id: u32,
    /// `chroma_format_idc`: 1 is 4:2:0.
    pub chroma_format: u8,
    /// `separate_colour_plane_flag`: slices of three planes, each with the number of its plane.
    pub separate_planes: bool,
    /// Number of bits of `frame_num` in slice headers.
    pub frame_number_bits: u8,
    /// `frame_mbs_only_flag`: the stream has no separately coded fields.
    pub frame_mbs_only: bool,
    /// Bits per luma sample.
    pub bit_depth_luma: u8,
    /// Bits per chroma sample.
    pub bit_depth_chroma: u8,
    /// Width in pixels after cropping.
    pub width: u32,
    /// Height in pixels after cropping.
    pub height: u32,
}

/// Returns whether SPS and `avcC` of this profile have chroma format and bit depths.
pub(super) const fn has_chroma_format(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

impl Sps {
    /// Returns whether H.264 defines this `profile_idc` (annexes A and F to J).
    pub(super) const fn has_known_profile(&self) -> bool {
        matches!(self.profile, 66 | 77 | 88) || has_chroma_format(self.profile)
    }

    /// Reads a sequence parameter set NAL unit, header byte included.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        if nal_type_of(nal) != nal_type::SPS {
            return Err(Error::invalid(FORMAT, 0, "SPS NAL unit type"));
        }
        let payload = nal::unescape(nal);
        Ok(Self::read(&mut BitReader::new(FORMAT, &payload))?.0)
    }

    /// Reads up to the VUI; also returns `pic_order_cnt_type`.
    fn read(r: &mut BitReader<'_>) -> Result<(Self, u32)> {
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
                skip_scaling_matrix(r, if chroma_format == 3 { 12 } else { 8 })?;
            }
        }
        if id > 31 || chroma_format > 3 || bit_depth_luma > 14 || bit_depth_chroma > 14 {
            return Err(Error::invalid(FORMAT, 4, "SPS"));
        }
        let frame_number_bits = r.ue()?.saturating_add(4);
        if frame_number_bits > 16 {
            return Err(Error::invalid(FORMAT, 4, "SPS"));
        }
        let order_type = picture_order(r)?;
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
        let sps = Self {
            profile,
            compatibility,
            level,
            id,
            chroma_format: chroma_format as u8,
            separate_planes,
            frame_number_bits: frame_number_bits as u8,
            frame_mbs_only,
            bit_depth_luma: bit_depth_luma as u8,
            bit_depth_chroma: bit_depth_chroma as u8,
            width: (width - crop_x) as u32,
            height: (height - crop_y) as u32,
        };
        Ok((sps, order_type))
    }

    /// Returns how many frames may precede another frame in decode order and follow it in display order: 0 if
    /// both orders are the same. `None` if the NAL unit does not say, which allows any number.
    pub fn reorder(nal: &[u8]) -> Option<u8> {
        let payload = nal::unescape(nal);
        let mut r = BitReader::new(FORMAT, &payload);
        let (sps, order_type) = Self::read(&mut r).ok()?;
        if sps.profile == 66 || order_type == 2 || is_intra_only(sps.profile, sps.compatibility) {
            return Some(0);
        }
        vui_reorder(&mut r).ok()?
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

/// Skips the fields of the picture order count; returns `pic_order_cnt_type`.
fn picture_order(r: &mut BitReader<'_>) -> Result<u32> {
    let kind = r.ue()?;
    match kind {
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
    Ok(kind)
}

/// Returns whether this is an intra profile, whose pictures are never reordered (E.2.1).
const fn is_intra_only(profile: u8, compatibility: u8) -> bool {
    profile == 44 || matches!(profile, 86 | 100 | 110 | 122 | 244) && compatibility & 0x10 != 0
}

/// Reads `max_num_reorder_frames` of the VUI (E.1.1), if present.
fn vui_reorder(r: &mut BitReader<'_>) -> Result<Option<u8>> {
    if !r.bit()? {
        return Ok(None);
    }
    if r.bit()? && r.bits(8)? == 255 {
        r.skip(32)?; // sample aspect ratio
    }
    if r.bit()? {
        r.skip(1)?; // overscan
    }
    if r.bit()? {
        r.skip(3 + 1)?;
        if r.bit()? {
            r.skip(24)?; // colours
        }
    }
    if r.bit()? {
        r.ue()?;
        r.ue()?; // where chroma samples lie
    }
    if r.bit()? {
        r.skip(32 + 32 + 1)?; // timing
    }
    let nal_hrd = skip_hrd(r)?;
    let vcl_hrd = skip_hrd(r)?;
    if nal_hrd || vcl_hrd {
        r.skip(1)?;
    }
    r.skip(1)?;
    if !r.bit()? {
        return Ok(None);
    }
    r.skip(1)?;
    for _ in 0..4 {
        r.ue()?; // sizes and motion vectors
    }
    Ok(u8::try_from(r.ue()?).ok().filter(|&frames| frames <= 16))
}

/// Skips a flag and the parameters of the hypothetical reference decoder (E.1.2) that it announces.
fn skip_hrd(r: &mut BitReader<'_>) -> Result<bool> {
    let present = r.bit()?;
    if present {
        let count = r.ue()?;
        if count > 31 {
            return Err(Error::invalid(FORMAT, 4, "SPS"));
        }
        r.skip(4 + 4)?;
        for _ in 0..=count {
            r.ue()?;
            r.ue()?;
            r.skip(1)?;
        }
        r.skip(4 * 5)?;
    }
    Ok(present)
}
