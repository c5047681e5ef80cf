//! RTMP over TLS on the RTMP port.

use std::io::{Read as _, Write as _};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::packets::View;
use lianmai_tests::player::{FlvViewer, Player};
use lianmai_tests::{Clip, Gateway, http, publisher, tls};

use crate::{LIMIT, publish};

#[test]
fn ffmpeg_publishes_and_plays_by_rtmps_on_the_rtmp_port() {
    let gateway = Gateway::start(&[]);
    let to = gateway.rtmp();
    let _publisher = publisher::ffmpeg_forever(&Clip::Av.file(), &format!("rtmps://{to}/live/x"));
    gateway.wait_published("x");
    let mut secure = Player::start(&format!("rtmps://{to}/live/x"), View::Whole);
    let mut plain = Player::start(&gateway.rtmp_url("x"), View::Whole);
    for player in [&mut secure, &mut plain] {
        player.wait(LIMIT, |packets| packets.video.len() >= 90 && packets.audio.len() >= 90);
    }
    let clients = gateway.json("/api/v1/clients");
    let urls: Vec<_> = clients["clients"].as_array().into_iter().flatten().map(|c| &c["tcUrl"]).collect();
    let count = |url: &str| urls.iter().filter(|known| **known == url).count();
    let (secure, plain) = (format!("rtmps://{to}/live"), format!("rtmp://{to}/live"));
    assert_eq!((count(&secure), count(&plain)), (2, 1), "{urls:?}");
}

#[test]
fn the_certificate_is_that_of_https_and_a_client_may_name_protocols() {
    let gateway = Gateway::start(&[]);
    // This client offers http/1.1, which RTMP is not; others offer nothing.
    assert_eq!(tls::certificate(gateway.rtmp()), tls::certificate(gateway.https()));
}

#[test]
fn tls_handshakes_are_bounded_in_time_and_number() {
    let gateway = Gateway::start(&["--max-pending", "2", "--header-timeout", "3"]);
    let begin = || {
        let mut socket = http::connect(gateway.rtmp()).expect("a connection");
        // The start of a handshake record of 512 bytes that never comes.
        socket.write_all(&[22, 3, 1, 2, 0]).expect("sent");
        socket
    };
    // Two wait for the rest of their handshakes, in vain; the third is refused at once by an alert.
    let answers = [begin(), begin(), begin()].map(|mut socket| {
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        answer
    });
    let refused = answers.iter().filter(|answer| answer.starts_with(&[21, 3, 3, 0, 2, 2, 80])).count();
    assert_eq!(refused, 1, "{answers:?}");
    // There is room again.
    let _publisher =
        publisher::ffmpeg_forever(&Clip::Av.file(), &format!("rtmps://{}/live/x", gateway.rtmp()));
    gateway.wait_published("x");
}

#[test]
fn without_https_there_is_no_rtmps_but_rtmp() {
    let gateway = Gateway::start(&["--https", ""]);
    assert!(tls::connect(gateway.rtmp()).is_err());
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
}
