//! A certificate chain and its key.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::provider;

/// A certificate chain and its matching key.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    ends: SystemTime,
}

/// Why two texts are not a [`Pair`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairError {
    /// The first text has no certificate.
    NoCertificate,
    /// The second text has no key.
    NoKey,
    /// The key is encrypted.
    Locked,
    /// The key belongs to another certificate.
    Differ,
    /// A certificate is malformed.
    Certificate(String),
    /// The key is malformed, or its type is not supported.
    Key(String),
}

impl Pair {
    /// Parses two PEM texts; the server's own certificate is the first in the chain.
    pub(super) fn parse(cert: &[u8], key: &[u8]) -> Result<Self, PairError> {
        let broken = |error: PemError| PairError::Certificate(error.to_string());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(cert).collect::<Result<_, _>>().map_err(broken)?;
        let own = chain.first().ok_or(PairError::NoCertificate)?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(own).map_err(|e| PairError::Certificate(e.to_string()))?;
        let ends = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
        let ends = UNIX_EPOCH.checked_add(Duration::from_secs(ends)).unwrap_or(UNIX_EPOCH);
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            // Both formats contain it: `ENCRYPTED PRIVATE KEY` and `Proc-Type: 4,ENCRYPTED`.
            _ if key.windows(9).any(|word| word == b"ENCRYPTED") => PairError::Locked,
            PemError::NoItemsFound => PairError::NoKey,
            error => PairError::Key(error.to_string()),
        })?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => PairError::Differ,
            error => PairError::Key(error.to_string()),
        })?;
        Ok(Self { key: Arc::new(key), ends })
    }

    /// Returns the remaining lifetime; `None` if it has expired.
    pub(super) fn left(&self, now: SystemTime) -> Option<Duration> {
        self.ends.duration_since(now).ok().filter(|left| !left.is_zero())
    }
}
