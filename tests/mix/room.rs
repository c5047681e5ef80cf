//! A room goes live.

use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, RoomClient, flv, http, publisher, wait};
use serde_json::json;

use crate::analysis::{Piece, is_near};
use crate::kit::{BLUE, LIMIT, RED, api, configurations, json_of, publish};

#[test]
fn a_host_goes_live_and_viewers_see_the_participants_come_and_go() {
    let gateway = Gateway::start(&[
        "--reconnect",
        "1",
        "--mix-size",
        "640x360",
        "--mix-rate",
        "20",
        "--mix-quality",
        "full",
    ]);
    let mut anna = RoomClient::join(&gateway, "show", "Anna", json!({ "role": "host" }));
    let mut guest = RoomClient::join(&gateway, "show", "Bert", json!({ "role": "guest" }));
    guest.send(&json!({ "type": "go_live" }));
    let refused = guest.wait("error", |error| error["about"] == "go_live");
    assert_eq!(refused["code"], "forbidden");
    let _red = publish(&gateway, "show/red", RED);
    anna.send(&json!({ "type": "go_live", "layout": "side" }));
    anna.wait("settings", |settings| settings["room"]["layout"] == "side");
    let live = anna.wait("live", |live| live["stream"] == "live/show");
    assert_eq!((&live["mixed"], &live["problem"]), (&json!(true), &json!(null)));
    // A second press changes nothing.
    anna.send(&json!({ "type": "go_live" }));
    // The seat key of the room plays the broadcast, and no other stream of that application.
    let key = guest.key().to_owned();
    assert_eq!(gateway.get(&format!("/live/other.flv?seat={key}")).status, 403);
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/show.flv?seat={key}"));
    viewer.wait_frames(flv::VIDEO, 10, LIMIT);
    let url = gateway.http_url("show.flv");
    let until = |what: &str, is: &dyn Fn(&Piece) -> bool| {
        wait::until_true(what, LIMIT, || is(&Piece::record(&url, 0.5, 1.0, (320, 180))));
    };
    let (red, blue) = ([0xd0, 0x20, 0x20], [0x20, 0x30, 0xd0]);
    until("one participant", &|piece| is_near(piece.last_colour(0.5, 0.5), red));
    let second = publish(&gateway, "show/blue", BLUE);
    let both = |piece: &Piece| {
        is_near(piece.last_colour(0.25, 0.5), blue) && is_near(piece.last_colour(0.75, 0.5), red)
    };
    until("two participants, in the order of their identifiers", &both);
    // A host takes one out of the picture, and shows it again.
    anna.send(&json!({ "type": "show", "id": "blue", "shown": false }));
    anna.wait_person("blue", |person| person["shown"] == false);
    until("the other one alone", &|piece| {
        is_near(piece.last_colour(0.25, 0.5), red) && piece.tone(700) > 0.03
    });
    // One who leaves and comes back is still out of the picture.
    drop(second);
    anna.wait("left", |left| left["id"] == "blue");
    let second = publish(&gateway, "show/blue", BLUE);
    anna.wait_person("blue", |person| person["shown"] == false);
    anna.send(&json!({ "type": "show", "id": "blue", "shown": true }));
    until("both again", &both);
    drop(second);
    until("one participant again", &|piece| is_near(piece.last_colour(0.25, 0.5), red));
    anna.send(&json!({ "type": "stop_live", "card": "Bye" }));
    anna.wait("live", |live| live["stream"].is_null());
    wait::until_true("the broadcast to end", LIMIT, || viewer.over());
    assert!(viewer.error().is_none());
    assert_eq!(configurations(&viewer, flv::VIDEO), 1, "viewers saw no break");
    anna.send(&json!({ "type": "stop_live" }));
    assert_eq!(anna.wait("error", |error| error["about"] == "stop_live")["code"], "not_now");
}

#[test]
fn a_broadcast_that_somebody_else_publishes_is_not_taken_over() {
    let gateway = Gateway::start(&[]);
    let mut anna = RoomClient::join(&gateway, "show", "Anna", json!({ "role": "host" }));
    let _obs = publish(&gateway, "live/show", RED);
    let live = anna.wait("live", |live| live["stream"] == "live/show");
    assert_eq!(live["mixed"], false);
    anna.send(&json!({ "type": "go_live" }));
    let refused = anna.wait("error", |error| error["about"] == "go_live");
    assert!(refused["text"].as_str().unwrap().contains("has a publisher"), "{refused}");
}

#[test]
fn a_room_that_makes_way_for_another_ends_its_broadcast() {
    let gateway = Gateway::start(&["--max-rooms", "1", "--mix-size", "320x180", "--mix-rate", "10"]);
    let mut anna = RoomClient::join(&gateway, "show", "Anna", json!({ "role": "host" }));
    anna.send(&json!({ "type": "go_live" }));
    anna.wait("live", |live| live["stream"] == "live/show" && live["mixed"] == true);
    anna.send(&json!({ "type": "leave" }));
    anna.closed();
    let _bert = RoomClient::join(&gateway, "other", "Bert", json!({ "role": "host" }));
    wait::until_true("the mix to end", LIMIT, || {
        json_of(&api(&gateway, "GET", "/api/v1/mixes", &json!(null)))["mixes"] == json!([])
    });
}

#[test]
fn a_seat_key_plays_the_rooms_own_broadcast_and_no_foreign_one() {
    let flags = ["--public", "--secret", "right", "--play-secret", "watch", "--reconnect", "0"];
    let gateway = Gateway::start(&[&flags[..], &["--mix-size", "320x180", "--mix-rate", "10"]].concat());
    let mut anna = RoomClient::join(&gateway, "show?secret=right", "Anna", json!({}));
    let path = format!("/live/show.flv?seat={}", anna.key());
    let status = || http::open(gateway.http(), "GET", &path, &[]).status;
    let obs = publisher::ffmpeg_forever(
        &Clip::Av.file(),
        &format!("rtmp://{}/live/show?secret=right", gateway.rtmp()),
    );
    gateway.wait_published("show");
    assert_eq!(status(), 401, "another encoder publishes this stream");
    drop(obs);
    wait::until_true("the name to be free", LIMIT, || gateway.stream("show").is_none());
    anna.send(&json!({ "type": "go_live" }));
    anna.wait("live", |live| live["stream"] == "live/show" && live["mixed"] == true);
    assert_eq!(status(), 200);
}
