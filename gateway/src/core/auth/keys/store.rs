//! The file with the keys.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{KeyEntry, MAX_KEYS};
use crate::secret_file::{self, Readers};

/// Name of the file in the data folder.
pub(crate) const FILE: &str = "keys.json";

/// The keys, and where they are stored.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// `None` in a gateway without a data folder.
    path: Option<PathBuf>,
    pub(super) keys: Vec<KeyEntry>,
    pub(super) last_id: u64,
    /// Whether the file has the times of use.
    pub(super) is_stored: bool,
}

/// The content of the file.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    last_id: u64,
    keys: Vec<KeyEntry>,
}

impl Store {
    /// Reads the file, if there is one.
    pub(super) fn read(data: &Path) -> io::Result<Self> {
        let path = data.join(FILE);
        let content = match secret_file::read_text(&path, Readers::Owner) {
            Ok(text) => serde_json::from_str(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(error),
        };
        let Content { last_id, keys } = content;
        if keys.len() > MAX_KEYS {
            return Err(io::Error::other(format!("there are more than {MAX_KEYS} keys")));
        }
        let last_id = keys.iter().map(|key| key.id).fold(last_id, u64::max);
        Ok(Self { path: Some(path), keys, last_id, is_stored: true })
    }

    /// Adds a key, and stores it.
    pub(super) fn add(&mut self, key: KeyEntry) -> io::Result<()> {
        let mut keys = self.keys.clone();
        let last_id = key.id;
        keys.push(key);
        self.replace(keys, last_id)
    }

    /// Removes a key, and stores the list. Returns false if no key has this id.
    pub(super) fn remove(&mut self, id: u64) -> io::Result<bool> {
        let mut keys = self.keys.clone();
        keys.retain(|key| key.id != id);
        if keys.len() == self.keys.len() {
            return Ok(false);
        }
        self.replace(keys, self.last_id).map(|()| true)
    }

    /// Stores the times of use, if they have changed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_stored || self.path.is_none() {
            Ok(())
        } else {
            self.replace(self.keys.clone(), self.last_id)
        }
    }

    /// Stores these keys, and uses them only if that works: a key that is gone after a restart helps nobody, and one that
    /// is back is worse.
    fn replace(&mut self, keys: Vec<KeyEntry>, last_id: u64) -> io::Result<()> {
        if let Some(path) = &self.path {
            if let Some(folder) = path.parent() {
                secret_file::make_folder(folder)?;
            }
            let content = Content { last_id, keys: keys.clone() };
            secret_file::write(path, &serde_json::to_string_pretty(&content)?, 0o600)?;
        }
        (self.keys, self.last_id, self.is_stored) = (keys, last_id, true);
        Ok(())
    }
}
