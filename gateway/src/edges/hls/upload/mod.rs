//! Uploads the segments and the playlist of each stream to the object store, from where a CDN takes them.
//!
//! [`queue`] holds what waits, [`window`] is the playlist in the store, and [`worker`] brings both there, in a task of
//! each stream on the store's thread. The queue is short: while the store is away, the oldest segments are left out.

mod queue;
mod window;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use media::time::Micros;

use self::queue::Queue;
use crate::core::hub::StreamName;
use crate::store::Store as ObjectStore;

/// A segment to upload.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The number in its name.
    pub(super) number: u64,
    pub(super) bytes: Bytes,
    pub(super) duration: Micros,
    pub(super) discontinuity: bool,
    /// Whether it can be decoded without the segments before.
    pub(super) independent: bool,
    /// Time of its first frame in µs since 1970.
    pub(super) date: Micros,
}

/// Uploads one stream. Dropping it ends the task when nothing waits any more.
#[derive(Debug)]
pub(super) struct Uploader(Arc<Queue>);

impl Uploader {
    /// Starts the task of a stream.
    pub(super) fn start(store: &ObjectStore, name: &StreamName) -> Self {
        let queue = Arc::new(Queue::default());
        store.spawn(worker::run(store.clone(), name.clone(), queue.clone()));
        Self(queue)
    }

    /// The stream begins: the playlist is a new one, and its segments have this epoch in their names.
    pub(super) fn begin(&self, epoch: u64) {
        self.0.begin(epoch);
    }

    /// Uploads a segment soon.
    pub(super) fn push(&self, piece: Piece) {
        if self.0.push(piece) {
            metrics::counter!("lianmai_hls_store_dropped_total").increment(1);
        }
    }

    /// The stream has ended: the playlist gets its end.
    pub(super) fn end(&self) {
        self.0.end();
    }

    /// Deletes playlist and segments in the store.
    pub(super) fn clear(&self) {
        self.0.clear();
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.0.close();
    }
}
