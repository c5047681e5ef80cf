//! Viewers that stop reading.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{self, Tag, VIDEO};
use lianmai_tests::packets::View;
use lianmai_tests::player::{FlvViewer, Player};
use lianmai_tests::{Clip, http, rtmp, tls, wait, ws};

use crate::{LIMIT, Random, Watched};

/// A clip whose frames are padded to about 16 Mb/s, so that socket buffers fill quickly.
pub(crate) fn fat() -> (u8, Vec<Tag>) {
    let (flags, mut tags) = Clip::Av.minutes(2);
    let mut random = Random(5);
    let filler = random.bytes(64 * 1024);
    for tag in tags.iter_mut().filter(|tag| tag.kind == VIDEO && tag.is_frame()) {
        // One more NAL unit: filler data.
        let size = 64 * 1024 - 1;
        tag.body.extend_from_slice(&(size as u32 + 1).to_be_bytes());
        tag.body.push(12);
        tag.body.extend_from_slice(&filler[..size]);
    }
    (flags, tags)
}

#[test]
fn twenty_viewers_that_stop_reading_harm_nobody() {
    let (header, tags) = fat();
    let mut watched = Watched::publish(&["--stall-timeout", "40"], header, tags);
    let (to, rtmp) = (watched.gateway.http(), watched.gateway.rtmp());
    // Each protocol caches its own bytes of the last seconds, once for all its viewers. One good viewer per
    // protocol makes these caches part of the normal memory use.
    let ws_viewer = FlvViewer::ws(&watched.gateway.ws_url("good.flv"));
    let mut rtmp_viewer = Player::start(&watched.gateway.rtmp_url("good"), View::Whole);
    ws_viewer.wait_frames(VIDEO, 30, LIMIT);
    rtmp_viewer.wait(LIMIT, |packets| packets.video.len() >= 30);
    watched.warm_up();

    let mut open = Vec::new();
    let mut sockets = Vec::new();
    let mut plays = Vec::new();
    for n in 0..20 {
        match n % 3 {
            0 => open.push(http::open(to, "GET", "/live/good.flv", &[])),
            1 => sockets.push(ws::connect(&watched.gateway.ws_url("good.flv")).expect("a WebSocket")),
            _ => plays.push(rtmp::Client::play(rtmp, "good").expect("RTMP play")),
        }
    }
    // Ten seconds and 20 MB per viewer later, all buffers are full.
    let seen = watched.viewer.frames(VIDEO).len();
    watched.viewer.wait_frames(VIDEO, seen + 300, LIMIT);
    watched.assert_untouched(10 << 20);

    // A viewer that reads again finds complete tags and continues at a key frame.
    let mut late = open.remove(0);
    let mut reader = flv::Reader::default();
    let mut frames: Vec<Tag> = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    let start = Instant::now();
    let resumed = loop {
        assert!(start.elapsed() < LIMIT, "it never caught up");
        let n = late.body.read(&mut buffer).expect("the stream goes on");
        assert!(n > 0, "the response ended");
        frames.extend(reader.push(&buffer[..n]).into_iter().filter(|t| t.kind == VIDEO && t.is_frame()));
        let gap = frames.windows(2).position(|pair| pair[1].time > pair[0].time + 50);
        if let Some(at) = gap {
            break frames[at + 1].clone();
        }
    };
    assert!(resumed.is_key(), "it went on with a frame that cannot be decoded");

    // Missed items are counted, and viewers that never read again are disconnected.
    let metric = |name: &str| {
        let text = watched.gateway.get("/metrics").text();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap_or(0.0)
    };
    wait::until_true("the skipped frames to be counted", LIMIT, || metric("lianmai_skipped_total ") > 0.0);
    wait::until_true("the other 19 to be dropped", LIMIT, || {
        let clients = watched.gateway.json("/api/v1/clients");
        // The publisher, three good viewers, and the viewer that read again, if it still reads.
        clients["clients"].as_array().is_some_and(|clients| clients.len() <= 5)
    });
    let packets = rtmp_viewer.packets();
    let step = packets.video.windows(2).map(|pair| pair[1].dts - pair[0].dts).max();
    assert!(step <= Some(50_000), "the good RTMP viewer has a gap of {step:?} µs");
    watched.assert_untouched(10 << 20);
}

#[test]
fn a_viewer_that_takes_nothing_for_too_long_is_dropped() {
    let (header, tags) = fat();
    let mut watched = Watched::publish(&["--stall-timeout", "2"], header, tags);
    watched.warm_up();
    let stalled = http::open(watched.gateway.http(), "GET", "/live/good.flv", &[]);
    let by_tls = tls::open(watched.gateway.https(), "GET", "/live/good.flv", &[]);
    let listed = || watched.gateway.json("/api/v1/clients")["clients"].as_array().map_or(0, Vec::len);
    wait::until_true("the viewers to be listed", LIMIT, || listed() == 4);
    wait::until_true("the viewers to be dropped", LIMIT, || listed() == 2);
    drop((stalled, by_tls));
    watched.assert_untouched(10 << 20);
}

#[test]
fn a_publisher_that_falls_silent_is_taken_as_gone() {
    let mut watched = Watched::start(&["--publish-timeout", "2"]);
    let mut silent = TcpStream::connect(watched.gateway.http()).expect("the gateway listens");
    let head = "POST /live/silent.flv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n";
    silent.write_all(head.as_bytes()).expect("a request");
    let (flags, tags) = Clip::Av.tags();
    silent.write_all(&flv::header(flags)).expect("a header");
    for tag in &tags[..40] {
        silent.write_all(&tag.bytes()).expect("a tag");
        thread::sleep(Duration::from_millis(5));
    }
    let active =
        || watched.gateway.stream("silent").is_some_and(|stream| stream["publish"]["active"] == true);
    wait::until_true("the publisher to be there", LIMIT, active);
    wait::until_true("the publisher to be gone", LIMIT, || !active());
    watched.assert_untouched(10 << 20);
}
