//! The start of a recording's file.

use std::ops::Range;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::mp4::demux::box_head;
use crate::mp4::{FORMAT, init_segment};

/// Number of bytes at the start of a file from which [`Layout::parse`] knows the layout.
pub const LAYOUT_BYTES: usize = 128;
/// Size of the head of an `mdat` with a 64-bit size.
const HEAD: u64 = 16;

/// The places in a recording's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The offset at which [`Layout::seal`] is written.
    pub head: u64,
    /// The initialisation segment for MSE and HLS: `ftyp` and the `moov` without samples. The first fragment follows.
    pub init: Range<u64>,
    /// The offset of the `moov` with sample tables, if the file is finished.
    pub finished: Option<u64>,
}

impl Layout {
    /// Returns the first bytes of a file with these tracks, and its layout. The numbers are track ids.
    ///
    /// # Errors
    /// The same as [`init_segment`].
    pub fn start(tracks: &[(u32, &Config)]) -> Result<(Vec<u8>, Self)> {
        let init = init_segment(tracks)?;
        let ftyp = box_size(&init, 0)?;
        let mut out = Vec::with_capacity(ftyp + HEAD as usize + init.len());
        out.extend_from_slice(&init[..ftyp]);
        out.extend_from_slice(&(HEAD as u32 + ftyp as u32).to_be_bytes());
        out.extend_from_slice(b"free\0\0\0\0\0\0\0\0");
        let head = ftyp as u64;
        let layout = Self { head, init: head + HEAD..head + HEAD + init.len() as u64, finished: None };
        out.extend_from_slice(&init);
        Ok((out, layout))
    }

    /// Reads the layout from the first [`LAYOUT_BYTES`] bytes of a file.
    ///
    /// # Errors
    /// The file is not a recording, or too short.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let invalid = || Error::invalid(FORMAT, 0, "start of a recording");
        let ftyp = box_size(data, 0)?;
        let rest = data.get(ftyp..).ok_or_else(invalid)?;
        let head = box_head(rest)?.ok_or_else(invalid)?;
        let finished = match (&head.kind, head.size) {
            (b"free", Some(size)) if size == HEAD + ftyp as u64 => None,
            (b"mdat", Some(size)) if head.head == 16 => Some(size.saturating_add(ftyp as u64)),
            _ => return Err(invalid()),
        };
        let start = ftyp + HEAD as usize;
        if data.get(start..start + ftyp) != data.get(..ftyp) {
            return Err(invalid());
        }
        let moov = start + ftyp;
        let size = box_size(data, moov)?;
        let init = start as u64..(moov + size) as u64;
        Ok(Self { head: ftyp as u64, init, finished })
    }

    /// Returns the bytes to write at [`Layout::head`] when the `moov` with sample tables is at `moov`: the head of an
    /// `mdat` that ends there.
    pub fn seal(&self, moov: u64) -> [u8; 16] {
        let mut out = *b"\0\0\0\x01mdat\0\0\0\0\0\0\0\0";
        out[8..].copy_from_slice(&moov.saturating_sub(self.head).to_be_bytes());
        out
    }
}

/// Returns the size of the box at `at`, whose end must not be in `data`.
fn box_size(data: &[u8], at: usize) -> Result<usize> {
    let head = box_head(data.get(at..).unwrap_or_default())?;
    let size = head.and_then(|head| usize::try_from(head.size?).ok()).filter(|&size| size < 1 << 24);
    size.ok_or_else(|| Error::truncated(FORMAT, at as u64))
}
