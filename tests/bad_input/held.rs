//! Clients that make the gateway keep data for them: every kind of connection has a limit.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{http, rtmp, wait};

use crate::{LIMIT, Watched};

const UPGRADE: &str = "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A server that accepts no bytes for this long has stopped reading, as intended.
const FULL: Duration = Duration::from_secs(2);

/// Sends `head` and then `piece` repeatedly without reading responses, until `bytes` are sent or the server
/// accepts nothing for `patience`. Returns the number of bytes sent.
fn flood(to: SocketAddr, head: &str, piece: &[u8], bytes: usize, patience: Duration) -> (usize, TcpStream) {
    let mut socket = TcpStream::connect(to).expect("the gateway listens");
    socket.set_write_timeout(Some(patience)).expect("a timeout can be set");
    socket.write_all(head.as_bytes()).expect("the head");
    let many = piece.repeat(64 * 1024 / piece.len());
    let mut sent = 0;
    while sent < bytes {
        match socket.write(&many) {
            Ok(count @ 1..) => sent += count,
            _ => break,
        }
    }
    (sent, socket)
}

/// A masked ping of 125 bytes.
fn ping() -> Vec<u8> {
    [&[0x89, 0x80 | 125, 1, 2, 3, 4][..], &[7; 125]].concat()
}

#[test]
fn answers_that_are_never_read_are_not_kept() {
    let mut watched = Watched::start(&[]);
    let to = watched.gateway.http();
    let mut open = Vec::new();
    // Pongs for a publisher, which is still read: only the last of them is kept.
    let head = format!("GET /live/pings.flv?action=publish HTTP/1.1\r\n{UPGRADE}");
    let (sent, socket) = flood(to, &head, &ping(), 48 << 20, LIMIT);
    println!("{sent} bytes of pings to publish");
    assert!(sent > 16 << 20, "a publisher is read whether it reads or not: {sent}");
    open.push(socket);
    // Pongs for a viewer, which is no longer read.
    let head = format!("GET /live/good.flv HTTP/1.1\r\n{UPGRADE}");
    open.push(flood(to, &head, &ping(), 48 << 20, FULL).1);
    // Responses without a body to pipelined requests.
    let options = b"OPTIONS /live/good.flv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    open.push(flood(to, "", options, 48 << 20, FULL).1);
    let page = http::get(to, "/");
    let tag = page.header("etag").unwrap_or("W/\"x\"");
    let fresh = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: {tag}\r\n\r\n");
    open.push(flood(to, "", fresh.as_bytes(), 48 << 20, FULL).1);
    // Responses with a body.
    let list = b"GET /api/v1/streams HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    open.push(flood(to, "", list, 48 << 20, FULL).1);
    watched.assert_untouched(12 << 20);
}

/// Unfinished RTMP messages of the maximum size before a request.
fn half_connects() -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk_stream in [3_u8, 4] {
        // 16 kB without the last byte, in chunks of 128 bytes.
        bytes.extend([chunk_stream, 0, 0, 0, 0, 0x40, 0, 20, 0, 0, 0, 0]);
        let mut left = 16 * 1024 - 1;
        while left > 0 {
            let size = left.min(128);
            bytes.extend(vec![0; size]);
            left -= size;
            if left > 0 {
                bytes.push(0xc0 | chunk_stream);
            }
        }
    }
    bytes
}

/// Returns whether the server has closed this connection.
fn is_over(socket: &mut TcpStream) -> bool {
    socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout can be set");
    let mut rest = [0; 4096];
    loop {
        match socket.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

#[test]
fn who_has_not_said_what_it_wants_costs_little_and_there_are_so_many_at_most() {
    const PLACES: usize = 200;
    let mut watched = Watched::start(&["--max-pending", "200", "--header-timeout", "60"]);
    let (rtmp, https) = (watched.gateway.rtmp(), watched.gateway.https());
    let half = half_connects();
    let begin = || {
        let mut socket = TcpStream::connect(rtmp).expect("the gateway listens");
        rtmp::handshake(&mut socket).ok()?;
        socket.write_all(&half).ok()?;
        Some(socket)
    };
    let mut held: Vec<TcpStream> = (0..PLACES).map(|_| begin().expect("a place")).collect();
    // No permit is left, also over TLS. A client that sends nothing needs none.
    let mut none = TcpStream::connect(rtmp).expect("the gateway listens");
    assert!(rtmp::handshake(&mut none).is_err(), "a place too many");
    let mut tls = TcpStream::connect(https).expect("the gateway listens");
    tls.write_all(b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03").expect("a hello");
    let mut alert = Vec::new();
    tls.read_to_end(&mut alert).expect("an alert");
    assert_eq!(alert[..1], [0x15], "{alert:?}");
    let mut silent = TcpStream::connect(rtmp).expect("the gateway listens");
    assert!(!is_over(&mut silent));
    assert_eq!(held.iter_mut().filter_map(|socket| is_over(socket).then_some(())).count(), 0);
    // Two messages of 16 kB, and some overhead.
    watched.assert_untouched((PLACES as u64 * 48) << 10);
    let metrics = watched.gateway.get("/metrics").text();
    assert!(metrics.contains("lianmai_pending_connections 200\n"), "{metrics}");
    drop(held);
    wait::until_true("places to be free again", LIMIT, || {
        watched.gateway.get("/metrics").text().contains("lianmai_pending_connections 0\n")
    });
    rtmp::Client::publish(rtmp, "late").expect("a place");
}

#[test]
fn a_segment_is_not_kept_for_ever_for_those_who_read_it_slowly() {
    // 240 MB in 20 s: segments of 4 MB.
    let (header, tags) = crate::stalled::fat();
    let mut watched = Watched::start(&[]);
    let fat = WsPublisher::start(&watched.gateway.ws_publish_url("fat"), header, tags, 6.0);
    let to = watched.gateway.http();
    let (mut readers, mut asked) = (Vec::<TcpStream>::new(), Vec::<String>::new());
    let (mut ended, mut lent) = (0, 0);
    let start = Instant::now();
    while !fat.ended() {
        assert!(start.elapsed() < LIMIT * 3, "the publisher is stuck");
        let list = watched.gateway.get("/live/fat.m3u8").text();
        for name in list.lines().filter(|line| line.contains(".ts")) {
            if asked.iter().all(|known| known != name) {
                let open = http::open(to, "GET", &format!("/live/{name}"), &[]);
                assert_eq!(open.status, 200, "{name}");
                let size = open.headers.iter().find(|(name, _)| name == "content-length");
                lent += size.and_then(|(_, size)| size.parse::<u64>().ok()).expect("a length");
                readers.push(open.socket);
                asked.push(name.to_owned());
            }
        }
        // Each reads a little from time to time, so none counts as silent.
        readers.retain_mut(|socket| {
            socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout can be set");
            let alive = match socket.read(&mut [0; 512]) {
                Ok(count) => count > 0,
                Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            };
            ended += usize::from(!alive);
            alive
        });
    }
    println!("{lent} bytes in {} segments were asked for, {ended} readers were ended", asked.len());
    assert!(lent > 200 << 20 && readers.len() + ended == asked.len());
    // 64 MB of segments, 32 MB of lent segments, and the frames before segmenting.
    watched.assert_untouched(150 << 20);
}
