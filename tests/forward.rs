//! Forwards: a stream on its way to other servers, which are real ones: a second gateway, ffmpeg and nginx.

#[path = "forward/api.rs"]
mod api;
#[path = "forward/outages.rs"]
mod outages;
#[path = "forward/targets.rs"]
mod targets;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::Value;

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(90);

/// Publishes `clip` as `live/NAME` for up to five minutes.
#[track_caller]
fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = clip.minutes(5);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}

/// Returns the targets of the first forward.
#[track_caller]
fn targets(gateway: &Gateway) -> Vec<Value> {
    let forwards = gateway.json(&gateway.operator("/api/v1/forwards"));
    forwards["forwards"][0]["targets"].as_array().cloned().unwrap_or_default()
}

/// Waits until the first target of the first forward is in this state. Returns it.
#[track_caller]
fn wait_state(gateway: &Gateway, state: &str) -> Value {
    let mut last = Value::Null;
    let found = || {
        last = targets(gateway).into_iter().next().unwrap_or_default();
        (last["state"] == state).then(|| last.clone())
    };
    wait::until(&format!("a target that is {state}"), LIMIT, found)
}

/// Waits until viewers of `live/NAME` get `count` more frames of video.
#[track_caller]
fn wait_frames(gateway: &Gateway, name: &str, count: usize) {
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"));
    viewer.wait_frames(VIDEO, count, LIMIT);
}

/// Returns an address where nobody listens, for a server that cannot choose a port itself.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens")
}
