//! Reads a stream's batches for one viewer.

use bytes::Bytes;
use media::time::Micros;

use super::{Batch, Batches};
use crate::core::hub::Start;
use crate::core::hub::ring::Cursor;
use crate::derive::derived::Holder;

/// Reads the batches of a [`super::Wire`] for one viewer. The wire's task runs as long as a reader exists.
#[derive(Debug)]
pub struct BatchReader {
    cursor: Cursor<Batch>,
    /// If set, the reader skips everything up to the first key batch that is newer than this time.
    past: Option<Micros>,
    started: bool,
    time: Micros,
    _holder: Holder<Batches>,
}

impl BatchReader {
    /// A write with fewer bytes than this also takes the batches that wait, without waiting for more.
    const ENOUGH: usize = 64 << 10;
    /// Maximum number of slices in one vectored write.
    const MAX_SLICES: usize = 32;

    /// Creates a reader that starts at `start`. With `past`, it first skips to the first key batch after that time.
    pub(super) fn new(batches: Holder<Batches>, start: Start, past: Option<Micros>) -> Self {
        Self { cursor: batches.cursor(start), past, started: false, time: 0, _holder: batches }
    }

    /// Waits for a batch, and appends the bytes of the next write to `out`. Returns false when the stream has ended.
    /// Cancel-safe.
    pub async fn next(&mut self, out: &mut Vec<Bytes>) -> bool {
        let batch = loop {
            let Some(batch) = self.cursor.next().await else { return false };
            if self.past.is_none_or(|past| batch.key && batch.time > past) {
                break batch;
            }
        };
        self.past = None;
        let mut size = self.put(batch, out);
        while size < Self::ENOUGH && out.len() < Self::MAX_SLICES {
            let Some(batch) = self.cursor.try_next() else { break };
            size += self.put(batch, out);
        }
        true
    }

    /// Appends a batch to `out`, after its prelude if the viewer needs one. Returns the number of bytes in both.
    fn put(&mut self, batch: Batch, out: &mut Vec<Bytes>) -> usize {
        let size = batch.prelude.len() + batch.bytes.len();
        let skipped = self.cursor.take_skip();
        if (!self.started || skipped) && !batch.prelude.is_empty() {
            out.push(batch.prelude);
        }
        self.started = true;
        self.time = batch.time;
        out.push(batch.bytes);
        size
    }

    /// Returns the time of the newest batch that was returned.
    pub const fn time(&self) -> Micros {
        self.time
    }

    /// Returns the number of batches missed so far because the viewer was too slow.
    pub fn skipped(&self) -> u64 {
        self.cursor.skipped()
    }
}
