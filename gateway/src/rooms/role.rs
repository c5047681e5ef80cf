//! The roles in a room.

use serde::{Deserialize, Serialize};

/// The role of a participant, from the least rights to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Waits until a host lets the participant in.
    Waiting,
    /// Watches and writes in the chat.
    Audience,
    /// Publishes.
    Guest,
    /// Publishes and moderates.
    Host,
}

impl Role {
    /// Returns whether the role has a seat, so that the participant may publish.
    pub(super) const fn has_seat(self) -> bool {
        matches!(self, Self::Guest | Self::Host)
    }

    /// Returns the role of the letter that [`Role::letter`] returns.
    pub(super) const fn of_letter(letter: char) -> Option<Self> {
        match letter {
            'h' => Some(Self::Host),
            'g' => Some(Self::Guest),
            'a' => Some(Self::Audience),
            'w' => Some(Self::Waiting),
            _ => None,
        }
    }

    /// Returns the role as one letter, for keys.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Host => 'h',
            Self::Guest => 'g',
            Self::Audience => 'a',
            Self::Waiting => 'w',
        }
    }

    /// Returns the role of this name, as tokens have it.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "guest" => Some(Self::Guest),
            "audience" => Some(Self::Audience),
            _ => None,
        }
    }
}
