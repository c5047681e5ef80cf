//! Settings of the session log.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of the session log.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct MeteringSettings {
    /// Days for which the log of ended sessions is kept in the data folder; 0: no log
    #[arg(long, env = "LIANMAI_SESSIONS_KEEP", value_name = "DAYS", default_value_t = 30)]
    pub sessions_keep: u64,
}

impl Default for MeteringSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
