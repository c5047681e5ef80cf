//! Bans, as nodes tell them each other.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::node::NodeName;
use crate::core::admission::BannedClient;
use crate::core::client::{Act, Identity};
use crate::core::name::StreamName;

/// A ban, as nodes tell it each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedBan {
    /// The node where the operator has set it.
    pub node: NodeName,
    /// The act that is not allowed.
    pub act: Act,
    /// The client that is banned.
    pub client: SharedClient,
    /// Seconds that are left.
    pub seconds: u64,
}

/// A banned client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SharedClient {
    /// The clients of an address, on one stream.
    Address {
        /// The address.
        ip: IpAddr,
        /// The stream.
        stream: String,
    },
    /// The holder of a token.
    Token {
        /// The token's `sub`.
        subject: String,
        /// The token's `iss`.
        issuer: String,
    },
    /// The holder of a lasting key.
    Key {
        /// The key's identifier.
        id: u64,
        /// The key's name.
        name: String,
    },
    /// A participant of a room.
    Seat {
        /// The room's name.
        room: String,
        /// The participant's identifier in the room.
        id: String,
    },
}

impl SharedClient {
    /// Returns the client of a ban; `None` for one that only this node knows.
    pub fn of(client: &BannedClient) -> Option<Self> {
        Some(match client {
            BannedClient::Address(ip, stream) => Self::Address { ip: *ip, stream: stream.to_string() },
            BannedClient::Person(Identity::Token { subject, issuer }) => {
                Self::Token { subject: subject.clone(), issuer: issuer.clone() }
            }
            BannedClient::Person(Identity::Key { id, name }) => Self::Key { id: *id, name: name.to_string() },
            BannedClient::Person(Identity::Seat { room, id }) => {
                Self::Seat { room: room.to_string(), id: id.to_string() }
            }
            BannedClient::Person(_) => return None,
        })
    }

    /// Returns the client as this node bans it; `None` if a name is not valid.
    pub fn banned(self) -> Option<BannedClient> {
        Some(match self {
            Self::Address { ip, stream } => BannedClient::Address(ip, StreamName::parse(&stream).ok()?),
            Self::Token { subject, issuer } => BannedClient::Person(Identity::Token { subject, issuer }),
            Self::Key { id, name } => BannedClient::Person(Identity::Key { id, name: name.into() }),
            Self::Seat { room, id } => {
                BannedClient::Person(Identity::Seat { room: room.into(), id: id.into() })
            }
        })
    }
}
