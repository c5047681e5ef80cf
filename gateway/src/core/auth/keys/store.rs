//! The file with the keys.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{KeyEntry, MAX_KEYS};
use crate::secret_file::KeptFile;

/// Name of the file in the data folder.
pub(crate) const FILE: &str = "keys.json";

/// The keys, and where they are stored.
#[derive(Debug, Default)]
pub(super) struct Store {
    file: KeptFile,
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
        let file = KeptFile::in_folder(data, FILE);
        let Content { last_id, keys } = file.read()?.unwrap_or_default();
        if keys.len() > MAX_KEYS {
            return Err(io::Error::other(format!("there are more than {MAX_KEYS} keys")));
        }
        let last_id = keys.iter().map(|key| key.id).fold(last_id, u64::max);
        Ok(Self { file, keys, last_id, is_stored: true })
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
        if self.is_stored || !self.file.is_there() {
            Ok(())
        } else {
            self.replace(self.keys.clone(), self.last_id)
        }
    }

    /// Stores these keys, and uses them only if that works: a key that is gone after a restart helps nobody, and one that
    /// is back is worse.
    fn replace(&mut self, keys: Vec<KeyEntry>, last_id: u64) -> io::Result<()> {
        let content = Content { last_id, keys };
        self.file.write(&content)?;
        let keys = content.keys;
        (self.keys, self.last_id, self.is_stored) = (keys, last_id, true);
        Ok(())
    }
}
