//! The objects in the messages.

use serde::{Deserialize, Serialize};

use super::Id;
use crate::rooms::role::Role;

/// The quality of a participant's connection, as the participant's page reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::rooms) enum Quality {
    Good,
    Poor,
    Bad,
}

/// The arrangement of the broadcast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::rooms) enum Layout {
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
pub(in crate::rooms) enum ChatMode {
    #[default]
    All,
    Hosts,
    Off,
}

/// The public state of a room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::rooms) struct RoomInfo {
    pub(in crate::rooms) name: String,
    pub(in crate::rooms) title: String,
    pub(in crate::rooms) locked: bool,
    pub(in crate::rooms) lobby: bool,
    pub(in crate::rooms) layout: Layout,
    pub(in crate::rooms) spotlight: Option<Id>,
    pub(in crate::rooms) chat: ChatMode,
    pub(in crate::rooms) slow: u32,
    pub(in crate::rooms) audience: usize,
    pub(in crate::rooms) likes: u64,
    pub(in crate::rooms) live: Live,
    pub(in crate::rooms) seats: usize,
}

/// The broadcast of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::rooms) struct Live {
    pub(in crate::rooms) stream: Option<String>,
    pub(in crate::rooms) since: Option<u64>,
    pub(in crate::rooms) viewers: usize,
    /// Whether the broadcast is the mix that the gateway makes of the room.
    pub(in crate::rooms) mixed: bool,
    /// What limits the mix, or why it failed and begins again.
    pub(in crate::rooms) problem: Option<String>,
}

/// The public state of a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::rooms) struct PersonInfo {
    pub(in crate::rooms) id: Id,
    pub(in crate::rooms) name: String,
    pub(in crate::rooms) role: Role,
    pub(in crate::rooms) stream: Option<String>,
    pub(in crate::rooms) small: Option<String>,
    pub(in crate::rooms) screen: Option<String>,
    pub(in crate::rooms) audio: bool,
    pub(in crate::rooms) video: bool,
    pub(in crate::rooms) quality: Option<Quality>,
    pub(in crate::rooms) hand: bool,
    pub(in crate::rooms) invited: bool,
    pub(in crate::rooms) away: bool,
    pub(in crate::rooms) encoder: bool,
    pub(in crate::rooms) shown: bool,
}

/// A message of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::rooms) struct ChatMessage {
    pub(in crate::rooms) seq: u64,
    pub(in crate::rooms) at: u64,
    pub(in crate::rooms) id: Id,
    pub(in crate::rooms) name: String,
    pub(in crate::rooms) role: Role,
    pub(in crate::rooms) text: String,
}
