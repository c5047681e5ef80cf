//! Relays: streams of other nodes, for the viewers of this one.
//!
//! A relay begins when a viewer waits for a stream that nobody publishes here ([`Origin`](crate::core::hub::Origin)), or
//! when a publisher leaves this node and its viewers stay. `follow` decides from where the stream comes, without clock
//! and socket; `run` does what it says; `feed` passes the frames to the hub; `parents` spreads the pulls over a tree.
//! Start reading at [`Relays`].

mod feed;
mod follow;
mod parents;
mod pull;
mod relays;
mod run;
#[cfg(test)]
mod tests;

pub use follow::{Action, CONNECT_TIMEOUT, Follow, Found, LOOK_EVERY, SILENT_AFTER, Source};
pub use parents::choose;
pub use relays::{MAX_RELAYS, RelayInfo, Relays};
