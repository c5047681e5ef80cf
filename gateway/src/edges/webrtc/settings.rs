//! Settings of the WebRTC service.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::public_host::PublicHost;
use crate::flags::{self, Listen};

/// Settings of the WebRTC service.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct WebRtcSettings {
    /// Address for WebRTC media, UDP and TCP: one port for all peers; empty: no WebRTC
    #[arg(
        id = "webrtc",
        long = "webrtc",
        env = "LIANMAI_WEBRTC",
        value_name = "ADDR",
        default_value = "127.0.0.1:8000"
    )]
    #[serde(rename = "webrtc")]
    pub addr: Listen,

    /// Addresses or host names at which WebRTC peers can reach the gateway, in addition to the addresses that it
    /// finds itself; needed behind a NAT. Names are looked up every 30 seconds
    #[arg(long, env = "LIANMAI_CANDIDATE", value_name = "HOST,HOST", value_delimiter = ',')]
    pub candidate: Vec<PublicHost>,

    /// STUN and TURN servers for browsers, as stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT; rarely needed
    #[arg(long, env = "LIANMAI_ICE_SERVER", value_name = "URL,URL", value_delimiter = ',')]
    pub ice_server: Vec<String>,

    /// Estimate the bandwidth to each WebRTC viewer, for the API; takes two to three times the CPU
    #[arg(id = "webrtc_bwe", long = "webrtc-bwe", env = "LIANMAI_WEBRTC_BWE", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    #[serde(rename = "webrtc_bwe")]
    pub estimate_bandwidth: bool,
}

impl Default for WebRtcSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
