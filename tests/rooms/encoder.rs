//! Encoders as participants: ffmpeg and others that come and go without a page.

use lianmai_tests::{Clip, Gateway, RoomClient, publisher, rtmp, wait};
use serde_json::json;

use crate::{LIMIT, ROOM, host, invited, join, on_air, public};

#[test]
fn an_encoder_is_a_participant_while_it_publishes() {
    let gateway = Gateway::start(&["--room-seats", "2", "--reconnect", "1"]);
    let mut anna = join(&gateway, "Anna", "host");
    let url = |name: &str| format!("rtmp://{}/{ROOM}/{name}", gateway.rtmp());
    let obs = publisher::ffmpeg_forever(&Clip::Av.file(), &url("obs"));
    let told = anna.wait_person("obs", on_air);
    let person = &told["person"];
    assert_eq!(
        (&person["encoder"], &person["role"], &person["name"]),
        (&json!(true), &json!("guest"), &json!("obs"))
    );
    assert_eq!(person["stream"], format!("{ROOM}/obs"));
    // It has the last seat.
    let mut more = publisher::ffmpeg(&Clip::Av.file(), &url("more"));
    assert!(!more.wait(LIMIT).success());
    assert!(more.stderr().contains("no free seat"), "{}", more.stderr());
    let full = RoomClient::try_join(&gateway, ROOM, "Bert", json!({ "role": "guest" })).unwrap_err();
    assert_eq!(full.error, "full");
    assert_eq!(gateway.json("/api/v1/rooms")["rooms"][0]["hosts"].as_array().map(Vec::len), Some(2));
    drop(obs);
    anna.wait("left", |left| left["id"] == "obs");
    // It comes back, and a host sends it away for good.
    let mut obs = publisher::ffmpeg_forever(&Clip::Av.file(), &url("obs"));
    anna.wait_person("obs", on_air);
    anna.send(&json!({ "type": "remove", "id": "obs" }));
    anna.wait("left", |left| left["id"] == "obs" && left["reason"] == "removed");
    wait::until_true("ffmpeg to end", LIMIT, || obs.ended().is_some());
    let mut obs = publisher::ffmpeg(&Clip::Av.file(), &url("obs"));
    assert!(!obs.wait(LIMIT).success());
    assert!(obs.stderr().contains("removed"), "{}", obs.stderr());
}

#[test]
fn a_reserved_seat_is_for_the_encoder_with_its_key() {
    let gateway = public(&[]);
    let mut host = host(&gateway);
    let make = |host: &mut RoomClient| {
        host.send(&json!({ "type": "make_encoder", "name": "OBS Studio" }));
        let made = host.wait("encoder_made", |_| true);
        assert_eq!(made["stream"], format!("{ROOM}/{}", made["id"].as_str().unwrap()));
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    };
    let (id, key) = make(&mut host);
    assert_eq!(id, "obs-studio");
    let to = gateway.rtmp();
    let publish = |name: &str| rtmp::Client::publish_at(to, &format!("rtmp://{to}/{ROOM}"), ROOM, name);
    assert!(publish(&id).is_err(), "the key is missing");
    let url = format!("rtmp://{to}/{ROOM}/{id}?seat={key}");
    let mut obs = publisher::ffmpeg_forever(&Clip::Av.file(), &url);
    host.wait_person(&id, |person| on_air(person) && person["encoder"] == true);
    assert_eq!(invited(&gateway, &mut host, "Bert", "guest").role(), "guest");
    host.send(&json!({ "type": "demote", "id": id }));
    wait::until_true("ffmpeg to end", LIMIT, || obs.ended().is_some());
    assert!(publish(&format!("{id}?seat={key}")).is_err(), "the seat was taken back");
    // The next key is for a seat that was not taken back.
    let (second, key) = make(&mut host);
    assert_eq!(second, "obs-studio-2");
    publish(&format!("{second}?seat={key}")).expect("a new seat");
}

#[test]
fn the_name_of_an_encoder_cannot_turn_other_text() {
    let gateway = Gateway::start(&[]);
    let mut anna = join(&gateway, "Anna", "host");
    let name = format!("o\u{202e}bs-{}", "x".repeat(100));
    let (flags, tags) = Clip::Av.minutes(1);
    let url = format!("ws://{}/{ROOM}/o%E2%80%AEbs-{}.flv?action=publish", gateway.http(), "x".repeat(100));
    let _obs = publisher::WsPublisher::start(&url, flags, tags, 1.0);
    let told = anna.wait_person(&name, on_air);
    let shown = told["person"]["name"].as_str().unwrap();
    assert!(shown.starts_with("obs-x") && shown.len() == 40, "{shown:?}");
}
