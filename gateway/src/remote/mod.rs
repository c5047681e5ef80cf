//! Connections to other servers: what jobs that forward or pull streams share. Start reading at [`Dialer`].
//!
//! Addresses of other servers often hold keys, so they are shown without them: see [`RemoteAddress`].

mod address;
mod backoff;
mod connection_limit;
mod dialer;
mod hidden;
mod http;
mod resolve;
pub mod rtmp;
mod settings;
pub mod webrtc;

pub use address::{AddressError, RemoteAddress, Scheme, Template};
pub use backoff::Backoff;
pub use connection_limit::ConnectionLimit;
pub use dialer::Dialer;
pub use hidden::Hidden;
pub use http::HttpBody;
pub use settings::RemoteSettings;

use std::fmt;

use crate::core::text::clean;

/// Maximum number of characters of a server's words that are kept.
const MAX_WORDS: usize = 300;

/// Why a connection to another server failed or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteError {
    /// The reason for people, without control characters.
    words: String,
    /// Whether the same request will probably fail again.
    refused: bool,
}

impl RemoteError {
    /// Creates an error that may be gone at the next try.
    pub fn new(words: &str) -> Self {
        Self { words: clean(words).chars().take(MAX_WORDS).collect(), refused: false }
    }

    /// Creates an error that will probably come again: the server refuses the key, or does not take the codec.
    pub fn refused(words: &str) -> Self {
        Self { refused: true, ..Self::new(words) }
    }

    /// Returns whether the same request will probably fail again.
    pub const fn is_refused(&self) -> bool {
        self.refused
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for RemoteError {}
