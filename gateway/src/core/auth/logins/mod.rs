//! Browsers that are logged in as the operator: the sessions of the console.
//!
//! There is no password. A token with `act: operate` buys a login once, and the browser keeps it as a cookie. The data
//! folder has a hash of the cookie only. A cookie comes with every request to this host, also with those that a page of
//! somebody else causes, so [`AuthRequest::login`] accepts it from the gateway's own pages only.

mod cookie;
mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use self::store::Store;
use super::keys::hash;
use super::request::AuthRequest;
use super::secret;

pub use cookie::Page;
pub(crate) use store::FILE;

/// Maximum number of logins. One more ends the login that was used the longest time ago.
pub const MAX_LOGINS: usize = 32;
/// Time after which a login ends.
pub const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Maximum number of characters of a browser's name and of a person's.
const MAX_TEXT: usize = 200;
/// How often the times of use are stored.
const STORED_EVERY: Duration = Duration::from_secs(60);

/// A login without its cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginEntry {
    /// Unique in this data folder.
    pub id: u64,
    /// The token's `sub`.
    pub subject: String,
    /// The browser, as it names itself.
    pub agent: String,
    /// The address from which the browser logged in.
    pub from: IpAddr,
    /// Time of the login, in seconds since 1970.
    pub created: u64,
    /// Time of the last use, in seconds since 1970.
    pub used: u64,
    /// Time at which the login ends, in seconds since 1970.
    pub expires: u64,
    /// SHA-256 of the cookie, in hexadecimal digits. A cookie has 120 random bits.
    hash: String,
}

/// The browser that logs in.
#[derive(Debug, Clone)]
pub struct NewLogin<'a> {
    /// The token's `sub`.
    pub subject: &'a str,
    /// The browser, as it names itself.
    pub agent: &'a str,
    /// The browser's address.
    pub from: IpAddr,
}

/// The logins of a gateway. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Logins(Arc<Mutex<Store>>);

impl Logins {
    /// Reads the logins in the data folder.
    ///
    /// # Errors
    /// The file is not readable, or other users may read it.
    pub fn kept(data: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Store::read(data)?))))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the logins that have not ended, oldest first.
    pub fn list(&self) -> Vec<LoginEntry> {
        let now = now();
        self.store().logins.iter().filter(|login| login.expires > now).cloned().collect()
    }

    /// Logs a browser in. Returns the login, and the text of its cookie.
    ///
    /// # Errors
    /// The login cannot be stored.
    pub fn create(&self, new: &NewLogin<'_>) -> io::Result<(LoginEntry, String)> {
        let text = secret::random()?;
        let (now, mut store) = (now(), self.store());
        let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
        let login = LoginEntry {
            id: store.last_id + 1,
            subject: short(new.subject),
            agent: short(new.agent),
            from: new.from.to_canonical(),
            created: now,
            used: now,
            expires: now + LIFE.as_secs(),
            hash: hash(&text),
        };
        store.add(login.clone(), now)?;
        Ok((login, text))
    }

    /// Ends a login. Returns false if there is none with this id.
    ///
    /// # Errors
    /// The change cannot be stored: then the login stays.
    pub fn end(&self, id: u64) -> io::Result<bool> {
        self.store().remove(id)
    }

    /// Returns whether the login with this id has not ended.
    pub fn has(&self, id: u64) -> bool {
        let now = now();
        self.store().logins.iter().any(|login| login.id == id && login.expires > now)
    }

    /// Returns the login of a request that comes from a page of this gateway.
    pub(super) fn find(&self, request: &AuthRequest<'_>) -> Option<LoginEntry> {
        let mut store = self.store();
        let cookie = request.login(&store.cookie)?;
        let (hash, now) = (hash(cookie), now());
        let same = |login: &&mut LoginEntry| bool::from(login.hash.as_bytes().ct_eq(hash.as_bytes()));
        let login = store.logins.iter_mut().find(same).filter(|login| login.expires > now)?;
        login.used = now;
        let login = login.clone();
        store.is_stored = false;
        Some(login)
    }

    /// Returns the cookie of a login that a request shows, valid or not.
    pub(super) fn shown(&self, request: &AuthRequest<'_>) -> Option<String> {
        request.cookie(&self.store().cookie).map(str::to_owned)
    }

    /// Returns the value of `Set-Cookie` that gives a browser this cookie, or removes it if the text is empty. A
    /// browser sends a `secure` cookie over HTTPS only.
    pub fn set_cookie(&self, text: &str, secure: bool) -> String {
        let (name, secure) = (self.store().cookie.clone(), if secure { "; Secure" } else { "" });
        let age = if text.is_empty() { 0 } else { LIFE.as_secs() };
        format!("{name}={text}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
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
            tracing::warn!(%error, "the last uses of logins cannot be stored");
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
