//! SRS's signalling, as its pages use it.

use lianmai_tests::{Clip, Gateway, publisher, ws};
use serde_json::{Value, json};

use crate::{ROOM, join, on_air, public};

/// A page of SRS.
struct Page {
    socket: ws::Socket,
    pending: Vec<Value>,
}

impl Page {
    #[track_caller]
    fn connect(gateway: &Gateway, query: &str) -> Self {
        let url = format!("ws://{}/sig/v1/rtc{query}", gateway.http());
        Self { socket: ws::connect(&url).expect("a WebSocket"), pending: Vec::new() }
    }

    #[track_caller]
    fn join(gateway: &Gateway, display: &str) -> (Self, Value) {
        let mut page = Self::connect(gateway, "");
        page.send("1000001", &json!({ "action": "join", "room": ROOM, "display": display }));
        let joined = page.wait(|message| message["tid"] == "1000001");
        (page, joined["msg"].clone())
    }

    #[track_caller]
    fn send(&mut self, tid: &str, msg: &Value) {
        let text = json!({ "tid": tid, "msg": msg }).to_string();
        self.socket.send(ws::Message::text(text)).expect("it can be sent");
    }

    #[track_caller]
    fn wait(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(at) = self.pending.iter().position(&is) {
                return self.pending.remove(at);
            }
            match self.socket.read().unwrap_or_else(|error| panic!("{error}: {:?}", self.pending)) {
                ws::Message::Text(text) => self.pending.push(serde_json::from_str(&text).expect("JSON")),
                ws::Message::Close(frame) => panic!("{frame:?}: {:?}", self.pending),
                _ => {}
            }
        }
    }

    #[track_caller]
    fn notified(&mut self, event: &str) -> Value {
        self.wait(|message| message["msg"]["event"] == event)["msg"].clone()
    }

    /// Returns the reason with which the gateway closes the connection.
    #[track_caller]
    fn closed(&mut self) -> String {
        loop {
            match self.socket.read() {
                Ok(ws::Message::Close(frame)) => {
                    return frame.map_or(String::new(), |frame| frame.reason.to_string());
                }
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn pages_of_srs_find_each_other_and_everybody_else() {
    let gateway = Gateway::start(&[]);
    assert_eq!(gateway.get("/sig/v1/versions").text(), "1.0");
    let mut anna = join(&gateway, "Anna", "host");
    let (mut alice, joined) = Page::join(&gateway, "alice");
    assert_eq!((&joined["action"], &joined["room"]), (&json!("join"), &json!(ROOM)));
    assert_eq!(joined["self"], json!({ "display": "alice", "publishing": false }));
    let displays: Vec<&Value> =
        joined["participants"].as_array().unwrap().iter().map(|one| &one["display"]).collect();
    assert!(displays.contains(&&json!("alice")) && displays.contains(&&json!(anna.id())), "{joined}");
    anna.wait_person("alice", |person| person["role"] == "guest");

    let (mut bob, joined) = Page::join(&gateway, "bob");
    assert_eq!(joined["participants"].as_array().map(Vec::len), Some(3));
    assert_eq!(alice.notified("join")["peer"], json!({ "display": "bob", "publishing": false }));
    // The others hear of a publisher when its media is there.
    alice.send("2", &json!({ "action": "publish", "room": ROOM, "display": "alice" }));
    alice.wait(|message| message["tid"] == "2");
    let url = format!("rtmp://{}/{ROOM}/alice", gateway.rtmp());
    let stream = publisher::ffmpeg_forever(&Clip::Av.file(), &url);
    let told = bob.notified("publish");
    assert_eq!(told["peer"], json!({ "display": "alice", "publishing": true }));
    assert_eq!(told["self"]["display"], "bob");
    anna.wait_person("alice", |person| on_air(person) && person["encoder"] == false);
    let (_carl, joined) = Page::join(&gateway, "carl");
    assert!(
        joined["participants"]
            .as_array()
            .unwrap()
            .contains(&json!({ "display": "alice", "publishing": true }))
    );

    bob.send(
        "3",
        &json!({ "action": "control", "room": ROOM, "display": "bob", "call": "alice", "data": "<x>" }),
    );
    bob.wait(|message| message["tid"] == "3");
    let told = alice.notified("control");
    assert_eq!(
        (&told["param"], &told["data"], &told["peer"]["display"]),
        (&json!("alice"), &json!("<x>"), &json!("bob"))
    );
    anna.wait("control", |control| control["id"] == "bob");
    drop(bob);
    assert_eq!(alice.notified("leave")["peer"]["display"], "bob");
    anna.wait("left", |left| left["id"] == "bob");
    drop(stream);
}

#[test]
fn names_that_exist_or_are_none_and_strangers_are_refused() {
    let gateway = Gateway::start(&[]);
    let anna = join(&gateway, "Anna", "host");
    let (_alice, _) = Page::join(&gateway, "alice");
    let long = "x".repeat(129);
    for (room, display, words) in [
        (ROOM, "alice", "a participant of this name"),
        (ROOM, anna.id(), "a participant of this name"),
        (ROOM, "", "name"),
        (ROOM, "a/b", "name"),
        (ROOM, "a?seat=1", "name"),
        (ROOM, "alice~s", "name"),
        (ROOM, "<img>", "name"),
        (ROOM, "a\u{202e}b", "name"),
        (ROOM, &long, "name"),
        ("../etc", "eve", "name"),
        ("api", "eve", "name"),
        ("", "eve", "name"),
    ] {
        let mut page = Page::connect(&gateway, "");
        page.send("1", &json!({ "action": "join", "room": room, "display": display }));
        let reason = page.closed();
        assert!(reason.contains(words), "{room} {display}: {reason}");
    }
    for text in ["[]", "{\"msg\":7}", "", "{\"tid\":1,\"msg\":{\"action\":\"publish\"}}"] {
        let mut page = Page::connect(&gateway, "");
        page.socket.send(ws::Message::text(text)).expect("it can be sent");
        assert!(!page.closed().is_empty(), "{text}");
    }
    let gateway = public(&[]);
    let mut page = Page::connect(&gateway, "");
    page.send("1", &json!({ "action": "join", "room": ROOM, "display": "eve" }));
    assert!(page.closed().contains("needs the secret"));
    let mut page = Page::connect(&gateway, "?secret=right");
    page.send("1", &json!({ "action": "join", "room": ROOM, "display": "eve" }));
    page.wait(|message| message["tid"] == "1");
    // A flood ends the connection.
    for n in 0..500 {
        let text = json!({ "tid": n, "msg": { "action": "control" } }).to_string();
        if page.socket.send(ws::Message::text(text)).is_err() {
            break;
        }
    }
    assert!(page.closed().contains("too many messages"));
}
