//! The operator's settings: one struct whose fields are flags, `LIANMAI_*` variables and keys of
//! `lianmai.toml`, all of the same name (`--max-streams`, `LIANMAI_MAX_STREAMS`, `max_streams`).
//!
//! The doc comments of the fields are the texts of `--help` and of `lianmai config --print`.

mod candidate;
mod listen;
mod load;
mod print;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

pub use candidate::Candidate;
pub use listen::Listen;
pub use load::{LoadError, file, from_matches, from_surroundings};
pub use print::print;

/// Parses a switch that is also a key: `--demo`, `--demo=false`, `LIANMAI_DEMO=1`, `demo = true`.
macro_rules! switch {
    () => {
        BoolishValueParser::new()
    };
}

/// Parses a path. clap's own parser refuses the empty path, which here means "none".
fn path(text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(PathBuf::from(text))
}

/// When video is encoded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transcode {
    /// For viewers who could not see it otherwise.
    Auto,
    /// Never.
    Off,
}

/// The gateway's settings. Times are in whole seconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[group(skip)]
pub struct Settings {
    /// Address on which RTMP listens
    #[arg(long, env = "LIANMAI_RTMP", value_name = "ADDR", default_value = "127.0.0.1:1935")]
    pub rtmp: SocketAddr,

    /// Addresses on which HTTP listens (pages, FLV, HLS, API); SRS's pages expect the second one
    #[arg(
        long,
        env = "LIANMAI_HTTP",
        value_name = "ADDR,ADDR",
        value_delimiter = ',',
        default_value = "127.0.0.1:8080,127.0.0.1:1985"
    )]
    pub http: Vec<SocketAddr>,

    /// Address for WebRTC media, UDP and TCP: one port for all peers
    #[arg(long, env = "LIANMAI_WEBRTC", value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub webrtc: SocketAddr,

    /// Addresses or host names at which WebRTC peers can reach the gateway, in addition to the addresses that it
    /// finds itself; needed behind a NAT. Names are looked up every 30 seconds
    #[arg(long, env = "LIANMAI_CANDIDATE", value_name = "HOST,HOST", value_delimiter = ',')]
    pub candidate: Vec<Candidate>,

    /// STUN and TURN servers for browsers, as stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT; rarely needed
    #[arg(long, env = "LIANMAI_ICE_SERVER", value_name = "URL,URL", value_delimiter = ',')]
    pub ice_server: Vec<String>,

    /// Estimate the bandwidth to each WebRTC viewer, for the API; takes two to three times the CPU
    #[arg(long, env = "LIANMAI_WEBRTC_BWE", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch!())]
    pub webrtc_bwe: bool,

    /// Video of streams with B-frames for WebRTC viewers, who cannot play them. auto: ffmpeg, if it is in PATH,
    /// encodes the video again while somebody plays it over WebRTC; off: B-frames are left out
    #[arg(long, env = "LIANMAI_TRANSCODE", value_name = "HOW", default_value = "auto", value_enum)]
    pub transcode: Transcode,

    /// Address on which HTTPS listens, with everything that HTTP has; empty: no HTTPS
    #[arg(long, env = "LIANMAI_HTTPS", value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub https: Listen,

    /// PEM file with the HTTPS certificate and its chain; empty: made at the first start, kept in the data folder
    #[arg(long, env = "LIANMAI_CERT", value_name = "FILE", default_value = "", value_parser = path)]
    pub cert: PathBuf,

    /// PEM file with the private key of --cert
    #[arg(long, env = "LIANMAI_KEY", value_name = "FILE", default_value = "", value_parser = path)]
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

    /// Folder for files that must survive a restart (secrets, certificate, key for tokens); created when needed
    #[arg(long, env = "LIANMAI_DATA", value_name = "DIR", default_value = "lianmai-data")]
    pub data: PathBuf,

    /// Play the built-in clip in a loop as live/livestream, until somebody publishes there
    #[arg(long, env = "LIANMAI_DEMO", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch!())]
    pub demo: bool,

    /// Listen on all interfaces (the ports stay); publishing then needs the secret
    #[arg(long, env = "LIANMAI_PUBLIC", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch!())]
    pub public: bool,

    /// Let everyone publish without a secret, from any address
    #[arg(long, env = "LIANMAI_OPEN", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch!())]
    pub open: bool,

    /// Secret that publishers send as ?secret=…; empty: made at the first start and kept in the data folder
    #[arg(long, env = "LIANMAI_SECRET", value_name = "TEXT", default_value = "", hide_env_values = true)]
    pub secret: String,

    /// Secret that players send as ?secret=… (the publish secret works too); empty: everyone may play
    #[arg(
        long,
        env = "LIANMAI_PLAY_SECRET",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub play_secret: String,

    /// JWKS URLs or files of trusted token issuers, such as a site with the WordPress plugin; PREFIX/=URL trusts an
    /// issuer for streams below that prefix only. Publishing then needs a token or the secret, on this machine too
    #[arg(long, env = "LIANMAI_AUTH_JWKS", value_name = "URL,FILE", value_delimiter = ',')]
    pub auth_jwks: Vec<String>,

    /// Audience (aud) that tokens must name
    #[arg(long, env = "LIANMAI_AUTH_AUDIENCE", value_name = "TEXT", default_value = "lianmai")]
    pub auth_audience: String,

    /// Issuer (iss) that tokens must name; empty: any issuer with a trusted key
    #[arg(long, env = "LIANMAI_AUTH_ISSUER", value_name = "TEXT", default_value = "")]
    pub auth_issuer: String,

    /// Require a token or a secret from viewers, too
    #[arg(long, env = "LIANMAI_AUTH_PLAY", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch!())]
    pub auth_play: bool,

    /// JSON file that is written when everything listens, with the addresses and the process id
    #[arg(long, env = "LIANMAI_READY_FILE", value_name = "PATH", default_value = "", value_parser = path)]
    pub ready_file: PathBuf,

    /// Network threads; 0: one per core
    #[arg(long, env = "LIANMAI_WORKERS", value_name = "N", default_value_t = 0, help_heading = "Limits")]
    pub workers: usize,

    /// Connections at once, all protocols together
    #[arg(
        long,
        env = "LIANMAI_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Limits"
    )]
    pub max_connections: usize,

    /// Connections at once from one address; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_CONNECTIONS_PER_IP",
        value_name = "N",
        default_value_t = 0,
        help_heading = "Limits"
    )]
    pub max_connections_per_ip: usize,

    /// Connections at once that speak RTMP or TLS and have not yet asked to publish or play
    #[arg(
        long,
        env = "LIANMAI_MAX_PENDING",
        value_name = "N",
        default_value_t = 4_000,
        help_heading = "Limits"
    )]
    pub max_pending: usize,

    /// Such connections at once from one address, except this machine; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_PENDING_PER_IP",
        value_name = "N",
        default_value_t = 256,
        help_heading = "Limits"
    )]
    pub max_pending_per_ip: usize,

    /// Streams at once
    #[arg(
        long,
        env = "LIANMAI_MAX_STREAMS",
        value_name = "N",
        default_value_t = 1_000,
        help_heading = "Limits"
    )]
    pub max_streams: usize,

    /// ffmpeg processes at once that encode video for WebRTC viewers; 0: twice the number of cores
    #[arg(
        long,
        env = "LIANMAI_MAX_REENCODERS",
        value_name = "N",
        default_value_t = 0,
        help_heading = "Limits"
    )]
    pub max_reencoders: usize,

    /// Largest RTMP or WebSocket message that is accepted, in bytes (an FLV tag has at most 16 MiB)
    #[arg(long, env = "LIANMAI_MAX_MESSAGE", value_name = "BYTES", default_value_t = 16 << 20, help_heading = "Limits")]
    pub max_message: usize,

    /// Largest HTTP request head, in bytes (at least 8192)
    #[arg(long, env = "LIANMAI_MAX_HEADER", value_name = "BYTES", default_value_t = 32 << 10, help_heading = "Limits")]
    pub max_header: usize,

    /// Seconds in which a client must send a request head or finish a handshake; also for the next request
    #[arg(
        long,
        env = "LIANMAI_HEADER_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub header_timeout: u64,

    /// Seconds without a byte from a publisher, after which it is disconnected
    #[arg(
        long,
        env = "LIANMAI_PUBLISH_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 30,
        help_heading = "Limits"
    )]
    pub publish_timeout: u64,

    /// Seconds in which a viewer takes no byte, after which it is disconnected
    #[arg(
        long,
        env = "LIANMAI_STALL_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 60,
        help_heading = "Limits"
    )]
    pub stall_timeout: u64,

    /// Seconds a player waits for a stream that nobody publishes yet
    #[arg(
        long,
        env = "LIANMAI_PLAY_WAIT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub play_wait: u64,

    /// Seconds for which viewers are kept while their publisher is away
    #[arg(
        long,
        env = "LIANMAI_RECONNECT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub reconnect: u64,
}

