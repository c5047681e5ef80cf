//! The errors that clients are told.

use serde::Serialize;

/// Why a message had no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::rooms) struct Failure {
    pub(in crate::rooms) code: Code,
    pub(in crate::rooms) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::rooms) about: Option<&'static str>,
    /// Time after which another attempt may succeed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::rooms) retry: Option<u64>,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::rooms) enum Code {
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
    CannotMix,
    SlowDown,
    TooLong,
    ChatClosed,
    Silenced,
}

impl Code {
    /// Returns a failure with this code and its English text.
    pub(in crate::rooms) fn failure(self) -> Failure {
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
            Self::CannotMix => "the gateway cannot mix the room's streams: a host's page can",
            Self::SlowDown => "too many messages: wait a moment",
            Self::TooLong => "a chat message needs 1 to 300 characters: shorten it",
            Self::ChatClosed => "the chat is closed for your role: a host can open it",
            Self::Silenced => "a host has silenced you in the chat for some time",
        };
        Failure { code: self, text: text.to_owned(), about: None, retry: None }
    }
}
