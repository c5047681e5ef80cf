//! A viewer's place in a wire.

use bytes::Bytes;
use media::time::Micros;

use super::{Batch, Batches};
use crate::core::hub::Start;
use crate::core::hub::ring::Cursor;
use crate::derive::derived::Holder;

/// A viewer's place in a [`super::Wire`], which it holds.
#[derive(Debug)]
pub struct Reader {
    cursor: Cursor<Batch>,
    /// It starts after this time.
    past: Option<Micros>,
    started: bool,
    time: Micros,
    _holder: Holder<Batches>,
}

impl Reader {
    /// Batches that are there already are joined into one write up to this many bytes.
    const ENOUGH: usize = 64 << 10;
    /// Slices of one vectored write at most.
    const MAX_SLICES: usize = 32;

    /// A viewer that begins at `start`, and after the time `past`.
    pub(super) fn new(batches: Holder<Batches>, start: Start, past: Option<Micros>) -> Self {
        Self { cursor: batches.cursor(start), past, started: false, time: 0, _holder: batches }
    }

    /// Waits for bytes and appends what is to be written now; false when the stream is over.
    ///
    /// May be dropped and called again: nothing is lost.
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

    /// The time of the newest bytes that were handed out.
    pub const fn time(&self) -> Micros {
        self.time
    }

    /// Batches missed so far because the viewer was too slow.
    pub fn skipped(&self) -> u64 {
        self.cursor.skipped()
    }
}
