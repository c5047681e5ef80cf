//! Loads trusted keys and keeps them up to date.
//!
//! Known keys stay valid while a source is unreachable or malformed. A key is removed when a readable source
//! no longer lists it.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::Uri;
use rustls::ClientConfig;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::fetch;
use super::jwks::{self, Key};
use super::own::SigningKey;
use crate::core::name::StreamName;
use crate::secret_file::{self, Readers};

/// Interval between downloads. A removed key stays valid for at most this long.
const EVERY: Duration = Duration::from_secs(300);
/// Minimum time between downloads, however many tokens name unknown keys.
const PAUSE: Duration = Duration::from_secs(2);
/// Maximum wait after failures.
const LONGEST: Duration = Duration::from_secs(60);
/// Maximum size of a key file in bytes.
const LARGEST: u64 = 64 << 10;

/// The location of a key set.
#[derive(Debug)]
pub(super) enum KeyLocation {
    /// A key set at an address.
    Url(Uri, Arc<ClientConfig>),
    /// A key set in a file.
    File(PathBuf),
    /// The gateway's own key, which may not exist.
    Own(PathBuf),
}

/// The state of a trusted issuer, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerReport {
    /// The address without its query, or the file.
    pub place: String,
    /// Whether this is the gateway's own key.
    pub own: bool,
    /// Prefix of the streams for which its keys are trusted; `None` for all streams.
    pub prefix: Option<String>,
    /// Whether its tokens may let people operate the gateway.
    pub operates: bool,
    /// The ids of the known keys.
    pub keys: Vec<String>,
    /// Time of the last answer, good or bad.
    pub asked: Option<SystemTime>,
    /// The fault of the last answer.
    pub error: Option<String>,
}

/// The known keys of a [`KeySource`].
#[derive(Debug, Default)]
struct State {
    keys: Arc<[Key]>,
    /// Time of the last result.
    asked: Option<SystemTime>,
    /// Modification time and size of the file when it was read.
    stamp: Option<(SystemTime, u64)>,
    /// The last logged fault.
    logged_fault: Option<String>,
}

/// Times of downloads. `begun` may be newer than `answered`: the task may have been dropped before it finished.
#[derive(Debug, Default)]
struct Downloads {
    /// Start of the newest download.
    begun: Option<Instant>,
    /// Start of the newest download that has finished.
    answered: Option<Instant>,
}

/// A location of keys, and the keys that are known from it.
#[derive(Debug)]
pub(super) struct KeySource {
    location: KeyLocation,
    /// Prefix of the stream names for which its keys are trusted, with a slash at the end.
    prefix: Option<String>,
    state: Mutex<State>,
    /// Locked during a download.
    downloads: tokio::sync::Mutex<Downloads>,
}

impl KeySource {
    pub(super) fn new(location: KeyLocation, prefix: Option<String>) -> Self {
        Self { location, prefix, state: Mutex::default(), downloads: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the keys with this id. A changed file is read again.
    pub(super) async fn find(&self, kid: &str) -> Vec<Key> {
        match &self.location {
            KeyLocation::Url(..) => {}
            KeyLocation::File(path) | KeyLocation::Own(path) => self.reload_file(path).await,
        }
        let keys = self.state().keys.clone();
        keys.iter().filter(|key| key.kid == kid).cloned().collect()
    }

    /// Returns whether this source lists the key.
    pub(super) fn has(&self, key: [u8; 32]) -> bool {
        self.state().keys.iter().any(|known| known.fingerprint == key)
    }

    /// Returns whether its keys are trusted for `stream`.
    pub(super) fn is_trusted_for(&self, stream: &StreamName) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| stream.as_str().starts_with(prefix))
    }

    /// Returns whether its keys are trusted for all streams.
    pub(super) const fn is_trusted_for_all(&self) -> bool {
        self.prefix.is_none()
    }

    /// Returns whether this is the gateway's own key.
    pub(super) fn is_own(&self, key: [u8; 32]) -> bool {
        matches!(self.location, KeyLocation::Own(_))
            && self.state().keys.iter().any(|own| own.fingerprint == key)
    }

    /// Downloads the keys, unless that happened after `wanted`: all tasks that wait together share one
    /// download.
    pub(super) async fn refresh(&self, wanted: Instant) {
        let KeyLocation::Url(uri, tls) = &self.location else { return };
        let mut downloads = self.downloads.lock().await;
        if downloads.answered.is_some_and(|begun| begun >= wanted) {
            return;
        }
        if let Some(last) = downloads.begun {
            sleep_until(last + PAUSE).await;
        }
        let begun = Instant::now();
        downloads.begun = Some(begun);
        let result = fetch::get(uri, tls).await.and_then(|body| jwks::parse(&body));
        self.store(result);
        downloads.answered = Some(begun);
    }

