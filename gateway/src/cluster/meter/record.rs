//! One metering record.

use serde::{Deserialize, Serialize};

use crate::cluster::node::NodeName;
use crate::core::bus::Subject;
use crate::core::client::{Act, Identity};
use crate::core::hub::StreamName;

/// The kind of client that a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeterAct {
    /// Publishers.
    Publish,
    /// Viewers.
    Play,
    /// Other nodes, which relay the stream to their own viewers.
    Relay,
}

impl MeterAct {
    /// Returns the kind of a client with this act and identity.
    pub fn of(act: Act, identity: &Identity) -> Self {
        match (act, identity) {
            (Act::Publish, _) => Self::Publish,
            (Act::Play, Identity::Node(_)) => Self::Relay,
            (Act::Play, _) => Self::Play,
        }
    }

    /// Returns the word that stands for it in records and subjects.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
            Self::Relay => "relay",
        }
    }
}

/// The clients that one record counts together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MeterKey {
    /// The stream.
    pub stream: StreamName,
    /// The protocol, in lower case.
    pub protocol: &'static str,
    /// The kind of client.
    pub act: MeterAct,
}

/// Sums over the sessions of a period: from the first session until none has run for some time.
///
/// The sums only grow, so the last record of a period stands for all before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterRecord {
    /// The node.
    pub node: NodeName,
    /// The stream.
    pub stream: String,
    /// The protocol.
    pub protocol: String,
    /// The kind of client.
    pub act: MeterAct,
    /// The begin of the period, in milliseconds since 1970. It identifies the period.
    pub from_ms: u64,
    /// The time of these sums, in milliseconds since 1970.
    pub to_ms: u64,
    /// Sessions of the period, including those that run.
    pub sessions: u64,
    /// Sessions that run now.
    pub running: u64,
    /// Sum of the durations of all sessions, in milliseconds.
    pub session_ms: u64,
    /// Bytes received from the clients.
    pub received_bytes: u64,
    /// Bytes sent to the clients.
    pub sent_bytes: u64,
}

impl MeterRecord {
    /// Returns the subject `lm.meter.NODE.FROM_MS.ACT.PROTOCOL.APP.STREAM`, different for each period. So a store that
    /// keeps the last message of each subject keeps all sums.
    pub fn subject(&self, stream: &StreamName) -> Subject {
        let from = self.from_ms.to_string();
        let parts = [self.node.as_str(), &from, self.act.word(), &self.protocol];
        Subject::of_parts("meter", parts.into_iter().chain(stream.as_str().split('/')))
    }
}
