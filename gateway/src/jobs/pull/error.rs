//! Errors of requests about pulls.

use std::fmt;

use super::registry::MAX_PULLS;

/// Why there is no such pull. The texts do not contain the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullError {
    /// A value is not valid.
    Request(String),
    /// There are as many pulls as allowed.
    TooMany,
    /// The same pull is there already.
    Twice,
    /// There is no such pull.
    Unknown,
    /// The list of pulls cannot be stored; the text says why.
    Store(String),
}

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) => f.write_str(text),
            Self::TooMany => write!(f, "there may be at most {MAX_PULLS} pulls and files: end one"),
            Self::Twice => f.write_str("these streams are already pulled from this address"),
            Self::Unknown => f.write_str("there is no pull with this id"),
            Self::Store(why) => write!(f, "the list of pulls cannot be stored in the data folder: {why}"),
        }
    }
}

impl std::error::Error for PullError {}