    /// Keeps downloaded keys up to date, forever. Files are read once at the start, so that the operator sees
    /// their content in the log.
    pub(super) async fn watch(self: Arc<Self>) {
        if let KeyLocation::File(path) | KeyLocation::Own(path) = &self.location {
            return self.reload_file(path).await;
        }
        let mut failures = 0_u32;
        loop {
            self.refresh(Instant::now()).await;
            let wait = if self.state().logged_fault.is_none() {
                failures = 0;
                EVERY
            } else {
                failures = failures.saturating_add(1);
                LONGEST.min(PAUSE.saturating_mul(1 << failures.min(8)))
            };
            sleep(wait).await;
        }
    }

    /// Returns the state for the operator. `issuers_operate`: other keys than the gateway's own may name operators.
    pub(super) fn report(&self, issuers_operate: bool) -> IssuerReport {
        let (state, own) = (self.state(), matches!(self.location, KeyLocation::Own(_)));
        IssuerReport {
            // A query may hold a secret.
            place: self.name().split('?').next().unwrap_or_default().to_owned(),
            own,
            prefix: self.prefix.clone(),
            operates: own || issuers_operate && self.prefix.is_none(),
            keys: state.keys.iter().map(|key| key.kid.clone()).collect(),
            asked: state.asked,
            error: state.logged_fault.clone(),
        }
    }

    /// Returns whether the location is an address.
    pub(super) fn is_url(&self) -> bool {
        matches!(self.location, KeyLocation::Url(..))
    }

    async fn reload_file(&self, path: &Path) {
        let stamp = match tokio::fs::metadata(path).await {
            Ok(found) => stamp(&found),
            Err(error) => return self.handle_read_error(&error),
        };
        if self.state().stamp == Some(stamp) {
            return;
        }
        let result = match self.read(path).await {
            Ok(bytes) if bytes.len() as u64 > LARGEST => {
                Err(format!("the file has more than {LARGEST} bytes"))
            }
            Ok(bytes) => self.parse(&bytes),
            Err(error) => return self.handle_read_error(&error),
        };
        self.store(result);
        self.state().stamp = Some(stamp);
    }

    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if matches!(self.location, KeyLocation::Own(_)) {
            secret_file::read(path, Readers::Owner)
        } else {
            read(path).await
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<(Vec<Key>, Vec<String>), String> {
        if !matches!(self.location, KeyLocation::Own(_)) {
            return jwks::parse(bytes);
        }
        let key = std::str::from_utf8(bytes).ok().and_then(|pem| SigningKey::of_pem(pem).ok());
        let key = key.ok_or("the file contains no private Ed25519 key in PEM form")?;
        Ok((vec![key.public().clone()], Vec::new()))
    }

    /// Handles a read error: a removed file loses its keys, an unreadable one keeps them.
    fn handle_read_error(&self, error: &io::Error) {
        let missing = error.kind() == io::ErrorKind::NotFound;
        if missing {
            let mut state = self.state();
            (state.keys, state.stamp) = (Arc::default(), None);
        }
        if !(missing && matches!(self.location, KeyLocation::Own(_))) {
            self.store(Err(error.to_string()));
        }
    }

    /// Stores the result of a read or download.
    fn store(&self, result: Result<(Vec<Key>, Vec<String>), String>) {
        let place = self.name();
        let mut state = self.state();
        state.asked = Some(SystemTime::now());
        match result {
            Ok((keys, bad)) => {
                let kids = |keys: &[Key]| keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>();
                let (before, now) = (kids(&state.keys), kids(&keys));
                if before != now || state.logged_fault.is_some() {
                    let prefix = self.prefix.as_deref().unwrap_or_default();
                    tracing::info!(place, prefix, keys = now.join(","), "token keys loaded");
                    for why in bad {
                        tracing::warn!(place, why, "token key ignored");
                    }
                    if keys.is_empty() {
                        tracing::warn!(place, "no usable token key: all tokens of this issuer are refused");
                    }
                }
                (state.keys, state.logged_fault) = (keys.into(), None);
            }
            Err(why) => {
                // Logged once, not on every retry.
                if state.logged_fault.as_ref() != Some(&why) {
                    let known = state.keys.len();
                    tracing::warn!(place, why, known, "token keys not loaded; the known keys stay valid");
                }
                state.logged_fault = Some(why);
            }
        }
    }

    fn name(&self) -> String {
        match &self.location {
            KeyLocation::Url(uri, _) => uri.to_string(),
            KeyLocation::File(path) | KeyLocation::Own(path) => path.display().to_string(),
        }
    }
}

/// Reads at most one byte more than the size limit.
async fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await?.take(LARGEST + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn stamp(found: &Metadata) -> (SystemTime, u64) {
    (found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len())
}
