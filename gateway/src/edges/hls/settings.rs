//! Settings of HLS.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of HLS.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct HlsSettings {
    /// Key that signs the addresses of viewers of protected HLS, for several gateways and for CDNs that check them;
    /// empty: made at the first start and kept in the data folder
    #[arg(
        long,
        env = "LIANMAI_HLS_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true,
        help_heading = "HLS"
    )]
    pub hls_key: String,

    /// Seconds for which such an address is valid; the gateway renews it in time
    #[arg(
        long,
        env = "LIANMAI_HLS_PASS",
        value_name = "SECONDS",
        default_value_t = 43200,
        help_heading = "HLS"
    )]
    pub hls_pass: u64,
}

impl Default for HlsSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
