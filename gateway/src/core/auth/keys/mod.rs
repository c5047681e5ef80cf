//! Lasting keys: each lets one person or encoder publish or play some streams, until the operator revokes it.
//!
//! A secret is the same for everybody, and a token is valid for a moment. An encoder needs something that lasts, and
//! that can be taken from one person alone. The gateway stores the hash of a key only; the key itself is shown once.

mod store;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, io};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::secret;
use crate::core::client::{Act, Identity};
use crate::core::name::StreamName;
pub(crate) use store::FILE;
use store::Store;

/// Maximum number of keys.
pub const MAX_KEYS: usize = 1000;
/// Maximum number of characters of a key's name.
const MAX_NAME: usize = 64;
/// The begin of every key, by which people and scanners recognize one.
const PREFIX: &str = "lk_";
/// Interval at which the times of use are stored.
const STORED_EVERY: Duration = Duration::from_secs(60);

/// The streams that a key is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StreamPattern {
    /// All streams: `*`.
    All,
    /// The streams below a prefix, with its slash at the end: `live/*`.
    Below(String),
    /// One stream: `live/x`.
    One(StreamName),
}

impl StreamPattern {
    /// Returns whether the pattern names this stream.
    pub fn has(&self, stream: &StreamName) -> bool {
        match self {
            Self::All => true,
            Self::Below(prefix) => stream.as_str().starts_with(prefix),
            Self::One(name) => name == stream,
        }
    }
}

impl TryFrom<String> for StreamPattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str =
            "streams is APP/NAME for one stream, APP/* for those of an application, or * for all";
        if text == "*" {
            return Ok(Self::All);
        }
        let below = text.strip_suffix("/*");
        let name = StreamName::parse(&below.map_or_else(|| text.clone(), |app| format!("{app}/x")));
        let name = name.map_err(|_| WRONG)?;
        match below {
            // A star elsewhere would look like a pattern.
            _ if name.as_str().contains('*') => Err(WRONG),
            Some(_) => Ok(Self::Below(format!("{}/", name.app()))),
            None => Ok(Self::One(name)),
        }
    }
}

impl From<StreamPattern> for String {
    fn from(pattern: StreamPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for StreamPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Below(prefix) => write!(f, "{prefix}*"),
            Self::One(name) => f.write_str(name.as_str()),
        }
    }
}

/// A key without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// Unique in this data folder; never given to another key.
    pub id: u64,
    /// Name for the operator and the log.
    pub name: String,
    /// The streams that it is for.
    pub streams: StreamPattern,
    /// Whether it publishes.
    pub publish: bool,
    /// Whether it plays.
    pub play: bool,
    /// Time of its creation, in seconds since 1970.
    pub created: u64,
    /// Time of its last use, in seconds since 1970; `None` if it was never used.
    pub used: Option<u64>,
    /// SHA-256 of the key, in hexadecimal digits. A key has 120 random bits, so a slow hash would add nothing.
    pub(super) hash: String,
}

impl KeyEntry {
    const fn allows(&self, act: Act) -> bool {
        match act {
            Act::Publish => self.publish,
            Act::Play => self.play,
        }
    }
}

/// Why there is no new key.
#[derive(Debug)]
pub enum KeyError {
    /// The request is not valid; the text says why.
    Bad(&'static str),
    /// There are [`MAX_KEYS`] keys.
    Full,
    /// The key cannot be stored.
    Store(io::Error),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bad(text) => f.write_str(text),
            Self::Full => write!(f, "there are {MAX_KEYS} keys: revoke one that is not used"),
            Self::Store(error) => write!(f, "the key cannot be stored in the data folder: {error}"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The keys of a gateway. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Keys(Arc<Mutex<Store>>);

impl Keys {
    /// Reads the keys in the data folder.
    ///
    /// # Errors
    /// The file is not readable, or other users may read it.
    pub fn kept(data: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Store::read(data)?))))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the keys, oldest first.
    pub fn list(&self) -> Vec<KeyEntry> {
        self.store().keys.clone()
    }

    /// Creates a key. Returns it with its text, which is not stored.
    ///
    /// # Errors
    /// The key cannot be created.
    pub fn create(
        &self,
        name: &str,
        streams: StreamPattern,
        publish: bool,
        play: bool,
    ) -> Result<(KeyEntry, String), KeyError> {
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(KeyError::Bad("`name` must have 1 to 64 characters, without control characters"));
        }
        if !publish && !play {
            return Err(KeyError::Bad("a key must allow an action: set `publish` or `play` to true"));
        }
        let text = format!("{PREFIX}{}", secret::random().map_err(KeyError::Store)?);
        let mut store = self.store();
        if store.keys.len() >= MAX_KEYS {
            return Err(KeyError::Full);
        }
        let entry = KeyEntry {
            id: store.last_id + 1,
            name: name.to_owned(),
            streams,
            publish,
            play,
            created: now(),
            used: None,
            hash: hash(&text),
        };
        store.add(entry.clone()).map_err(KeyError::Store)?;
        Ok((entry, text))
    }

    /// Revokes a key. Returns false if no key has this id.
    ///
    /// # Errors
    /// The change cannot be stored: then the key stays.
    pub fn revoke(&self, id: u64) -> io::Result<bool> {
        self.store().remove(id)
    }

    /// Returns whether there is a key with this id.
    pub fn has(&self, id: u64) -> bool {
        self.store().keys.iter().any(|key| key.id == id)
    }

    /// Returns the identity of the holder of the key `text`, if the key allows `act` on `stream`.
    pub(super) fn find(&self, text: &str, act: Act, stream: &StreamName) -> Option<Identity> {
        if !text.starts_with(PREFIX) {
            return None;
        }
        let hash = hash(text);
        let mut store = self.store();
        let entry =
            store.keys.iter_mut().find(|key| bool::from(key.hash.as_bytes().ct_eq(hash.as_bytes())))?;
        if !entry.allows(act) || !entry.streams.has(stream) {
            return None;
        }
        entry.used = Some(now());
        let identity = Identity::Key { id: entry.id, name: entry.name.as_str().into() };
        store.is_stored = false;
        Some(identity)
    }

    /// Stores the times of use once a minute, forever.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(STORED_EVERY).await;
            self.flush();
        }
    }

    /// Stores the times of use.
    pub fn flush(&self) {
        if let Err(error) = self.store().flush() {
            tracing::warn!(%error, "the last uses of keys cannot be stored");
        }
    }
}

/// Returns SHA-256 of a text in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut out, byte| {
        // A text written to a String does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
