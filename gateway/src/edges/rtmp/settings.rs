//! Settings of the RTMP service.

use std::net::SocketAddr;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of the RTMP service.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct RtmpSettings {
    /// Address on which RTMP listens
    #[arg(
        id = "rtmp",
        long = "rtmp",
        env = "LIANMAI_RTMP",
        value_name = "ADDR",
        default_value = "127.0.0.1:1935"
    )]
    #[serde(rename = "rtmp")]
    pub addr: SocketAddr,
}

impl Default for RtmpSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
