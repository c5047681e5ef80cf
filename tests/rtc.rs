//! WebRTC with real peers over real sockets: signalling, sessions, what viewers get, and hostile peers.

#[path = "rtc/bframes.rs"]
mod bframes;
#[path = "rtc/foreign.rs"]
mod foreign;
#[path = "rtc/hostile.rs"]
mod hostile;
#[path = "rtc/hundred.rs"]
mod hundred;
#[path = "rtc/offers.rs"]
mod offers;
#[path = "rtc/sessions.rs"]
mod sessions;
#[path = "rtc/signalling.rs"]
mod signalling;
#[path = "rtc/viewers.rs"]
mod viewers;

use std::time::Duration;

use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway};

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(60);

/// Publishes `clip` as `live/NAME` by WebSocket for up to two minutes.
#[track_caller]
fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = clip.minutes(2);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}
