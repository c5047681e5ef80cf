//! Participants who send or take the wrong things.

use std::io::Read as _;
use std::thread;
use std::time::Duration;

use lianmai_tests::room::url;
use lianmai_tests::{Gateway, RoomClient, http, ws};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;

use crate::{ROOM, join};

/// Joins without checking and reading anything.
#[track_caller]
fn raw(gateway: &Gateway, name: &str, role: &str) -> ws::Socket {
    let mut socket = ws::connect(&url(gateway, ROOM)).expect("a WebSocket");
    let join = json!({ "type": "join", "version": 1, "name": name, "role": role });
    socket.send(ws::Message::text(join.to_string())).expect("it can be sent");
    socket
}

/// Reads until the end, and returns its code; 1006 if the connection broke.
#[track_caller]
fn end(socket: &mut ws::Socket) -> u16 {
    loop {
        match socket.read() {
            Ok(ws::Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
            Ok(_) => {}
            Err(ws::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the gateway does not close the connection")
            }
            Err(_) => return 1006,
        }
    }
}

#[test]
fn messages_that_are_none_end_or_are_answered() {
    let gateway = Gateway::start(&["--header-timeout", "3"]);
    let mut host = join(&gateway, "Host", "host");
    // Before joining.
    let silent = ws::connect(&url(&gateway, ROOM)).expect("a WebSocket");
    for (first, code) in [
        ("{\"type\":\"chat\",\"text\":\"x\"}", "not_joined"),
        ("hello", "not_joined"),
        ("{\"type\":\"join\",\"version\":2,\"name\":\"x\"}", "version"),
        ("{\"type\":\"join\",\"version\":1}", "name"),
        ("{\"type\":\"join\",\"version\":1,\"name\":\" \\u202e\\u0000 \"}", "name"),
        ("{\"type\":\"join\",\"version\":1,\"name\":\"x\",\"role\":\"king\"}", "not_joined"),
        ("{\"type\":\"join\",\"version\":1,\"name\":\"x\",\"role\":\"waiting\"}", "forbidden"),
    ] {
        let mut client = RoomClient::connect(&gateway, ROOM, &[]);
        client.say(first);
        let refused = client.enter().expect_err(first);
        assert_eq!((refused.error.as_str(), refused.close), (code, 4003), "{first}");
    }
    let mut silent = silent;
    assert_eq!(end(&mut silent), 4003, "no `join` came");

    // Afterwards: nonsense is answered, and the connection goes on.
    let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
    let nested = format!("{{\"type\":\"ping\",\"x\":{}1{}}}", "{\"a\":".repeat(2_000), "}".repeat(2_000));
    for text in ["hello", "{", "[]", "7", "{\"type\":7}", "{\"type\":\"chat\"}", "\u{0}", &deep, &nested] {
        host.say(text);
        host.wait("error", |error| error["code"] == "bad_message");
    }
    host.say("{\"type\":\"dance\",\"steps\":3}");
    host.say("{\"type\":\"hand\",\"up\":false,\"unknown\":{}}");
    assert_eq!(host.refused(&json!({ "type": "join", "version": 1, "name": "x" })), "not_now");
    for (message, code) in [
        (json!({ "type": "make_invite", "role": "guest", "minutes": 10_081 }), "bad_message"),
        (json!({ "type": "make_invite", "role": "waiting", "minutes": 1 }), "bad_message"),
        (json!({ "type": "settings", "slow": 3_601 }), "bad_message"),
        (json!({ "type": "settings", "title": "x".repeat(101) }), "too_long"),
        (json!({ "type": "settings", "title": " \u{200b} " }), "too_long"),
        (json!({ "type": "like", "count": 51 }), "bad_message"),
        (json!({ "type": "silence", "id": host.id(), "seconds": 86_401 }), "bad_message"),
        (json!({ "type": "make_encoder", "name": "\u{202e}" }), "name"),
        (json!({ "type": "chat", "text": "x".repeat(301) }), "too_long"),
        (json!({ "type": "promote", "id": host.id(), "role": "audience" }), "bad_message"),
    ] {
        host.say(&message.to_string());
        let error = host.wait("error", |error| error["about"] == message["type"]);
        assert_eq!(error["code"], code, "{message}");
    }
    assert!(!host.has("error", |_| true));

    // These end the connection, and only that one.
    let mut large = raw(&gateway, "Large", "audience");
    let _ = large.send(ws::Message::text("x".repeat(1 << 20)));
    assert!(matches!(end(&mut large), 1009 | 1006));
    let mut large = raw(&gateway, "Large", "audience");
    large.send(ws::Message::text("x".repeat((16 << 10) + 1))).expect("it can be sent");
    assert_eq!(end(&mut large), 1009);
    let mut binary = raw(&gateway, "Binary", "audience");
    binary.send(ws::Message::binary(vec![0; 10])).expect("it can be sent");
    assert_eq!(end(&mut binary), 1003);
    host.sync();
}

#[test]
fn names_and_texts_arrive_as_text() {
    let gateway = Gateway::start(&[]);
    let mut host = join(&gateway, "<script>alert(1)</script>", "host");
    assert_eq!(host.welcome["name"], "<script>alert(1)</script>");
    assert!(host.id().starts_with("script-alert-") || host.id().starts_with("script-alert"), "{}", host.id());
    let text = "\"}]<img src=x onerror=alert(1)>\u{2028}\u{202e}gnp.exe\u{1b}[31m\u{feff}";
    host.say(&json!({ "type": "chat", "text": text }).to_string());
    let heard = host.wait("chat", |_| true);
    assert_eq!(heard["text"], "\"}]<img src=x onerror=alert(1)> gnp.exe [31m");
    let control = join(&gateway, "A\u{0}\u{7}\nB\u{2066}", "audience");
    assert_eq!(control.welcome["name"], "A B");
    // 40 characters of four bytes each.
    let long = join(&gateway, &"😀".repeat(40), "guest");
    assert_eq!(long.welcome["name"], "😀".repeat(40));
    for id in [host.id(), control.id(), long.id()] {
        assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
    }
}

#[test]
fn a_flood_ends_its_own_connection_only() {
    let gateway = Gateway::start(&[]);
    let (mut host, mut eve) = (join(&gateway, "Host", "host"), join(&gateway, "Eve", "audience"));
    type Flood = (&'static str, fn(usize) -> ws::Message);
    let floods: [Flood; 4] = [
        ("pings of the room", |n| ws::Message::text(json!({ "type": "ping", "n": n }).to_string())),
        ("pings of WebSocket", |_| ws::Message::Ping(vec![1; 100].into())),
        ("bytes", |_| ws::Message::text(format!("{{\"type\":\"x\",\"y\":\"{}\"}}", "y".repeat(15_000)))),
        ("chat", |n| ws::Message::text(json!({ "type": "chat", "text": n.to_string() }).to_string())),
    ];
    for (what, message) in floods {
        let mut flood = raw(&gateway, "Flood", "audience");
        for n in 0..10_000 {
            if flood.send(message(n)).is_err() {
                break;
            }
        }
        let code = end(&mut flood);
        assert!(matches!(code, 4029 | 1006), "{what}: {code}");
        host.sync();
    }
    // The chat took five messages of the flood.
    host.send(&json!({ "type": "chat", "text": "all well?" }));
    eve.wait("chat", |chat| chat["text"] == "all well?");
    let heard = eve.take_all("chat").len();
    assert!(heard <= 10, "{heard}");
}

#[test]
fn hands_that_wave_disturb_nobody() {
    let gateway = Gateway::start(&[]);
    let (mut host, mut eve) = (join(&gateway, "Host", "host"), join(&gateway, "Eve", "audience"));
    let mut waving: Vec<ws::Socket> = (0..20).map(|n| raw(&gateway, &format!("W{n}"), "audience")).collect();
    for n in 0..90 {
        for socket in &mut waving {
            let hand = json!({ "type": "hand", "up": n % 2 == 0 });
            socket.send(ws::Message::text(hand.to_string())).expect("it can be sent");
        }
    }
    // Neither is closed as too slow, although neither reads meanwhile.
    eve.wait("person", |_| true);
    eve.sync();
    host.sync();
    // A room takes 20 hands a second, however many wave.
    let told = host.take_all("person").iter().filter(|person| person["person"]["hand"] == true).count();
    assert!((1..=20 * 10).contains(&told), "{told} raised hands");
}

#[test]
fn a_client_that_never_reads_is_disconnected() {
    let gateway = Gateway::start(&["--stall-timeout", "2", "--room-seats", "20"]);
    let mut host = join(&gateway, "Host", "host");
    let before = gateway.rss();
    let stalled: Vec<ws::Socket> = (0..10).map(|n| raw(&gateway, &format!("S{n}"), "audience")).collect();
    host.wait("audience", |counts| counts["count"] == 10);
    // Pages of SRS may send long texts to everybody.
    let mut pages: Vec<ws::Socket> = (0..10)
        .map(|n| {
            let mut page = ws::connect(&format!("ws://{}/sig/v1/rtc", gateway.http())).expect("a WebSocket");
            let join =
                json!({ "tid": "1", "msg": { "action": "join", "room": ROOM, "display": format!("p{n}") } });
            page.send(ws::Message::text(join.to_string())).expect("it can be sent");
            let MaybeTlsStream::Plain(tcp) = page.get_ref() else { panic!("no TLS here") };
            let mut tcp = tcp.try_clone().expect("another handle");
            thread::spawn(move || while tcp.read(&mut [0; 1 << 16]).is_ok_and(|n| n > 0) {});
            page
        })
        .collect();
    let long = "😀".repeat(300);
    let control =
        json!({ "tid": "2", "msg": { "action": "control", "call": long, "data": long } }).to_string();
    for round in 0.. {
        assert!(round < 1_000, "the clients that do not read are still there");
        for page in &mut pages {
            let _ = page.send(ws::Message::text(control.as_str()));
        }
        if round >= 80 {
            // The rate that is allowed after the burst.
            thread::sleep(Duration::from_millis(60));
        }
        host.sync();
        host.take_all("control");
        if host.take_all("audience").iter().any(|counts| counts["count"] == 0) {
            break;
        }
    }
    let grown = gateway.rss().saturating_sub(before);
    assert!(grown < 100 << 20, "{grown} bytes more");
    drop(stalled);
}

#[test]
fn room_names_are_names() {
    let gateway = Gateway::start(&[]);
    let long = "x".repeat(65);
    let huge = "x".repeat(5_000);
    let upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for name in [
        "..",
        ".",
        "%2e%2e",
        "%2E%2e%2fetc",
        "..%2f..%2fetc%2fpasswd",
        ".hidden",
        "a%2f%2e%2e%2fb",
        "a%2F",
        "%2Fa",
        "a%2F%2Fb",
        "%2F",
        "%00",
        "a%0d%0ab",
        "a%20b",
        "%ff",
        "%",
        "a%25b",
        "a%3Fb",
        "a%23b",
        "a%5Cb",
        "%3Cimg%3E",
        "api",
        "api%2Fv1",
        "rtc",
        "rooms",
        "%E2%80%AE%20",
        &long,
        &huge,
    ] {
        let answer = http::open(gateway.http(), "GET", &format!("/api/v1/rooms/{name}"), &upgrade);
        assert!(matches!(answer.status, 400 | 404 | 414), "{name}: {}", answer.status);
    }
    assert_eq!(gateway.json("/api/v1/rooms")["rooms"], Value::Array(vec![]));
}
