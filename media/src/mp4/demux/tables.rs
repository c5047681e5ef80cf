//! Sample tables (14496-12 8.6 and 8.7). They are read sample by sample, so that their size in memory is that of
//! the boxes.

use bytes::Bytes;

use super::boxes::{find, u32_at, u64_at};
use crate::error::{Error, ErrorKind, Result};
use crate::mp4::FORMAT;

/// Maximum number of samples of a track.
pub const MAX_SAMPLES: u32 = 1 << 24;

/// A sample of a file. Times are in the track's timescale, before the edit list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleInfo {
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Size in bytes.
    pub size: u32,
    /// Decode time.
    pub dts: i64,
    /// Presentation time minus decode time.
    pub composition: i32,
    /// Duration.
    pub duration: u32,
    /// Whether decoding may start here.
    pub key: bool,
}

/// The tables of one track: rows without the headers.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    count: u32,
    /// The size of all samples; 0 if `sizes` has them.
    fixed_size: u32,
    sizes: Bytes,
    times: Bytes,
    compositions: Bytes,
    to_chunk: Bytes,
    chunks: Bytes,
    /// Whether chunk offsets have 64 bits.
    large: bool,
    /// Numbers of key samples; `None`: all samples are.
    keys: Option<Bytes>,
}

impl Tables {
    pub(super) fn parse(moov: &Bytes, stbl: &[u8]) -> Result<Self> {
        let rows = |table: &[u8], head: usize, row: usize| -> Result<Bytes> {
            let count = u32_at(table, head - 4)? as usize;
            let bytes = count.checked_mul(row).and_then(|size| table.get(head..head.checked_add(size)?));
            bytes.map(|bytes| moov.slice_ref(bytes)).ok_or_else(|| Error::truncated(FORMAT, 0))
        };
        let stsz = find(stbl, b"stsz")?;
        let (fixed_size, count) = (u32_at(stsz, 4)?, u32_at(stsz, 8)?);
        if count > MAX_SAMPLES {
            return Err(Error::new(FORMAT, 0, ErrorKind::TooLarge("number of samples")));
        }
        let sizes = if fixed_size == 0 { rows(stsz, 12, 4)? } else { Bytes::new() };
        let (large, chunks) = match find(stbl, b"stco") {
            Ok(stco) => (false, rows(stco, 8, 4)?),
            Err(_) => (true, rows(find(stbl, b"co64")?, 8, 8)?),
        };
        Ok(Self {
            count,
            fixed_size,
            sizes,
            times: rows(find(stbl, b"stts")?, 8, 8)?,
            compositions: find(stbl, b"ctts").map_or(Ok(Bytes::new()), |ctts| rows(ctts, 8, 8))?,
            to_chunk: rows(find(stbl, b"stsc")?, 8, 12)?,
            chunks,
            large,
            keys: find(stbl, b"stss").ok().map(|stss| rows(stss, 8, 4)).transpose()?,
        })
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor::default()
    }
}

/// A position in run-length rows of a count and a value.
#[derive(Debug, Default)]
struct Runs {
    row: usize,
    left: u32,
    value: u32,
}

impl Runs {
    fn next(&mut self, rows: &[u8]) -> Option<u32> {
        while self.left == 0 {
            self.left = u32_at(rows, self.row * 8).ok()?;
            self.value = u32_at(rows, self.row * 8 + 4).ok()?;
            self.row += 1;
        }
        self.left -= 1;
        Some(self.value)
    }
}

/// A position in the tables.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    index: u32,
    dts: i64,
    offset: u64,
    times: Runs,
    compositions: Runs,
    /// Number of chunks that were begun, and of samples that are left in the current one.
    chunk: u32,
    in_chunk: u32,
    chunk_row: usize,
    key_row: usize,
}

impl Cursor {
    /// Returns the next sample; `None` at the end, or where the tables contradict each other.
    pub(super) fn next(&mut self, tables: &Tables) -> Option<SampleInfo> {
        if self.index >= tables.count {
            return None;
        }
        if self.in_chunk == 0 {
            self.begin_chunk(tables)?;
        }
        let size = match tables.fixed_size {
            0 => u32_at(&tables.sizes, self.index as usize * 4).ok()?,
            size => size,
        };
        let duration = self.times.next(&tables.times)?;
        let composition = self.compositions.next(&tables.compositions).unwrap_or(0).cast_signed();
        self.index += 1;
        let key = match &tables.keys {
            None => true,
            Some(keys) => {
                let key = u32_at(keys, self.key_row * 4) == Ok(self.index);
                self.key_row += usize::from(key);
                key
            }
        };
        let sample = SampleInfo { offset: self.offset, size, dts: self.dts, composition, duration, key };
        self.offset = self.offset.checked_add(size.into())?;
        self.dts += i64::from(duration);
        self.in_chunk -= 1;
        Some(sample)
    }

    fn begin_chunk(&mut self, tables: &Tables) -> Option<()> {
        let at = self.chunk as usize;
        self.offset = if tables.large {
            u64_at(&tables.chunks, at * 8).ok()?
        } else {
            u32_at(&tables.chunks, at * 4).ok()?.into()
        };
        self.chunk += 1;
        // A row applies from its first chunk on, until that of the next row.
        while u32_at(&tables.to_chunk, (self.chunk_row + 1) * 12).is_ok_and(|first| first <= self.chunk) {
            self.chunk_row += 1;
        }
        self.in_chunk = u32_at(&tables.to_chunk, self.chunk_row * 12 + 4).ok().filter(|&count| count > 0)?;
        Some(())
    }
}
