//! Tickets: the right of a node to pull a stream from another node, for a short time.
//!
//! A ticket is `NODE~EXPIRY~HEX`, in the parameter `cluster` of the query. `HEX` is an HMAC-SHA256 of the act, the node,
//! the stream and the expiry, with the secret that all nodes share. A ticket that somebody reads on its way is good for
//! this stream only, and for [`LIFETIME`].

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;

use super::node::NodeName;
use crate::core::name::StreamName;

/// The parameter of the query.
pub const PARAMETER: &str = "cluster";
/// Time for which a ticket is valid.
pub const LIFETIME: Duration = Duration::from_secs(60);
/// Maximum difference of the clocks of two nodes.
const MAX_SKEW: Duration = Duration::from_secs(60);
/// Minimum length of the secret in bytes.
pub const MIN_SECRET: usize = 16;

/// The secret that the nodes of a cluster share. It is never shown.
#[derive(Clone)]
pub struct ClusterSecret(hmac::Key);

impl std::fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterSecret")
    }
}

/// Why a ticket is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketError {
    /// The text is no ticket.
    Shape,
    /// Another secret made it, or it is for another stream.
    Signature,
    /// It is too old, or the clocks of the nodes differ.
    Expired,
}

impl std::fmt::Display for TicketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shape => "the ticket of the node cannot be read",
            Self::Signature => "the ticket of the node is wrong: give all nodes the same cluster_secret",
            Self::Expired => "the ticket of the node has expired: compare the clocks of the nodes",
        })
    }
}

impl std::error::Error for TicketError {}

impl ClusterSecret {
    /// Uses this text as the secret.
    pub fn new(text: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    /// Makes a ticket at `now`, in seconds since 1970.
    pub fn ticket(&self, node: &NodeName, stream: &StreamName, now: u64) -> String {
        let expiry = now + LIFETIME.as_secs();
        format!("{node}~{expiry}~{}", self.sign(node.as_str(), stream, expiry))
    }

    fn sign(&self, node: &str, stream: &StreamName, expiry: u64) -> String {
        let signed = hmac::sign(&self.0, format!("pull\n{node}\n{stream}\n{expiry}").as_bytes());
        signed.as_ref().iter().fold(String::new(), |mut out, byte| {
            // A text written to a String does not fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
    }

    /// Checks a ticket for a stream at `now`, in seconds since 1970. Returns the node that made it.
    ///
    /// # Errors
    /// Why it is not valid.
    pub fn check(&self, ticket: &str, stream: &StreamName, now: u64) -> Result<NodeName, TicketError> {
        let mut parts = ticket.splitn(3, '~');
        let (Some(node), Some(expiry), Some(shown)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(TicketError::Shape);
        };
        let name = NodeName::parse(node).map_err(|_| TicketError::Shape)?;
        let expiry: u64 = expiry.parse().map_err(|_| TicketError::Shape)?;
        let wanted = self.sign(node, stream, expiry);
        if !bool::from(shown.as_bytes().ct_eq(wanted.as_bytes())) {
            return Err(TicketError::Signature);
        }
        let latest = now + (LIFETIME + MAX_SKEW).as_secs();
        if expiry < now || expiry > latest { Err(TicketError::Expired) } else { Ok(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_for_one_node_stream_and_minute() {
        let (secret, now) = (ClusterSecret::new("0123456789abcdef"), 1_000_000);
        let stream = |name| StreamName::parse(name).unwrap();
        let node = NodeName::parse("edge-1").unwrap();
        let ticket = secret.ticket(&node, &stream("live/x"), now);
        assert_eq!(secret.check(&ticket, &stream("live/x"), now), Ok(node));
        assert!(secret.check(&ticket, &stream("live/x"), now + 60).is_ok());
        assert_eq!(secret.check(&ticket, &stream("live/x"), now + 61), Err(TicketError::Expired));
        // The clock of the other node may be ahead, but a ticket does not last for ever.
        assert!(secret.check(&ticket, &stream("live/x"), now - 60).is_ok());
        assert_eq!(secret.check(&ticket, &stream("live/x"), now - 61), Err(TicketError::Expired));
        assert_eq!(secret.check(&ticket, &stream("live/y"), now), Err(TicketError::Signature));
        let other = ClusterSecret::new("fedcba9876543210");
        assert_eq!(other.check(&ticket, &stream("live/x"), now), Err(TicketError::Signature));
        for changed in [ticket.replace("edge-1", "edge-2"), ticket.replace("1000060", "1000061")] {
            assert_eq!(secret.check(&changed, &stream("live/x"), now), Err(TicketError::Signature));
        }
        for bad in ["", "~~", "edge-1~x~00", "e d~1000060~00", "edge-1"] {
            assert_eq!(secret.check(bad, &stream("live/x"), now), Err(TicketError::Shape), "{bad}");
        }
        assert_eq!(format!("{secret:?}"), "ClusterSecret");
    }
}
