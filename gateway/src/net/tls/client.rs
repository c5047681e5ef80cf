//! TLS for outgoing connections: to the ACME server, and to servers with trusted keys.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::error::TlsError;
use super::provider;

/// Trusts the certificate authorities of this system, or Mozilla's list if the system has none (as in a
/// container).
pub(crate) fn client() -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    let (found, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if found == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let config = ClientConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::Library)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
