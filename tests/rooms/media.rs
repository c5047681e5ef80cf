//! Media with seat keys, over every protocol.

use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::http;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::rtc::{Api, Media, Peer};
use lianmai_tests::{Clip, Gateway, RoomClient, publisher, rtmp, wait, ws};
use serde_json::json;

use crate::{LIMIT, ROOM, call, host, invited, join, on_air, public, ws_publish};

/// A removed participant's media ends within this time.
const SOON: Duration = Duration::from_secs(1);

#[track_caller]
fn rtmp_publish(gateway: &Gateway, stream: &str, key: &str) -> std::io::Result<rtmp::Client> {
    let to = gateway.rtmp();
    rtmp::Client::publish_at(to, &format!("rtmp://{to}/{ROOM}"), ROOM, &format!("{stream}?seat={key}"))
}

/// Returns the status of a request to play.
#[track_caller]
fn play(gateway: &Gateway, path: &str) -> u16 {
    http::open(gateway.http(), "GET", path, &[]).status
}

#[test]
fn members_play_with_their_keys_where_strangers_may_not() {
    let gateway = public(&["--play-secret", "see"]);
    let mut host = host(&gateway);
    let guest = invited(&gateway, &mut host, "Bert", "guest");
    let (id, key) = (host.id().to_owned(), host.key().to_owned());
    let _peer = Peer::publish(&call(&gateway, &id, &key).by(Api::Path), Media::usual());
    host.wait_person(&id, on_air);
    let member = guest.key();

    let viewer = Peer::play(&call(&gateway, &id, member));
    viewer.wait_frames(true, 10, LIMIT);
    let viewer = Peer::play(&call(&gateway, &id, member).by(Api::Path));
    viewer.wait_frames(false, 10, LIMIT);
    let flv = format!("/{ROOM}/{id}.flv");
    FlvViewer::http(gateway.http(), &format!("{flv}?seat={member}")).wait_frames(VIDEO, 10, LIMIT);
    FlvViewer::ws(&format!("ws://{}{flv}?seat={member}", gateway.http())).wait_frames(VIDEO, 10, LIMIT);
    rtmp::Client::play_at(gateway.rtmp(), ROOM, &format!("{id}?seat={member}")).expect("a member plays");
    // HLS: the key gives a pass, which is a part of the path.
    let playlist = format!("/{ROOM}/{id}.m3u8");
    let (place, text) = wait::until("a playlist", LIMIT, || {
        let (place, answer) = gateway.follow(&format!("{playlist}?seat={member}"));
        (answer.status == 200).then(|| (place, answer.text()))
    });
    let folder = place.rsplit_once('/').expect("a path").0;
    let mut line = text.lines().find(|line| !line.starts_with('#')).expect("an address").to_owned();
    if line.contains(".m3u8") {
        let path = if line.starts_with('/') { line } else { format!("{folder}/{line}") };
        let text = wait::until("a media playlist", LIMIT, || {
            let answer = gateway.get(&path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            answer.text().lines().any(|line| !line.starts_with('#')).then(|| answer.text())
        });
        line = text.lines().find(|line| !line.starts_with('#')).expect("a segment").to_owned();
    }
    let segment = if line.starts_with('/') { line } else { format!("{folder}/{line}") };
    assert_eq!(gateway.get(&segment).status, 200, "{segment}");

    // Who may not play may not join the audience: its key plays, too.
    let no = RoomClient::try_join(&gateway, ROOM, "Eve", json!({})).expect_err("playing needs a secret");
    assert!(no.error == "forbidden" && no.text.contains("watching here needs"), "{no:?}");
    let viewer = RoomClient::join(&gateway, "show?secret=see", "Eve", json!({}));
    assert_eq!(viewer.role(), "audience");
    assert_eq!(play(&gateway, &format!("{flv}?seat={}", viewer.key())), 200);

    // Strangers, and those with a key that is wrong or for another room.
    for query in ["", "?seat=", "?seat=g.1.2.x", &format!("?seat={member}0")] {
        for path in [&flv, &playlist] {
            let status = play(&gateway, &format!("{path}{query}"));
            assert!(matches!(status, 401 | 403), "{path}{query}: {status}");
        }
        assert!(rtmp::Client::play_at(gateway.rtmp(), ROOM, &format!("{id}{query}")).is_err(), "{query}");
    }
    for api in [Api::Path, Api::Srs, Api::Query] {
        let no = call(&gateway, &id, "wrong").by(api);
        let sdp = lianmai_tests::rtc::offer(str0m::media::Direction::RecvOnly, None).sdp;
        assert!(no.answer(no.post(false, &sdp)).is_err(), "{api:?}");
    }
    // Nor does somebody who was removed play.
    host.send(&json!({ "type": "remove", "id": guest.id() }));
    host.wait("left", |left| left["id"] == guest.id());
    assert_eq!(play(&gateway, &format!("{flv}?seat={member}")), 403);
    assert_eq!(play(&gateway, &format!("{playlist}?seat={member}")), 403);
    let other = RoomClient::join(&gateway, "other?secret=right", "Dora", json!({}));
    assert_eq!(play(&gateway, &format!("{flv}?seat={}", other.key())), 403);
    assert_eq!(play(&gateway, &format!("{flv}?secret=see")), 200);
}

#[test]
fn nobody_publishes_on_the_seat_of_somebody_else() {
    let gateway = Gateway::start(&[]);
    let (anna, bert) = (join(&gateway, "Anna", "host"), join(&gateway, "Bert", "guest"));
    let mut eve = join(&gateway, "Eve", "audience");
    for key in [format!("seat={}", bert.key()), String::new()] {
        for name in [anna.id().to_owned(), format!("{}~s", anna.id()), format!("{}~screen", anna.id())] {
            let call = call(&gateway, &name, "").query(&key);
            let no = Peer::try_publish(&call, Media::usual()).expect_err("it is Anna's");
            assert_eq!(no.status, 403, "{}", no.text());
            assert!(no.text().contains("seat"), "{}", no.text());
            let stream = format!("{name}?{key}");
            let to = gateway.rtmp();
            assert!(rtmp::Client::publish_at(to, &format!("rtmp://{to}/{ROOM}"), ROOM, &stream).is_err());
        }
    }
    // The audience has a key, but no seat.
    let no = Peer::try_publish(&call(&gateway, eve.id(), eve.key()), Media::usual()).expect_err("no seat");
    assert!(no.status == 403 && no.text().contains("only participants with a seat"), "{}", no.text());
    assert!(rtmp_publish(&gateway, eve.id(), eve.key()).is_err());
    // Nor does it become one when its holder has left.
    let (id, key) = (eve.id().to_owned(), eve.key().to_owned());
    eve.send(&json!({ "type": "leave" }));
    assert_eq!(eve.closed(), 1000);
    let no = Peer::try_publish(&call(&gateway, &id, &key), Media::usual()).expect_err("no seat");
    assert!(no.status == 403 && no.text().contains("only participants with a seat"), "{}", no.text());
    assert!(rtmp_publish(&gateway, &id, &key).is_err());
    // A screen and a small stream belong to their participant.
    let mut anna = anna;
    let id = anna.id().to_owned();
    let _small = Peer::publish(&call(&gateway, &format!("{id}~s"), anna.key()), Media::usual().mute());
    let small = format!("{ROOM}/{id}~s");
    anna.wait_person(&id, |person| person["small"] == *small && person["stream"].is_null());
    let screen = ws_publish(&gateway, &format!("{id}~screen"), anna.key());
    anna.wait_person(&id, |person| person["screen"] == format!("{ROOM}/{id}~screen"));
    drop(screen);
    anna.wait_person(&id, |person| person["screen"].is_null() && person["small"] == *small);
}

#[test]
fn a_removed_participant_is_off_the_air_within_a_second() {
    let gateway = public(&[]);
    let mut host = host(&gateway);
    let mut guest = invited(&gateway, &mut host, "Bert", "guest");
    let (id, key) = (guest.id().to_owned(), guest.key().to_owned());
    let published = Peer::publish(&call(&gateway, &id, &key), Media::usual());
    let screen = ws_publish(&gateway, &format!("{id}~screen"), &key);
    let host_peer = Peer::publish(&call(&gateway, host.id(), host.key()), Media::usual());
    host.wait_person(&id, |person| on_air(person) && person["screen"].is_string());
    let host_id = host.id().to_owned();
    host.wait_person(&host_id, on_air);
    let watched = Peer::play(&call(&gateway, &host_id, &key));
    watched.wait_frames(true, 5, LIMIT);
    let flv = FlvViewer::http(gateway.http(), &format!("/{ROOM}/{host_id}.flv?seat={key}"));
    flv.wait_frames(VIDEO, 5, LIMIT);

    let at = Instant::now();
    host.send(&json!({ "type": "remove", "id": id }));
    assert_eq!(guest.closed(), 4001);
    host.wait("left", |left| left["id"] == *id && left["reason"] == "removed");
    wait::until_true("the media to end", LIMIT, || {
        published.over().is_some() && screen.ended() && watched.over().is_some() && flv.over()
    });
    // A slow machine may delay the clients, not the gateway.
    assert!(at.elapsed() < SOON * 3, "{:?}", at.elapsed());
    assert_eq!(host_peer.over(), None);

    let no = Peer::try_publish(&call(&gateway, &id, &key), Media::usual()).expect_err("it is removed");
    assert!(no.status == 403 && no.text().contains("removed"), "{}", no.text());
    assert!(rtmp_publish(&gateway, &id, &key).is_err());
    let url = format!("ws://{}/{ROOM}/{id}.flv?action=publish&seat={key}", gateway.http());
    let mut refused = ws::connect(&url).map(|mut socket| socket.read());
    assert!(!matches!(&mut refused, Ok(Ok(message)) if !message.is_close()), "{refused:?}");
    assert_eq!(
        RoomClient::try_join(&gateway, ROOM, "Bert", json!({ "key": key })).unwrap_err().error,
        "removed"
    );

    // A demotion takes the seat, too, and the key of before is of no use.
    let mut dora = invited(&gateway, &mut host, "Dora", "guest");
    let (id, key) = (dora.id().to_owned(), dora.key().to_owned());
    let publishing = ws_publish(&gateway, &id, &key);
    host.wait_person(&id, on_air);
    host.send(&json!({ "type": "demote", "id": id }));
    dora.wait("seat", |seat| seat["role"] == "audience");
    wait::until_true("the stream to end", LIMIT, || publishing.ended());
    assert!(rtmp_publish(&gateway, &id, &key).is_err());
    let no = Peer::try_publish(&call(&gateway, &id, &key), Media::usual()).expect_err("no seat");
    assert_eq!(no.status, 403, "{}", no.text());
}

#[test]
fn the_same_seat_replaces_its_own_predecessor_at_once() {
    let gateway = Gateway::start(&[]);
    let anna = join(&gateway, "Anna", "host");
    let (id, key) = (anna.id(), anna.key());
    let mut anna2 = join(&gateway, "Other", "host");
    let first = Peer::publish(&call(&gateway, id, key), Media::usual());
    anna2.wait_person(id, on_air);
    let viewer = FlvViewer::http(gateway.http(), &format!("/{ROOM}/{id}.flv"));
    viewer.wait_frames(VIDEO, 10, LIMIT);
    // WHIP, WebSocket, RTMP, and WHIP again: each while the one before still sends.
    let at = Instant::now();
    let second = Peer::publish(&call(&gateway, id, key), Media::usual());
    second.wait_connected(LIMIT);
    wait::until_true("the first to end", LIMIT, || first.over().is_some());
    let third = ws_publish(&gateway, id, key);
    wait::until_true("the second to end", LIMIT, || second.over().is_some());
    let url = format!("rtmp://{}/{ROOM}/{id}?seat={key}", gateway.rtmp());
    let mut fourth = publisher::ffmpeg_forever(&Clip::Av.file(), &url);
    wait::until_true("the third to end", LIMIT, || third.ended());
    let fifth = Peer::publish(&call(&gateway, id, key), Media::usual());
    wait::until_true("the fourth to end", LIMIT, || fourth.ended().is_some());
    assert!(at.elapsed() < Duration::from_secs(15), "nobody waits for a silence of 5 s: {:?}", at.elapsed());
    assert!(!viewer.over(), "the viewers stay");
    let seen = viewer.frames(VIDEO).len();
    viewer.wait_frames(VIDEO, seen + 10, LIMIT);
    assert_eq!(fifth.over(), None);
    // A program of this machine does not replace it.
    let to = gateway.rtmp();
    assert!(rtmp::Client::publish_at(to, &format!("rtmp://{to}/{ROOM}"), ROOM, id).is_err());
    assert!(!anna2.has("person", |person| person["person"]["id"] == id && person["person"]["away"] == true));
}
