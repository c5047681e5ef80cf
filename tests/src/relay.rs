//! Gateways that send streams to each other: the operator's lists, and streams that run for minutes.

use std::time::Duration;

use serde_json::Value;

use crate::flv::VIDEO;
use crate::http;
use crate::player::FlvViewer;
use crate::publisher::WsPublisher;
use crate::{Clip, Gateway, wait};

/// A timeout for a busy machine; nothing waits that long normally.
pub const LIMIT: Duration = Duration::from_secs(90);

/// Publishes `clip` as `live/NAME` for up to five minutes.
#[track_caller]
pub fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = clip.minutes(5);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}

/// Calls the API as the operator. Returns the status and the JSON of the answer.
#[track_caller]
pub fn call(gateway: &Gateway, method: &str, path: &str, body: &str) -> (u16, Value) {
    let answer = http::send(gateway.http(), method, &gateway.operator(path), &[], body.as_bytes());
    let json = serde_json::from_slice(&answer.body);
    (answer.status, json.unwrap_or_else(|error| panic!("{method} {path}: {error}: {}", answer.text())))
}

/// Returns the operator's list `name`, such as `forwards`.
#[track_caller]
pub fn list(gateway: &Gateway, name: &str) -> Vec<Value> {
    let (_, all) = call(gateway, "GET", &format!("/api/v1/{name}"), "");
    all[name].as_array().cloned().unwrap_or_default()
}

/// Returns the targets of the first forward.
#[track_caller]
pub fn targets(gateway: &Gateway) -> Vec<Value> {
    inner(gateway, "forwards", "targets")
}

/// Returns the sources of the first pull.
#[track_caller]
pub fn sources(gateway: &Gateway) -> Vec<Value> {
    inner(gateway, "pulls", "sources")
}

#[track_caller]
fn inner(gateway: &Gateway, name: &str, key: &str) -> Vec<Value> {
    let first = list(gateway, name).into_iter().next().unwrap_or_default();
    first[key].as_array().cloned().unwrap_or_default()
}

/// Waits until the first entry of `entries` is in this state. Returns it.
#[track_caller]
pub fn wait_state(state: &str, entries: impl Fn() -> Vec<Value>) -> Value {
    wait::until(&format!("an entry that is {state}"), LIMIT, || {
        entries().into_iter().next().filter(|entry| entry["state"] == state)
    })
}

/// Waits until viewers of `live/NAME` get `count` more frames of video.
#[track_caller]
pub fn wait_frames(gateway: &Gateway, name: &str, count: usize) {
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"));
    viewer.wait_frames(VIDEO, count, LIMIT);
}
