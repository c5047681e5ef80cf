//! Text from strangers in the log.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lianmai_tests::{Gateway, http, rtmp, wait, ws};

use crate::LIMIT;

const HOSTILE: [&str; 6] = [
    "h\n2026-01-01T00:00:00Z ERROR forged",
    "h\r\nERROR forged",
    "\u{1b}]0;PWNED\u{7}\u{1b}[2J",
    "h\u{9b}2J\u{85}forged",
    "h\u{2028}forged\u{202e}",
    "h\u{0}\u{8}\u{7f}",
];

/// Asserts that no line is forged or long, and that no control character reaches the terminal.
fn assert_clean(log: &str) {
    for line in log.lines() {
        assert!(line.len() < 2000, "a line of {} bytes", line.len());
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains(['\u{2028}', '\u{202e}']), "{line:?}");
        let stamp =
            line.as_bytes().first_chunk::<4>().is_some_and(|year| year.iter().all(u8::is_ascii_digit));
        assert!(stamp && !line.starts_with("2026-01-01"), "{line:?}");
    }
}

#[test]
fn strangers_write_neither_lines_nor_escapes_into_it() {
    let variables = [("LIANMAI_LOG", "debug".to_owned())];
    let flags = ["--public", "--secret", "s3cret", "--play-secret", "watch"];
    let gateway = Gateway::start_with(&flags, &variables);
    // First, because later the address has guessed too many secrets.
    for text in HOSTILE {
        // The close text of a peer.
        let url = format!("ws://{}/live/x.flv?action=publish&secret=s3cret", gateway.http());
        let mut socket = ws::connect(&url).expect("a publisher");
        let frame = ws::close(4000, text);
        socket.close(Some(frame)).expect("a close");
        while socket.read().is_ok() {}
    }
    for text in HOSTILE {
        for (tc_url, app, name) in [
            (format!("rtmp://{text}/live"), "live", "x".to_owned()),
            (format!("rtmp://h/{text}"), text, "x".to_owned()),
            ("rtmp://h/live".to_owned(), "live", format!("x?secret={text}")),
            ("rtmp://h/live".to_owned(), "live", format!("{text}?token={text}")),
        ] {
            assert!(rtmp::Client::publish_at(gateway.rtmp(), &tc_url, app, &name).is_err(), "{tc_url:?}");
        }
        let bytes: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for path in [
            format!("/live/{bytes}.flv"),
            format!("/live/x.flv?secret={bytes}"),
            format!("/live/x.flv?token={bytes}.{bytes}.{bytes}"),
            format!("/live/x.m3u8?secret={bytes}"),
            format!("/live/{bytes}/whep?token={bytes}"),
            format!("/api/v1/clients?secret={bytes}"),
        ] {
            for method in ["GET", "POST"] {
                assert!(http::request(gateway.http(), method, &path, &[]).status >= 400, "{path}");
            }
        }
        // Raw bytes, as far as HTTP accepts them.
        let raw: Vec<u8> =
            text.bytes().filter(|byte| *byte >= 0x80 || *byte == b'\t' || *byte == 0x1b).collect();
        let head = b"GET /live/x.flv HTTP/1.1\r\nConnection: close\r\nHost: h";
        for name in ["", "\r\nUser-Agent: ", "\r\nOrigin: ", "\r\nAuthorization: Bearer "] {
            let mut socket = TcpStream::connect(gateway.http()).expect("the gateway listens");
            socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
            socket.write_all(&[&head[..], name.as_bytes(), &raw, b"\r\n\r\n"].concat()).expect("a request");
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
        }
    }
    let log = gateway.process.stderr();
    assert!(log.contains("refused") && log.contains("wrong secret"), "{log}");
    assert_clean(&log);
}

#[test]
fn refusals_of_one_stranger_are_a_few_lines_however_many_and_long_they_are() {
    let mut gateway = Gateway::start(&["--public", "--secret", "s3cret"]);
    let long = "a".repeat(15_000);
    for n in 0..300 {
        let path = format!("/live/{n}.flv?{long}");
        assert_eq!(http::request(gateway.http(), "POST", &path, &[]).status, 401);
        assert_eq!(http::request(gateway.http(), "POST", &format!("/live/{long}{n}.flv"), &[]).status, 400);
    }
    wait::until_true("a refusal in the log", LIMIT, || gateway.process.stderr().contains("refused"));
    gateway.stop();
    let log = gateway.process.stderr();
    assert!(log.len() < 16 << 10, "{} bytes for 600 refusals", log.len());
    // The test may have taken longer than one interval.
    assert!(log.lines().filter(|line| line.contains("refused")).count() <= 12, "{log}");
    assert!(log.contains("refusals repeated") && log.contains("count="), "{log}");
    assert_clean(&log);
}
