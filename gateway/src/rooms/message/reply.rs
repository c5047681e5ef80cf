//! The messages to clients.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ChatMessage, Failure, Id, Live, PersonInfo, RoomInfo};
use crate::rooms::role::Role;

/// A message to clients.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::rooms) enum Message {
    Welcome(Box<Welcome>),
    Person {
        person: PersonInfo,
    },
    Left {
        id: Id,
        reason: Leaving,
    },
    Seat {
        role: Role,
        key: String,
        reason: SeatReason,
    },
    Waiting,
    Invited {
        by: Id,
    },
    Declined {
        id: Id,
    },
    MuteAsked {
        by: Id,
    },
    Settings {
        room: RoomInfo,
    },
    Audience {
        count: usize,
        likes: u64,
    },
    Levels {
        levels: BTreeMap<Id, i8>,
    },
    Speaker {
        id: Option<Id>,
    },
    Chat(ChatMessage),
    Deleted {
        seq: u64,
    },
    Silenced {
        until: u64,
    },
    /// A call from a page of SRS to the other pages of SRS.
    Control {
        id: Id,
        call: String,
        data: String,
    },
    Live(Live),
    InviteMade {
        invite: String,
        role: Role,
        until: u64,
    },
    EncoderMade {
        id: Id,
        stream: String,
        key: String,
    },
    Error(Failure),
    Pong {
        n: Option<u64>,
    },
}

/// The response to `join`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::rooms) struct Welcome {
    pub(in crate::rooms) version: u32,
    pub(in crate::rooms) id: Id,
    pub(in crate::rooms) name: String,
    pub(in crate::rooms) role: Role,
    pub(in crate::rooms) key: String,
    pub(in crate::rooms) room: RoomInfo,
    pub(in crate::rooms) people: Vec<PersonInfo>,
    pub(in crate::rooms) chat: Vec<ChatMessage>,
    pub(in crate::rooms) speaker: Option<Id>,
    pub(in crate::rooms) time: u64,
}

/// Why a participant is no longer listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::rooms) enum Leaving {
    /// The participant left.
    Left,
    /// The connection was lost, and the participant did not reconnect in time.
    Lost,
    /// A host removed the participant.
    Removed,
    /// The participant belongs to the audience, which is counted and not listed.
    Audience,
}

/// Why a participant's role changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::rooms) enum SeatReason {
    Accepted,
    Promoted,
    Demoted,
    Admitted,
}
