//! The limits of rooms: each is reached and then exceeded.

use lianmai_tests::{Gateway, RoomClient};
use serde_json::json;

use crate::join;

#[test]
fn there_are_so_many_rooms_and_empty_ones_make_way() {
    let gateway = Gateway::start(&["--max-rooms", "2"]);
    let open = |room: &str| RoomClient::try_join(&gateway, room, "Anna", json!({}));
    let (mut first, second) = (open("first").expect("a room"), open("second").expect("a room"));
    let full = open("third").expect_err("one too many");
    assert!(full.error == "full" && full.text.contains("--max-rooms"), "{full:?}");
    // A stranger opens none, and a seat key for one that is gone neither.
    first.send(&json!({ "type": "chat", "text": "x" }));
    first.wait("chat", |_| true);
    first.send(&json!({ "type": "leave" }));
    assert_eq!(first.closed(), 1000);
    // An empty room is kept with its chat, until another needs its place.
    let back = open("first").expect("it is still there");
    assert_eq!(back.welcome["chat"].as_array().map(Vec::len), Some(1));
    let mut back = back;
    back.send(&json!({ "type": "leave" }));
    assert_eq!(back.closed(), 1000);
    let _third = open("third").expect("a place");
    let key = json!({ "key": back.key() });
    assert_eq!(RoomClient::try_join(&gateway, "first", "Anna", key).unwrap_err().error, "full");
    drop(second);
}

#[test]
fn the_chat_keeps_so_many_messages_and_takes_so_many_a_second() {
    let gateway = Gateway::start(&["--room-seats", "60"]);
    let mut host = join(&gateway, "Host", "host");
    let mut sent = 0_u64;
    let mut refused = 0;
    // Five at once from each of fifty; the room as a whole takes twenty a second.
    let mut clients: Vec<RoomClient> =
        (0..50).map(|n| join(&gateway, &format!("C{n}"), "audience")).collect();
    for client in &mut clients {
        for _ in 0..6 {
            client.send(&json!({ "type": "chat", "text": "😀".repeat(300) }));
        }
        client.sync();
        let errors = client.take_all("error");
        assert!(
            errors.iter().all(|error| error["code"] == "slow_down" && error["retry"].is_u64()),
            "{errors:?}"
        );
        let own = errors.len() as u64;
        assert!(own >= 1, "the sixth message at once");
        refused += own;
        sent += 6 - own;
    }
    assert!(sent < 250 && refused > 50, "{sent} were taken");
    let last = sent;
    host.wait("chat", |chat| chat["seq"] == last);
}

#[test]
fn so_many_of_the_audience_are_listed() {
    let gateway = Gateway::start(&[]);
    let mut host = join(&gateway, "Host", "host");
    let hand = json!({ "type": "hand", "up": true });
    let mut listed: Vec<RoomClient> =
        (0..100).map(|n| join(&gateway, &format!("L{n}"), "audience")).collect();
    let (hands, invited) = listed.split_at_mut(10);
    for client in hands {
        client.send(&hand);
        client.sync();
    }
    for client in invited {
        host.send(&json!({ "type": "invite", "id": client.id() }));
    }
    host.sync();
    let mut more = join(&gateway, "More", "audience");
    assert_eq!(more.welcome["people"].as_array().map(Vec::len), Some(101));
    assert_eq!(more.refused(&hand), "not_now");
    assert_eq!(host.refused(&json!({ "type": "invite", "id": more.id() })), "not_now");
    listed[0].send(&json!({ "type": "hand", "up": false }));
    listed[0].sync();
    more.send(&hand);
    host.wait_person(more.id(), |person| person["hand"] == true);
    // One of the listed has so many changes a second.
    for n in 0..20 {
        more.send(&json!({ "type": "hand", "up": n % 2 == 1 }));
    }
    more.wait("error", |error| error["code"] == "slow_down");
}
