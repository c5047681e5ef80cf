//! The bus: short messages between the gateways of a cluster. Media never go over it.
//!
//! A message has a [`Subject`], and reaches every node that has subscribed to it. [`Bus::request`] waits for one
//! answer, and learns at once if no node has subscribed: so a subscription is also an entry in a registry without
//! leases. [`Bus::gather`] waits for the answers of all. Messages may be lost, and the bus may be away for a time; no
//! caller may depend on it for what already runs.
//!
//! The registry, the relays and the API of a cluster are in `cluster`, with the implementation for NATS. [`MemoryBus`]
//! connects several gateways of one process, for tests.

mod memory;
mod subject;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub use memory::{MemoryBus, MemoryNet};
pub use subject::Subject;

/// Maximum size of a message in bytes. NATS ends the connection of a sender that exceeds its own limit, which is 1 MiB
/// by default, so larger messages are never sent.
pub const MAX_PAYLOAD: usize = 512 << 10;
/// Maximum number of answers that [`Bus::gather`] returns.
pub const MAX_ANSWERS: usize = 4096;

/// A message to a subscriber.
pub struct Message {
    /// The content, of at most [`MAX_PAYLOAD`] bytes if it comes from a gateway.
    pub payload: Bytes,
    reply: Option<Reply>,
}

/// Sends the answer to a message.
type Reply = Box<dyn FnOnce(Bytes) + Send + Sync>;

impl Message {
    /// Creates a message, with the way back to a sender that expects an answer.
    pub fn new(payload: Bytes, reply: Option<Reply>) -> Self {
        Self { payload, reply }
    }

    /// Answers the message. An answer that is too large is not sent, and neither is one to a sender that expects none.
    pub fn answer(self, payload: impl Into<Bytes>) {
        let payload = payload.into();
        if let Some(reply) = self.reply
            && payload.len() <= MAX_PAYLOAD
        {
            reply(payload);
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}

/// Handles the messages of a subscription, one after the other. It must not block.
pub type Handler = Arc<dyn Fn(Message) + Send + Sync>;

/// A subscription. Dropping it ends it.
pub struct Subscription(#[expect(dead_code, reason = "only dropped")] Box<dyn Send + Sync>);

impl Subscription {
    /// Creates a subscription that ends when `guard` is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// No node has subscribed to the subject.
    Nobody,
    /// A node has subscribed, and did not answer in time.
    Silent,
    /// The bus cannot be reached now.
    Away,
}

/// Carries messages between the gateways of a cluster.
pub trait Bus: fmt::Debug + Send + Sync {
    /// Passes the messages of a subject to `handler`, until the returned value is dropped. It may take a moment until
    /// the first message comes. The subscription outlives an outage of the bus.
    fn subscribe(&self, subject: Subject, handler: Handler) -> Subscription;

    /// Sends a message to all subscribers. It may be lost; one of more than [`MAX_PAYLOAD`] bytes is.
    fn publish(&self, subject: &Subject, payload: Bytes);

    /// Sends a message, and waits for the first answer for at most `wait`.
    ///
    /// # Errors
    /// Why there is no answer.
    fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Bytes, NoAnswer>>;

    /// Sends a message, and returns the answers that come within `wait`; returns as soon as there are `enough`. There
    /// are [`MAX_ANSWERS`] at most.
    fn gather(
        &self,
        subject: &Subject,
        payload: Bytes,
        wait: Duration,
        enough: usize,
    ) -> BoxFuture<'_, Vec<Bytes>>;

    /// Waits until the messages that were published before have reached the bus, for at most `wait`. Returns whether
    /// they have.
    fn flush(&self, wait: Duration) -> BoxFuture<'_, bool>;

    /// Returns whether the bus is reached now, and when that changes.
    fn connected(&self) -> watch::Receiver<bool>;
}
