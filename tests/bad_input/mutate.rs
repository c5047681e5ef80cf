//! Damaged bytes of real publishers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lianmai_tests::{Clip, publisher, ws};

use crate::{LIMIT, Random, Watched};

/// Sends everything, then waits until the server closes the connection or is silent for a while.
fn replay(to: SocketAddr, bytes: &[u8]) {
    let mut socket = TcpStream::connect(to).expect("the gateway listens");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
    let mut reader = socket.try_clone().expect("a socket can be cloned");
    let drain = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while matches!(reader.read(&mut buffer), Ok(1..)) {}
    });
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let _ = drain.join();
}

#[test]
fn truncated_and_mutated_flv() {
    let mut watched = Watched::start(&[]);
    let whole = std::fs::read(Clip::BFrames.file()).expect("a clip");
    let part = &whole[..60_000];
    let mut random = Random(3);
    for n in 0..120 {
        // Most of them keep the file header, so that the damage is found later.
        let bytes = random.mutate(part, if n % 10 == 0 { 0 } else { 13 });
        if n % 2 == 0 {
            let head = format!(
                "POST /live/bad{n}.flv HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
                watched.gateway.http(),
                bytes.len()
            );
            replay(watched.gateway.http(), &[head.as_bytes(), &bytes].concat());
        } else if let Ok(mut socket) = ws::connect(&watched.gateway.ws_publish_url(&format!("bad{n}"))) {
            let _ = socket.send(ws::Message::binary(bytes));
            let _ = socket.close(None);
            while socket.read().is_ok() {}
        }
    }
    watched.assert_untouched(40 << 20);
}

#[test]
fn mutated_rtmp() {
    let mut watched = Watched::start(&[]);
    let recorded = record(watched.gateway.rtmp());
    let mut random = Random(4);
    for n in 0..150 {
        // C0 and C1 stay intact, and usually C2 too.
        let keep = if n % 10 == 0 { 1537 } else { 1537 + 1536 };
        // Most of the early bytes are commands: damage these more often than video.
        let part = &recorded[..if n % 2 == 0 { 4_500 } else { 40_000 }.min(recorded.len())];
        replay(watched.gateway.rtmp(), &random.mutate(part, keep));
    }
    watched.assert_untouched(40 << 20);
}

/// Records what ffmpeg sends when it publishes, through a proxy.
fn record(to: SocketAddr) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let here = listener.local_addr().expect("a bound port");
    let mut ffmpeg = publisher::ffmpeg(&Clip::BFrames.file(), &format!("rtmp://{here}/live/recorded"));
    let (mut client, _) = listener.accept().expect("ffmpeg connects");
    let mut server = TcpStream::connect(to).expect("the gateway listens");
    let (mut back_from, mut back_to) =
        (server.try_clone().expect("clone"), client.try_clone().expect("clone"));
    thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&recorded);
    let forward = thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(n @ 1..) = client.read(&mut buffer) {
            let mut recorded = into.lock().expect("no panic");
            recorded.extend_from_slice(&buffer[..n]);
            if recorded.len() > 60_000 || server.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
    });
    forward.join().expect("the proxy works");
    ffmpeg.wait(LIMIT);
    let recorded = recorded.lock().expect("no panic").clone();
    assert!(recorded.len() > 40_000, "only {} bytes were published", recorded.len());
    recorded
}
