//! Random bytes, incomplete handshakes and false sizes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use lianmai_tests::rtmp;

use crate::{Random, Watched};

/// Sends `bytes` and waits until the server closes the connection, or is silent for a moment.
fn throw(to: SocketAddr, bytes: &[u8]) {
    let mut socket = TcpStream::connect(to).expect("the gateway listens");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
    // The server may close the connection before all is sent.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let mut buffer = [0; 4096];
    while matches!(socket.read(&mut buffer), Ok(1..)) {}
}

#[test]
fn random_bytes_on_every_port() {
    let mut watched = Watched::start(&[]);
    let mut random = Random(1);
    let ports = [watched.gateway.rtmp(), watched.gateway.http(), watched.gateway.https()];
    for n in 0..150 {
        let size = random.below(8192);
        let mut bytes = random.bytes(size);
        // Half of them begin like a real protocol.
        let start: &[u8] = match n % 8 {
            0 => b"\x03",
            4 => b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03",
            1 => b"GET /live/good.flv HTTP/1.1\r\n",
            2 => b"POST /live/bad.flv HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            3 => b"GET /live/bad.flv?action=publish HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            _ => b"",
        };
        bytes.splice(0..0, start.iter().copied());
        throw(ports[n % 3], &bytes);
        throw(ports[(n / 8) % 3], &bytes);
    }
    watched.assert_untouched(20 << 20);
}

#[test]
fn half_handshakes_and_bytes_after_whole_ones() {
    let mut watched = Watched::start(&[]);
    let mut random = Random(2);
    let to = watched.gateway.rtmp();
    let c0c1 = [vec![3], random.bytes(1536)].concat();
    for cut in [1, 2, 9, 1536, 1537] {
        throw(to, &c0c1[..cut]);
    }
    throw(to, &[c0c1.clone(), random.bytes(1536)].concat());
    for _ in 0..50 {
        let mut socket = TcpStream::connect(to).expect("the gateway listens");
        rtmp::handshake(&mut socket).expect("a handshake");
        let size = random.below(20_000);
        let _ = socket.write_all(&random.bytes(size));
    }
    watched.assert_untouched(20 << 20);
}

#[test]
fn sizes_that_are_lies() {
    const GIGABYTE: u32 = 1 << 30;
    let mut watched = Watched::start(&[]);
    let rtmp = watched.gateway.rtmp();
    let http = watched.gateway.http();
    let chunk = |kind: u8, length: u32, body: &[u8]| {
        let length = length.to_be_bytes();
        [&[3, 0, 0, 0, length[1], length[2], length[3], kind, 0, 0, 0, 0], body].concat()
    };
    let amf_command = |body: &[u8]| chunk(20, body.len() as u32, body);
    let huge = GIGABYTE.to_be_bytes();
    let chunks = [
        // A chunk size of 1 GB, then a message of the maximum size.
        [chunk(1, 4, &huge), chunk(9, 0x00ff_ffff, &[0x17, 1])].concat(),
        // A 16 MB message on each of many chunk streams.
        (3..64u8)
            .flat_map(|id| [vec![id], chunk(9, 0x00ff_ffff, &[0; 100])[1..].to_vec()].concat())
            .collect(),
        // Strings, arrays and objects with a claimed size of 1 GB, and deep nesting.
        amf_command(&[&[12][..], &huge].concat()),
        amf_command(&[&[2, 0, 7][..], b"connect", &[0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 10], &huge].concat()),
        amf_command(&[&[2, 0, 7][..], b"connect", &[0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 8], &huge].concat()),
        chunk(18, 100_000, &[3, 0, 1, b'a'].repeat(25_000)),
        // A chunk size of 0.
        chunk(1, 4, &[0; 4]),
    ];
    let mut open = Vec::new();
    for bytes in &chunks {
        for _ in 0..20 {
            let mut socket = TcpStream::connect(rtmp).expect("the gateway listens");
            rtmp::handshake(&mut socket).expect("a handshake");
            let _ = socket.write_all(bytes);
            open.push(socket);
        }
    }
    let upgrade = "GET /live/bad.flv?action=publish HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // A masked binary frame with a claimed size of 1 GB.
    let frame = [&[0x82, 0xff, 0, 0, 0, 0][..], &huge, &[1, 2, 3, 4, 5, 6]].concat();
    let flv =
        [&lianmai_tests::flv::header(5)[..], &[9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x17]].concat();
    let post =
        format!("POST /live/bad.flv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {GIGABYTE}\r\n\r\n");
    let head = format!("GET /{} HTTP/1.1\r\n", "x".repeat(1 << 20));
    let requests = [
        [upgrade.as_bytes(), &frame].concat(),
        [post.as_bytes(), &flv].concat(),
        [post.as_bytes(), b"FLV"].concat(),
        head.into_bytes(),
        format!("GET / HTTP/1.1\r\n{}", "X-Y: z\r\n".repeat(20_000)).into_bytes(),
    ];
    for bytes in &requests {
        for _ in 0..20 {
            let mut socket = TcpStream::connect(http).expect("the gateway listens");
            let _ = socket.write_all(bytes);
            open.push(socket);
        }
    }
    watched.assert_untouched(20 << 20);
    drop(open);
}
