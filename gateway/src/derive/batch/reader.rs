//! A viewer's position in a wire.

use bytes::Bytes;
use media::time::Micros;

use super::{Batch, Batches};
use crate::core::hub::Start;
use crate::core::hub::ring::Cursor;
use crate::derive::derived::Holder;

/// A viewer's position in a [`super::Wire`]. It keeps the wire's task running.
#[derive(Debug)]
pub struct BatchReader {
    cursor: Cursor<Batch>,
    /// The reader starts at the first key batch after this time.
    past: Option<Micros>,
    started: bool,
    time: Micros,
    _holder: Holder<Batches>,
}

impl BatchReader {
    /// Size in bytes up to which available batches are joined into one write.
    const ENOUGH: usize = 64 << 10;
    /// Maximum number of slices in one vectored write.
    const MAX_SLICES: usize = 32;

    /// Creates a reader that starts at `start`, but after the time `past`.
    pub(super) fn new(batches: Holder<Batches>, start: Start, past: Option<Micros>) -> Self {
        Self { cursor: batches.cursor(start), past, started: false, time: 0, _holder: batches }
    }

    /// Waits for bytes and appends those to be written now. Returns false when the stream has ended. Cancel-safe.
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
