//! Tells the connection about the memory of a response's body.

use tokio_util::sync::CancellationToken;

/// Attached to a response whose body is shared, so that sending it needs no extra memory.
#[derive(Debug, Clone, Default)]
pub struct SharedBody {
    /// Cancelled when the owner needs the bytes back: the connection is closed then.
    pub revoked: Option<CancellationToken>,
}
