//! Where streams come from that are not here.

use std::fmt;

use crate::core::name::StreamName;

/// Another place that may have a stream: a server to pull from, a node of a cluster, a recording.
pub trait Origin: Send + Sync + fmt::Debug {
    /// A viewer wants a stream that nobody publishes here. An origin that can bring it begins a job that publishes it;
    /// the viewer waits as long as it would wait for any publisher. Called without a lock, from a task of a network
    /// thread, and once per waiting viewer: it must not block, and not begin the same job twice.
    fn wanted(&self, stream: &StreamName);
}
