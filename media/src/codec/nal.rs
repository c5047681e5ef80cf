//! NAL units of H.264 and H.265: Annex B start codes, length prefixes, emulation prevention.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};

/// Iterates over the NAL units between the start codes of an Annex B byte stream (ITU-T H.264 and H.265,
/// Annex B), without their trailing zero bytes. Bytes before the first start code are skipped.
#[derive(Debug, Clone)]
pub struct AnnexB<'a> {
    rest: &'a [u8],
}

/// Splits an Annex B byte stream.
pub fn annex_b(data: &[u8]) -> AnnexB<'_> {
    let rest = find_start_code(data).map_or(&data[data.len()..], |(_, after)| &data[after..]);
    AnnexB { rest }
}

/// Returns start and end of the first `00 00 01`.
fn find_start_code(data: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    while at + 3 <= data.len() {
        match data[at + 2] {
            1 if data[at] == 0 && data[at + 1] == 0 => return Some((at, at + 3)),
            0 => at += 1,
            _ => at += 3,
        }
    }
    None
}

impl<'a> Iterator for AnnexB<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (end, after) = find_start_code(self.rest).unwrap_or((self.rest.len(), self.rest.len()));
            let nal = &self.rest[..end];
            self.rest = &self.rest[after..];
            let zeros = nal.iter().rev().take_while(|&&b| b == 0).count();
            if zeros < nal.len() {
                return Some(&nal[..nal.len() - zeros]);
            }
        }
        None
    }
}

/// Iterates over the NAL units of an access unit with 4-byte length prefixes. Empty units are skipped; the
/// iterator ends at an incomplete unit.
#[derive(Debug, Clone)]
pub struct LengthPrefixed<'a> {
    rest: &'a [u8],
}

/// Splits an access unit with 4-byte length prefixes.
pub const fn length_prefixed(data: &[u8]) -> LengthPrefixed<'_> {
    LengthPrefixed { rest: data }
}

impl<'a> Iterator for LengthPrefixed<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let (length, rest) = self.rest.split_first_chunk::<4>()?;
            let (nal, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            self.rest = rest;
            if !nal.is_empty() {
                return Some(nal);
            }
        }
    }
}

/// Appends `nal` with a 4-byte length prefix.
pub fn push_length_prefixed(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&(nal.len() as u32).to_be_bytes());
    out.extend_from_slice(nal);
}

/// Converts an Annex B byte stream to length-prefixed NAL units.
pub fn annex_b_to_length_prefixed(data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 16);
    annex_b(data).for_each(|nal| push_length_prefixed(&mut out, nal));
    out.into()
}

/// Checks an access unit with `length_size` byte prefixes and converts them to 4-byte prefixes. If the access
/// unit is valid and has 4-byte prefixes already, it is returned without a copy. Empty units, which some
/// cameras send, are removed: decoders stop at them.
///
/// `length_size` must be 1 to 4; with prefixes of 0 bytes the loop would not end. An incomplete last unit is
/// cut off; an access unit without a complete unit is an error. Annex B, which some encoders send here, is
/// converted.
pub fn normalise(format: &'static str, data: Bytes, length_size: usize) -> Result<Bytes> {
    if !(1..=4).contains(&length_size) {
        return Err(Error::invalid(format, 0, "size of the NAL units' length prefixes"));
    }
    let mut at = 0;
    let mut units = 0;
    let mut empty = 0;
    let mut whole = 0;
    while let Some(prefix) = data.get(at..at + length_size) {
        let length = prefix.iter().fold(0, |n: usize, &b| n << 8 | usize::from(b));
        if data.len() - at - length_size < length {
            break;
        }
        at += length_size + length;
        units += usize::from(length > 0);
        empty += usize::from(length == 0);
        whole = at;
    }
    // Read as a length, a long start code means a unit of one byte, which no encoder sends.
    let start_code = data.starts_with(&[0, 0, 0, 1]) || units == 0 && data.starts_with(&[0, 0, 1]);
    if whole < data.len() && start_code {
        return Ok(annex_b_to_length_prefixed(&data));
    }
    if units == 0 {
        return Err(Error::invalid(format, 0, "NAL unit length"));
    }
    if length_size == 4 && empty == 0 {
        return Ok(data.slice(..whole));
    }
    let mut out = Vec::with_capacity(whole + units * (4 - length_size));
    let mut rest = &data[..whole];
    while rest.len() >= length_size {
        let (prefix, tail) = rest.split_at(length_size);
        let length = prefix.iter().fold(0, |n: usize, &b| n << 8 | usize::from(b));
        let (nal, tail) = tail.split_at(length);
        if !nal.is_empty() {
            push_length_prefixed(&mut out, nal);
        }
        rest = tail;
    }
    Ok(out.into())
}

