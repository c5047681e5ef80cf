//! Settings of the HTTPS certificate.

use std::path::PathBuf;

use clap::Args;
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

    /// Domains to get the HTTPS certificate for by ACME (Let's Encrypt); port 443 of each must lead to --https
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
}

impl Default for TlsSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
