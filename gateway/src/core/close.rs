//! Close reasons for all protocols, and closing a client from outside.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Why a publisher or viewer is disconnected. Each edge maps it to its protocol's codes. The text is the same
/// everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The client closed the connection, or its network did.
    Left,
    /// The viewer's stream has ended.
    StreamEnded,
    /// The operator closed the connection.
    Operator,
    /// Another publisher took the stream over.
    Replaced,
    /// The gateway is shutting down.
    Shutdown,
    /// The client received no bytes for too long.
    Stalled,
    /// The client sent nothing for too long.
    Idle,
    /// The handshakes took too long.
    NotConnected,
    /// Another client needed its slot before it had connected.
    Displaced,
    /// The gateway has reached its maximum number of connections.
    Full,
    /// The client was refused, for this reason.
    Refused(String),
    /// The client uses this codec or feature, which is not supported.
    Unsupported(String),
    /// The client's media is unreadable, for this reason.
    Media(String),
    /// The client broke the protocol in this way.
    Protocol(String),
}

impl CloseReason {
    /// Returns the label for metrics, one per reason.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::StreamEnded => "stream_ended",
            Self::Operator => "operator",
            Self::Replaced => "replaced",
            Self::Shutdown => "shutdown",
            Self::Stalled => "stalled",
            Self::Idle => "idle",
            Self::NotConnected => "not_connected",
            Self::Displaced => "displaced",
            Self::Full => "full",
            Self::Refused(_) => "refused",
            Self::Unsupported(_) => "unsupported",
            Self::Media(_) => "media",
            Self::Protocol(_) => "protocol",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "the client left",
            Self::StreamEnded => "the stream is over",
            Self::Operator => "ended by an operator",
            Self::Replaced => "another publisher took the stream over",
            Self::Shutdown => "the server is shutting down",
            Self::Stalled => "the client took no data for too long",
            Self::Idle => "the client sent nothing for too long",
            Self::NotConnected => "the client did not connect in time",
            Self::Displaced => "the client did not connect before other clients needed its place",
            Self::Full => "too many connections: the gateway has reached --max-connections or --max-pending, try again later",
            Self::Refused(text) | Self::Unsupported(text) | Self::Media(text) | Self::Protocol(text) => text,
        })
    }
}

impl std::error::Error for CloseReason {}

/// Closes a client from outside: used by the operator, the hub and the server. Clones close the same client.
#[derive(Debug, Clone)]
pub struct Revocation(Arc<watch::Sender<Option<CloseReason>>>);

impl Revocation {
    /// Creates a handle that is not revoked.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Closes the client. Returns false if it was closed before.
    pub fn revoke(&self, reason: CloseReason) -> bool {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        })
    }

    /// Returns whether the client was closed.
    pub fn is_revoked(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns why the client was closed; `None` if it was not.
    pub fn reason(&self) -> Option<CloseReason> {
        self.0.borrow().clone()
    }

    /// Resolves with the reason when the client is closed. Safe to cancel and call again.
    pub async fn revoked(&self) -> CloseReason {
        let mut receiver = self.0.subscribe();
        let ended = receiver.wait_for(Option::is_some).await;
        // The sender is alive as long as `self`, so there is always a reason.
        ended.ok().and_then(|reason| reason.clone()).unwrap_or(CloseReason::Left)
    }

    /// The same as [`Revocation::revoked`], as a future that owns its state.
    pub async fn into_revoked(self) -> CloseReason {
        self.revoked().await
    }
}

impl Default for Revocation {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_stays_and_reaches_every_clone() {
        let revocation = Revocation::new();
        let other = tokio::spawn(revocation.clone().into_revoked());
        assert!(!revocation.is_revoked());
        assert!(revocation.revoke(CloseReason::Operator));
        assert!(!revocation.revoke(CloseReason::Shutdown));
        assert_eq!(other.await.unwrap(), CloseReason::Operator);
        assert_eq!(
            (revocation.revoked().await, revocation.reason()),
            (CloseReason::Operator, Some(CloseReason::Operator))
        );
    }
}
