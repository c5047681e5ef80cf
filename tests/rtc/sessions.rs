//! Publishers that never connect, race, vanish, are closed, or move.

use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::rtc::{Api, Call, Media, Peer, offer};
use lianmai_tests::{Clip, Gateway, http, wait};
use str0m::media::Direction;

use crate::{LIMIT, publish};

/// Waits until nobody publishes `live/NAME`; the stream itself may still exist.
#[track_caller]
fn wait_idle(gateway: &Gateway, name: &str) {
    wait::until_true(&format!("live/{name} to be free"), LIMIT, || {
        gateway.stream(name).is_none_or(|stream| stream["publish"]["active"] == false)
    });
}

/// Returns the id of the client that the API calls `kind`.
#[track_caller]
fn client(gateway: &Gateway, kind: &str) -> String {
    wait::until(&format!("a client of type {kind}"), LIMIT, || {
        let clients = gateway.json("/api/v1/clients");
        let found = clients["clients"].as_array()?.iter().find(|client| client["type"] == kind).cloned()?;
        assert_eq!(found["ip"], "127.0.0.1");
        assert_eq!(found["publish"], kind.ends_with("-publish"));
        assert_eq!(found["name"], "x");
        found["id"].as_str().map(str::to_owned)
    })
}

#[track_caller]
fn kick(gateway: &Gateway, id: &str) {
    assert_eq!(
        http::request(gateway.http(), "DELETE", &gateway.operator(&format!("/api/v1/clients/{id}")), &[])
            .status,
        200
    );
}

#[test]
fn an_abandoned_offer_and_a_refused_one_hold_nothing() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    for api in [Api::Query, Api::Path, Api::Srs] {
        let offered = offer(Direction::SendOnly, None);
        let call = call.clone().by(api);
        call.answer(call.post(true, &offered.sdp)).expect("it is answered, and nothing comes of it");
        let strange = offered.sdp.replace("opus", "speex").replace("H264", "H999");
        call.answer(call.post(true, &strange)).expect_err("there is nothing in it for us");
    }
    assert!(gateway.stream("x").is_none());
    // The next publisher is admitted with every protocol.
    let own = publish(&gateway, "x", Clip::Av);
    drop(own);
    wait_idle(&gateway, "x");
    let _own = Peer::publish(&call, Media::usual());
    gateway.wait_published("x");
}

#[test]
fn of_two_that_race_one_publishes_and_is_not_disturbed() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    // Both are connected, and neither has sent anything yet.
    let peers = [Peer::hold(&call, Media::usual()), Peer::hold(&call, Media::usual())];
    peers.iter().for_each(|peer| peer.wait_connected(LIMIT));
    assert!(gateway.stream("x").is_none());
    peers.iter().for_each(Peer::go);
    gateway.wait_published("x");
    let loser =
        wait::until("one to be sent away", LIMIT, || peers.iter().position(|peer| peer.over().is_some()));
    let winner = &peers[1 - loser];
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 60, LIMIT);
    // A publisher that connects now gets that refusal.
    let late = Peer::try_publish(&call, Media::usual()).expect_err("the name is taken");
    assert_eq!(late.status, 409, "{}", late.text());
    let seen = viewer.frames(VIDEO).len();
    let frames = viewer.wait_frames(VIDEO, seen + 60, LIMIT);
    let gap = frames.windows(2).find(|pair| pair[1].tag.time - pair[0].tag.time > 50);
    assert!(gap.is_none(), "frames are missing at {:?} ms", gap.map(|pair| pair[0].tag.time));
    assert_eq!(winner.over(), None);
}

#[test]
fn viewers_outlast_a_publisher_that_vanishes() {
    let gateway = Gateway::start(&["--publish-timeout", "2", "--reconnect", "60"]);
    let call = Call::new(&gateway, "x");
    let first = Peer::publish(&call, Media::usual());
    gateway.wait_published("x");
    let viewers = [Peer::play(&call), Peer::play(&call.clone().by(Api::Srs))];
    let flv = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewers.iter().for_each(|viewer| drop(viewer.wait_frames(true, 30, LIMIT)));
    flv.wait_frames(VIDEO, 30, LIMIT);
    first.vanish();
    // Until its absence is detected, the name stays in use.
    wait_idle(&gateway, "x");
    let before: Vec<usize> = viewers.iter().map(|viewer| viewer.frames(true).len()).collect();
    let flv_before = flv.frames(VIDEO).len();
    let second = Peer::publish(&call, Media::usual());
    for (viewer, before) in viewers.iter().zip(&before) {
        let frames = viewer.wait_frames(true, before + 60, LIMIT);
        assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time), "time goes back");
        assert!(frames[*before..].iter().any(|frame| frame.key), "no key frame after the return");
    }
    flv.wait_frames(VIDEO, flv_before + 60, LIMIT);
    // A publisher that closes its session is removed at once.
    drop(second);
    wait_idle(&gateway, "x");
    let third = Peer::publish(&call, Media::usual());
    let before = viewers[0].frames(true).len();
    viewers[0].wait_frames(true, before + 30, LIMIT);
    assert_eq!(third.over(), None);
}

