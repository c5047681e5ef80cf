//! How an HTTP response tells the connection that carries it what its body costs.

use tokio_util::sync::CancellationToken;

/// Goes with a response whose body is kept for others too, so that sending it takes no memory of its own.
#[derive(Debug, Clone, Default)]
pub struct SharedBody {
    /// Cancelled when the owner wants the bytes back: the connection then ends.
    pub revoked: Option<CancellationToken>,
}