impl Settings {
    /// Limits of connections.
    pub fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections,
            connections_per_ip: self.max_connections_per_ip,
            pending: self.max_pending,
            pending_per_ip: self.max_pending_per_ip,
            streams: self.max_streams,
            message: self.max_message,
            header: self.max_header.max(8192),
            header_timeout: Duration::from_secs(self.header_timeout),
            publish_timeout: Duration::from_secs(self.publish_timeout),
            stall_timeout: Duration::from_secs(self.stall_timeout),
            play_wait: Duration::from_secs(self.play_wait),
        }
    }

    /// Returns the address on which a service listens. With `public`, a loopback address becomes all interfaces.
    pub fn opened(&self, mut addr: SocketAddr) -> SocketAddr {
        if self.public && addr.ip().is_loopback() {
            addr.set_ip(match addr {
                SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
            });
        }
        addr
    }
}

impl Default for Settings {
    fn default() -> Self {
        load::defaults()
    }
}

/// Limits of connections, as durations and sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address; 0 is no limit.
    pub connections_per_ip: usize,
    /// Connections at once that have not yet asked to publish or play.
    pub pending: usize,
    /// Such connections from one address; 0 is no limit.
    pub pending_per_ip: usize,
    /// Streams at once.
    pub streams: usize,
    /// Bytes of the largest RTMP or WebSocket message.
    pub message: usize,
    /// Bytes of the largest HTTP request head.
    pub header: usize,
    /// Time for a request head or a handshake to arrive.
    pub header_timeout: Duration,
    /// Time without a byte from a publisher.
    pub publish_timeout: Duration,
    /// Time without a byte taken by a viewer.
    pub stall_timeout: Duration,
    /// Time for a publisher to appear.
    pub play_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Settings::default().limits()
    }
}
