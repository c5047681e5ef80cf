//! What streamers, viewers and operators rely on beside the bytes: restarts, refusals with words,
//! waiting, kicking, the API, the command line.

#[path = "operation/api.rs"]
mod api;
#[path = "operation/publishers.rs"]
mod publishers;
#[path = "operation/server.rs"]
mod server;

use std::fs;
use std::time::Duration;

use lianmai_tests::flv::{self, Tag};
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway};

/// Long enough for a busy machine; nothing waits that long when all is well.
const LIMIT: Duration = Duration::from_secs(30);

/// Publishes `clip` as `live/NAME` for up to two minutes.
#[track_caller]
fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = endless(clip);
    let publisher = WsPublisher::start(&gateway.ws_url(&format!("{name}.flv")), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}

/// A clip's FLV flags and tags, over and over for two minutes.
fn endless(clip: Clip) -> (u8, Vec<Tag>) {
    let (flags, tags) = flv::read(&fs::read(clip.file()).unwrap());
    (flags, flv::repeat(&tags, 15, lianmai_tests::clip::MILLIS))
}
