//! Settings of the HTTP service.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags::{self, Listen};
use crate::net::tls::TlsSettings;

/// Settings of the HTTP service: where it listens, and the certificate of HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct HttpSettings {
    /// Addresses on which HTTP listens (pages, FLV, HLS, API); SRS's pages expect the second one; empty: no HTTP
    #[arg(
        long,
        env = "LIANMAI_HTTP",
        value_name = "ADDR,ADDR",
        value_delimiter = ',',
        default_value = "127.0.0.1:8080,127.0.0.1:1985"
    )]
    pub http: Vec<Listen>,

    /// Address on which HTTPS listens, with everything that HTTP has; empty: no HTTPS
    #[arg(long, env = "LIANMAI_HTTPS", value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub https: Listen,

    /// The certificate of HTTPS.
    #[command(flatten)]
    #[serde(flatten)]
    pub tls: TlsSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