/// Maximum number of parameter sets in an access unit, or in an `hvcC`: H.264 has 32 SPS and 256 PPS, H.265
/// fewer. Each set is compared with all known ones, so without a limit one message would keep a core busy for
/// hours.
pub(crate) const MAX_SETS: usize = 288;

/// Checks the number of parameter sets.
pub(crate) fn check_sets(format: &'static str, count: usize) -> Result<()> {
    if count > MAX_SETS {
        return Err(Error::new(format, 0, ErrorKind::TooLarge("number of parameter sets")));
    }
    Ok(())
}

/// Replaces the set that `same` matches (the one with its id) with `set`, or appends `set`. Returns false if
/// the same set is there already.
pub(crate) fn replace_set<'a>(sets: &mut Vec<&'a [u8]>, set: &'a [u8], same: impl Fn(&[u8]) -> bool) -> bool {
    if sets.contains(&set) {
        return false;
    }
    match sets.iter().position(|old| same(old)) {
        Some(at) => sets[at] = set,
        None => sets.push(set),
    }
    true
}

/// Returns the access unit without the NAL units that `is` selects.
pub(crate) fn without(au: &[u8], is: impl Fn(&[u8]) -> bool) -> Bytes {
    let mut out = Vec::with_capacity(au.len());
    length_prefixed(au).filter(|nal| !is(nal)).for_each(|nal| push_length_prefixed(&mut out, nal));
    out.into()
}

/// Reads `count` parameter sets with 2-byte lengths from `rest`, as in `avcC` and `hvcC`.
pub(crate) fn take_sets<'a>(rest: &mut &'a [u8], count: u16) -> Option<Vec<&'a [u8]>> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let (set, tail) = tail.split_at_checked(u16::from_be_bytes(*length).into())?;
        *rest = tail;
        if !set.is_empty() {
            sets.push(set);
        }
    }
    Some(sets)
}

/// Appends parameter sets with 2-byte lengths; more than `most` is an error.
pub(crate) fn push_sets(format: &'static str, out: &mut Vec<u8>, sets: &[&[u8]], most: usize) -> Result<()> {
    if sets.len() > most || sets.iter().any(|set| set.len() > 0xffff) {
        return Err(Error::invalid(format, 0, "number or size of parameter sets"));
    }
    for set in sets {
        out.extend_from_slice(&(set.len() as u16).to_be_bytes());
        out.extend_from_slice(set);
    }
    Ok(())
}

/// Keeps the sets that `belongs` accepts (all, if it accepts none), and moves `first` to the front. Returns
/// whether anything changed.
pub(crate) fn keep_sets(sets: &mut Vec<&[u8]>, first: &[u8], belongs: &dyn Fn(&[u8]) -> bool) -> bool {
    let count = sets.len();
    if sets.iter().any(|set| belongs(set)) {
        sets.retain(|set| belongs(set));
    }
    let at = sets.iter().position(|set| *set == first).unwrap_or(0);
    if at > 0 {
        sets.swap(0, at);
    }
    at > 0 || sets.len() < count
}

/// The way in which decoding can start at an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryPoint {
    /// An IDR picture.
    Idr,
    /// An I picture (open GOP), or a recovery point (gradual refresh).
    Recovery,
    /// Decoding cannot start here: earlier pictures are needed.
    None,
    /// There is no picture in the access unit.
    NoPicture,
}

/// Returns whether the messages of an SEI NAL unit, after its header, contain a recovery point (payload type
/// 6: H.264 D.1.8, H.265 D.2.8).
pub(crate) fn has_recovery_point(messages: &[u8]) -> bool {
    sei_messages(messages).any(|(kind, _)| kind == 6)
}

/// Iterates over the messages of an SEI NAL unit, after its header. Yields the payload type and the payload,
/// including its emulation prevention bytes. These bytes make a payload longer than its size field says, so
/// messages after such a payload are not found.
pub(crate) fn sei_messages(messages: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        // The last bits of the NAL unit are not a message.
        if rest.len() < 3 {
            return None;
        }
        let (kind, size) = (sei_number(&mut rest)?, sei_number(&mut rest)?);
        let (payload, tail) = rest.split_at(rest.len().min(size));
        rest = tail;
        Some((kind, payload))
    })
}

fn sei_number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    loop {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        number += usize::from(byte);
        if byte != 0xff {
            return Some(number);
        }
    }
}

/// Returns the payload of a NAL unit without its emulation prevention bytes (`00 00 03` → `00 00`).
///
/// Only the first 4 KiB are converted: enough for any parameter set or slice header.
pub fn unescape(nal: &[u8]) -> Vec<u8> {
    let nal = &nal[..nal.len().min(4096)];
    let mut out = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests;
