//! Settings of connections to other servers.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of connections to other servers.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct RemoteSettings {
    /// PEM file with certificate authorities that forwards and pulls trust, besides those of this system
    #[arg(long, env = "LIANMAI_REMOTE_CA", value_name = "FILE", default_value = "", value_parser = flags::path)]
    pub remote_ca: PathBuf,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
