//! The certificate that is shown now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::{ResolvesServerCertAcme, is_tls_alpn_challenge};

/// The certificate that is shown now. It may change under open connections, which keep theirs.
#[derive(Debug)]
pub(super) struct Shown {
    own: RwLock<Arc<CertifiedKey>>,
    acme: Option<Arc<ResolvesServerCertAcme>>,
    /// ACME has a certificate.
    got: AtomicBool,
}

impl Shown {
    /// Shows `own`, and what `acme` has as soon as it has something.
    pub(super) fn new(own: Arc<CertifiedKey>, acme: Option<Arc<ResolvesServerCertAcme>>) -> Self {
        Self { own: RwLock::new(own), acme, got: AtomicBool::new(false) }
    }

    /// Shows another from now on.
    pub(super) fn set(&self, own: Arc<CertifiedKey>) {
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// Shows ACME's from now on.
    pub(super) fn got(&self) {
        self.got.store(true, Ordering::Relaxed);
    }

    pub(super) fn own(&self) -> Arc<CertifiedKey> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match &self.acme {
            Some(acme) if self.got.load(Ordering::Relaxed) || is_tls_alpn_challenge(&hello) => {
                acme.resolve(hello)
            }
            _ => Some(self.own()),
        }
    }
}
