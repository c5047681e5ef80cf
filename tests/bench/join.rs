//! Time until a new viewer has received the bytes of its first video frame.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{self, VIDEO};

use crate::{percentile, stream};

const JOINS: u32 = 100;

pub(crate) fn run() {
    let (gateway, _publisher) = stream::gateway(&[]);
    // By now the first group of pictures is cached.
    thread::sleep(Duration::from_secs(3));
    let mut times = Vec::new();
    for n in 0..JOINS {
        let start = Instant::now();
        times.push(first_picture_at(gateway.http(), "bench") - start);
        // Spread over the group of pictures.
        thread::sleep(Duration::from_millis(u64::from(37 + n % 10)));
    }
    println!(
        "join to first whole video frame over HTTP-FLV, TCP connect included, {JOINS} joins: p50 {:.2} ms, \
         p95 {:.2} ms, worst {:.2} ms (target <= 5)",
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.95),
        percentile(&mut times, 1.0),
    );
}

/// Returns when the first video frame of `live/NAME` was complete at this server.
pub(crate) fn first_picture_at(to: SocketAddr, name: &str) -> Instant {
    let mut socket = TcpStream::connect(to).expect("the server listens");
    let request = format!("GET /live/{name}.flv HTTP/1.0\r\nHost: {to}\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("a request can be sent");
    first_picture(&mut socket)
}

/// Returns when the first video frame was complete.
fn first_picture(socket: &mut TcpStream) -> Instant {
    let mut reader = flv::Reader::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut head: Option<Vec<u8>> = Some(Vec::new());
    loop {
        let n = socket.read(&mut buffer).expect("the stream comes");
        assert!(n > 0, "the response ended");
        let tags = match &mut head {
            Some(bytes) => {
                bytes.extend_from_slice(&buffer[..n]);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let body = bytes.split_off(end + 4);
                head = None;
                reader.push(&body)
            }
            None => reader.push(&buffer[..n]),
        };
        if tags.iter().any(|tag| tag.kind == VIDEO && tag.is_frame()) {
            return Instant::now();
        }
    }
}
