//! TLS for outgoing connections: to the ACME server, to servers with trusted keys, and to servers of other streams.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::error::TlsError;
use super::provider;

/// Certificate authorities that are trusted besides those of the system.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads a PEM file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let certificates = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            return Err(io::Error::other("it holds no certificate in PEM form"));
        }
        Ok(Self(certificates))
    }
}

/// Trusts the certificate authorities of this system, or Mozilla's list if the system has none (as in a
/// container).
pub(crate) fn client() -> Result<Arc<ClientConfig>, TlsError> {
    client_trusting(&Authorities::default())
}

/// The same, and trusts `more`.
pub(crate) fn client_trusting(more: &Authorities) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    let (found, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if found == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(more.0.iter().cloned());
    let config = ClientConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::Library)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
