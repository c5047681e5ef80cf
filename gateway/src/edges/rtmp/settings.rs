//! Settings of the RTMP service.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags::{self, Listen};

/// Settings of the RTMP service.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct RtmpSettings {
    /// Address on which RTMP listens; a port alone is one of this machine; empty: no RTMP
    #[arg(
        id = "rtmp",
        long = "rtmp",
        env = "LIANMAI_RTMP",
        value_name = "ADDR",
        default_value = "127.0.0.1:1935"
    )]
    #[serde(rename = "rtmp")]
    pub addr: Listen,
}

impl Default for RtmpSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
