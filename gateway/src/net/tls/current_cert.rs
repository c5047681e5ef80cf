//! The current certificate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::{ResolvesServerCertAcme, is_tls_alpn_challenge};

use super::report::CertReport;

/// The current certificate. Open connections keep theirs when it changes.
#[derive(Debug)]
pub(super) struct CurrentCert {
    own: RwLock<Arc<CertifiedKey>>,
    acme: Option<Arc<ResolvesServerCertAcme>>,
    /// Whether ACME has issued a certificate.
    got: AtomicBool,
    report: CertReport,
}

impl CurrentCert {
    /// Uses `own` until `acme` has a certificate.
    pub(super) fn new(own: Arc<CertifiedKey>, acme: Option<Arc<ResolvesServerCertAcme>>) -> Self {
        let report = CertReport::default();
        own.cert.first().iter().for_each(|cert| report.used(cert));
        Self { own: RwLock::new(own), acme, got: AtomicBool::new(false), report }
    }

    /// Replaces the certificate.
    pub(super) fn set(&self, own: Arc<CertifiedKey>) {
        if !self.got.load(Ordering::Relaxed) {
            own.cert.first().iter().for_each(|cert| self.report.used(cert));
        }
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// Switches to ACME's certificate.
    pub(super) fn got(&self) {
        self.got.store(true, Ordering::Relaxed);
    }

    /// Returns the state of the certificate in use.
    pub(super) const fn report(&self) -> &CertReport {
        &self.report
    }

    pub(super) fn own(&self) -> Arc<CertifiedKey> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for CurrentCert {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match &self.acme {
            Some(acme) if self.got.load(Ordering::Relaxed) || is_tls_alpn_challenge(&hello) => {
                acme.resolve(hello)
            }
            _ => Some(self.own()),
        }
    }
}
