//! Segments that are no longer stored but still being sent to slow clients.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

/// A segment's bytes, shared by the store and all responses that carry them.
#[derive(Debug)]
pub(super) struct Data {
    bytes: Bytes,
    revoked: CancellationToken,
}

impl Data {
    pub(super) fn new(bytes: Bytes) -> Arc<Self> {
        Arc::new(Self { bytes, revoked: CancellationToken::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes for one response. They count as read until the response drops them.
    pub(super) fn lend(self: &Arc<Self>) -> Bytes {
        Bytes::from_owner(SegmentReader(self.clone()))
    }

    /// Returns a token that is cancelled when all clients have to stop reading.
    pub(super) fn revoked(&self) -> CancellationToken {
        self.revoked.clone()
    }
}

/// A response's reference to a segment.
struct SegmentReader(Arc<Data>);

impl AsRef<[u8]> for SegmentReader {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Segments of one stream that are no longer stored but may still be read.
#[derive(Debug, Default)]
pub(super) struct DroppedSegments(VecDeque<(Weak<Data>, usize)>);

impl DroppedSegments {
    /// Adds a segment that leaves the store.
    pub(super) fn add(&mut self, data: Arc<Data>) {
        let size = data.len();
        let weak = Arc::downgrade(&data);
        drop(data);
        if weak.strong_count() > 0 {
            self.0.push_back((weak, size));
        }
    }

    /// Removes segments without readers. While more than `max` bytes are lent, revokes the oldest.
    pub(super) fn trim(&mut self, max: usize) {
        self.0.retain(|(data, _)| data.strong_count() > 0);
        let mut bytes: usize = self.0.iter().map(|(_, size)| size).sum();
        while bytes > max
            && let Some((data, size)) = self.0.pop_front()
        {
            bytes -= size;
            if let Some(data) = data.upgrade() {
                data.revoked.cancel();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_readers_are_ended_when_too_much_is_lent() {
        let mut dropped = DroppedSegments::default();
        let mut readers = Vec::new();
        for n in 0..10 {
            let data = Data::new(Bytes::from(vec![0; 100]));
            if n != 3 {
                readers.push((data.lend(), data.revoked()));
            }
            dropped.add(data);
            dropped.trim(400);
        }
        let ended: Vec<bool> = readers.iter().map(|(_, revoked)| revoked.is_cancelled()).collect();
        assert_eq!(ended, [true, true, true, true, true, false, false, false, false]);
        // A client that has read everything no longer counts.
        drop(readers);
        dropped.trim(400);
        assert!(dropped.0.is_empty());
    }
}
