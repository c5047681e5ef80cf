//! The actions that the state of a room returns.

use super::Connection;
use crate::rooms::message::{ChatMessage, Id, Message, SeatReason};
use crate::rooms::role::Role;

/// An action for the caller, as the result of an event.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rooms) enum Output {
    /// Send a message to one client.
    To(Connection, Message),
    /// Send messages to one client, as one batch.
    Several(Connection, Vec<Message>),
    /// Send a message to all clients, immediately or with the next batch.
    All(Message, Urgency),
    /// Send a client its new role, with a seat key for this role.
    Seat { connection: Connection, id: Id, role: Role, reason: SeatReason },
    /// Send a host an invitation for this role, valid for this many minutes.
    Invite { connection: Connection, role: Role, minutes: u32 },
    /// Send a host a seat key for an encoder.
    Encoder { connection: Connection, id: Id },
    /// Start the broadcast of the room. If that fails, tell this client.
    GoLive { connection: Connection },
    /// End the broadcast of the room with a last card.
    StopLive { connection: Connection, card: String },
    /// Close a connection.
    Close(Connection, CloseCode),
    /// Close the media connections that publish the participant's streams, or use the seat key.
    EndMedia { id: Id, reason: &'static str },
    /// Write a message to the chat log.
    Log(ChatMessage),
}

/// Whether a message to all clients can wait for the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rooms) enum Urgency {
    Now,
    Batch,
}

/// Why the gateway closes a connection to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rooms) enum CloseCode {
    /// The participant left.
    Left,
    /// The same seat joined from elsewhere.
    Replaced,
    /// A host removed the participant.
    Removed,
}
