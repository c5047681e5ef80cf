//! The chat: order, history, moderation, likes.

use std::fs;

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::{Gateway, RoomClient, wait};
use serde_json::{Value, json};

use crate::{LIMIT, ROOM, join};

fn say(client: &mut RoomClient, text: &str) {
    client.send(&json!({ "type": "chat", "text": text }));
}

/// Waits for the message `text`; returns its number.
#[track_caller]
fn heard(client: &mut RoomClient, text: &str) -> u64 {
    client.wait("chat", |chat| chat["text"] == text)["seq"].as_u64().expect("a number")
}

fn texts(welcome: &Value) -> Vec<&str> {
    welcome["chat"].as_array().into_iter().flatten().filter_map(|chat| chat["text"].as_str()).collect()
}

#[test]
fn everybody_hears_everything_in_order_and_late_comers_the_rest() {
    let gateway = Gateway::start(&[]);
    let (mut anna, mut eve) = (join(&gateway, "Anna", "host"), join(&gateway, "Eve", "audience"));
    say(&mut anna, "one");
    assert_eq!(heard(&mut eve, "one"), 1);
    say(&mut eve, " two\u{202e}\r\n<b>2</b> \u{0}");
    assert_eq!((heard(&mut anna, "one"), heard(&mut anna, "two <b>2</b>")), (1, 2));
    heard(&mut eve, "two <b>2</b>");
    let late = join(&gateway, "Late", "audience");
    assert_eq!(texts(&late.welcome), ["one", "two <b>2</b>"]);
    assert_eq!(late.welcome["chat"][1]["role"], "audience");
    for (since, expected) in [(1, vec!["two <b>2</b>"]), (2, vec![]), (99, vec!["one", "two <b>2</b>"])] {
        let back = RoomClient::join(&gateway, ROOM, "Back", json!({ "role": "audience", "since": since }));
        assert_eq!(texts(&back.welcome), expected, "{since}");
    }
    // A message of the past is not told again.
    say(&mut anna, "three");
    let mut late = late;
    assert_eq!(heard(&mut late, "three"), 3);
    assert!(!late.has("chat", |_| true));

    // One's own message, and any for a host.
    assert_eq!(eve.refused(&json!({ "type": "delete", "seq": 1 })), "forbidden");
    eve.send(&json!({ "type": "delete", "seq": 2 }));
    anna.wait("deleted", |deleted| deleted["seq"] == 2);
    anna.send(&json!({ "type": "delete", "seq": 3 }));
    late.wait("deleted", |deleted| deleted["seq"] == 3);
    assert_eq!(texts(&join(&gateway, "Later", "audience").welcome), ["one"]);
}

#[test]
fn hosts_close_slow_and_silence_the_chat() {
    let gateway = Gateway::start(&[]);
    let (mut anna, mut eve) = (join(&gateway, "Anna", "host"), join(&gateway, "Eve", "audience"));
    let text = json!({ "type": "chat", "text": "x" });
    let set = |anna: &mut RoomClient, eve: &mut RoomClient, change: Value| {
        let mut message = json!({ "type": "settings" });
        for (field, value) in change.as_object().unwrap() {
            message[field] = value.clone();
        }
        anna.send(&message);
        let (field, value) = change.as_object().unwrap().iter().next().unwrap();
        eve.wait("settings", |settings| settings["room"][field] == *value);
    };
    set(&mut anna, &mut eve, json!({ "chat": "hosts" }));
    assert_eq!(eve.refused(&text), "chat_closed");
    anna.send(&text);
    heard(&mut eve, "x");
    set(&mut anna, &mut eve, json!({ "chat": "off" }));
    assert_eq!(anna.refused(&text), "chat_closed");
    set(&mut anna, &mut eve, json!({ "chat": "all", "slow": 3600 }));
    eve.send(&text);
    heard(&mut anna, "x");
    eve.send(&text);
    let error = eve.wait("error", |error| error["code"] == "slow_down");
    assert!(error["retry"].as_u64().is_some_and(|retry| (3500..=3600).contains(&retry)), "{error}");
    set(&mut anna, &mut eve, json!({ "slow": 0 }));
    anna.send(&json!({ "type": "silence", "id": eve.id(), "seconds": 600 }));
    eve.wait("silenced", |_| true);
    assert_eq!(eve.refused(&text), "silenced");
    anna.send(&json!({ "type": "silence", "id": eve.id(), "seconds": 0 }));
    eve.wait("silenced", |_| true);
    eve.send(&text);
    heard(&mut anna, "x");
    // Likes are counted for all.
    eve.send(&json!({ "type": "like", "count": 3 }));
    anna.wait("audience", |counts| counts["likes"] == 3);
}

#[test]
fn the_log_is_a_file_per_room_inside_its_folder() {
    let dir = temp_dir("chat-log");
    let gateway = Gateway::start(&["--chat-log", "--data", dir.to_str().unwrap()]);
    for room in ["a.b", "site%2Fshow", "%E5%AE%89"] {
        let mut host = RoomClient::join(&gateway, room, "Anna", json!({}));
        say(&mut host, "hello\u{2028}there");
        heard(&mut host, "hello there");
    }
    let files = || -> Vec<String> {
        let entries = fs::read_dir(dir.join("chat")).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    wait::until_true("three files", LIMIT, || files().len() == 3);
    let files = files();
    for (file, start) in files.iter().zip(["a.b-2", "site%2Fshow-2", "安-2"]) {
        assert!(file.starts_with(start) && file.ends_with(".jsonl"), "{files:?}");
        let line = wait::until("a line", LIMIT, || {
            let text = fs::read_to_string(dir.join("chat").join(file)).ok()?;
            serde_json::from_str::<Value>(text.strip_suffix('\n')?).ok()
        });
        assert_eq!((&line["seq"], &line["text"]), (&json!(1), &json!("hello there")));
    }
}
