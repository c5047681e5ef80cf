//! Named live streams: who publishes, who plays, and the frames between them. Knows no protocol.
//!
//! [`Hub::publish`] gives a [`Publisher`], [`Hub::play`] a [`Stream`] whose frames any number of
//! [`ring::Cursor`]s read. A stream outlives its publisher for a while, so that one who reconnects
//! finds the viewers still there.

pub mod clients;
mod clock;
mod keys;
pub mod meter;
pub mod name;
pub mod publisher;
mod registry;
pub mod ring;
mod said;
pub mod stream;

pub use clients::{Client, ClientHandle, ClientInfo, ClientKind, Clients};
pub use keys::Demand;
pub use name::{NameError, StreamName};
pub use publisher::Publisher;
pub use registry::{Hub, HubConfig, PlayError, PublishError};
pub use ring::Start;
pub use said::{Fields, Note};
pub use stream::{Entry, Stream, StreamStats, Subscriber};

#[cfg(test)]
mod tests;
