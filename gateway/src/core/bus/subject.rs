//! Subjects of messages.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::core::name::StreamName;

/// The subject of a message: words with dots between them, as in NATS. Cloning is cheap.
///
/// All subjects begin with `lm.`, so that an operator can allow a node this prefix only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Creates the subject `lm.WORD` for messages of one kind.
    pub fn new(word: &str) -> Self {
        Self::join(word, std::iter::empty())
    }

    /// Creates the subject `lm.WORD.APP.STREAM` for messages about a stream.
    pub fn of_stream(word: &str, stream: &StreamName) -> Self {
        Self::join(word, stream.as_str().split('/'))
    }

    /// Creates the subject `lm.WORD.NAME` for messages about something with a name: a node, a room.
    pub fn of_name(word: &str, name: &str) -> Self {
        Self::join(word, std::iter::once(name))
    }

    /// Creates the subject `lm.WORD.PART.PART…`.
    pub fn of_parts<'a>(word: &str, parts: impl Iterator<Item = &'a str>) -> Self {
        Self::join(word, parts)
    }

    fn join<'a>(word: &str, parts: impl Iterator<Item = &'a str>) -> Self {
        let mut text = format!("lm.{word}");
        for part in parts {
            text.push('.');
            for byte in part.bytes() {
                // Dots, wildcards and white space mean something to NATS.
                if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
                    text.push(char::from(byte));
                } else {
                    // A text written to a String does not fail.
                    let _ = write!(text, "={byte:02X}");
                }
            }
        }
        Self(text.into())
    }

    /// Returns the subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_streams_have_different_subjects_that_nats_accepts() {
        let of = |name: &str| Subject::of_stream("origin", &StreamName::parse(name).unwrap()).to_string();
        assert_eq!(of("live/x"), "lm.origin.live.x");
        assert_eq!(of("a/b/c-1_2"), "lm.origin.a.b.c-1_2");
        assert_eq!(of("live/a.b"), "lm.origin.live.a=2Eb");
        assert_eq!(of("live/*"), "lm.origin.live.=2A");
        assert_eq!(of("live/连"), "lm.origin.live.=E8=BF=9E");
        assert_eq!(of("live/=2A"), "lm.origin.live.=3D2A");
        assert_eq!(Subject::of_name("node", "a b").as_str(), "lm.node.a=20b");
        assert_eq!(Subject::new("all").as_str(), "lm.all");
    }
}
