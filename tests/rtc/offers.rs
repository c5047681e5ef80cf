//! Offers of strangers: their cost is limited, and they cannot block other clients.

use lianmai_tests::flv::VIDEO;
use lianmai_tests::http::Response;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::rtc::{Api, Call, Peer, offer};
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::Value;
use str0m::media::Direction;

use crate::{LIMIT, publish};

/// Maximum number of waiting sessions of one address.
const SHARE: usize = 512;

/// Returns the status, and the text of a refusal in the format of the signalling.
fn outcome(call: &Call, response: &Response) -> (u64, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if call.api == Api::Srs {
        assert_eq!(response.status, 200);
        return (
            body["code"].as_u64().expect("a code"),
            body["message"].as_str().unwrap_or_default().to_owned(),
        );
    }
    if response.status != 201 {
        assert_eq!(response.header("content-type"), Some("application/problem+json"), "{}", response.text());
    }
    (response.status.into(), body["detail"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn large_offers_cost_little_and_are_refused_with_a_sentence() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let whole = offer(Direction::RecvOnly, None).sdp;
    let line = |count: usize, line: &dyn Fn(usize) -> String| -> String {
        (0..count).map(|n| line(n) + "\r\n").collect()
    };
    let large = [
        whole.clone() + &line(2000, &|n| format!("a=ssrc:{n} cname:x")),
        whole.clone() + &line(700, &|n| format!("a=candidate:{n} 1 udp 2130706431 192.0.2.1 {n} typ host")),
        whole.clone() + &line(2000, &|n| format!("a=rid:r{n} send")),
        whole.clone()
            + &line(400, &|n| {
                format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:m{n}\r\na=recvonly\r\na=rtpmap:96 VP8/90000")
            }),
        whole.clone() + &line(2000, &|n| format!("a=extmap:{n} urn:x")),
        whole.clone() + &line(6000, &|_| "a=x".to_owned()),
    ];
    let before = gateway.rss();
    let call = Call::new(&gateway, "x");
    for round in 0..20 {
        for (at, offer) in large.iter().enumerate() {
            let call = call.clone().by([Api::Query, Api::Path, Api::Srs][round % 3]);
            for publish in [false, true] {
                let call = Call { name: if publish { "y" } else { "x" }.to_owned(), ..call.clone() };
                let (status, words) = outcome(&call, &call.post(publish, offer));
                assert_eq!(status, 400, "{at}: {words}");
                assert!(words.contains("more than") && !words.contains("0x"), "{at}: {words}");
            }
        }
    }
    let more = gateway.rss().saturating_sub(before);
    println!("240 large offers: {} kB", more / 1024);
    assert!(more < 16 << 20, "{} kB", more / 1024);
}

#[test]
fn sessions_that_never_connect_take_nobody_s_place() {
    // None of them times out, however slow the machine is.
    let gateway = Gateway::start(&["--max-connections", "30", "--header-timeout", "600"]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let sdp = offer(Direction::RecvOnly, None).sdp;
    // A page behind a proxy on this machine, which reports the visitor's address.
    let from =
        |visitor: &str| Call::new(&gateway, "x").header(&format!("X-Forwarded-For: 198.51.100.9, {visitor}"));
    let stranger = from("203.0.113.9");
    let before = gateway.rss();
    let mut answered = Vec::new();
    let refused = loop {
        let response = stranger.post(false, &sdp);
        if response.status != 201 {
            break response;
        }
        answered.push(response);
        assert!(answered.len() <= SHARE, "it has more than its share");
    };
    let more = gateway.rss().saturating_sub(before);
    println!("{} sessions: {} kB each", answered.len(), more / 1024 / answered.len() as u64);
    assert!(more / (answered.len() as u64) < 128 << 10, "{} kB", more / 1024);
    let (status, words) = outcome(&stranger, &refused);
    assert_eq!((status, refused.header("retry-after")), (429, Some("1")), "{words}");
    let srs = stranger.clone().by(Api::Srs);
    assert_eq!(outcome(&srs, &srs.post(false, &sdp)).0, 429);

    // All others: another visitor, and viewers over FLV and WebRTC.
    assert_eq!(from("203.0.113.10").post(false, &sdp).status, 201);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    let peer = Peer::play(&Call::new(&gateway, "x"));
    peer.wait_frames(true, 5, LIMIT);

    // Closed sessions make room for the same number of new ones, not more.
    for session in &answered[..3] {
        let location = session.header("location").expect("a session has an address");
        let ended = lianmai_tests::http::request(gateway.http(), "DELETE", location, &[]);
        assert_eq!(ended.status, 200);
    }
    for _ in 0..3 {
        wait::until_true("a place", LIMIT, || stranger.post(false, &sdp).status == 201);
    }
    assert_eq!(stranger.post(false, &sdp).status, 429);
}

#[test]
fn a_full_gateway_says_so_before_it_answers() {
    let gateway = Gateway::start(&["--max-connections", "4"]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let call = Call::new(&gateway, "x");
    // The publisher, these viewers, and the connection of the call itself.
    let first = Peer::play(&call);
    first.wait_connected(LIMIT);
    let second = Peer::play(&call);
    second.wait_connected(LIMIT);
    wait::until_true("a refusal", LIMIT, || {
        let response = call.post(false, &offer(Direction::RecvOnly, None).sdp);
        response.status == 503 && response.header("retry-after") == Some("1")
    });
    drop(first);
    wait::until_true("a place", LIMIT, || {
        call.post(false, &offer(Direction::RecvOnly, None).sdp).status == 201
    });
}
