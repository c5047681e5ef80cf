//! The messages of a cluster, as JSON.
//!
//! | subject | subscribers | messages |
//! |---|---|---|
//! | `lm.origin.APP.STREAM` | the owner of the stream | [`OriginAsk`] → [`OriginAnswer`] |
//! | `lm.on.APP.STREAM` | nodes that want or relay the stream | [`Appeared`] |
//! | `lm.node.NAME` | one node | [`NodeAsk`] |
//! | `lm.all` | all nodes | [`AllAsk`] |
//! | `lm.used` | all nodes | [`Used`] |
//! | `lm.meter.NODE.FROM_MS.ACT.PROTOCOL.APP.STREAM` | programs of the operator | [`MeterRecord`](super::meter::MeterRecord) |

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bans::SharedBan;
use super::node::NodeName;
use crate::core::bus::Subject;
use crate::core::name::StreamName;

/// A question about a stream to its owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum OriginAsk {
    /// Which node owns the stream?
    Find {
        /// The node that asks.
        node: NodeName,
    },
    /// A node wants to publish the stream.
    Claim {
        /// The node that asks.
        node: NodeName,
        /// When it began, in microseconds since 1970.
        since: u64,
        /// Whether it has entered its claim already.
        entered: bool,
    },
}

/// The answer of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum OriginAnswer {
    /// To [`OriginAsk::Find`].
    Owner(Owner),
    /// To [`OriginAsk::Claim`]: this node keeps the stream.
    Taken {
        /// The node that answers.
        node: NodeName,
    },
    /// To [`OriginAsk::Claim`]: this node gives the stream up.
    Yielded {
        /// The node that answers.
        node: NodeName,
    },
}

/// The node that has the publisher of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its name.
    pub node: NodeName,
    /// The address under which other nodes reach its HTTP.
    pub url: String,
    /// Its region, as the operator calls it; may be empty.
    pub region: String,
    /// When its publisher came, in microseconds since 1970.
    pub since: u64,
    /// Time since its publisher last sent something, in milliseconds.
    pub silence_ms: u64,
    /// The nodes that pull the stream from it, if they are as many as it serves.
    pub parents: Vec<NodeName>,
    /// Whether other nodes shall pull from one of `parents`.
    pub is_full: bool,
    /// Whether the publisher creates key frames on request.
    pub key_on_request: bool,
}

/// A node has begun to publish a stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Appeared {
    /// The node.
    pub node: NodeName,
}

/// A message to one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum NodeAsk {
    /// This node has the older claim to a stream. No answer.
    Lost {
        /// The node that keeps the stream.
        node: NodeName,
        /// The stream.
        stream: String,
        /// The claim that is lost.
        since: u64,
    },
    /// A viewer of another node waits for a key frame. No answer.
    KeyFrame {
        /// The stream.
        stream: String,
    },
    /// Where can the stream be pulled from this node? The answer is a [`Route`].
    Route {
        /// The stream.
        stream: String,
    },
    /// End a client. The answer is a [`Kicked`].
    Kick {
        /// The number of the client.
        client: u64,
        /// Minutes for which it is kept out.
        minutes: Option<u64>,
    },
    /// Drain the node, or end that. The answer is a [`Drained`](super::Drained).
    Drain {
        /// Seconds for which publishers are waited for, up to the maximum; `None` ends the drain.
        wait: Option<u64>,
    },
}

/// The answer to [`NodeAsk::Route`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Route {
    /// The address under which other nodes reach its HTTP; empty if it does not get the stream from the owner.
    pub url: String,
}

/// The answer to [`NodeAsk::Kick`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kicked {
    /// The client was ended.
    Done,
    /// There is no such client.
    Unknown,
    /// It is a job or another node, which a ban cannot keep out.
    Job,
}

/// A message to all nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum AllAsk {
    /// A node has started. The answer is a [`NodeState`].
    Hello {
        /// The node.
        node: NodeName,
        /// Its run: two processes of one name have different ones.
        run: u64,
    },
    /// A node stops. No answer.
    Bye {
        /// The node.
        node: NodeName,
    },
    /// The state of the node. The answer is a [`NodeState`].
    Nodes,
    /// The streams of the node. The answer is a [`Listed`].
    Streams,
    /// The clients of the node. The answer is a [`Listed`].
    Clients {
        /// Only those of this stream.
        stream: Option<String>,
    },
    /// Keep a client out. No answer.
    Ban(SharedBan),
    /// Let a client in again. No answer.
    Lift(SharedBan),
}

/// The state of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// Its name.
    pub node: NodeName,
    /// Its run.
    pub run: u64,
    /// The address under which other nodes reach its HTTP.
    pub url: String,
    /// Its region; may be empty.
    pub region: String,
    /// The version of the gateway.
    pub version: String,
    /// Seconds since its start.
    pub uptime_s: u64,
    /// Streams that are published there.
    pub publishers: usize,
    /// Streams that it relays from other nodes.
    pub relays: usize,
    /// Viewers.
    pub viewers: usize,
    /// Nodes that pull from it, counted for each stream.
    pub pulls: usize,
    /// Whether it takes no new clients.
    pub draining: bool,
}

/// A part of a list, from one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// The node.
    pub node: NodeName,
    /// The number of entries, of which `entries` may be a part.
    pub total: usize,
    /// The entries, as the API shows them.
    pub entries: Vec<serde_json::Value>,
}

/// A token for publishing was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The node where it was used.
    pub node: NodeName,
    /// The key that has signed it, as hexadecimal digits.
    pub key: String,
    /// Its `jti`.
    pub jti: String,
    /// Until when it would be valid, in seconds since 1970.
    pub until: i64,
}

/// The subject of questions to the owner of a stream.
pub fn origin(stream: &StreamName) -> Subject {
    Subject::of_stream("origin", stream)
}

/// The subject of news about a stream.
pub fn on(stream: &StreamName) -> Subject {
    Subject::of_stream("on", stream)
}

/// The subject of messages to one node.
pub fn node(name: &NodeName) -> Subject {
    Subject::of_name("node", name.as_str())
}

/// The subject of messages to all nodes.
pub fn all() -> Subject {
    Subject::new("all")
}

/// The subject of used tokens.
pub fn used() -> Subject {
    Subject::new("used")
}

/// Returns a message as bytes.
pub fn write(message: &impl Serialize) -> Bytes {
    // These types have no maps with keys that JSON does not allow.
    serde_json::to_vec(message).unwrap_or_default().into()
}

/// Reads a message; `None` if another version sent it, or a stranger. That is counted.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let message = serde_json::from_slice(bytes).ok();
    if message.is_none() {
        metrics::counter!("lianmai_cluster_bad_messages_total").increment(1);
    }
    message
}
