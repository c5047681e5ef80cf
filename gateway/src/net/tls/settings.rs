//! Settings of the HTTPS certificate.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of the HTTPS certificate.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct TlsSettings {
    /// PEM file with the HTTPS certificate and its chain; empty: made at the first start, kept in the data folder
    #[arg(long, env = "LIANMAI_CERT", value_name = "FILE", default_value = "", value_parser = flags::path)]
    pub cert: PathBuf,

    /// PEM file with the private key of --cert
    #[arg(long, env = "LIANMAI_KEY", value_name = "FILE", default_value = "", value_parser = flags::path)]
    pub key: PathBuf,

    /// Domains to get the HTTPS certificate for by ACME (Let's Encrypt); port 443 of each must lead to --https, or port
    /// 80 to --http
    #[arg(long, env = "LIANMAI_ACME", value_name = "DOMAIN,DOMAIN", value_delimiter = ',')]
    pub acme: Vec<String>,

    /// E-mail address for the ACME account; empty: none
    #[arg(long, env = "LIANMAI_ACME_CONTACT", value_name = "EMAIL", default_value = "")]
    pub acme_contact: String,

    /// Directory URL of the ACME server; contacted only for domains of --acme
    #[arg(
        long,
        env = "LIANMAI_ACME_DIRECTORY",
        value_name = "URL",
        default_value = "https://acme-v02.api.letsencrypt.org/directory"
    )]
    pub acme_directory: String,

    /// Proof that a domain of --acme is ours: tls-alpn-01 on port 443, http-01 on port 80, or auto: http-01 where the
    /// gateway listens on port 80 and not on 443
    #[arg(long, env = "LIANMAI_ACME_CHALLENGE", value_enum, value_name = "PROOF", default_value = "auto")]
    pub acme_challenge: AcmeChallenge,
}

/// The proof that a domain belongs to this gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum AcmeChallenge {
    /// The one that fits the ports.
    #[value(name = "auto")]
    #[serde(rename = "auto")]
    Auto,
    /// A certificate in a TLS handshake (RFC 8737).
    #[value(name = "tls-alpn-01")]
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// A text at an HTTP address (RFC 8555 8.3).
    #[value(name = "http-01")]
    #[serde(rename = "http-01")]
    Http01,
}

impl AcmeChallenge {
    /// Returns the proof for a gateway that listens on these ports. Authorities ask on the ports 443 and 80 only.
    #[must_use]
    pub fn for_ports(self, http: &[u16], https: u16) -> Self {
        match self {
            Self::Auto if https != 443 && http.contains(&80) => Self::Http01,
            Self::Auto => Self::TlsAlpn01,
            chosen => chosen,
        }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

#[cfg(test)]
mod tests {
    use super::AcmeChallenge::{Auto, Http01, TlsAlpn01};

    #[test]
    fn the_proof_fits_the_ports() {
        for (chosen, http, https, proof) in [
            (Auto, &[8080, 1985][..], 8443, TlsAlpn01),
            (Auto, &[80, 1985], 8443, Http01),
            (Auto, &[80], 443, TlsAlpn01),
            (Http01, &[8080], 443, Http01),
            (TlsAlpn01, &[80], 8443, TlsAlpn01),
        ] {
            assert_eq!(chosen.for_ports(http, https), proof, "{chosen:?} {http:?} {https}");
        }
    }
}
