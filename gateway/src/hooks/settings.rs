//! Settings of hooks.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of hooks.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct HookSettings {
    /// Addresses of a back end that is asked and told about clients, as by SRS; on_publish+on_play=URL sends only these
    #[arg(long, env = "LIANMAI_HOOK", value_name = "URL", value_delimiter = ',')]
    pub hook: Vec<String>,

    /// Secret that signs hooks (Standard Webhooks, whsec_…); empty: made at first need and kept in the data folder
    #[arg(
        long,
        env = "LIANMAI_HOOK_SECRET",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub hook_secret: String,
}

impl Default for HookSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
