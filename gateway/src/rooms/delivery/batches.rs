//! The newest batches of messages for all clients of a room.

use std::collections::VecDeque;

use crate::web::websocket::Text;

/// Maximum number of batches that a room keeps. A client that is further behind is disconnected.
pub(super) const MAX_BATCHES: usize = 64;
/// Maximum size of the kept batches together in bytes. The newest batch is always kept.
const MAX_BYTES: usize = 1 << 20;

/// The newest batches of a room, with their numbers.
#[derive(Debug, Default)]
pub(in crate::rooms) struct Batches {
    kept: VecDeque<Text>,
    /// Size of the kept batches in bytes.
    bytes: usize,
    /// The number of the first kept batch.
    first: u64,
}

/// A batch, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Batch {
    Kept(Text),
    /// The room has dropped the batch.
    Dropped,
    /// There is no such batch yet.
    Future,
}

impl Batches {
    /// Returns the number that the next batch will have.
    pub(in crate::rooms) fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// Appends a batch, and returns the number of the next one. Drops the oldest ones if there are too many.
    pub(in crate::rooms) fn push(&mut self, batch: Text) -> u64 {
        self.bytes += batch.bytes().len();
        self.kept.push_back(batch);
        while self.kept.len() > MAX_BATCHES || (self.bytes > MAX_BYTES && self.kept.len() > 1) {
            self.drop_first();
        }
        self.end()
    }

    /// Drops all batches: no client needs them.
    pub(in crate::rooms) fn clear(&mut self) {
        self.first = self.end();
        self.bytes = 0;
        self.kept = VecDeque::new();
    }

    /// Returns the batch with this number.
    pub(super) fn get(&self, number: u64) -> Batch {
        let Some(index) = number.checked_sub(self.first) else { return Batch::Dropped };
        usize::try_from(index)
            .ok()
            .and_then(|index| self.kept.get(index))
            .cloned()
            .map_or(Batch::Future, Batch::Kept)
    }

    fn drop_first(&mut self) {
        if let Some(batch) = self.kept.pop_front() {
            self.bytes -= batch.bytes().len();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_batches_are_kept() {
        let mut batches = Batches::default();
        assert_eq!(batches.get(0), Batch::Future);
        for n in 0..100 {
            batches.push(Text::new(&n.to_string()));
        }
        assert_eq!(batches.end(), 100);
        assert_eq!(batches.get(35), Batch::Dropped);
        assert_eq!(batches.get(36), Batch::Kept(Text::new("36")));
        assert_eq!((batches.get(99), batches.get(100)), (Batch::Kept(Text::new("99")), Batch::Future));
        // Large batches leave room for fewer.
        for _ in 0..10 {
            batches.push(Text::new(&"x".repeat(256 << 10)));
        }
        assert_eq!(batches.kept.len(), 3);
        assert!(batches.bytes <= MAX_BYTES);
        batches.push(Text::new(&"x".repeat(2 << 20)));
        assert_eq!(batches.kept.len(), 1);
        batches.clear();
        assert_eq!((batches.end(), batches.bytes, batches.get(110)), (111, 0, Batch::Dropped));
    }
}
