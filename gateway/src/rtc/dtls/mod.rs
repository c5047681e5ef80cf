//! DTLS 1.2 for str0m: the handshake that authenticates a peer and makes the SRTP keys (RFC 5764).
//!
//! str0m's own DTLS library accepts only ECDSA certificates of two curves. GStreamer makes RSA certificates, and
//! FFmpeg with GnuTLS makes P-224 ones, so the handshake here is done by `rtc-dtls`, with the same cryptography
//! (aws-lc). SRTP, STUN and fingerprints stay with str0m's provider.
//!
//! [`association`] implements str0m's interface, [`bounds`] limits what a peer may send, [`resend`] repeats lost
//! flights, and [`curves`] adds two elliptic curves.

mod association;
mod bounds;
mod curves;
mod resend;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::{CryptoError as KeyError, RTCCryptoProvider, SignatureScheme};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rustls::pki_types::CertificateDer;
use str0m::config::DtlsCert;
use str0m::crypto::dtls::{DtlsInstance, DtlsProvider, DtlsVersion};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

use association::Association;
use curves::Curves;

/// SRTP profiles in the order in which the gateway offers them. The answering side selects the first one that it
/// supports. AES-256-GCM is left out: every client that supports it also supports AES-128-GCM, which costs a third
/// less per packet.
const SRTP_PROFILES: [SrtpProtectionProfile; 2] =
    [SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80];

/// The cryptography of all WebRTC sessions: str0m's, with this module's DTLS.
pub(crate) fn provider() -> CryptoProvider {
    static DTLS: Provider = Provider { configs: Mutex::new(None) };
    CryptoProvider { dtls_provider: &DTLS, ..from_feature_flags() }
}

/// Makes DTLS associations for str0m.
struct Provider {
    /// The handshake configurations for the last certificate. A gateway has one certificate for its whole run.
    configs: Mutex<Option<(Vec<u8>, Configs)>>,
}

/// The handshake configurations that all associations share, one for each role.
#[derive(Clone)]
struct Configs {
    server: Arc<HandshakeConfig>,
    client: Arc<HandshakeConfig>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").finish_non_exhaustive()
    }
}

impl Provider {
    fn configs(&self, certificate: &DtlsCert) -> Result<Configs, CryptoError> {
        let mut known = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, configs)) = &*known
            && *of == certificate.certificate
        {
            return Ok(configs.clone());
        }
        let configs = Configs { server: config(certificate, false)?, client: config(certificate, true)? };
        *known = Some((certificate.certificate.clone(), configs.clone()));
        Ok(configs)
    }
}

impl DtlsProvider for Provider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        _version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let Configs { server, client } = self.configs(certificate)?;
        Ok(Box::new(Association::new(server, client, now)))
    }
}

/// Makes the handshake configuration for one role. Certificates are not checked against authorities: str0m compares
/// the fingerprint with the one in the SDP (RFC 8122), and the handshake proves that the peer has the key
/// (`CertificateVerify`). For that, both sides must send a certificate.
fn config(certificate: &DtlsCert, is_client: bool) -> Result<Arc<HandshakeConfig>, CryptoError> {
    let curves: Arc<dyn RTCCryptoProvider> = Arc::new(Curves::default());
    let other = |error: &dyn std::fmt::Display| CryptoError::Other(error.to_string());
    let key = curves
        .crypto()
        .import_signing_key(SignatureScheme::EcdsaP256Sha256, &certificate.private_key)
        .map_err(|error: KeyError| other(&error))?;
    let own = Certificate {
        certificate: vec![CertificateDer::from(certificate.certificate.clone())],
        private_key: CryptoPrivateKey::from_signing_key(key),
    };
    ConfigBuilder::default()
        .with_crypto_provider(curves)
        .with_certificates(vec![own])
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        // The library warns if there is no name. Nothing uses it.
        .with_server_name("localhost".to_owned())
        .with_extended_master_secret(ExtendedMasterSecretType::Request)
        .with_srtp_protection_profiles(SRTP_PROFILES.to_vec())
        .build(is_client, None)
        .map(Arc::new)
        .map_err(|error| other(&error))
}

#[cfg(test)]
mod tests;
