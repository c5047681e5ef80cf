//! Sources of streams that are not published here.

use std::fmt;

use crate::core::name::StreamName;

/// Another source of streams: a server to pull from, a node of a cluster, a recording.
pub trait Origin: Send + Sync + fmt::Debug {
    /// A viewer wants a stream that nobody publishes here. An origin that has it starts a job that publishes
    /// it; the viewer waits as long as for any publisher. Called without a lock, from a network thread, once
    /// per waiting viewer. It must not block, and must not start the same job twice.
    fn wanted(&self, stream: &StreamName);
}
