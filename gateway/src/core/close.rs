//! Why a client's connection ends, for every protocol, and ending one from outside.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Why a publisher or viewer is disconnected. Each edge maps it to its protocol's codes; the text is the same
/// everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The client closed the connection, or its network did.
    Left,
    /// The stream of a viewer is over.
    StreamEnded,
    /// The operator ended it.
    Operator,
    /// Another publisher took the stream over.
    Replaced,
    /// The gateway stops.
    Shutdown,
    /// The client took no bytes for too long.
    Stalled,
    /// The client sent nothing for too long.
    Idle,
    /// The handshakes took too long.
    NotConnected,
    /// Another client needed its place before it had connected.
    Displaced,
    /// The gateway has as many connections as it may.
    Full,
    /// It was refused; says why.
    Refused(String),
    /// It uses a codec or feature that is not supported here; says which.
    Unsupported(String),
    /// Its media cannot be read; says why.
    Media(String),
    /// It broke the protocol; says how.
    Protocol(String),
}

impl CloseReason {
    /// The word for metrics; there are as many as there are reasons.
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
            Self::Displaced => "other clients needed its place before it connected",
            Self::Full => "the server has all the connections it may",
            Self::Refused(text) | Self::Unsupported(text) | Self::Media(text) | Self::Protocol(text) => text,
        })
    }
}

impl std::error::Error for CloseReason {}

/// Ends a client from outside: by the operator, the hub or the server. Clones end the same client.
#[derive(Debug, Clone)]
pub struct Revocation(Arc<watch::Sender<Option<CloseReason>>>);

impl Revocation {
    /// A client that goes on.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the client, unless it was ended before; whether it was not.
    pub fn revoke(&self, reason: CloseReason) -> bool {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        })
    }

    /// Whether the client was ended.
    pub fn is_revoked(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Why the client was ended; none while it was not.
    pub fn reason(&self) -> Option<CloseReason> {
        self.0.borrow().clone()
    }

    /// Resolves with the reason when the client is ended. May be dropped and called again.
    pub async fn revoked(&self) -> CloseReason {
        let mut receiver = self.0.subscribe();
        let ended = receiver.wait_for(Option::is_some).await;
        // The sender is in our hands, so that there is always a reason.
        ended.ok().and_then(|reason| reason.clone()).unwrap_or(CloseReason::Left)
    }

    /// As [`Revocation::revoked`], for keeping.
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
