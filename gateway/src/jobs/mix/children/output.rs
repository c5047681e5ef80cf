//! The results of waiting for a child process.

use super::Reason;

/// The result of waiting for a child process.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<T> {
    /// A picture or a frame.
    Made(T),
    /// All input has been written: there is room for more.
    Room,
    /// A new child has replaced one that ended. A decoder needs the newest key frame and the frames after it; an
    /// encoder goes on with the next picture. Only [`Supervised`](super::Supervised) returns this.
    Restarted,
    /// The child has ended. After this, `next` returns the same again.
    End(Reason),
}
