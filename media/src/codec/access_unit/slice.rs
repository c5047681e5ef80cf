//! Classifies NAL units within an access unit, and finds the position of a slice in its picture.

use std::sync::Arc;

use super::Piece;
use crate::bits::BitReader;
use crate::codec::h264::{Avcc, Sps};
use crate::codec::nal::{self, length_prefixed};
use crate::config::{Codec, Config};
use crate::error::Result;
use crate::time::{MILLI, Micros};

/// Maximum spread of the timestamps of one access unit, for encoders that stamp each piece when they send it.
const MAX_SPREAD: Micros = 200 * MILLI;

/// The role of a NAL unit in an access unit (ITU-T H.264 7.4.1.2.3, H.265 7.4.2.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A slice, or a partition of one, of the primary picture.
    Slice,
    /// An access unit delimiter.
    Delimiter,
    /// Precedes the slices: SEI, prefixes.
    Before,
    /// Follows the slices: suffix SEI, auxiliary pictures and other layers.
    Behind,
    /// The end of a sequence or of the stream.
    End,
    /// Filler data, and parameter sets that could not be read: dropped.
    Drop,
}

pub(super) fn class(codec: Codec, nal: &[u8]) -> Class {
    let first = nal.first().copied().unwrap_or_default();
    if codec == Codec::H264 {
        return match first & 0x1f {
            1..=5 => Class::Slice,
            6 | 13..=18 => Class::Before,
            7 | 8 | 12 => Class::Drop,
            9 => Class::Delimiter,
            10 | 11 => Class::End,
            _ => Class::Behind,
        };
    }
    let layer = first & 1 == 1 || nal.get(1).is_some_and(|second| second >> 3 != 0);
    match first >> 1 & 0x3f {
        0..=31 if layer => Class::Behind,
        0..=31 => Class::Slice,
        32..=34 | 38 => Class::Drop,
        35 => Class::Delimiter,
        36 | 37 => Class::End,
        39 | 41..=44 | 48..=55 => Class::Before,
        _ => Class::Behind,
    }
}

/// The relation of a slice to the previous slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Belongs to another picture.
    None,
    /// Continues the same picture.
    Slice,
    /// Starts the second field of the same frame.
    Field,
}

/// The first slice of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// Whether it is the first of its picture.
    pub(super) first: bool,
    /// The first macroblock; `u32::MAX` for a slice without an address.
    address: u32,
    frame: u32,
    /// The field: 1 top, 2 bottom, 0 for a frame.
    field: u8,
    /// The fields of all slices of the piece.
    pub(super) fields: u8,
}

impl Slice {
    /// Returns how this slice follows `last`. `later` is the distance of their pieces' times.
    pub(super) fn joint(&self, last: &Self, later: Micros) -> Joint {
        if self.first {
            let second = later == 0 && self.frame == last.frame && last.fields & self.field == 0;
            return if second && self.field != 0 && last.fields != 0 { Joint::Field } else { Joint::None };
        }
        // Some encoders stamp each message with the time when they send it.
        let goes_on = self.address == u32::MAX || self.frame == last.frame && self.address > last.address;
        let near = later.abs() <= MAX_SPREAD;
        if later == 0 || near && goes_on { Joint::Slice } else { Joint::None }
    }
}

/// The values from the parameter sets that are needed to read slice headers.
#[derive(Debug, Default)]
pub(super) struct Syntax {
    config: Option<Arc<Config>>,
    sps: Option<Sps>,
}

impl Syntax {
    /// Returns the first slice of a piece, if there is one.
    pub(super) fn first_slice(&mut self, piece: &Piece) -> Option<Slice> {
        let codec = piece.config.codec;
        let mut slices = length_prefixed(&piece.data).filter(|nal| class(codec, nal) == Class::Slice);
        let first = slices.next()?;
        if codec != Codec::H264 {
            // first_slice_segment_in_pic_flag (7.3.6.1) is the first bit after the header.
            let begins = first.get(2).is_none_or(|byte| byte & 0x80 != 0);
            let address = if begins { 0 } else { u32::MAX };
            return Some(Slice { first: begins, address, frame: 0, field: 0, fields: 0 });
        }
        self.update(&piece.config);
        let mut slice = self.h264(first);
        if self.sps.is_some_and(|sps| !sps.frame_mbs_only) && slice.field != 0 {
            slice.fields |= slices.map(|nal| self.h264(nal).field).fold(0, |fields, field| fields | field);
        }
        Some(slice)
    }

    fn update(&mut self, config: &Arc<Config>) {
        if self.config.as_ref().is_some_and(|known| Arc::ptr_eq(known, config)) {
            return;
        }
        let avcc = Avcc::parse(&config.description).ok();
        self.sps = avcc.and_then(|avcc| Sps::parse(avcc.sps.first()?).ok());
        self.config = Some(Arc::clone(config));
    }

    fn h264(&self, nal: &[u8]) -> Slice {
        // The partitions B and C of a slice follow its partition A.
        if matches!(nal[0] & 0x1f, 3 | 4) {
            return Slice { first: false, address: u32::MAX, frame: 0, field: 0, fields: 0 };
        }
        let payload = nal::unescape(&nal[..nal.len().min(24)]);
        let mut r = BitReader::new("h264", payload.get(1..).unwrap_or_default());
        // An unreadable slice header counts as a new picture, which is the usual case.
        let address = r.ue().unwrap_or_default();
        let mut slice = Slice { first: address == 0, address, frame: 0, field: 0, fields: 0 };
        if let Some(sps) = &self.sps
            && let Ok((frame, field)) = frame_and_field(&mut r, sps)
        {
            (slice.frame, slice.field, slice.fields) = (frame, field, field);
        }
        slice
    }
}

/// Reads `frame_num` and the field (1 top, 2 bottom, 0 none) of a slice header (ITU-T H.264 7.3.3), after its
/// address.
fn frame_and_field(r: &mut BitReader<'_>, sps: &Sps) -> Result<(u32, u8)> {
    r.ue()?; // slice_type
    r.ue()?; // pic_parameter_set_id
    if sps.separate_planes {
        r.skip(2)?;
    }
    let frame = r.bits(sps.frame_number_bits.into())?;
    if sps.frame_mbs_only || !r.bit()? {
        return Ok((frame, 0));
    }
    Ok((frame, if r.bit()? { 2 } else { 1 }))
}
