//! A segment in a store.

use std::sync::Arc;

use media::time::Micros;

use super::dropped_segments::Data;

/// One segment, and its position in the playlist.
#[derive(Debug)]
pub(super) struct Stored {
    /// The first sequence number of its stream.
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    pub(super) duration: Micros,
    pub(super) discontinuity: bool,
    /// Number of discontinuities up to the start of this segment, including its own.
    pub(super) discontinuities: u64,
    /// Time of its first frame in µs since 1970.
    pub(super) date: Micros,
    /// The MPEG-TS data.
    pub(super) data: Arc<Data>,
}
