//! Errors of requests about forwards.

use std::{fmt, io};

use super::registry::MAX_FORWARDS;

/// Why a forward is not started. The texts do not contain the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardError {
    /// A value of the request is not valid.
    Request(String),
    /// There are as many forwards as allowed.
    TooMany,
    /// The same streams are already sent there.
    Twice,
    /// There is no such forward.
    Unknown,
    /// The gateway cannot start more jobs.
    Unavailable,
    /// The list of forwards cannot be stored; the text says why.
    Store(String),
}

impl ForwardError {
    pub(super) fn store(error: &io::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) => f.write_str(text),
            Self::TooMany => write!(f, "there are {MAX_FORWARDS} forwards, and no more are allowed: end one"),
            Self::Twice => f.write_str("these streams are already forwarded to this address"),
            Self::Unknown => f.write_str("there is no forward with this id"),
            Self::Unavailable => f.write_str("there are too many jobs"),
            Self::Store(why) => write!(f, "the list of forwards cannot be stored in the data folder: {why}"),
        }
    }
}

impl std::error::Error for ForwardError {}
