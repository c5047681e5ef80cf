//! Sources of streams that no client publishes on this gateway.

use std::fmt;

use crate::core::name::StreamName;

/// Another source of streams: a server to pull from, a node of a cluster, a recording.
pub trait Origin: Send + Sync + fmt::Debug {
    /// Tells the origin that a viewer waits for a stream that nobody publishes. If the origin may have the stream, it
    /// starts a job that publishes it. The viewer waits for the job as long as it waits for any publisher. Returns
    /// whether the origin is responsible for the stream: no further origin is asked then.
    ///
    /// The hub calls this once for each waiting viewer, on a network thread, and holds no lock. The origin must
    /// not block, and must not start the same job twice.
    fn wanted(&self, stream: &StreamName) -> bool;

    /// The same for a viewer of HLS. An origin whose HLS comes as files, and not from the frames of the stream, does
    /// nothing, and returns false.
    fn wanted_for_hls(&self, stream: &StreamName) -> bool {
        self.wanted(stream)
    }
}
