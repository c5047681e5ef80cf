//! The file with the logins.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{LoginEntry, MAX_LOGINS};
use crate::core::auth::secret;
use crate::secret_file::KeptFile;

/// Name of the file in the data folder.
pub(crate) const FILE: &str = "logins.json";

/// The logins, and where they are stored.
#[derive(Debug)]
pub(super) struct Store {
    file: KeptFile,
    pub(super) logins: Vec<LoginEntry>,
    pub(super) last_id: u64,
    /// Name of the cookie. All ports of a host share their cookies, so each gateway has a name of its own.
    pub(super) cookie: String,
    /// Whether the file has the times of use.
    pub(super) is_stored: bool,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Content {
    last_id: u64,
    cookie: String,
    logins: Vec<LoginEntry>,
}

impl Default for Store {
    fn default() -> Self {
        // Without random numbers there are no logins either.
        let name: String = secret::random().unwrap_or_default().chars().take(6).collect();
        let cookie = format!("lianmai-operator-{name}");
        Self { file: KeptFile::default(), logins: Vec::new(), last_id: 0, cookie, is_stored: true }
    }
}

impl Store {
    /// Reads the file, if there is one.
    pub(super) fn read(data: &Path) -> io::Result<Self> {
        let file = KeptFile::in_folder(data, FILE);
        let Some(Content { last_id, cookie, logins }) = file.read()? else {
            return Ok(Self { file, ..Self::default() });
        };
        if logins.len() > MAX_LOGINS {
            return Err(io::Error::other(format!("there are more than {MAX_LOGINS} logins")));
        }
        let last_id = logins.iter().map(|login| login.id).fold(last_id, u64::max);
        Ok(Self { file, logins, last_id, cookie, is_stored: true })
    }

    /// Adds a login, removes those that have ended at `now`, and the one used the longest time ago if there are too many.
    pub(super) fn add(&mut self, login: LoginEntry, now: u64) -> io::Result<()> {
        let mut logins: Vec<_> = self.logins.iter().filter(|login| login.expires > now).cloned().collect();
        if logins.len() >= MAX_LOGINS {
            let oldest =
                logins.iter().enumerate().min_by_key(|(_, login)| login.used).map(|(index, _)| index);
            oldest.map(|index| logins.remove(index));
        }
        let last_id = login.id;
        logins.push(login);
        self.replace(logins, last_id)
    }

    /// Removes a login. Returns false if there is none with this id.
    pub(super) fn remove(&mut self, id: u64) -> io::Result<bool> {
        let logins: Vec<_> = self.logins.iter().filter(|login| login.id != id).cloned().collect();
        if logins.len() == self.logins.len() {
            return Ok(false);
        }
        self.replace(logins, self.last_id).map(|()| true)
    }

    /// Stores the times of use, if they have changed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_stored { Ok(()) } else { self.replace(self.logins.clone(), self.last_id) }
    }

    /// Stores these logins, and uses them only if that works.
    fn replace(&mut self, logins: Vec<LoginEntry>, last_id: u64) -> io::Result<()> {
        let content = Content { last_id, cookie: self.cookie.clone(), logins };
        self.file.write(&content)?;
        let logins = content.logins;
        (self.logins, self.last_id, self.is_stored) = (logins, last_id, true);
        Ok(())
    }
}
