//! The JSON of SRS's API, with its names. Fields without a meaning in this server are left out.

use std::sync::Arc;
use std::time::SystemTime;

use media::{Codec, Config, Track};
use serde::Serialize;

use super::profile;
use crate::cluster::Cluster;
use crate::core::hub;
use crate::derive::transcode::reordered;

/// The reason of a refusal.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) message: &'a str,
}

/// Empty response body.
#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
pub(super) struct Versions {
    data: Version,
}

#[derive(Serialize)]
struct Version {
    major: u32,
    minor: u32,
    revision: u32,
    version: &'static str,
    /// Not in SRS, for our pages: the ports of RTMP and HTTPS (0: none), and whether the client may publish
    /// without a secret or token.
    rtmp_port: u16,
    https_port: u16,
    may_publish: bool,
}

pub(super) fn versions(rtmp_port: u16, https_port: u16, may_publish: bool) -> Versions {
    let mut numbers = env!("CARGO_PKG_VERSION").split('.').map(|n| n.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, revision) = (next(), next(), next());
    let version = env!("CARGO_PKG_VERSION");
    Versions { data: Version { major, minor, revision, version, rtmp_port, https_port, may_publish } }
}

#[derive(Serialize)]
pub(super) struct Summaries {
    pub(super) data: Summary,
}

#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) ok: bool,
    pub(super) now_ms: u64,
    #[serde(rename = "self")]
    pub(super) own: Process,
    pub(super) system: System,
}

/// Fields named `*_percent` are fractions of 1, as in SRS.
#[derive(Serialize)]
pub(super) struct Process {
    pub(super) version: &'static str,
    pub(super) pid: u32,
    pub(super) mem_kbyte: u64,
    pub(super) mem_percent: f64,
    pub(super) cpu_percent: f64,
    pub(super) srs_uptime: u64,
}

#[derive(Serialize)]
pub(super) struct System {
    pub(super) mem_ram_kbyte: u64,
    pub(super) mem_ram_percent: f64,
    pub(super) cpus: usize,
    pub(super) cpus_online: usize,
    pub(super) uptime: f64,
    pub(super) load_1m: f64,
    pub(super) load_5m: f64,
    pub(super) load_15m: f64,
    pub(super) conn_srs: usize,
}

#[derive(Serialize)]
pub(super) struct Streams {
    /// Not in SRS: the number of streams, of which `streams` is a part.
    pub(super) total: usize,
    pub(super) streams: Vec<Stream>,
}

#[derive(Serialize)]
pub(super) struct OneStream {
    pub(super) stream: Stream,
}

#[derive(Serialize)]
pub(super) struct Clients {
    /// Not in SRS: the number of clients, of which `clients` is a part.
    pub(super) total: usize,
    pub(super) clients: Vec<Client>,
}

#[derive(Serialize)]
pub(super) struct OneClient {
    pub(super) client: Client,
}

#[derive(Serialize)]
struct Kbps {
    recv_30s: u64,
    send_30s: u64,
}

#[derive(Serialize)]
pub(super) struct Stream {
    id: String,
    name: String,
    vhost: &'static str,
    app: String,
    #[serde(rename = "tcUrl")]
    tc_url: String,
    url: String,
    live_ms: u64,
    clients: usize,
    frames: u64,
    send_bytes: u64,
    recv_bytes: u64,
    kbps: Kbps,
    publish: Publish,
    /// Not in SRS: whether another node of the cluster publishes the stream, and this gateway relays it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remote: bool,
    /// Not in SRS: from where this gateway relays it.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<Relay>,
    video: Option<Video>,
    audio: Option<Audio>,
}

/// The nodes from which a stream comes.
#[derive(Serialize)]
struct Relay {
    /// The node that has the publisher.
    owner: String,
    /// The node between, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    received_bytes: u64,
    /// Number of connections so far.
    connections: u64,
}

impl Relay {
    /// Returns the relay of a stream; `None` if it is published here, or no node has it.
    fn of(stream: &hub::Stream, cluster: Option<&Cluster>) -> Option<Self> {
        let info = cluster?.relays()?.of(stream.name()).filter(|_| stream.remote())?;
        let (owner, via) = (info.owner?.to_string(), info.via.map(|via| via.to_string()));
        Some(Self { owner, via, received_bytes: info.received, connections: info.pulls })
    }
}

#[derive(Serialize)]
struct Publish {
    active: bool,
    cid: String,
}

#[derive(Serialize)]
pub(super) struct Video {
    codec: &'static str,
    profile: String,
    level: String,
    width: u32,
    height: u32,
    /// Not in SRS: whether frames arrive in another order than they are shown (B-frames).
    reordered: bool,
}

#[derive(Serialize)]
pub(super) struct Audio {
    codec: &'static str,
    sample_rate: u32,
    channel: u8,
    profile: String,
}

