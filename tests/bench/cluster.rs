//! Clusters on loopback: the time until another node plays a stream, the latency that each hop adds, the CPU time of a
//! relay, and the freeze when the owner dies.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ::gateway::cluster::registry::{Me, Registry};
use ::gateway::cluster::{NatsBus, NodeName};
use ::gateway::core::bus::Bus as _;
use ::gateway::core::hub::{Hub, HubConfig, StreamName};
use ::gateway::remote::{Dialer, RemoteSettings};
use lianmai_tests::flv::{self, VIDEO};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::{self, WsPublisher};
use lianmai_tests::{Clip, Gateway, Nats, gateway, rtmp, wait};

use crate::cpu::cpu;
use crate::join::first_picture_at;
use crate::{WINDOW, percentile, stream};

/// Number of streams that are played at another node for the first time.
const JOINS: usize = 40;
/// Number of streams of one node.
const CLAIMS: u64 = 10_000;
/// Number of deaths of the owner.
const DEATHS: usize = 5;
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run() {
    let nats = Nats::start();
    join(&nats);
    hops(&nats);
    cost(&nats);
    for pause in [Duration::ZERO, Duration::from_secs(1)] {
        handover(&nats, pause);
    }
}

fn node(nats: &Nats, name: &str, more: &[&str]) -> Gateway {
    let url = nats.url();
    let flags = ["--cluster", &url, "--cluster-secret", "a secret of the bench", "--node", name];
    let gateway = Gateway::start(&[&flags[..], more].concat());
    wait::until_true("the bus", LIMIT, || gateway.process.stderr().contains("cluster connected"));
    gateway
}

fn publish(gateway: &Gateway, name: &str) -> WsPublisher {
    let (flags, tags) = Clip::Av.minutes(5);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}

/// Measures the time to the first video frame of streams that the node does not have yet.
fn join(nats: &Nats) {
    let [a, b] = ["a", "b"].map(|name| node(nats, name, &[]));
    let _publishers: Vec<_> = (0..JOINS).map(|n| publish(&a, &format!("x{n}"))).collect();
    let mut times: Vec<Duration> = (0..JOINS)
        .map(|n| {
            let start = Instant::now();
            first_picture_at(b.http(), &format!("x{n}")) - start
        })
        .collect();
    println!(
        "first video frame at another node, {JOINS} streams: p50 {:.1} ms, p95 {:.1} ms (target <= 300), worst {:.1} ms",
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.95),
        percentile(&mut times, 1.0),
    );
}

/// Measures the latency at the owner, at a node that pulls from it, and at one that pulls from that.
fn hops(nats: &Nats) {
    let nodes = ["a", "b", "c"].map(|name| node(nats, name, &["--cluster-fanout", "1"]));
    let (_, tags) = flv::read(&std::fs::read(stream::clip()).expect("the clip"));
    let tags: Vec<_> = tags.into_iter().filter(|tag| tag.kind != flv::SCRIPT).collect();
    let mut publisher = rtmp::Client::publish(nodes[0].rtmp(), "bench").expect("RTMP publish");
    let (hasher, start) = (RandomState::new(), Instant::now());
    let mut sent: HashMap<u64, Instant> = HashMap::new();
    let mut viewers: Vec<FlvViewer> = Vec::new();
    for tag in &tags {
        let at = Duration::from_millis(u64::from(tag.time));
        if at > WINDOW {
            break;
        }
        if let Some(wait) = at.checked_sub(start.elapsed()) {
            thread::sleep(wait);
        }
        publisher.send_tag(tag).expect("the server takes frames");
        if tag.kind == VIDEO && tag.is_frame() {
            sent.insert(hasher.hash_one(&tag.body), Instant::now());
        }
        // One after the other, so that the third node finds the second one.
        if viewers.len() < nodes.len() && at > Duration::from_secs(1 + viewers.len() as u64) {
            viewers.push(FlvViewer::http(nodes[viewers.len()].http(), "/live/bench.flv"));
        }
    }
    let from = start + Duration::from_secs(5);
    let middles = viewers.iter().map(|viewer| {
        let frames = viewer.frames(VIDEO);
        let sent_at = |seen: &lianmai_tests::player::Seen| {
            sent.get(&hasher.hash_one(&seen.tag.body))
                .filter(|at| **at > from)
                .map(|at| seen.at.saturating_duration_since(*at))
        };
        let mut times: Vec<Duration> = frames.iter().filter_map(sent_at).collect();
        percentile(&mut times, 0.5)
    });
    let middles: Vec<f64> = middles.collect();
    let through = nodes[1].json("/api/v1/clients?count=100").to_string().contains("\"node\"");
    println!(
        "latency RTMP -> HTTP-FLV, p50: owner {:.2} ms, 1 hop {:.2} ms, 2 hops {:.2} ms (target: <= 1 ms more for each); \
         the third node pulls from the second: {through}",
        middles[0], middles[1], middles[2]
    );
}

