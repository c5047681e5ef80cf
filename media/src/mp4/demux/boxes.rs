//! Box headers and fields.

use crate::error::{Error, Result};
use crate::mp4::FORMAT;

/// The header of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxHead {
    /// The type.
    pub kind: [u8; 4],
    /// Size of the header in bytes: 8, or 16 with a 64-bit size.
    pub head: u8,
    /// Size in bytes with the header; `None` if the box reaches to the end of the file.
    pub size: Option<u64>,
}

/// Reads the header of a box at the start of `data`. Returns `None` if `data` is too short: 16 bytes are always
/// enough.
///
/// # Errors
/// A size that is smaller than the header.
pub fn box_head(data: &[u8]) -> Result<Option<BoxHead>> {
    let Some((&size, rest)) = data.split_first_chunk::<4>() else { return Ok(None) };
    let Some((&kind, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let (head, size) = match u32::from_be_bytes(size) {
        0 => (8, None),
        1 => match rest.first_chunk::<8>() {
            Some(&large) => (16, Some(u64::from_be_bytes(large))),
            None => return Ok(None),
        },
        size => (8, Some(size.into())),
    };
    if size.is_some_and(|size| size < u64::from(head)) {
        return Err(Error::invalid(FORMAT, 0, "box size"));
    }
    Ok(Some(BoxHead { kind, head, size }))
}

/// Iterates over the boxes in `data`: type and content. It ends at the first damaged box.
pub(in crate::mp4) fn children(mut data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let head = box_head(data).ok()??;
        let size = head.size.map_or(Some(data.len()), |size| usize::try_from(size).ok())?;
        let (whole, rest) = data.split_at_checked(size)?;
        data = rest;
        Some((head.kind, whole.get(usize::from(head.head)..)?))
    })
}

/// Returns the content of the first box of this type in `data`.
pub(in crate::mp4) fn find<'a>(data: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8]> {
    let found = children(data).find(|(found, _)| found == kind);
    found.map(|(_, content)| content).ok_or_else(|| Error::invalid(FORMAT, 0, "structure: a box is missing"))
}

pub(in crate::mp4) fn u16_at(data: &[u8], at: usize) -> Result<u16> {
    let bytes = data.get(at..).and_then(|data| data.first_chunk());
    bytes.map(|&bytes| u16::from_be_bytes(bytes)).ok_or_else(|| Error::truncated(FORMAT, at as u64))
}

pub(in crate::mp4) fn u32_at(data: &[u8], at: usize) -> Result<u32> {
    let bytes = data.get(at..).and_then(|data| data.first_chunk());
    bytes.map(|&bytes| u32::from_be_bytes(bytes)).ok_or_else(|| Error::truncated(FORMAT, at as u64))
}

pub(in crate::mp4) fn u64_at(data: &[u8], at: usize) -> Result<u64> {
    let bytes = data.get(at..).and_then(|data| data.first_chunk());
    bytes.map(|&bytes| u64::from_be_bytes(bytes)).ok_or_else(|| Error::truncated(FORMAT, at as u64))
}
