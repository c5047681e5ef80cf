//! Rooms: roles, the stage, the chat, media with seat keys, restarts, SRS's signalling, and hostile participants.
//! Every message in both directions is checked against `docs/rooms.schema.json`.

#[path = "rooms/audio.rs"]
mod audio;
#[path = "rooms/bounds.rs"]
mod bounds;
#[path = "rooms/chat.rs"]
mod chat;
#[path = "rooms/crowd.rs"]
mod crowd;
#[path = "rooms/encoder.rs"]
mod encoder;
#[path = "rooms/hostile.rs"]
mod hostile;
#[path = "rooms/join.rs"]
mod join;
#[path = "rooms/media.rs"]
mod media;
#[path = "rooms/restart.rs"]
mod restart;
#[path = "rooms/schema.rs"]
mod schema;
#[path = "rooms/signalling.rs"]
mod signalling;
#[path = "rooms/stage.rs"]
mod stage;

use std::time::Duration;

use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::Call;
use lianmai_tests::{Clip, Gateway, RoomClient};
use serde_json::{Value, json};

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(60);
/// The room of most tests.
const ROOM: &str = "show";

/// A public gateway, where the secret makes hosts, with further flags.
#[track_caller]
fn public(flags: &[&str]) -> Gateway {
    Gateway::start(&[&["--public", "--secret", "right"], flags].concat())
}

/// Joins [`ROOM`] with a role.
#[track_caller]
fn join(gateway: &Gateway, name: &str, role: &str) -> RoomClient {
    RoomClient::join(gateway, ROOM, name, json!({ "role": role }))
}

/// Joins [`ROOM`] of a public gateway with the secret.
#[track_caller]
fn host(gateway: &Gateway) -> RoomClient {
    RoomClient::join(gateway, "show?secret=right", "Host", json!({}))
}

/// Joins with an invitation that `host` makes.
#[track_caller]
fn invited(gateway: &Gateway, host: &mut RoomClient, name: &str, role: &str) -> RoomClient {
    let invite = invite(host, role);
    RoomClient::join(gateway, ROOM, name, json!({ "invite": invite }))
}

/// Returns an invitation that `host` makes.
#[track_caller]
fn invite(host: &mut RoomClient, role: &str) -> Value {
    host.send(&json!({ "type": "make_invite", "role": role, "minutes": 60 }));
    host.wait("invite_made", |made| made["role"] == role)["invite"].clone()
}

/// WHIP or WHEP for a stream of [`ROOM`], with a seat key.
#[track_caller]
fn call(gateway: &Gateway, stream: &str, key: &str) -> Call {
    Call::new(gateway, stream).app(ROOM).query(&format!("seat={key}"))
}

/// Starts to publish a stream of [`ROOM`] over WebSocket with a seat key; does not wait for it.
#[track_caller]
fn ws_publish(gateway: &Gateway, stream: &str, key: &str) -> WsPublisher {
    let (flags, tags) = Clip::Av.minutes(2);
    let url = format!("ws://{}/{ROOM}/{stream}.flv?action=publish&seat={key}", gateway.http());
    WsPublisher::start(&url, flags, tags, 1.0)
}

/// Returns whether a person's main stream is on air.
fn on_air(person: &Value) -> bool {
    person["stream"].is_string()
}
