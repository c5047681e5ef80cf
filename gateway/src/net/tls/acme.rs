//! Gets a certificate by ACME (RFC 8555), with a challenge on the HTTPS port itself (TLS-ALPN-01, RFC 8737), or over
//! HTTP (HTTP-01).

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, DnsName};
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, AcmeState, EventOk, ResolvesServerCertAcme, UseChallenge};

use super::client::client;
use super::current_cert::CurrentCert;
use super::error::TlsError;
use super::report::CertReport;
use super::settings::{AcmeChallenge, TlsSettings};

/// The ACME account, the certificate and the current order.
pub(super) struct AcmeOrder {
    state: AcmeState<io::Error>,
    domains: Vec<String>,
    /// The folder in which the library stores the certificate.
    folder: PathBuf,
}

impl AcmeOrder {
    /// Creates an order for `domains` with the settings in `config`. Sends no request yet.
    pub(super) fn new(config: &TlsSettings, data: &Path, domains: &[&String]) -> Result<Self, TlsError> {
        let domains: Vec<_> = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        // No authority can reach a name without a dot, such as `localhost`.
        let is_domain = |name: &String| name.contains('.') && DnsName::try_from(name.as_str()).is_ok();
        if let Some(bad) = domains.iter().find(|name| !is_domain(name)) {
            return Err(TlsError::Domain(bad.clone()));
        }
        let directory = &config.acme_directory;
        let uri = directory.parse::<http::Uri>().ok();
        if uri.is_none_or(|uri| uri.scheme_str() != Some("https") || uri.host().is_none()) {
            return Err(TlsError::Directory(directory.clone()));
        }
        let dir = data.join("acme");
        private_folder(&dir).map_err(|error| TlsError::Folder(dir.clone(), error))?;
        let contact = Some(&config.acme_contact).filter(|contact| !contact.is_empty()).map(|contact| {
            if contact.starts_with("mailto:") { contact.clone() } else { format!("mailto:{contact}") }
        });
        let challenge = match config.acme_challenge {
            AcmeChallenge::Http01 => UseChallenge::Http01,
            AcmeChallenge::Auto | AcmeChallenge::TlsAlpn01 => UseChallenge::TlsAlpn01,
        };
        let acme = AcmeConfig::new_with_client_config(&domains, client()?)
            .contact(contact)
            .directory(directory)
            .challenge_type(challenge)
            .cache(DirCache::new(dir.clone()));
        Ok(Self { state: acme.state(), domains, folder: dir })
    }

    pub(super) fn domains(&self) -> Vec<String> {
        self.domains.clone()
    }

    pub(super) fn resolver(&self) -> Arc<ResolvesServerCertAcme> {
        self.state.resolver()
    }

    /// Gets the certificate, and renews it forever when a third of its lifetime is left.
    pub(super) async fn run(mut self, current: Arc<CurrentCert>) {
        let domains = self.domains.join(",");
        while let Some(event) = self.state.next().await {
            match event {
                Ok(EventOk::DeployedCachedCert) => {
                    current.got();
                    report_stored(&self.folder, current.report());
                    tracing::info!(domains, "ACME certificate loaded from the data folder");
                }
                Ok(EventOk::DeployedNewCert) => {
                    current.got();
                    current.report().acme(None);
                    tracing::info!(domains, "ACME certificate received");
                }
                Ok(EventOk::CertCacheStore) => report_stored(&self.folder, current.report()),
                Ok(EventOk::AccountCacheStore) => {}
                Err(error) => {
                    current.report().acme(Some(error.to_string()));
                    tracing::warn!(domains, %error, "ACME failed; the gateway tries again later");
                }
            }
        }
    }
}

/// Reports the certificate that was stored last. The library does not show the one that it uses.
fn report_stored(folder: &Path, report: &CertReport) {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let certs = files.filter(|file| file.file_name().to_string_lossy().starts_with("cached_cert_"));
    let newest = certs.max_by_key(|file| file.metadata().and_then(|found| found.modified()).ok());
    let Some(pem) = newest.and_then(|file| fs::read(file.path()).ok()) else { return };
    if let Some(Ok(cert)) = CertificateDer::pem_slice_iter(&pem).next() {
        report.used(&cert);
    }
}

/// Creates a folder for keys, accessible only for its owner.
fn private_folder(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
