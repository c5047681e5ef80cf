//! The messages between a client and a room: JSON, described in `docs/rooms.md` and `docs/rooms.schema.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use super::id::Id;
use super::role::Role;

/// The version of the messages.
pub(super) const VERSION: u32 = 1;

/// A message from a client. Unknown fields and unknown types are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Request {
    Join(Join),
    Mute {
        audio: bool,
        video: bool,
    },
    Quality {
        quality: Quality,
    },
    Hand {
        up: bool,
    },
    Accept,
    Decline,
    Leave,
    Invite {
        id: Id,
    },
    Promote {
        id: Id,
        role: Option<Role>,
    },
    Demote {
        id: Id,
    },
    Admit {
        id: Id,
    },
    Remove {
        id: Id,
    },
    AskMute {
        id: Id,
    },
    Settings(Change),
    MakeInvite {
        role: Role,
        minutes: u32,
    },
    MakeEncoder {
        name: String,
    },
    Chat {
        text: String,
    },
    Delete {
        seq: u64,
    },
    Silence {
        id: Id,
        seconds: u32,
    },
    Like {
        count: u32,
    },
    GoLive {
        layout: Option<Layout>,
    },
    StopLive {
        #[serde(default)]
        card: String,
    },
    Show {
        id: Id,
        shown: bool,
    },
    Ping {
        n: Option<u64>,
    },
    #[serde(other)]
    Unknown,
}

/// The first message of a client.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(super) struct Join {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) since: Option<u64>,
    pub(super) id: Option<Id>,
    pub(super) key: Option<String>,
    pub(super) invite: Option<String>,
    pub(super) token: Option<String>,
}

/// The quality of a participant's connection, as the participant's page reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Quality {
    Good,
    Poor,
    Bad,
}

/// The arrangement of the broadcast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    #[default]
    Grid,
    Speaker,
    Side,
    Screen,
    Pip,
}

/// The roles that may write in the chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChatMode {
    #[default]
    All,
    Hosts,
    Off,
}

/// New settings of a room. An absent field leaves its setting unchanged.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(super) struct Change {
    pub(super) title: Option<String>,
    pub(super) locked: Option<bool>,
    pub(super) lobby: Option<bool>,
    pub(super) layout: Option<Layout>,
    /// `None` if the field is absent. `Some(None)` if it is null, which removes the spotlight.
    #[serde(default, deserialize_with = "present")]
    pub(super) spotlight: Option<Option<Id>>,
    pub(super) chat: Option<ChatMode>,
    pub(super) slow: Option<u32>,
}

/// Deserializes a field that is present, even if it is null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Id>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A message to clients.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message {
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
pub(super) struct Welcome {
    pub(super) version: u32,
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) key: String,
    pub(super) room: RoomInfo,
    pub(super) people: Vec<PersonInfo>,
    pub(super) chat: Vec<ChatMessage>,
    pub(super) speaker: Option<Id>,
    pub(super) time: u64,
}

/// The public state of a room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RoomInfo {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) locked: bool,
    pub(super) lobby: bool,
    pub(super) layout: Layout,
    pub(super) spotlight: Option<Id>,
    pub(super) chat: ChatMode,
    pub(super) slow: u32,
    pub(super) audience: usize,
    pub(super) likes: u64,
    pub(super) live: Live,
    pub(super) seats: usize,
}

/// The broadcast of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Live {
    pub(super) stream: Option<String>,
    pub(super) since: Option<u64>,
    pub(super) viewers: usize,
    /// Whether the broadcast is the mix that the gateway makes of the room.
    pub(super) mixed: bool,
    /// What limits the mix, or why it failed and begins again.
    pub(super) problem: Option<String>,
}

/// The public state of a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PersonInfo {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) stream: Option<String>,
    pub(super) small: Option<String>,
    pub(super) screen: Option<String>,
    pub(super) audio: bool,
    pub(super) video: bool,
    pub(super) quality: Option<Quality>,
    pub(super) hand: bool,
    pub(super) invited: bool,
    pub(super) away: bool,
    pub(super) encoder: bool,
    pub(super) shown: bool,
}

/// A message of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ChatMessage {
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) text: String,
}

/// Why a participant is no longer listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Leaving {
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
pub(super) enum SeatReason {
    Accepted,
    Promoted,
    Demoted,
    Admitted,
}

/// Why a message had no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<&'static str>,
    /// Time after which another attempt may succeed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<u64>,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    BadMessage,
    NotJoined,
    Version,
    Name,
    Forbidden,
    Locked,
    Full,
    NoRoom,
    Removed,
    UnknownPerson,
    NotNow,
    SlowDown,
    TooLong,
    ChatClosed,
    Silenced,
}

impl Code {
    /// Returns a failure with this code and its English text.
    pub(super) fn failure(self) -> Failure {
        let text = match self {
            Self::BadMessage => {
                "the gateway does not know a message of this type with these fields: docs/rooms.md lists them"
            }
            Self::NotJoined => "the first message must be `join`",
            Self::Version => {
                "the gateway supports version 1 of the room's messages only: send `join` with `version` 1"
            }
            Self::Name => {
                "the name has no visible character, or more than 40 characters: choose another name"
            }
            Self::Forbidden => "your role in this room does not allow that",
            Self::Locked => "the room is locked: new participants cannot join",
            Self::Full => "the room has no free seat: wait until a participant leaves, or watch as audience",
            Self::NoRoom => "the room is not open: try again when a host has joined",
            Self::Removed => "a host has removed you from this room",
            Self::UnknownPerson => "the participant of this message is not in the room",
            Self::NotNow => "the request does not fit the current state of the room",
            Self::SlowDown => "too many messages: wait a moment",
            Self::TooLong => "a chat message needs 1 to 300 characters: shorten it",
            Self::ChatClosed => "the chat is closed for your role: a host can open it",
            Self::Silenced => "a host has silenced you in the chat for some time",
        };
        Failure { code: self, text: text.to_owned(), about: None, retry: None }
    }
}

impl Request {
    /// Returns the value of `type` in the JSON.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Join(_) => "join",
            Self::Mute { .. } => "mute",
            Self::Quality { .. } => "quality",
            Self::Hand { .. } => "hand",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Leave => "leave",
            Self::Invite { .. } => "invite",
            Self::Promote { .. } => "promote",
            Self::Demote { .. } => "demote",
            Self::Admit { .. } => "admit",
            Self::Remove { .. } => "remove",
            Self::AskMute { .. } => "ask_mute",
            Self::Settings(_) => "settings",
            Self::MakeInvite { .. } => "make_invite",
            Self::MakeEncoder { .. } => "make_encoder",
            Self::Chat { .. } => "chat",
            Self::Delete { .. } => "delete",
            Self::Silence { .. } => "silence",
            Self::Like { .. } => "like",
            Self::GoLive { .. } => "go_live",
            Self::StopLive { .. } => "stop_live",
            Self::Show { .. } => "show",
            Self::Ping { .. } => "ping",
            Self::Unknown => "unknown",
        }
    }
}
