//! The operator's settings: one struct whose fields are flags, `LIANMAI_*` variables and keys of
//! `lianmai.toml`, all of the same name (`--max-streams`, `LIANMAI_MAX_STREAMS`, `max_streams`).
//!
//! Each part of the gateway has its settings in its own folder; this is the list of them.

mod data_folder;
mod load;
mod print;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cdn::CdnSettings;
use crate::cluster::ClusterSettings;
use crate::context::ContextSettings;
use crate::core::auth::AuthSettings;
use crate::edges::hls::HlsSettings;
use crate::edges::rtmp::RtmpSettings;
use crate::edges::webrtc::WebRtcSettings;
use crate::flags::{self, Listen};
use crate::hooks::HookSettings;
use crate::http::HttpSettings;
use crate::jobs::demo::DemoSettings;
use crate::jobs::forward::ForwardSettings;
use crate::jobs::mix::MixSettings;
use crate::jobs::pull::PullSettings;
use crate::jobs::record::RecordSettings;
use crate::jobs::slate::SlateSettings;
use crate::log::LogSettings;
use crate::metering::MeteringSettings;
use crate::remote::RemoteSettings;
use crate::rooms::RoomsSettings;
use crate::store::StoreSettings;

pub use data_folder::check_data_folder;
pub use load::{LoadError, Loaded, file, from_matches, from_surroundings};
pub use print::{print, shown};

/// The gateway's settings. Times are in whole seconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct Settings {
    /// The RTMP service.
    #[command(flatten)]
    #[serde(flatten)]
    pub rtmp: RtmpSettings,

    /// The HTTP service.
    #[command(flatten)]
    #[serde(flatten)]
    pub http: HttpSettings,

    /// The WebRTC service.
    #[command(flatten)]
    #[serde(flatten)]
    pub webrtc: WebRtcSettings,

    /// HLS.
    #[command(flatten)]
    #[serde(flatten)]
    pub hls: HlsSettings,

    /// Rooms.
    #[command(flatten)]
    #[serde(flatten)]
    pub rooms: RoomsSettings,

    /// Folder for files that must survive a restart (secrets, certificate, key for tokens); created when needed
    #[arg(long, env = "LIANMAI_DATA", value_name = "DIR", default_value = data_folder::DEFAULT)]
    pub data: PathBuf,

    /// The demo stream.
    #[command(flatten)]
    #[serde(flatten)]
    pub demo: DemoSettings,

    /// Mixes.
    #[command(flatten)]
    #[serde(flatten)]
    pub mix: MixSettings,

    /// Forwards.
    #[command(flatten)]
    #[serde(flatten)]
    pub forward: ForwardSettings,

    /// Pulls.
    #[command(flatten)]
    #[serde(flatten)]
    pub pull: PullSettings,

    /// Slates.
    #[command(flatten)]
    #[serde(flatten)]
    pub slate: SlateSettings,

    /// Connections to other servers.
    #[command(flatten)]
    #[serde(flatten)]
    pub remote: RemoteSettings,
    /// Recordings.
    #[command(flatten)]
    #[serde(flatten)]
    pub record: RecordSettings,

    /// The CDN.
    #[command(flatten)]
    #[serde(flatten)]
    pub cdn: CdnSettings,

    /// The object store.
    #[command(flatten)]
    #[serde(flatten)]
    pub store: StoreSettings,

    /// Listen on all interfaces, over IPv4 and IPv6 (the ports stay); publishing then needs the secret
    #[arg(long, env = "LIANMAI_PUBLIC", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    pub public: bool,

    /// Authentication.
    #[command(flatten)]
    #[serde(flatten)]
    pub auth: AuthSettings,

    /// Hooks.
    #[command(flatten)]
    #[serde(flatten)]
    pub hooks: HookSettings,

    /// The session log.
    #[command(flatten)]
    #[serde(flatten)]
    pub metering: MeteringSettings,

    /// The cluster.
    #[command(flatten)]
    #[serde(flatten)]
    pub cluster: ClusterSettings,

    /// JSON file that is written when everything listens, with the addresses and the process id
    #[arg(long, env = "LIANMAI_READY_FILE", value_name = "PATH", default_value = "", value_parser = flags::path)]
    pub ready_file: PathBuf,

    /// The log.
    #[command(flatten)]
    #[serde(flatten)]
    pub log: LogSettings,

    /// Network threads; 0: one per core
    #[arg(long, env = "LIANMAI_WORKERS", value_name = "N", default_value_t = 0, help_heading = "Limits")]
    pub workers: usize,

    /// Limits and transcoding.
    #[command(flatten)]
    #[serde(flatten)]
    pub context: ContextSettings,
}

impl Settings {
    /// Returns whether there are secrets, or addresses of other servers, which usually hold keys.
    pub fn hold_keys(&self) -> bool {
        print::holds_secret(self)
    }

    /// Makes every loopback address that a service listens on all interfaces, if the gateway is public.
    /// `both_families` says that `[::]` takes IPv4 connections, too.
    pub fn open_addresses(&mut self, both_families: bool) {
        if !self.public {
            return;
        }
        let http = self.http.http.iter_mut().chain([&mut self.http.https]);
        let all = http.chain([&mut self.rtmp.addr, &mut self.webrtc.addr]);
        all.filter_map(|addr| addr.0.as_mut()).for_each(|addr| open(addr, both_families));
        // 127.0.0.1:8080 and [::1]:8080 are one address now.
        let mut opened: Vec<Listen> = Vec::new();
        self.http.http.retain(|addr| {
            let again = addr.0.is_some_and(|addr| addr.port() != 0) && opened.contains(addr);
            opened.push(*addr);
            !again
        });
    }
}

/// Returns the keys whose values differ.
pub fn differences(one: &Settings, other: &Settings) -> Vec<String> {
    let other = load::to_table(other);
    load::to_table(one)
        .into_iter()
        .filter(|(key, value)| other.get(key) != Some(value))
        .map(|(key, _)| key)
        .collect()
}

fn open(addr: &mut SocketAddr, both_families: bool) {
    match addr {
        _ if !addr.ip().is_loopback() => {}
        SocketAddr::V4(addr) if !both_families => addr.set_ip(Ipv4Addr::UNSPECIFIED),
        _ => addr.set_ip(Ipv6Addr::UNSPECIFIED.into()),
    }
}

impl Default for Settings {
    fn default() -> Self {
        flags::defaults()
    }
}
