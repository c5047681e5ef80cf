//! Errors of publishing and playing.

use std::fmt;

use crate::core::close::CloseReason;

/// Why a name cannot be published now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// Another publisher has the name.
    Busy,
    /// The gateway has this number of streams, which is the maximum.
    TooManyStreams(usize),
    /// The server is stopping.
    ShuttingDown,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("someone else is publishing this stream"),
            Self::TooManyStreams(max) => {
                write!(f, "the gateway already has {max} streams, as many as --max-streams allows")
            }
            Self::ShuttingDown => f.write_str("the server is shutting down"),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<PublishError> for CloseReason {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::ShuttingDown => Self::Shutdown,
            PublishError::Busy | PublishError::TooManyStreams(_) => Self::Refused(error.to_string()),
        }
    }
}

/// Why a stream cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayError {
    /// Nobody published the stream within the waiting time, or the publisher sent no frame.
    NotFound,
    /// The publisher sends only media that the gateway cannot read. The text describes the media.
    Unreadable(String),
    /// The server is stopping.
    ShuttingDown,
    /// The viewer's right was taken away while it waited.
    Revoked(CloseReason),
}

impl fmt::Display for PlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("nobody is publishing this stream"),
            Self::Unreadable(what) => write!(f, "the publisher sends {what}, which this server cannot read"),
            Self::ShuttingDown => f.write_str("the server is shutting down"),
            Self::Revoked(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for PlayError {}

impl From<PlayError> for CloseReason {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::ShuttingDown => Self::Shutdown,
            PlayError::Revoked(reason) => reason,
            PlayError::NotFound | PlayError::Unreadable(_) => Self::Refused(error.to_string()),
        }
    }
}
