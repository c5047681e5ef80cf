//! Secrets: those in use, which may change while the gateway runs, and those that the gateway creates and stores.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, fs};

use rand::TryRngCore as _;

use crate::secret_file::{self, Readers};

/// File name of the secret for publishers of a public gateway.
pub const PUBLISH: &str = "publish-secret";
/// File name of the operator's secret.
pub const OPERATOR: &str = "operator-secret";

/// 32 letters and digits that are easy to distinguish and need no escaping in an address.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Number of characters of 5 bits each: 120 bits.
const LENGTH: usize = 24;

/// A secret in use, or none. Cloning shares it.
#[derive(Clone, Default)]
pub struct Secret(Arc<RwLock<Option<String>>>);

impl Secret {
    /// Returns the secret.
    pub fn text(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether there is a secret.
    pub fn is_set(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Replaces the secret from now on. Returns whether it differs.
    pub fn set(&self, text: Option<String>) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = *current != text;
        *current = text;
        differs
    }
}

impl From<Option<String>> for Secret {
    fn from(text: Option<String>) -> Self {
        Self(Arc::new(RwLock::new(text)))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Some(text.to_owned()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Secret(…)" } else { "Secret(none)" })
    }
}

/// Reads the secret `name` in the folder `data`. Creates it if there is none and `make` is set.
///
/// # Errors
/// The file cannot be read or created, or other users may read it.
pub fn kept(data: &Path, name: &str, make: bool) -> io::Result<Option<String>> {
    match read(data, name)? {
        None if make => Ok(Some(store(data, name, random()?)?)),
        found => Ok(found),
    }
}

/// Reads the secret `name` in the folder `data`. If there is none, stores the one that `make` returns.
///
/// # Errors
/// The same as [`kept`].
pub fn made_by(data: &Path, name: &str, make: fn() -> io::Result<String>) -> io::Result<String> {
    match read(data, name)? {
        None => store(data, name, make()?),
        Some(found) => Ok(found),
    }
}

/// Replaces the secret `name` in the folder `data` by a new one, and returns that.
///
/// # Errors
/// The file cannot be written: the old secret stays.
pub fn renewed(data: &Path, name: &str) -> io::Result<String> {
    store(data, name, random()?)
}

fn read(data: &Path, name: &str) -> io::Result<Option<String>> {
    let path = data.join(name);
    match secret_file::read_text(&path, Readers::Owner) {
        Ok(text) if !text.trim().is_empty() => return Ok(Some(text.trim().to_owned())),
        Ok(_) => fs::remove_file(&path)?,
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Err(_) => {}
    }
    Ok(None)
}

fn store(data: &Path, name: &str, secret: String) -> io::Result<String> {
    secret_file::make_folder(data)?;
    secret_file::write(&data.join(name), &format!("{secret}\n"), 0o600)?;
    Ok(secret)
}

/// Returns a new random secret.
///
/// # Errors
/// The system has no random numbers.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; LENGTH];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|b| ALPHABET[usize::from(b % 32)] as char).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_use_changes_for_all_who_share_it_and_is_not_shown() {
        let secret = Secret::from("geheim");
        let shared = secret.clone();
        assert!(!format!("{secret:?}").contains("geheim"));
        assert!(!secret.set(Some("geheim".to_owned())) && secret.set(Some("neu".to_owned())));
        assert_eq!(shared.text().as_deref(), Some("neu"));
        assert!(secret.set(None) && !shared.is_set());
    }

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let dir = std::env::temp_dir().join(format!("lianmai-secret-{}", std::process::id()));
        assert_eq!(kept(&dir, PUBLISH, false).unwrap(), None);
        let made = kept(&dir, PUBLISH, true).unwrap().unwrap();
        assert_eq!(made.len(), LENGTH);
        assert_eq!(kept(&dir, PUBLISH, true).unwrap(), Some(made.clone()));
        assert_eq!(kept(&dir, PUBLISH, false).unwrap(), Some(made.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(dir.join("publish-secret")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_ne!(kept(&dir, OPERATOR, true).unwrap(), Some(made.clone()));
        let renewed = renewed(&dir, PUBLISH).unwrap();
        assert_ne!(renewed, made);
        assert_eq!(kept(&dir, PUBLISH, false).unwrap(), Some(renewed));
        fs::remove_dir_all(&dir).unwrap();
        assert_ne!(random().unwrap(), made);
    }
}