#[test]
fn operators_see_and_kick_peers() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    let publisher = Peer::publish(&call, Media::usual());
    gateway.wait_published("x");
    let viewer = Peer::play(&call);
    let other = Peer::play(&call.clone().by(Api::Srs));
    viewer.wait_frames(true, 5, LIMIT);
    other.wait_frames(true, 5, LIMIT);
    let clients = gateway.json("/api/v1/clients");
    let sent = |kind: &str, member: &str| {
        let list = clients["clients"].as_array().into_iter().flatten();
        list.filter(|client| client["type"] == kind).map(|client| client[member].as_u64()).collect::<Vec<_>>()
    };
    assert!(sent("whip-publish", "recv_bytes")[0] > Some(0), "{clients:#}");
    assert!(sent("whep-play", "send_bytes")[0] > Some(0), "{clients:#}");
    kick(&gateway, &client(&gateway, "whep-play"));
    wait::until_true("the kicked viewer to hear of it", LIMIT, || viewer.over().is_some());
    let seen = other.frames(true).len();
    other.wait_frames(true, seen + 30, LIMIT);
    client(&gateway, "webrtc-play");
    kick(&gateway, &client(&gateway, "whip-publish"));
    wait::until_true("the kicked publisher to hear of it", LIMIT, || publisher.over().is_some());
    wait_idle(&gateway, "x");
}

#[test]
fn an_ice_restart_changes_the_credentials_and_media_go_on() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    let publisher = Peer::publish(&call, Media::usual());
    gateway.wait_published("x");
    let viewer = Peer::play(&call);
    viewer.wait_frames(true, 30, LIMIT);
    for peer in [&viewer, &publisher, &viewer] {
        let before = peer.response.header("etag").map(str::to_owned);
        let response = peer.restart();
        assert!(response.header("etag").is_some() && response.header("etag") != before.as_deref());
        let fragment = response.text();
        let ufrag = fragment.lines().find(|line| line.starts_with("a=ice-ufrag:")).expect("a new user name");
        assert!(!peer.answer.contains(ufrag), "{ufrag} is what it was");
        // A candidate belongs to its credentials.
        assert!(fragment.contains("\r\na=candidate:") && fragment.contains("\r\na=mid:"), "{fragment}");
        let (sent, seen) = (publisher.sent().len(), viewer.frames(true).len());
        let frames = viewer.wait_frames(true, seen + 60, LIMIT);
        assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time), "time goes back");
        assert!(publisher.sent().len() > sent);
        assert_eq!((publisher.over(), viewer.over()), (None, None));
    }
}

#[test]
fn a_viewer_whose_port_changes_goes_on() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = Peer::play(&Call::new(&gateway, "x"));
    viewer.wait_frames(true, 30, LIMIT);
    for _ in 0..2 {
        // The old mapping is gone: datagrams to it are lost.
        drop(viewer.move_port());
        let (moved, seen) = (Instant::now(), viewer.frames(true).len());
        let frames = viewer.wait_frames(true, seen + 60, LIMIT);
        let again = frames[seen].at - moved;
        println!("pictures again after {again:?}");
        // ICE alone keeps the old address for 15 s.
        assert!(again < Duration::from_secs(10), "pictures only after {again:?}");
        assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time), "time goes back");
    }
    assert_eq!(viewer.over(), None);
}

#[test]
fn a_publisher_whose_port_changes_goes_on() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    let publisher = Peer::publish(&call, Media::usual());
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    for _ in 0..2 {
        publisher.move_port();
        // Its next check announces the new address. The frames in between are lost, and a key frame is
        // requested.
        let seen = viewer.frames(VIDEO).len();
        viewer.wait_frames(VIDEO, seen + 60, LIMIT);
    }
    assert_eq!(publisher.over(), None);
}

/// GStreamer before 1.24, for example, behaves this way.
#[test]
fn peers_that_check_their_way_only_once_stay_while_media_and_reports_flow() {
    // Longer than ICE waits for checks, plus the gateway's timeout for a lost peer.
    const CHECKED: Duration = Duration::from_secs(15 + 6);
    let gateway = Gateway::start(&["--publish-timeout", "5"]);
    let calls = [Call::new(&gateway, "udp"), Call::new(&gateway, "tcp").over_tcp()];
    let publishers: Vec<_> = calls.iter().map(|call| Peer::publish(call, Media::usual())).collect();
    ["udp", "tcp"].iter().for_each(|name| gateway.wait_published(name));
    let viewers: Vec<_> = calls.iter().map(Peer::play).collect();
    viewers.iter().for_each(|viewer| drop(viewer.wait_frames(true, 10, LIMIT)));
    publishers.iter().chain(&viewers).for_each(Peer::stop_checks);
    let since = Instant::now();
    for viewer in &viewers {
        wait::until_true("pictures a while later", CHECKED + LIMIT, || {
            assert_eq!(viewer.over(), None);
            viewer.frames(true).last().is_some_and(|frame| frame.at >= since + CHECKED)
        });
    }
    assert!(publishers.iter().all(|publisher| publisher.over().is_none()));
}
