//! The messages from a client.

use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::{ChatMode, Id, Layout, Quality};
use crate::rooms::role::Role;

/// A message from a client. Unknown fields and unknown types are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::rooms) enum Request {
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
        #[serde(default)]
        withdraw: bool,
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
pub(in crate::rooms) struct Join {
    pub(in crate::rooms) version: u32,
    #[serde(default)]
    pub(in crate::rooms) name: String,
    pub(in crate::rooms) role: Option<Role>,
    pub(in crate::rooms) since: Option<u64>,
    pub(in crate::rooms) id: Option<Id>,
    pub(in crate::rooms) key: Option<String>,
    pub(in crate::rooms) invite: Option<String>,
    pub(in crate::rooms) token: Option<String>,
}

/// New settings of a room. An absent field leaves its setting unchanged.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(in crate::rooms) struct Change {
    pub(in crate::rooms) title: Option<String>,
    pub(in crate::rooms) locked: Option<bool>,
    pub(in crate::rooms) lobby: Option<bool>,
    pub(in crate::rooms) layout: Option<Layout>,
    /// `None` if the field is absent. `Some(None)` if it is null, which removes the spotlight.
    #[serde(default, deserialize_with = "present")]
    pub(in crate::rooms) spotlight: Option<Option<Id>>,
    pub(in crate::rooms) chat: Option<ChatMode>,
    pub(in crate::rooms) slow: Option<u32>,
}

/// Deserializes a field that is present, even if it is null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Id>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Request {
    /// Returns the value of `type` in the JSON.
    pub(in crate::rooms) const fn kind(&self) -> &'static str {
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
