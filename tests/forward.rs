//! Forwards: a stream on its way to other servers, which are real ones: a second gateway, ffmpeg and nginx.

#[path = "forward/api.rs"]
mod api;
#[path = "forward/outages.rs"]
mod outages;
#[path = "forward/targets.rs"]
mod servers;
#[path = "forward/whip.rs"]
mod whip;

use std::net::{SocketAddr, TcpListener};

use lianmai_tests::Gateway;
use lianmai_tests::relay::{self, LIMIT, publish, targets, wait_frames};
use serde_json::Value;

/// Waits until the first target of the first forward is in this state. Returns it.
#[track_caller]
fn wait_state(gateway: &Gateway, state: &str) -> Value {
    relay::wait_state(state, || targets(gateway))
}

/// Returns an address where nobody listens, for a server that cannot choose a port itself.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens")
}
