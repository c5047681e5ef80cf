//! Features that streamers, viewers and operators rely on: restarts, refusals with an explanation, waiting,
//! closing clients, the API, the command line.

#[path = "operation/acme.rs"]
mod acme;
#[path = "operation/api.rs"]
mod api;
#[path = "operation/credentials.rs"]
mod credentials;
#[path = "operation/hooks.rs"]
mod hooks;
#[path = "operation/https.rs"]
mod https;
#[path = "operation/issuers.rs"]
mod issuers;
#[path = "operation/keys.rs"]
mod keys;
#[path = "operation/log.rs"]
mod log;
#[path = "operation/openapi.rs"]
mod openapi;
#[path = "operation/proxies.rs"]
mod proxies;
#[path = "operation/publishers.rs"]
mod publishers;
#[path = "operation/reload.rs"]
mod reload;
#[path = "operation/rtmps.rs"]
mod rtmps;
#[path = "operation/secrets.rs"]
mod secrets;
#[path = "operation/server.rs"]
mod server;
#[path = "operation/service.rs"]
mod service;
#[path = "operation/sessions.rs"]
mod sessions;
#[path = "operation/tokens.rs"]
mod tokens;
#[path = "operation/tunnels.rs"]
mod tunnels;
#[path = "operation/viewers.rs"]
mod viewers;

use std::time::Duration;

use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway};

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(60);

/// Publishes `clip` as `live/NAME` for up to two minutes.
#[track_caller]
fn publish(gateway: &Gateway, name: &str, clip: Clip) -> WsPublisher {
    let (flags, tags) = clip.minutes(2);
    let publisher = WsPublisher::start(&gateway.ws_publish_url(name), flags, tags, 1.0);
    gateway.wait_published(name);
    publisher
}
