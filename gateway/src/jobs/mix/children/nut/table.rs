//! The main header: time bases and the table of frame codes.

use media::time::{Micros, SECOND};

use super::fields::{Fields, Invalid};
use super::{N, flags};

/// Maximum number of time bases. ffmpeg writes one for each stream.
const MAX_TIME_BASES: usize = 16;

/// The properties that a frame code gives its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameCode {
    pub(super) flags: u64,
    pub(super) stream: u64,
    pub(super) size_mul: u64,
    pub(super) size_lsb: u64,
    pub(super) pts_delta: i64,
    pub(super) reserved: u64,
    pub(super) header_idx: u64,
}

/// The fields of the main header.
#[derive(Debug)]
pub(super) struct Main {
    /// Time bases in seconds: numerator and denominator.
    pub(super) time_bases: Vec<(u64, u64)>,
    pub(super) codes: Box<[FrameCode; 256]>,
}

impl Main {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let version = fields.need()?;
        match version {
            2 | 3 => {}
            // The minor version.
            4 => drop(fields.need()?),
            _ => return Err(Invalid("version")),
        }
        if fields.need()? != 1 {
            return Err(Invalid("number of streams"));
        }
        let _max_distance = fields.need()?;
        let count = fields.need()?;
        if !(1..=MAX_TIME_BASES as u64).contains(&count) {
            return Err(Invalid("number of time bases"));
        }
        let mut time_bases = Vec::new();
        for _ in 0..count {
            let base = (fields.need()?, fields.need()?);
            // As in the specification, and so that products fit into 128 bits.
            if base.0 == 0 || base.1 == 0 || base.0 >> 31 != 0 || base.1 >> 31 != 0 {
                return Err(Invalid("time base"));
            }
            time_bases.push(base);
        }
        // Elision headers and flags follow. Frames that need elision headers are refused.
        Ok(Self { time_bases, codes: codes(fields)? })
    }

    /// Converts a time from one time base to another, rounded down.
    pub(super) fn rescale(&self, time: u64, from: u64, to: u64) -> Result<i64, Invalid> {
        let (Some(from), Some(to)) = (self.time_bases.get(from as usize), self.time_bases.get(to as usize))
        else {
            return Err(Invalid("time base"));
        };
        let product = u128::from(time) * u128::from(from.0) * u128::from(to.1);
        let time = product / (u128::from(from.1) * u128::from(to.0));
        i64::try_from(time).map_err(|_| Invalid("time"))
    }

    /// Converts a time to microseconds, rounded down.
    pub(super) fn micros(&self, time: i64, base: u64) -> Result<Micros, Invalid> {
        let &(numerator, denominator) = self.time_bases.get(base as usize).ok_or(Invalid("time base"))?;
        let micros = i128::from(time) * i128::from(numerator) * i128::from(SECOND);
        Micros::try_from(micros.div_euclid(i128::from(denominator))).map_err(|_| Invalid("time"))
    }
}

/// Reads the table of frame codes, which is compressed: an entry stands for several codes.
fn codes(fields: &mut Fields<'_>) -> Result<Box<[FrameCode; 256]>, Invalid> {
    let invalid = FrameCode {
        flags: flags::INVALID,
        stream: 0,
        size_mul: 1,
        size_lsb: 0,
        pts_delta: 0,
        reserved: 0,
        header_idx: 0,
    };
    let mut codes = Box::new([invalid; 256]);
    let (mut code, mut at) = (invalid, 0);
    while at < codes.len() {
        code.flags = fields.need()?;
        let present = fields.need()?;
        if present > 0 {
            code.pts_delta = fields.need_signed()?;
        }
        if present > 1 {
            code.size_mul = fields.need()?;
        }
        if present > 2 {
            code.stream = fields.need()?;
        }
        code.size_lsb = if present > 3 { fields.need()? } else { 0 };
        code.reserved = if present > 4 { fields.need()? } else { 0 };
        let count = if present > 5 { Some(fields.need()?) } else { code.size_mul.checked_sub(code.size_lsb) };
        if present > 6 {
            fields.need_signed()?;
        }
        if present > 7 {
            code.header_idx = fields.need()?;
        }
        for _ in 8..present {
            fields.need()?;
        }
        let count = count.filter(|&count| count <= 256).ok_or(Invalid("table of frame codes"))?;
        let mut counted = 0;
        while counted < count && at < codes.len() {
            if at != usize::from(N) {
                codes[at] = FrameCode { size_lsb: code.size_lsb.saturating_add(counted), ..code };
                counted += 1;
            }
            at += 1;
        }
        // The first entry may stand for 'N' alone, hence entries without codes end the loop only here.
        if fields.left() == 0 && at < codes.len() {
            return Err(Invalid("table of frame codes"));
        }
    }
    Ok(codes)
}
