//! Clients: connection, identity, and act.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The act of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// The client sends the stream.
    Publish,
    /// The client receives the stream.
    Play,
}

impl Act {
    /// Returns the verb used in tokens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
        }
    }

    /// Returns the noun used in the log and in metrics.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Publish => "publisher",
            Self::Play => "viewer",
        }
    }
}

/// The connection of a client.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// The protocol, in lower case: `rtmp`, `http-flv`, `ws-flv`, `hls` …
    pub protocol: &'static str,
    /// The client's address.
    pub peer: SocketAddr,
    /// The requested address, without secrets.
    pub url: String,
    /// The client's software: the User-Agent or RTMP's flashVer; may be empty.
    pub agent: String,
}

/// The identity of a client, as established by its admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The holder of a token.
    Token {
        /// The token's `sub`, at most 200 characters; empty if it has none.
        subject: String,
        /// The token's `iss`, at most 200 characters; empty if it has none.
        issuer: String,
    },
    /// A client that knows a secret.
    Secret,
    /// The holder of a lasting key.
    Key {
        /// The key's identifier.
        id: u64,
        /// The key's name.
        name: Arc<str>,
    },
    /// The holder of a signed address.
    SignedUrl,
    /// A program on the gateway's own machine.
    Local,
    /// Any client: this gateway requires no credentials.
    Open,
    /// A participant of a room, with its seat key.
    Seat {
        /// The room's name.
        room: Arc<str>,
        /// The participant's identifier in the room.
        id: Arc<str>,
    },
    /// The operator, in a browser that is logged in to the console.
    Operator,
    /// Another gateway of the cluster, by its name: it relays the stream to its own viewers.
    Node(Arc<str>),
    /// A job of the gateway itself, by its name.
    Job(&'static str),
}

impl Identity {
    /// Returns the kind of identity as one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token { .. } => "token",
            Self::Secret => "secret",
            Self::Key { .. } => "key",
            Self::SignedUrl => "signed",
            Self::Local => "local",
            Self::Open => "open",
            Self::Seat { .. } => "seat",
            Self::Operator => "operator",
            Self::Node(_) => "node",
            Self::Job(_) => "job",
        }
    }
}

impl Identity {
    /// Returns the name of the person or the key, if the identity has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Token { subject, .. } => Some(subject.as_str()).filter(|name| !name.is_empty()),
            Self::Key { name, .. } => Some(name),
            Self::Seat { id, .. } => Some(id),
            Self::Node(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { subject, issuer } => write!(f, "token sub={subject} iss={issuer}"),
            Self::Key { name, .. } => write!(f, "key {name}"),
            Self::Seat { id, .. } => write!(f, "seat {id}"),
            Self::Node(name) => write!(f, "node {name}"),
            Self::Job(name) => write!(f, "job {name}"),
            _ => f.write_str(self.kind()),
        }
    }
}
