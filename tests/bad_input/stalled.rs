//! Viewers that stop reading.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{self, Tag, VIDEO};
use lianmai_tests::{Clip, http, rtmp, wait, ws};

use crate::{LIMIT, Random, Watched};

/// A clip whose frames are padded to about 16 Mb/s, so that what a socket takes is soon full.
fn fat() -> (u8, Vec<Tag>) {
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
    let mut watched = Watched::publish(&[], header, tags);
    let (to, rtmp) = (watched.gateway.http(), watched.gateway.rtmp());
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
    let skipped = || {
        let text = watched.gateway.get("/metrics").text();
        let samples = text.lines().filter(|line| !line.starts_with('#') && line.contains("skipped"));
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    // Each of the twenty has missed more than two groups of pictures.
    wait::until_true("the stalled viewers to be skipped", LIMIT, || skipped() >= 20.0 * 60.0);
    watched.assert_untouched(10 << 20);

    // One that reads again finds whole tags and goes on at a key frame.
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
    watched.assert_untouched(10 << 20);
}

#[test]
fn a_viewer_that_takes_nothing_for_too_long_is_dropped() {
    let (header, tags) = fat();
    let mut watched = Watched::publish(&["--stall-timeout", "2"], header, tags);
    let stalled = http::open(watched.gateway.http(), "GET", "/live/good.flv", &[]);
    let listed = || watched.gateway.json("/api/v1/clients")["clients"].as_array().map_or(0, Vec::len);
    wait::until_true("the viewer to be listed", LIMIT, || listed() == 3);
    wait::until_true("the viewer to be dropped", LIMIT, || listed() == 2);
    drop(stalled);
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
