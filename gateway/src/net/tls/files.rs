//! The operator's certificate: two files, reloaded when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::current_cert::CurrentCert;
use super::error::TlsError;
use super::pair::Pair;
use super::settings::TlsSettings;
use crate::secret_file::{self, Readers};

/// Interval between checks of the files.
const POLL: Duration = Duration::from_secs(2);
/// A certificate that expires within this time causes a warning.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// The files of `--cert` and `--key`.
#[derive(Debug)]
pub(super) struct Files {
    cert: PathBuf,
    key: PathBuf,
}

/// The content of both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    /// Returns the files from `config`, if set.
    pub(super) fn of(config: &TlsSettings) -> Result<Option<Self>, TlsError> {
        let none = |path: &Path| path.as_os_str().is_empty();
        match (none(&config.cert), none(&config.key)) {
            (true, true) => Ok(None),
            (true, false) => Err(TlsError::Missing("--cert")),
            (false, true) => Err(TlsError::Missing("--key")),
            (false, false) => Ok(Some(Self { cert: config.cert.clone(), key: config.key.clone() })),
        }
    }

    pub(super) fn read(&self) -> Result<Texts, TlsError> {
        let read = |flag, path: &Path| {
            std::fs::read(path).map_err(|error| TlsError::Read(flag, path.to_owned(), error))
        };
        let key = secret_file::read(&self.key, Readers::Group)
            .map_err(|error| TlsError::Read("--key", self.key.clone(), error))?;
        Ok(Texts { cert: read("--cert", &self.cert)?, key })
    }

    /// Parses the certificate and its key. Warns if the certificate has expired or expires soon.
    pub(super) fn pair(&self, texts: &Texts) -> Result<Pair, TlsError> {
        let pair = Pair::parse(&texts.cert, &texts.key)
            .map_err(|bad| TlsError::Files(self.cert.clone(), self.key.clone(), bad))?;
        match pair.left(SystemTime::now()) {
            None => tracing::warn!(file = %self.cert.display(), "the certificate has expired"),
            Some(left) if left < SOON => {
                let hours = left.as_secs() / 3600;
                tracing::warn!(file = %self.cert.display(), hours, "the certificate expires soon");
            }
            Some(_) => {}
        }
        Ok(pair)
    }

    /// Reloads the certificate forever when the files change. Unusable files change nothing and are logged
    /// once.
    pub(super) async fn watch(self, loaded: Texts, current: Arc<CurrentCert>) {
        let files = Arc::new(self);
        let (mut known, mut before) = (Ok(loaded), None);
        loop {
            sleep(POLL).await;
            let reader = files.clone();
            let read = tokio::task::spawn_blocking(move || reader.read().map_err(|e| e.to_string()));
            let Ok(now) = read.await else { return };
            // Unchanged since the last check: nobody is still writing, and both files belong together.
            let settled = before.as_ref() == Some(&now);
            if settled && now != known {
                match now.clone().and_then(|texts| files.pair(&texts).map_err(|e| e.to_string())) {
                    Ok(pair) => {
                        current.set(pair.key);
                        tracing::info!(file = %files.cert.display(), "certificate replaced");
                    }
                    Err(error) => {
                        tracing::warn!(error, "new certificate ignored; the old certificate stays in use")
                    }
                }
                known = now.clone();
            }
            before = Some(now);
        }
    }
}
