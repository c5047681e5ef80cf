//! A text that is never shown, such as a token for another server.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::HIDDEN;

/// A text that `Debug` does not show. It may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Returns the text; do not log it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns `words` without this text: servers repeat what they were sent.
    pub fn hide_in(&self, words: &str) -> String {
        if self.is_empty() { words.to_owned() } else { words.replace(&self.0, HIDDEN) }
    }

    /// Returns whether there is no text.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Hidden(none)" } else { "Hidden(…)" })
    }
}
