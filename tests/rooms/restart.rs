//! Lost connections and restarts of the gateway.

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::rtc::{Media, Peer};
use lianmai_tests::{Gateway, RoomClient};
use serde_json::json;

use crate::{LIMIT, ROOM, call, host, invite, invited, on_air, public};

#[test]
fn after_a_restart_everybody_is_back_on_the_own_seat() {
    let dir = temp_dir("rooms-restart");
    let flags = ["--data", dir.to_str().unwrap()];
    let mut gateway = public(&flags);
    let mut anna = host(&gateway);
    let bert = invited(&gateway, &mut anna, "Bert", "guest");
    let eve = RoomClient::join(&gateway, ROOM, "Eve", json!({}));
    let invitation = invite(&mut anna, "guest");
    anna.send(&json!({ "type": "chat", "text": "before" }));
    anna.wait("chat", |_| true);
    let keys: Vec<_> =
        [&anna, &bert, &eve].map(|client| (client.id().to_owned(), client.key().to_owned())).into();
    let ended = std::thread::scope(|scope| {
        let ended = scope.spawn(|| anna.closed());
        assert!(gateway.stop().success());
        ended.join().expect("it ends")
    });
    assert_eq!(ended, 1001);
    drop(gateway);

    let gateway = public(&flags);
    // The media may be faster than the page, and the small stream faster than the other.
    let (id, key) = &keys[1];
    let small = Peer::publish(&call(&gateway, &format!("{id}~s"), key), Media::usual().mute());
    small.wait_connected(LIMIT);
    let main = Peer::publish(&call(&gateway, id, key), Media::usual());
    main.wait_connected(LIMIT);
    let mut anna = RoomClient::join(&gateway, ROOM, "Anna", json!({ "key": keys[0].1, "since": 1 }));
    assert_eq!((anna.id(), anna.role()), (keys[0].0.as_str(), "host"));
    assert_eq!(anna.welcome["chat"], json!([]), "the chat is of this run");
    let in_welcome = anna.welcome["people"].as_array().unwrap().iter().any(|p| p["id"] == **id && on_air(p));
    if !in_welcome {
        anna.wait_person(id, on_air);
    }
    let bert = RoomClient::join(&gateway, ROOM, "Bert", json!({ "key": key }));
    assert_eq!((bert.id(), bert.role()), (id.as_str(), "guest"));
    anna.wait_person(id, |person| {
        on_air(person)
            && person["small"].is_string()
            && person["name"] == "Bert"
            && person["encoder"] == false
    });
    let eve = RoomClient::join(&gateway, ROOM, "Eve", json!({ "key": keys[2].1 }));
    assert_eq!((eve.id(), eve.role()), (keys[2].0.as_str(), "audience"));
    let late = RoomClient::join(&gateway, ROOM, "Late", json!({ "invite": invitation }));
    assert_eq!(late.role(), "guest");
    assert_eq!((small.over(), main.over()), (None, None));
    // A key does not give more than it did.
    let more = json!({ "key": keys[2].1, "role": "host" });
    assert_eq!(RoomClient::join(&gateway, ROOM, "Eve", more).role(), "audience");
}

#[test]
fn the_same_seat_from_elsewhere_ends_the_connection_before() {
    let gateway = Gateway::start(&[]);
    let mut first = crate::join(&gateway, "Anna", "host");
    let mut other = crate::join(&gateway, "Bert", "host");
    let second = RoomClient::join(&gateway, ROOM, "Anna B", json!({ "key": first.key() }));
    assert_eq!(second.id(), first.id());
    assert_eq!(first.closed(), 4000);
    other.wait_person(second.id(), |person| person["name"] == "Anna B" && person["away"] == false);
    assert!(!other.has("left", |_| true));
    // On another gateway the key is of no use: there somebody new joins.
    let other = public(&[]);
    let _host = host(&other);
    let new = RoomClient::join(&other, ROOM, "Anna", json!({ "key": first.key() }));
    assert_ne!(new.id(), first.id());
    assert_eq!(new.role(), "audience");
}
