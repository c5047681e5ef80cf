//! The way to the stage and back: hands, invitations, promotion, the lobby, locks, removal.

use lianmai_tests::{Gateway, RoomClient};
use serde_json::json;

use crate::{ROOM, host, invited, join, public};

#[test]
fn a_raised_hand_leads_to_the_stage_and_back() {
    let gateway = Gateway::start(&[]);
    let (mut anna, mut eve) = (join(&gateway, "Anna", "host"), join(&gateway, "Eve", "audience"));
    let id = eve.id().to_owned();
    assert_eq!(eve.refused(&json!({ "type": "accept" })), "not_now");
    assert_eq!(eve.refused(&json!({ "type": "mute", "audio": true, "video": true })), "forbidden");
    eve.send(&json!({ "type": "hand", "up": true }));
    anna.wait_person(&id, |person| person["hand"] == true && person["role"] == "audience");
    eve.send(&json!({ "type": "hand", "up": false }));
    anna.wait("left", |left| left["id"] == *id && left["reason"] == "audience");

    anna.send(&json!({ "type": "invite", "id": id }));
    eve.wait("invited", |invited| invited["by"] == anna.id());
    anna.wait_person(&id, |person| person["invited"] == true);
    eve.send(&json!({ "type": "decline" }));
    anna.wait("declined", |declined| declined["id"] == *id);
    anna.send(&json!({ "type": "invite", "id": id }));
    eve.send(&json!({ "type": "accept" }));
    // The acceptance may be faster than the invitation.
    if eve.has("error", |error| error["about"] == "accept") {
        eve.wait("invited", |_| true);
        eve.send(&json!({ "type": "accept" }));
    }
    let seat = eve.wait("seat", |seat| seat["reason"] == "accepted");
    assert_eq!(seat["role"], "guest");
    anna.wait_person(&id, |person| person["role"] == "guest" && person["invited"] == false);

    // A guest says what it sends; a host asks it to mute.
    eve.send(&json!({ "type": "mute", "audio": false, "video": true }));
    anna.wait_person(&id, |person| person["audio"] == false && person["video"] == true);
    eve.send(&json!({ "type": "quality", "quality": "poor" }));
    anna.wait_person(&id, |person| person["quality"] == "poor");
    anna.send(&json!({ "type": "ask_mute", "id": id }));
    eve.wait("mute_asked", |asked| asked["by"] == anna.id());
    anna.send(
        &json!({ "type": "settings", "spotlight": id, "layout": "speaker", "title": " A \u{7} title " }),
    );
    let told = eve.wait("settings", |settings| settings["room"]["spotlight"] == *id);
    assert_eq!((&told["room"]["layout"], &told["room"]["title"]), (&json!("speaker"), &json!("A title")));

    anna.send(&json!({ "type": "promote", "id": id, "role": "host" }));
    eve.wait("seat", |seat| seat["role"] == "host" && seat["reason"] == "promoted");
    eve.send(&json!({ "type": "settings", "lobby": true }));
    anna.wait("settings", |settings| settings["room"]["lobby"] == true);
    anna.send(&json!({ "type": "demote", "id": id }));
    eve.wait("seat", |seat| seat["role"] == "audience" && seat["reason"] == "demoted");
    anna.wait("left", |left| left["id"] == *id && left["reason"] == "audience");
    // The light went out with the seat.
    anna.wait("settings", |settings| settings["room"]["spotlight"].is_null());
    assert_eq!(anna.refused(&json!({ "type": "settings", "spotlight": id })), "unknown_person");
    anna.send(&json!({ "type": "promote", "id": id }));
    eve.wait("seat", |seat| seat["role"] == "guest" && seat["reason"] == "promoted");
    assert_eq!(anna.refused(&json!({ "type": "demote", "id": "nobody" })), "unknown_person");
}

#[test]
fn guests_wait_in_the_lobby_and_hear_nothing() {
    let gateway = public(&[]);
    let mut host = host(&gateway);
    host.send(&json!({ "type": "settings", "lobby": true }));
    host.wait("settings", |settings| settings["room"]["lobby"] == true);
    host.send(&json!({ "type": "chat", "text": "between us" }));
    host.wait("chat", |_| true);
    let mut guest = invited(&gateway, &mut host, "Bert", "guest");
    assert_eq!(
        (guest.role(), &guest.welcome["chat"], &guest.welcome["people"]),
        ("waiting", &json!([]), &json!([]))
    );
    guest.wait("waiting", |_| true);
    host.wait_person(guest.id(), |person| person["role"] == "waiting");
    assert_eq!(guest.refused(&json!({ "type": "chat", "text": "hello" })), "forbidden");
    assert_eq!(guest.refused(&json!({ "type": "hand", "up": true })), "forbidden");
    host.send(&json!({ "type": "chat", "text": "still between us" }));
    host.wait("chat", |_| true);
    assert!(!guest.has("chat", |_| true));
    // The key of somebody who waits opens nothing.
    let late = RoomClient::join(&gateway, ROOM, "Bert", json!({ "key": guest.key() }));
    assert_eq!((late.role(), guest.closed()), ("waiting", 4000));
    let mut guest = late;
    host.send(&json!({ "type": "admit", "id": guest.id() }));
    guest.wait("seat", |seat| seat["role"] == "guest" && seat["reason"] == "admitted");
    guest.wait_person(host.id(), |person| person["role"] == "host");
    guest.wait("chat", |chat| chat["text"] == "between us");
    guest.wait("settings", |settings| settings["room"]["lobby"] == true);
}

#[test]
fn a_locked_room_is_for_those_who_are_there() {
    let gateway = public(&["--room-seats", "2"]);
    let mut host = host(&gateway);
    let guest = invited(&gateway, &mut host, "Bert", "guest");
    let invite = crate::invite(&mut host, "guest");
    let full = RoomClient::try_join(&gateway, ROOM, "Dora", json!({ "invite": invite })).unwrap_err();
    assert_eq!((full.error.as_str(), full.close), ("full", 4003));
    host.send(&json!({ "type": "settings", "locked": true }));
    host.wait("settings", |settings| settings["room"]["locked"] == true);
    let locked = RoomClient::try_join(&gateway, ROOM, "Eve", json!({})).unwrap_err();
    assert_eq!((locked.error.as_str(), locked.close), ("locked", 4003));
    // Somebody who lost the connection is one of those.
    let (id, key) = (guest.id().to_owned(), guest.key().to_owned());
    drop(guest);
    host.wait_person(&id, |person| person["away"] == true);
    let back = RoomClient::join(&gateway, ROOM, "Bert", json!({ "key": key }));
    assert_eq!((back.id(), back.role()), (id.as_str(), "guest"));
    host.wait_person(&id, |person| person["away"] == false);
}

#[test]
fn who_does_not_come_back_loses_the_seat() {
    let gateway = Gateway::start(&[]);
    let (mut anna, bert) = (join(&gateway, "Anna", "host"), join(&gateway, "Bert", "guest"));
    let id = bert.id().to_owned();
    drop(bert);
    anna.wait_person(&id, |person| person["away"] == true);
    anna.wait("left", |left| left["id"] == *id && left["reason"] == "lost");
}
