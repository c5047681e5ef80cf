//! Delivers the messages of a room to its clients.
//!
//! The room appends each batch of messages once to [`Batches`], which all clients share. A client has a [`Mailbox`]:
//! its place in the batches, and the messages that are for this client only. One task per worker
//! ([`Fans`]) sends a new batch to all clients on this worker, because waking one task per client costs more than
//! sending.

mod batches;
mod fan;
mod mailbox;
mod pending;

pub(super) use self::batches::Batches;
pub(super) use self::fan::{Attached, Fans, Outlet};
pub(super) use self::mailbox::{Delivery, Mailbox, Subscription};
pub(super) use self::pending::Pending;
