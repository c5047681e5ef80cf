//! Hostile peers must not affect a WebRTC stream and its viewers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::random::Random;
use lianmai_tests::rtc::{Api, Call, Media, Peer, Wire, offer, slices};
use lianmai_tests::{Gateway, http, wait};
use str0m::media::Direction;

use crate::LIMIT;

/// A WebRTC stream with viewers over WebRTC and FLV.
struct Watched {
    publisher: Peer,
    viewer: Peer,
    flv: FlvViewer,
    gateway: Gateway,
    rss: u64,
}

impl Watched {
    #[track_caller]
    fn start(flags: &[&str]) -> Self {
        let gateway = Gateway::start(flags);
        let call = Call::new(&gateway, "good");
        let publisher = Peer::publish(&call, Media::usual());
        gateway.wait_published("good");
        let flv = FlvViewer::http(gateway.http(), "/live/good.flv");
        let viewer = Peer::play(&call);
        viewer.wait_frames(true, 40, LIMIT);
        viewer.wait_frames(false, 40, LIMIT);
        flv.wait_frames(VIDEO, 40, LIMIT);
        flv.wait_frames(AUDIO, 40, LIMIT);
        let rss = gateway.rss();
        Self { publisher, viewer, flv, gateway, rss }
    }

    /// Asserts that every published frame arrived once and in order, that the stream continues, and that
    /// memory grew by at most `grown`.
    #[track_caller]
    fn assert_untouched(&mut self, grown: u64) {
        assert!(self.gateway.process.ended().is_none(), "the gateway ended");
        let seen = self.flv.frames(VIDEO).len();
        self.flv.wait_frames(VIDEO, seen + 30, LIMIT);
        let sent: Vec<_> = self
            .publisher
            .sent()
            .iter()
            .filter(|frame| frame.video)
            .map(|frame| slices(&frame.data))
            .collect();
        let viewed: Vec<_> = self.viewer.frames(true).iter().map(|frame| slices(&frame.data)).collect();
        let flv: Vec<_> = self.flv.frames(VIDEO).iter().map(|seen| slices(seen.tag.frame().1)).collect();
        for (what, came) in [("WebRTC", viewed), ("FLV", flv)] {
            let first = sent.iter().position(|picture| *picture == came[0]).expect("it was sent");
            let differs = came.iter().zip(&sent[first..]).position(|(came, sent)| came != sent);
            assert_eq!(differs, None, "a picture of {} is another over {what}", came.len());
        }
        assert_eq!((self.publisher.over(), self.viewer.over()), (None, None));
        let more = self.gateway.rss().saturating_sub(self.rss);
        println!("memory: {} kB, then {} kB more", self.rss / 1024, more / 1024);
        assert!(more <= grown, "memory grew by {} kB", more / 1024);
        let log = self.gateway.process.stderr() + &self.gateway.process.stdout();
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// A STUN binding request with this USERNAME and a guessed MESSAGE-INTEGRITY.
fn check(random: &mut Random, name: &str) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        attributes.extend(kind.to_be_bytes());
        attributes.extend((value.len() as u16).to_be_bytes());
        attributes.extend_from_slice(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    add(0x0006, name.as_bytes());
    add(0x0024, &random.bytes(4));
    add(0x802a, &random.bytes(8));
    add(0x0025, &[]);
    add(0x0008, &random.bytes(20));
    let head = [&[0, 1][..], &(attributes.len() as u16).to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42]].concat();
    [head, random.bytes(12), attributes].concat()
}

/// Returns the gateway's user name fragment in an answer.
fn fragment(answer: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    line.expect("an answer has one").trim_end().to_owned()
}

#[test]
fn floods_of_checks_and_noise() {
    let mut watched = Watched::start(&[]);
    let to = watched.gateway.webrtc();
    let mut random = Random(11);
    let known = [fragment(&watched.publisher.answer), fragment(&watched.viewer.answer)];
    let mut wires: Vec<Wire> = (0..4).map(|_| Wire::udp()).collect();
    for n in 0..20_000 {
        let datagram = match n % 5 {
            0 => check(&mut random, "nobody:x"),
            1 => {
                let name = format!("{:x}:{n:x}", random.next());
                check(&mut random, &name)
            }
            // A sender that knows the name but not the password.
            2 => check(&mut random, &format!("{}:x", known[n / 5 % 2])),
            3 => {
                let whole = check(&mut random, &known[0]);
                random.mutate(&whole, 0)
            }
            _ => {
                let size = random.below(1500);
                random.bytes(size)
            }
        };
        wires[n % 4].send(to, &datagram);
        if n % 500 == 0 {
            // Not all at once: this tests the gateway, not the kernel's buffer.
            let seen = watched.viewer.frames(true).len();
            watched.viewer.wait_frames(true, seen + 2, LIMIT);
        }
    }
    // Nobody got a response, so nobody can be used to flood a third party.
    for wire in &mut wires {
        assert_eq!(wire.receive(Duration::from_millis(50)), None);
    }
    watched.assert_untouched(10 << 20);
}

#[test]
fn what_was_sent_once_does_not_count_again() {
    let mut watched = Watched::start(&[]);
    for round in 0..2 {
        let datagrams = watched.publisher.datagrams();
        assert!(datagrams.len() > 100, "only {}", datagrams.len());
        // Over the same path, and over another.
        if round == 0 {
            watched.publisher.resend(datagrams);
        } else {
            let mut other = Wire::udp();
            let to = watched.gateway.webrtc();
            datagrams.iter().for_each(|datagram| other.send(to, datagram));
        }
        watched.assert_untouched(10 << 20);
    }
}

#[test]
fn media_from_an_address_that_was_not_checked_is_none() {
    let watched = Watched::start(&[]);
    let (publisher, flv) = (&watched.publisher, &watched.flv);
    publisher.detour(Some(Wire::udp()));
    let sent = publisher.sent().len();
    wait::until_true("more to be sent", LIMIT, || publisher.sent().len() > sent + 150);
    let taken = flv.frames(VIDEO).len();
    let sent = publisher.sent().len();
    wait::until_true("still more to be sent", LIMIT, || publisher.sent().len() > sent + 150);
    assert_eq!(flv.frames(VIDEO).len(), taken, "pictures came from somewhere");
    publisher.detour(None);
    flv.wait_frames(VIDEO, taken + 30, LIMIT);
}

#[test]
fn damaged_offers() {
    let mut watched = Watched::start(&["--header-timeout", "2"]);
    let mut random = Random(12);
    let mut answered = 0;
    for n in 0..400 {
        let publish = n % 2 == 0;
        let direction = if publish { Direction::SendOnly } else { Direction::RecvOnly };
        let whole = offer(direction, Some(Wire::udp().candidate())).sdp;
        let text = match n % 8 {
            // Truncated, or with missing, repeated or swapped lines.
            0 | 1 => whole[..random.below(whole.len())].to_owned(),
            2..=5 => {
                let mut lines: Vec<&str> = whole.split_inclusive("\r\n").collect();
                for _ in 0..=random.below(4) {
                    let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                    match random.below(3) {
                        0 => drop(lines.remove(a)),
                        1 => lines.insert(a, lines[b]),
                        _ => lines.swap(a, b),
                    }
                }
                lines.concat()
            }
            _ => String::from_utf8_lossy(&random.mutate(whole.as_bytes(), 0)).into_owned(),
        };
        let name = if publish { format!("bad{n}") } else { "good".to_owned() };
        let call = Call::new(&watched.gateway, &name).by([Api::Query, Api::Srs][n / 2 % 2]);
        let response = call.post(publish, &text);
        assert!(matches!(response.status, 200 | 201 | 400 | 406), "{} for {text}", response.status);
        answered += usize::from(call.answer(response).is_ok());
    }
    println!("{answered} were answered");
    // The answered sessions never connect, and are removed.
    wait::until_true("nobody but us", LIMIT, || {
        let clients = watched.gateway.json("/api/v1/clients");
        clients["clients"].as_array().is_some_and(|clients| clients.len() == 3)
    });
    assert!((0..400).all(|n| watched.gateway.stream(&format!("bad{n}")).is_none()) || answered == 0);
    // The allocator keeps what str0m allocated for each answered session.
    watched.assert_untouched(40 << 20);
}

#[test]
fn changes_of_sessions_that_are_damaged() {
    let mut watched = Watched::start(&[]);
    let mut random = Random(13);
    let whole = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
                 a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
    let victim = Call::new(&watched.gateway, "other").post(true, &offer(Direction::SendOnly, None).sdp);
    let location = victim.header("location").expect("a session has an address");
    let headers = ["Content-Type: application/trickle-ice-sdpfrag", "If-Match: *"];
    for _ in 0..200 {
        let body = random.mutate(whole.as_bytes(), 0);
        let answer = http::send(watched.gateway.http(), "PATCH", location, &headers, &body);
        assert!(matches!(answer.status, 200 | 400), "{} {}", answer.status, answer.text());
    }
    watched.assert_untouched(10 << 20);
}

#[test]
fn connections_that_are_no_peers_are_hung_up_on() {
    let mut watched = Watched::start(&["--header-timeout", "1"]);
    let to = watched.gateway.webrtc();
    let connect = || {
        let socket = TcpStream::connect(to).expect("the gateway listens");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
        socket
    };
    // Returns whether the server has closed the connection.
    let over = |socket: &mut TcpStream| match socket.read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => panic!("it was answered"),
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    };
    let mut random = Random(14);
    let name = format!("{}:x", fragment(&watched.publisher.answer));
    for n in 0..60 {
        let mut socket = connect();
        let size = random.below(4000);
        let bytes = random.bytes(size);
        let bytes = match n % 4 {
            0 => bytes,
            1 => [&(bytes.len() as u16).to_be_bytes(), &bytes[..]].concat(),
            2 => b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            // A check with a valid start and invalid content.
            _ => {
                let check = check(&mut random, &name);
                [&(check.len() as u16).to_be_bytes(), &check[..]].concat()
            }
        };
        let _ = socket.write_all(&bytes);
        if n % 4 != 3 {
            wait::until_true("the server to hang up", LIMIT, || over(&mut socket));
        }
    }
    // Silent ones, and one that sends each byte slowly.
    let mut silent = connect();
    wait::until_true("the silent one to be hung up on", LIMIT, || over(&mut silent));
    let mut slow = connect();
    let began = Instant::now();
    wait::until_true("the slow one to be hung up on", LIMIT, || {
        slow.write_all(&[1]).is_err() || over(&mut slow)
    });
    println!("the slow one was there for {:?}", began.elapsed());
    watched.assert_untouched(10 << 20);
}
