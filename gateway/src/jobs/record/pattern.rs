//! Patterns of stream names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::hub::StreamName;

/// Maximum length of a pattern in bytes, as that of a stream name.
const MAX_PATTERN: usize = 512;

/// A stream name in which `*` stands for any characters but a slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Returns whether the pattern covers a stream.
    pub fn matches(&self, name: &StreamName) -> bool {
        let (mut pattern, mut text) = (self.0.split('/'), name.as_str().split('/'));
        loop {
            match (pattern.next(), text.next()) {
                (None, None) => return true,
                (Some(pattern), Some(text)) if segment_matches(pattern, text) => {}
                _ => return false,
            }
        }
    }
}

/// Compares one segment. The first and the last piece between stars are anchored, the others follow in order.
fn segment_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_matches('/');
        if text.len() > MAX_PATTERN || text.split('/').count() < 2 || text.split('/').any(str::is_empty) {
            return Err(format!("{text:?} is not the name of a stream such as live/x or live/*"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_characters_of_one_segment() {
        for (pattern, name, covered) in [
            ("live/*", "live/x", true),
            ("live/*", "live/a/b", false),
            ("live/*", "other/x", false),
            ("*/*", "other/x", true),
            ("live/x", "live/x", true),
            ("live/x", "live/xy", false),
            ("live/a*b*c", "live/a1b2c", true),
            ("live/a*b*c", "live/abc", true),
            ("live/a*b*c", "live/acb", false),
            ("live/a*a", "live/a", false),
            ("/live/*/", "live/x", true),
        ] {
            let name = StreamName::parse(name).unwrap();
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(&name), covered, "{pattern} {name}");
        }
        for bad in ["live", "", "/", "live//x", &"x/".repeat(300)] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
