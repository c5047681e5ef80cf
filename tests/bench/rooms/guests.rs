//! Memory of the gateway while guests come and go.

use std::time::{Duration, Instant};

use lianmai_tests::{Gateway, RoomClient};
use serde_json::json;

const GUESTS: usize = 1_000;
/// Number of guests after which the host reads its messages: rarely enough for the limit of 20 messages a second.
const READ_EVERY: usize = 100;
/// Guests after which the memory is the baseline.
const WARM_UP: usize = 200;

pub(super) fn run() {
    let gateway = Gateway::start(&["--room-seats", "3"]);
    let mut host = RoomClient::join(&gateway, "bench", "Host", json!({}));
    let (began, mut before) = (Instant::now(), 0);
    let mut refused = 0;
    for n in 0..WARM_UP + GUESTS {
        if n == WARM_UP {
            before = gateway.rss();
        }
        let name = format!("G{n}");
        match RoomClient::try_join(&gateway, "bench", &name, json!({ "role": "guest" })) {
            Ok(mut guest) => {
                guest.send(&json!({ "type": "leave" }));
                guest.closed();
            }
            Err(_) => refused += 1,
        }
        if n % READ_EVERY == 0 {
            host.sync();
            for kind in ["person", "left", "audience"] {
                host.take_all(kind);
            }
        }
    }
    let each = began.elapsed() / (WARM_UP + GUESTS) as u32;
    let grown = gateway.rss() as i64 - before as i64;
    let rooms = gateway.json("/api/v1/rooms");
    let seated = rooms["rooms"][0]["hosts"].as_array().map_or(0, Vec::len);
    println!(
        "{GUESTS} guests join and leave, one after another: {:+.2} MB of memory, {refused} refused, {seated} seat taken \
         at the end (target: flat, 0 and 1); {:.1} ms each",
        grown as f64 / 1e6,
        Duration::as_secs_f64(&each) * 1e3,
    );
}
