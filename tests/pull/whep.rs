//! Pulls by WHEP.

use lianmai_tests::relay::{LIMIT, call, publish, sources};
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::json;

use crate::{view, wait_state};

#[test]
fn a_whep_source_feeds_every_protocol_and_makes_key_frames() {
    let origin = Gateway::start(&["--public", "--secret", "geheim-token", "--play-secret", "geheim-token"]);
    let publisher = Peer::publish(&Call::new(&origin, "x").query("secret=geheim-token"), Media::usual());
    let edge = Gateway::start(&["--pull-linger", "1"]);
    let from = format!("http://{}/live/{{stream}}/whep", origin.http());
    let rule = json!({"stream": "live/*", "from": from, "token": "geheim-token"});
    let (status, added) = call(&edge, "POST", "/api/v1/pulls", &rule.to_string());
    assert_eq!(
        (status, &added["pull"]["from"]),
        (201, &json!(format!("http://{}/••••", origin.http()))),
        "{added}"
    );
    // The first viewer starts it.
    let flv = view(&edge, "x");
    flv.wait_frames(lianmai_tests::flv::VIDEO, 30, LIMIT);
    flv.wait_frames(lianmai_tests::flv::AUDIO, 30, LIMIT);
    let viewer = Peer::play(&Call::new(&edge, "x"));
    viewer.wait_frames(true, 30, LIMIT);
    viewer.wait_frames(false, 30, LIMIT);
    let before = publisher.key_requests();
    viewer.ask_key();
    wait::until_true("a request at the publisher", LIMIT, || publisher.key_requests() > before);
    assert!(sources(&edge)[0]["received_bytes"].as_u64() > Some(10_000));
    // The last one ends it, and the session of the origin.
    flv.leave();
    drop(viewer);
    wait::until_true("the end of the pull", LIMIT, || sources(&edge).is_empty());
    wait::until_true("the end of the session", LIMIT, || {
        let clients = origin.json("/api/v1/clients");
        clients["clients"].as_array().into_iter().flatten().all(|client| client["publish"] == true)
    });
    for text in [edge.get(&edge.operator("/api/v1/pulls")).text(), edge.process.stderr()] {
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[test]
fn a_whep_source_that_comes_back_continues_the_stream() {
    let mut origin = Gateway::start(&[]);
    let (http, webrtc) = (origin.http().to_string(), origin.webrtc().to_string());
    let remote = publish(&origin, "x", Clip::Av);
    let edge = Gateway::start(&["--pull", &format!("live/x=whep://{http}/live/x/whep"), "--reconnect", "60"]);
    let viewer = view(&edge, "x");
    let video = lianmai_tests::flv::VIDEO;
    viewer.wait_frames(video, 30, LIMIT);
    origin.process.signal("KILL");
    origin.process.wait(LIMIT);
    drop((origin, remote));
    let state = wait_state(&edge, "retrying");
    assert!(state["last_words"].is_string(), "{state}");
    let origin = Gateway::start(&["--http", &http, "--webrtc", &webrtc]);
    let _remote = publish(&origin, "x", Clip::Av);
    let seen = viewer.frames(video).len();
    let frames = viewer.wait_frames(video, seen + 30, LIMIT);
    assert!(frames.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
}
