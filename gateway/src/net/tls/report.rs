//! What the operator wants to know about the certificate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::prelude::GeneralName;

/// Name of the gauge with the expiry, in seconds since 1970.
pub const EXPIRES: &str = "lianmai_certificate_expires_seconds";

/// The state of the certificate in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertState {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// When it expires.
    pub expires: Option<SystemTime>,
    /// The last error of ACME; `None` since it has succeeded.
    pub acme_error: Option<String>,
}

/// The state of the certificate. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct CertReport(Arc<Mutex<CertState>>);

impl CertReport {
    fn state(&self) -> MutexGuard<'_, CertState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state.
    pub fn get(&self) -> CertState {
        self.state().clone()
    }

    /// Records the certificate that is used from now on.
    pub(super) fn used(&self, der: &[u8]) {
        let Ok((_, cert)) = x509_parser::parse_x509_certificate(der) else { return };
        let ends = u64::try_from(cert.validity().not_after.timestamp()).unwrap_or(0);
        metrics::gauge!(EXPIRES).set(ends as f64);
        let names = cert.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect();
        let mut state = self.state();
        (state.names, state.expires) = (names, UNIX_EPOCH.checked_add(Duration::from_secs(ends)));
    }

    /// Records whether ACME works.
    pub(super) fn acme(&self, error: Option<String>) {
        self.state().acme_error = error;
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = || <[u8; 4]>::try_from(*bytes).ok().map(|ip| std::net::Ipv4Addr::from(ip).to_string());
            let v6 = || <[u8; 16]>::try_from(*bytes).ok().map(|ip| std::net::Ipv6Addr::from(ip).to_string());
            v4().or_else(v6)
        }
        _ => None,
    }
}
