//! The gateway's self-signed certificate, kept in the data folder.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::DnsName;
use tokio::time::sleep;

use super::OwnCertInfo;
use super::current_cert::CurrentCert;
use super::error::TlsError;
use super::pair::Pair;
use super::settings::TlsSettings;
use crate::secret_file::{self, Readers};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Lifetime of a certificate. Some systems accept none with a longer lifetime, even if it is trusted
/// manually.
const VALID: Duration = Duration::from_secs(397 * 24 * 3600);
/// A new certificate is created when this much lifetime is left.
const RENEW: Duration = Duration::from_secs(30 * 24 * 3600);

/// The certificate's folder and host names.
#[derive(Debug, Clone)]
pub(super) struct OwnCertFiles {
    dir: PathBuf,
    names: Vec<String>,
}

impl OwnCertFiles {
    /// For this machine's known names and addresses.
    pub(super) fn of(config: &TlsSettings, info: &OwnCertInfo<'_>) -> Self {
        Self { dir: info.data.to_owned(), names: names(config, info.listeners) }
    }

    /// Returns the stored certificate if it is valid, or else creates a new one and stores it if possible.
    pub(super) fn pair(&self, now: SystemTime) -> Result<Pair, TlsError> {
        let key = self.dir.join("key.pem");
        if let Err(error) = secret_file::read(&key, Readers::Owner)
            && error.kind() == io::ErrorKind::PermissionDenied
        {
            // A leaked key would allow others to impersonate this machine.
            return Err(TlsError::Read("--data", key, error));
        }
        match self.kept() {
            Ok(pair) if is_fresh(&pair, now) => return Ok(pair),
            Ok(_) => tracing::info!("the stored certificate expires soon; a new one is made"),
            Err(None) => {}
            Err(Some(why)) => tracing::warn!(why, "the stored certificate cannot be used; a new one is made"),
        }
        let (cert, key) = make(&self.names, now).map_err(TlsError::Make)?;
        if let Err(error) = self.keep(&cert, &key) {
            let dir = self.dir.display();
            tracing::warn!(%dir, %error, "the certificate cannot be stored: browsers warn again after a restart of the gateway");
        }
        Pair::parse(cert.as_bytes(), key.as_bytes()).map_err(TlsError::Own)
    }

    /// Replaces `pair` with a new certificate before it expires, forever.
    pub(super) async fn watch(self, mut pair: Pair, current: Arc<CurrentCert>) {
        loop {
            sleep(DAY / 4).await;
            let now = SystemTime::now();
            if is_fresh(&pair, now) {
                continue;
            }
            match self.pair(now) {
                Ok(another) => {
                    current.set(another.key.clone());
                    pair = another;
                }
                Err(error) => {
                    tracing::warn!(%error, "new certificate failed; the old certificate stays in use")
                }
            }
        }
    }

    /// Reads the stored certificate. The error says why it cannot be used; `None` if there is none.
    fn kept(&self) -> Result<Pair, Option<String>> {
        let read = |name| {
            fs::read(self.dir.join(name))
                .map_err(|e| (e.kind() != io::ErrorKind::NotFound).then(|| format!("{name}: {e}")))
        };
        let cert = read("cert.pem")?;
        let key = read("key.pem")?;
        Pair::parse(&cert, &key).map_err(|bad| Some(format!("{bad:?}")))
    }

    fn keep(&self, cert: &str, key: &str) -> io::Result<()> {
        secret_file::make_folder(&self.dir)?;
        // A key without its certificate is detected at the next start.
        secret_file::write(&self.dir.join("key.pem"), key, 0o600)?;
        secret_file::write(&self.dir.join("cert.pem"), cert, 0o644)
    }
}

fn is_fresh(pair: &Pair, now: SystemTime) -> bool {
    pair.left(now).is_some_and(|left| left > RENEW)
}

/// Creates a certificate for `names` and its key, in PEM form.
pub(super) fn make(names: &[String], now: SystemTime) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Lianmai (self-signed)");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Clients whose clock is slow must not find it "not yet valid".
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID - DAY).into();
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Returns all names and addresses of this machine.
fn names(config: &TlsSettings, listeners: &[IpAddr]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    names.extend([host].into_iter().filter(|host| DnsName::try_from(host.as_str()).is_ok()));
    names.extend(config.acme.iter().filter(|name| DnsName::try_from(name.as_str()).is_ok()).cloned());
    // If the system does not list its addresses, the host name must be enough.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let loopback = ["127.0.0.1", "::1"].into_iter().filter_map(|ip| ip.parse().ok());
    let link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let addresses =
        loopback.chain(interfaces.iter().map(if_addrs::Interface::ip)).chain(listeners.iter().copied());
    names.extend(addresses.filter(|ip| !ip.is_unspecified() && !link_local(ip)).map(|ip| ip.to_string()));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