/// Measures the CPU time of a relayed stream at both ends.
fn cost(nats: &Nats) {
    let [a, b] = ["a", "b"].map(|name| node(nats, name, &[]));
    let _publisher = publisher::ffmpeg_forever(&stream::clip(), &a.rtmp_url("bench"));
    a.wait_published("bench");
    let window = || {
        let (before, start) = ([&a, &b].map(|node| cpu(node.process.pid())), Instant::now());
        thread::sleep(WINDOW);
        let seconds = start.elapsed().as_secs_f64();
        [&a, &b]
            .map(|node| cpu(node.process.pid()))
            .map(|after| after.as_secs_f64() / seconds * 1e3)
            .iter()
            .zip(before.map(|before| before.as_secs_f64() / seconds * 1e3))
            .map(|(after, before)| after - before)
            .collect::<Vec<f64>>()
    };
    let alone = window();
    let viewer = FlvViewer::http(b.http(), "/live/bench.flv");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    let relayed = window();
    println!(
        "a relayed stream of 2 Mb/s with one viewer, ms of CPU a second: {:.2} at the node (target <= 3), {:.2} at the owner",
        relayed[1] - alone[1],
        relayed[0] - alone[0]
    );
}

/// Measures how long one node takes to claim many streams, and their memory.
pub(crate) fn claims() {
    let nats = Nats::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    let dialer = Dialer::new(&RemoteSettings::default()).expect("no file");
    runtime.block_on(async {
        let bus = NatsBus::new(&[nats.url()], Path::new(""), "bench", &dialer, &handle).expect("an address");
        bus.connected().wait_for(|connected| *connected).await.expect("the bus");
        let (node, url) = (NodeName::parse("bench").expect("a name"), Arc::default());
        let me = Me { node, region: String::new(), url };
        let registry = Registry::new(Arc::new(bus), me, Hub::new(HubConfig::default()), 32, handle);
        let (before, start) = (gateway::rss(std::process::id()), Instant::now());
        let claims: Vec<_> = (0..CLAIMS)
            .map(|n| {
                let registry = registry.clone();
                let name = StreamName::parse(&format!("live/{n}")).expect("a name");
                tokio::spawn(async move { registry.claim(&name, n).await })
            })
            .collect();
        for claim in claims {
            claim.await.expect("no panic").expect("nobody else has it");
        }
        let took = start.elapsed();
        let memory = gateway::rss(std::process::id()).saturating_sub(before);
        println!(
            "{CLAIMS} streams claimed by one node: {:.2} s (target <= 2), {:.1} MB (target <= 20)",
            took.as_secs_f64(),
            memory as f64 / 1e6
        );
    });
}

/// Kills the owner while a third node plays. The publisher comes to the second one after `pause`.
fn handover(nats: &Nats, pause: Duration) {
    let [b, c] = ["b", "c"].map(|name| node(nats, name, &[]));
    let mut freezes = Vec::new();
    for n in 0..DEATHS {
        let (a, name) = (node(nats, "a", &[]), format!("x{n}"));
        let _first = publish(&a, &name);
        let viewer = FlvViewer::http(b.http(), &format!("/live/{name}.flv"));
        viewer.wait_frames(VIDEO, 60, LIMIT);
        a.process.signal("KILL");
        thread::sleep(pause);
        let _second = publish(&c, &name);
        let video = viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + 120, LIMIT);
        assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "times go back");
        let silences = video[30..].windows(2).map(|pair| pair[1].at - pair[0].at);
        freezes.push(silences.max().unwrap_or_default());
    }
    println!(
        "owner killed, publisher at another node after {} ms: freeze p50 {:.0} ms, worst {:.0} ms (target <= {})",
        pause.as_millis(),
        percentile(&mut freezes, 0.5),
        percentile(&mut freezes, 1.0),
        if pause.is_zero() { 500 } else { 2000 }
    );
}