/// Returns SRS's name of a codec.
const fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "H264",
        Codec::H265 => "HEVC",
        Codec::Av1 => "AV1",
        Codec::Vp8 => "VP8",
        Codec::Vp9 => "VP9",
        Codec::Aac => "AAC",
        Codec::Opus => "Opus",
        Codec::Mp3 => "MP3",
        Codec::PcmAlaw => "PCMA",
        Codec::PcmMulaw => "PCMU",
        _ => "Other",
    }
}

impl Video {
    pub(super) fn of(config: &Config, reordered: bool) -> Option<Self> {
        let size = config.video()?;
        let (profile, level) = profile::video(config);
        let (width, height) = (size.width, size.height);
        Some(Self { codec: codec(config.codec), profile, level, width, height, reordered })
    }
}

impl Audio {
    pub(super) fn of(config: &Config) -> Option<Self> {
        let sound = config.audio()?;
        Some(Self {
            codec: codec(config.codec),
            sample_rate: sound.sample_rate,
            channel: sound.channels,
            profile: profile::audio(config),
        })
    }
}

const VHOST: &str = "__defaultVhost__";

impl Stream {
    pub(super) fn of(stream: &hub::Stream, clients: &[Arc<hub::Client>], cluster: Option<&Cluster>) -> Self {
        let is_relay = |client: &hub::Client| client.act == hub::Act::Play && !client.is_viewer();
        let own = clients.iter().filter(|client| client.stream.id() == stream.id() && !is_relay(client));
        let publisher = own.clone().find(|client| client.act == hub::Act::Publish);
        let (name, stats) = (stream.name(), stream.stats());
        Self {
            id: stream.id().to_owned(),
            name: name.stream().to_owned(),
            vhost: VHOST,
            app: name.app().to_owned(),
            tc_url: format!("rtmp://{VHOST}/{}", name.app()),
            url: format!("/{name}"),
            live_ms: super::millis(stream.started()),
            clients: own.count(),
            frames: stats.video_frames,
            send_bytes: stats.sent,
            recv_bytes: stats.received,
            kbps: Kbps { recv_30s: stats.received_kbps, send_30s: stats.sent_kbps },
            publish: Publish {
                active: stream.publishing().is_some(),
                cid: publisher.map(|client| client.id.to_string()).unwrap_or_default(),
            },
            remote: stream.remote(),
            relay: Relay::of(stream, cluster),
            video: stream.config(Track::Video).and_then(|config| Video::of(&config, reordered(stream))),
            audio: stream.config(Track::Audio).and_then(|config| Audio::of(&config)),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Client {
    id: String,
    vhost: &'static str,
    stream: String,
    ip: String,
    #[serde(rename = "tcUrl")]
    tc_url: String,
    url: String,
    name: String,
    /// `rtmp-publish`, `http-flv-play` …
    #[serde(rename = "type")]
    kind: String,
    publish: bool,
    /// Seconds since the client connected.
    alive: f64,
    send_bytes: u64,
    recv_bytes: u64,
    kbps: Kbps,
    /// Not in SRS: how the client was identified (`token`, `key`, `secret`, `local`, `open` or `job`), the
    /// claims of its token, and the name of its key.
    identity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Not in SRS: the client's software, and the number of items that a slow viewer missed.
    agent: String,
    skipped: u64,
    /// How far a viewer is behind the newest frame, in milliseconds, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_ms: Option<i64>,
    /// Estimated bandwidth to a WebRTC viewer in kbit/s, if it is estimated (`--webrtc-bwe`).
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate_kbps: Option<u64>,
}

impl Client {
    pub(super) fn of(client: &hub::Client) -> Self {
        let name = client.stream.name();
        let publish = client.act == hub::Act::Publish;
        let (subject, issuer) = match &client.identity {
            hub::Identity::Token { subject, issuer } => (Some(subject.clone()), Some(issuer.clone())),
            _ => (None, None),
        };
        let key = match &client.identity {
            hub::Identity::Key { name, .. } => Some(name.to_string()),
            _ => None,
        };
        let alive = SystemTime::now().duration_since(client.since).unwrap_or_default();
        Self {
            id: client.id.to_string(),
            vhost: VHOST,
            stream: client.stream.id().to_owned(),
            ip: client.info.peer.ip().to_canonical().to_string(),
            tc_url: client.info.url.rsplit_once('/').map_or("", |(tc_url, _)| tc_url).to_owned(),
            url: format!("/{name}"),
            name: name.stream().to_owned(),
            kind: format!("{}-{}", client.info.protocol, if publish { "publish" } else { "play" }),
            publish,
            alive: alive.as_secs_f64(),
            send_bytes: client.sent.total(),
            recv_bytes: client.received.total(),
            kbps: Kbps { recv_30s: client.received.kbps(), send_30s: client.sent.kbps() },
            identity: client.identity.kind(),
            subject,
            issuer,
            key,
            agent: client.info.agent.clone(),
            skipped: client.skipped.load(std::sync::atomic::Ordering::Relaxed),
            behind_ms: client.lag().map(|lag| lag / 1000),
            estimate_kbps: client.estimate().map(|bits| bits / 1000),
        }
    }
}
