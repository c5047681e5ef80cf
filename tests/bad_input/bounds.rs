//! Limits from the settings: each is reached and then exceeded.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use lianmai_tests::flv::{Tag, VIDEO};
use lianmai_tests::{Gateway, flv, http, rtmp, wait, ws};

use crate::LIMIT;

/// Returns whether the gateway closes this connection, with or without a response.
fn ends(socket: &mut TcpStream) -> bool {
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    !socket
        .read_to_end(&mut Vec::new())
        .is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// An FLV file with one tag whose body has `size` bytes.
fn file(size: usize) -> Vec<u8> {
    let tag = Tag { kind: VIDEO, time: 0, body: vec![0x17; size] };
    [&flv::header(1)[..], &tag.bytes()].concat()
}

#[test]
fn there_are_so_many_streams_and_no_more_by_any_protocol() {
    let gateway = Gateway::start(&["--max-streams", "2"]);
    let mut one = rtmp::Client::publish(gateway.rtmp(), "one").expect("a place");
    let _two = rtmp::Client::publish(gateway.rtmp(), "two").expect("a place");
    assert!(rtmp::Client::publish(gateway.rtmp(), "three").is_err());
    assert_eq!(http::send(gateway.http(), "POST", "/live/three.flv", &[], &file(10)).status, 503);
    assert!(gateway.stream("three").is_none());
    one.socket.shutdown(std::net::Shutdown::Both).expect("ours");
    assert!(ends(&mut one.socket));
    wait::until_true("a free place", LIMIT, || rtmp::Client::publish(gateway.rtmp(), "three").is_ok());
}

#[test]
fn a_message_of_a_publisher_has_so_many_bytes_and_no_more() {
    const MOST: usize = 100_000;
    let gateway = Gateway::start(&["--max-message", "100000"]);
    for (size, goes_on) in [(MOST, true), (MOST + 1, false)] {
        let mut client = rtmp::Client::publish(gateway.rtmp(), &format!("r{size}")).expect("a publisher");
        let _ = client.send_tag(&Tag { kind: VIDEO, time: 0, body: vec![0x17; size] });
        if goes_on {
            // A regular end, not one by the gateway.
            let published =
                || gateway.stream(&format!("r{size}")).is_some_and(|s| s["publish"]["active"] == true);
            wait::until_true("a message", LIMIT, || bad_frames(&gateway) > 0);
            assert!(published());
        } else {
            assert!(ends(&mut client.socket), "a message of {size} bytes is taken");
        }
        let url = gateway.ws_publish_url(&format!("w{size}"));
        let mut socket = ws::connect(&url).expect("a publisher");
        let head = flv::header(1).len() + 15;
        socket.send(ws::Message::binary(file(size - head))).expect("a message");
        if goes_on {
            socket.send(ws::Message::Ping(Vec::new().into())).expect("a ping");
            let answer = socket.read().expect("an answer");
            assert!(answer.is_pong(), "{answer:?}");
        } else {
            while socket.read().is_ok_and(|message| !message.is_close()) {}
        }
    }
}

fn bad_frames(gateway: &Gateway) -> u64 {
    let text = gateway.get("/metrics").text();
    let lines = text.lines().filter(|line| line.starts_with("lianmai_bad_frames_total"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

#[test]
fn the_head_of_a_request_has_so_many_bytes_and_no_more() {
    let gateway = Gateway::start(&["--max-header", "10000"]);
    for (size, wanted) in [(8_000, 200), (30_000, 431)] {
        let line = format!("X-Long: {}", "x".repeat(size));
        assert_eq!(http::request(gateway.http(), "GET", "/healthz", &[&line]).status, wanted, "{size}");
    }
}

#[test]
fn there_are_so_many_connections_in_all_and_from_one_address() {
    for flag in ["--max-connections", "--max-connections-per-ip"] {
        let gateway = Gateway::start(&[flag, "3"]);
        let held: Vec<TcpStream> = (0..3)
            .map(|_| {
                let mut socket = TcpStream::connect(gateway.http()).expect("the gateway listens");
                socket.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
                socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").expect("a request");
                let mut first = [0; 12];
                socket.read_exact(&mut first).expect("an answer");
                assert_eq!(&first, b"HTTP/1.1 200");
                socket
            })
            .collect();
        assert_eq!(http::request(gateway.http(), "GET", "/healthz", &[]).status, 503, "{flag}");
        let mut none = TcpStream::connect(gateway.rtmp()).expect("the gateway listens");
        assert!(rtmp::handshake(&mut none).is_err(), "{flag}: a connection too many");
        drop(held);
        wait::until_true("a free place", Duration::from_secs(30), || {
            TcpStream::connect(gateway.rtmp()).is_ok_and(|mut socket| rtmp::handshake(&mut socket).is_ok())
        });
    }
}
