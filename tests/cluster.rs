//! Clusters: three gateways and a nats-server, which are killed, stopped and cut off.

#[path = "cluster/api.rs"]
mod api;
#[path = "cluster/bus.rs"]
mod bus;
#[path = "cluster/handover.rs"]
mod handover;
#[path = "cluster/hls.rs"]
mod hls;
#[path = "cluster/meter.rs"]
mod meter;
#[path = "cluster/play.rs"]
mod play;

use std::time::Duration;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::{FlvViewer, Seen};
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway, Nats, wait};

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(90);
/// The secret of all clusters here.
const SECRET: &str = "a secret of the test";

/// Starts a node of a cluster with this name.
#[track_caller]
fn node(nats: &Nats, name: &str, more: &[&str]) -> Gateway {
    node_at(&nats.url(), name, more)
}

/// The same with the address of a server.
#[track_caller]
fn node_at(url: &str, name: &str, more: &[&str]) -> Gateway {
    let flags = ["--cluster", url, "--cluster-secret", SECRET, "--node", name];
    let gateway = Gateway::start(&[&flags[..], more].concat());
    wait::until_true("the node to reach the bus", LIMIT, || {
        gateway.process.stderr().contains("cluster connected")
    });
    gateway
}

/// Publishes `clip` as `live/NAME` for up to five minutes.
#[track_caller]
fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = clip.minutes(5);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}

#[track_caller]
fn view(gateway: &Gateway, name: &str) -> FlvViewer {
    FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"))
}

/// Waits for more frames of video, and returns all.
#[track_caller]
fn more_frames(viewer: &FlvViewer, count: usize) -> Vec<Seen> {
    viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + count, LIMIT)
}

/// Checks that the times of frames never go back, and returns the longest time without a frame.
#[track_caller]
fn longest_silence(video: &[Seen]) -> Duration {
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "times go back");
    video.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap_or_default()
}

/// Returns the number of pulls of other nodes at a node.
#[track_caller]
fn pulls(gateway: &Gateway) -> usize {
    let clients = gateway.json("/api/v1/clients?count=1000");
    let all = clients["clients"].as_array().into_iter().flatten();
    all.filter(|client| client["identity"] == "node").count()
}
