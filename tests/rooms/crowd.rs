//! Many participants.

use lianmai_tests::room::url;
use lianmai_tests::{Gateway, RoomClient, wait, ws};
use serde_json::json;

use crate::{LIMIT, ROOM, join};

/// Members of the audience.
const CROWD: usize = 2_000;
/// Participants who come and go.
const GUESTS: usize = 1_000;

#[test]
fn two_thousand_come_hear_and_go() {
    let gateway = Gateway::start(&["--max-connections", "5000", "--max-connections-per-ip", "5000"]);
    let mut host = join(&gateway, "Host", "host");
    let text = json!({ "type": "join", "version": 1, "name": "A", "role": "audience" }).to_string();
    let mut crowd: Vec<ws::Socket> = (0..CROWD)
        .map(|_| {
            let mut socket = ws::connect(&url(&gateway, ROOM)).expect("a WebSocket");
            socket.send(ws::Message::text(text.as_str())).expect("it can be sent");
            socket
        })
        .collect();
    host.wait("audience", |counts| counts["count"] == CROWD);
    host.send(&json!({ "type": "chat", "text": "hello" }));
    for socket in &mut crowd {
        loop {
            let message = socket.read().expect("the chat goes on");
            if message.is_text() && message.to_text().unwrap_or_default().contains("\"text\":\"hello\"") {
                break;
            }
        }
    }
    // Half of them leave, the others vanish.
    for socket in crowd.iter_mut().step_by(2) {
        socket.send(ws::Message::text("{\"type\":\"leave\"}")).expect("it can be sent");
    }
    drop(crowd);
    host.wait("audience", |counts| counts["count"] == 0);
    wait::until_true("the connections to be closed", LIMIT, || gateway.connections() <= 3);
}

#[test]
fn a_thousand_guests_come_and_go_and_leave_nothing() {
    let gateway = Gateway::start(&["--room-seats", "3"]);
    let mut host = join(&gateway, "Host", "host");
    let mut memory = 0;
    for n in 0..GUESTS {
        // Two seats: one is always free when the next comes.
        let mut guest = RoomClient::join(&gateway, ROOM, &format!("G{n}"), json!({ "role": "guest" }));
        guest.send(&json!({ "type": "chat", "text": "x" }));
        guest.send(&json!({ "type": "leave" }));
        assert_eq!(guest.closed(), 1000);
        if n % 10 == 0 {
            host.sync();
            for kind in ["person", "left", "chat"] {
                host.take_all(kind);
            }
        }
        if n == GUESTS / 4 {
            memory = gateway.rss();
        }
    }
    let grown = gateway.rss().saturating_sub(memory);
    assert!(grown < 4 << 20, "{grown} bytes more");
    host.sync();
    let rooms = gateway.json("/api/v1/rooms");
    assert_eq!(rooms["rooms"][0]["hosts"].as_array().map(Vec::len), Some(1), "{rooms}");
    let seats: Vec<_> = (0..2).map(|n| join(&gateway, &format!("S{n}"), "guest")).collect();
    assert!(seats.iter().all(|seat| seat.role() == "guest"));
}
