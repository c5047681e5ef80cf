//! The roles in a room.

use serde::{Deserialize, Serialize};

/// The role of a participant. The order is from the fewest rights to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Waits in the lobby until a host lets the participant in.
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

    /// Returns the role for a letter: the reverse of [`Role::letter`].
    pub(super) const fn of_letter(letter: char) -> Option<Self> {
        match letter {
            'h' => Some(Self::Host),
            'g' => Some(Self::Guest),
            'a' => Some(Self::Audience),
            'w' => Some(Self::Waiting),
            _ => None,
        }
    }

    /// Returns the letter that stands for the role in a pass.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Host => 'h',
            Self::Guest => 'g',
            Self::Audience => 'a',
            Self::Waiting => 'w',
        }
    }

    /// Returns the role with this name, as in the claim of a token.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "guest" => Some(Self::Guest),
            "audience" => Some(Self::Audience),
            _ => None,
        }
    }
}
