//! The figures of all streams, made once for all listeners.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use media::Track;
use serde::Serialize;

use super::event;
use crate::api::millis;
use crate::api::types::{Audio, Video};
use crate::context::Context;
use crate::core::hub::{Act, Client, Stream};
use crate::derive::transcode::reordered;
use crate::metrics::process;
use crate::net::worker::Gate;

/// Maximum number of streams in the figures; `total` says how many there are.
pub(super) const MAX_STREAMS: usize = 1000;
/// Figures of this age serve another listener.
const FRESH: Duration = Duration::from_secs(1);

/// The newest figures, and the processor time at which they were made.
#[derive(Debug, Default)]
pub(in crate::api) struct Figures(Mutex<Option<(Instant, Duration, Bytes)>>);

impl Figures {
    /// Returns the figures as an event.
    pub(super) fn event(&self, context: &Context, gate: &Gate) -> Bytes {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, cpu) = (Instant::now(), process::cpu());
        let before = last.as_ref().map(|(at, cpu, _)| (*at, *cpu));
        if let Some((at, _, event)) = &*last
            && now - *at < FRESH
        {
            return event.clone();
        }
        let share =
            before.map(|(at, before)| cpu.saturating_sub(before).as_secs_f64() / (now - at).as_secs_f64());
        let percent = share.map(|share| (share * 1000.0).round() / 10.0);
        let event = event("figures", &content(context, gate, percent));
        *last = Some((now, cpu, event.clone()));
        event
    }
}

#[derive(Serialize)]
struct Content<'a> {
    now_ms: u64,
    /// Number of streams, of which `streams` has [`MAX_STREAMS`] at most.
    total: usize,
    streams: Vec<StreamFigures<'a>>,
    viewers: usize,
    connections: usize,
    memory_bytes: u64,
    /// Of one core, since the last figures.
    cpu_percent: Option<f64>,
    /// Seconds for which viewers wait for a publisher that left.
    reconnect_s: u64,
}

#[derive(Serialize)]
struct StreamFigures<'a> {
    name: &'a str,
    since_ms: u64,
    /// Whether a publisher is connected.
    live: bool,
    video: Option<Video>,
    audio: Option<Audio>,
    /// Number of video frames and bytes that were published.
    frames: u64,
    bytes: u64,
    kbps: u64,
    /// Milliseconds between key frames.
    key_ms: Option<i64>,
    publisher: Option<Publisher<'a>>,
    /// Number of viewers by protocol.
    viewers: BTreeMap<&'static str, usize>,
    sent_kbps: u64,
    /// Number of items that slow viewers missed.
    skipped: u64,
}

#[derive(Serialize)]
struct Publisher<'a> {
    id: String,
    protocol: &'static str,
    ip: Option<IpAddr>,
    agent: &'a str,
    identity: &'static str,
    name: Option<&'a str>,
    since_ms: u64,
}

/// The clients of one stream.
#[derive(Default)]
struct Present<'a> {
    publisher: Option<&'a Client>,
    viewers: BTreeMap<&'static str, usize>,
    skipped: u64,
}

fn content(context: &Context, gate: &Gate, cpu_percent: Option<f64>) -> serde_json::Value {
    let (streams, clients) = (context.hub.streams(), context.clients.list());
    let mut present: HashMap<&str, Present<'_>> = HashMap::new();
    for client in &clients {
        let stream = present.entry(client.stream.id()).or_default();
        match client.act {
            Act::Publish => stream.publisher = Some(client),
            // The relay of another node has viewers there, which that node counts.
            Act::Play if !client.is_viewer() => {}
            Act::Play => {
                *stream.viewers.entry(client.info.protocol).or_default() += 1;
                stream.skipped += client.skipped.load(Ordering::Relaxed);
            }
        }
    }
    let viewers = clients.iter().filter(|client| client.is_viewer()).count();
    let listed = streams.iter().take(MAX_STREAMS);
    let content = Content {
        now_ms: millis(SystemTime::now()),
        total: streams.len(),
        streams: listed.map(|stream| of_stream(stream, present.remove(stream.id()))).collect(),
        viewers,
        connections: gate.open(),
        memory_bytes: process::memory(),
        cpu_percent,
        reconnect_s: context.limits.get().reconnect.as_secs(),
    };
    serde_json::to_value(content).unwrap_or_default()
}

fn of_stream<'a>(stream: &'a Stream, present: Option<Present<'a>>) -> StreamFigures<'a> {
    let (stats, present) = (stream.stats(), present.unwrap_or_default());
    StreamFigures {
        name: stream.name().as_str(),
        since_ms: millis(stream.started()),
        live: stream.publishing().is_some(),
        video: stream.config(Track::Video).and_then(|config| Video::of(&config, reordered(stream))),
        audio: stream.config(Track::Audio).and_then(|config| Audio::of(&config)),
        frames: stats.video_frames,
        bytes: stats.received,
        kbps: stats.received_kbps,
        key_ms: stream.key_interval().map(|interval| interval / 1000),
        publisher: present.publisher.map(|client| Publisher {
            id: client.id.to_string(),
            protocol: client.info.protocol,
            ip: Some(client.from).filter(|ip| !ip.is_unspecified()),
            agent: &client.info.agent,
            identity: client.identity.kind(),
            name: client.identity.name(),
            since_ms: millis(client.since),
        }),
        viewers: present.viewers,
        sent_kbps: stats.sent_kbps,
        skipped: present.skipped,
    }
}
