//! Who a client is, and what it does.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What a client does with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// It sends the stream.
    Publish,
    /// It receives the stream.
    Play,
}

impl Act {
    /// The verb, as it stands in tokens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
        }
    }

    /// The noun for a client that does it, as it stands in the log and in metrics.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Publish => "publisher",
            Self::Play => "viewer",
        }
    }
}

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// The protocol, in lower case: `rtmp`, `http-flv`, `ws-flv`, `hls` …
    pub protocol: &'static str,
    /// Its address.
    pub peer: SocketAddr,
    /// The address it asked for, without secrets.
    pub url: String,
    /// Its software: the User-Agent or RTMP's flashVer; may be empty.
    pub agent: String,
}

/// Who a client is, as far as its admission found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The holder of a token.
    Token {
        /// The token's `sub`, at most 200 characters; empty if it has none.
        subject: String,
        /// The token's `iss`, at most 200 characters; empty if it has none.
        issuer: String,
    },
    /// Somebody who knows a secret.
    Secret,
    /// A program on the gateway's own machine.
    Local,
    /// Anybody: this gateway asks nobody for credentials.
    Open,
    /// A task of the gateway itself, by its name.
    Job(&'static str),
}

impl Identity {
    /// The kind of identity, in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token { .. } => "token",
            Self::Secret => "secret",
            Self::Local => "local",
            Self::Open => "open",
            Self::Job(_) => "job",
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { subject, issuer } => write!(f, "token sub={subject} iss={issuer}"),
            Self::Job(name) => write!(f, "job {name}"),
            _ => f.write_str(self.kind()),
        }
    }
}
