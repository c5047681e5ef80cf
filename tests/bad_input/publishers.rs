//! No publisher may stall a worker: whatever media it sends, other clients are served.

#[path = "../../gateway/src/edges/rtmp/ingest/hostile.rs"]
mod hostile;

use std::io::{ErrorKind, Read as _};
use std::net::Shutdown;

use lianmai_tests::flv::{self, AUDIO, SCRIPT, Tag, VIDEO};
use lianmai_tests::{Clip, Gateway, http, rtmp, ws};

use crate::{Random, Watched};
use hostile::{DATA, FRAMES, HEADERS};

/// Returns publishers, each as a list of tags.
fn hostile() -> Vec<Vec<Tag>> {
    let video = |time, body: &[u8]| Tag { kind: VIDEO, time, body: body.to_vec() };
    let frames: Vec<Tag> = FRAMES
        .iter()
        .flat_map(|head| DATA.iter().map(move |data| [*head, data].concat()))
        .zip(0..)
        .map(|(body, n)| video(n * 40, &body))
        .collect();
    // The first message alone; all before any header; all after a bad header.
    let mut all: Vec<Vec<Tag>> =
        FRAMES.iter().map(|head| vec![video(0, &[*head, DATA[0]].concat())]).collect();
    all.push(frames.clone());
    for header in HEADERS {
        all.push([vec![video(0, header)], frames.clone()].concat());
    }
    // Real media with damaged bodies and random timestamps.
    let mut random = Random(7);
    for n in 0..12 {
        let clip = if n % 2 == 0 { Clip::Av } else { Clip::BFrames };
        let mut tags = clip.tags().1;
        tags.truncate(120);
        for tag in &mut tags {
            if random.below(3) == 0 && tag.body.len() > 2 {
                let keep = random.below(2);
                tag.body = random.mutate(&tag.body, keep);
            }
            if random.below(6) == 0 {
                tag.time = random.next() as u32;
            }
            if random.below(20) == 0 {
                tag.kind = [AUDIO, VIDEO, SCRIPT][random.below(3)];
            }
        }
        all.push(tags);
    }
    all
}

/// Asserts that every worker answers: connections are distributed to them in turn.
#[track_caller]
fn assert_served(gateway: &Gateway, workers: usize) {
    for _ in 0..2 * workers {
        assert_eq!(gateway.get("/healthz").status, 200);
    }
}

fn by_rtmp(gateway: &Gateway, name: &str, tags: &[Tag]) {
    let mut client = rtmp::Client::publish(gateway.rtmp(), name).expect("RTMP");
    // The server may close the connection before the last message.
    let _ = tags.iter().try_for_each(|tag| client.send_tag(tag));
    let _ = client.socket.shutdown(Shutdown::Write);
    let ended = client.socket.read_to_end(&mut Vec::new());
    let waits = ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!waits, "{name} never hears the end");
}

fn by_http(gateway: &Gateway, name: &str, tags: &[Tag]) {
    http::send(gateway.http(), "POST", &format!("/live/{name}.flv"), &[], &file(tags));
}

fn by_websocket(gateway: &Gateway, name: &str, tags: &[Tag]) {
    let mut socket = ws::connect(&gateway.ws_publish_url(name)).expect("a WebSocket");
    let _ = socket.send(ws::Message::binary(file(tags)));
    let _ = socket.close(None);
    let end = loop {
        if let Err(error) = socket.read() {
            break error;
        }
    };
    let waits = matches!(&end, ws::Error::Io(io) if io.kind() == ErrorKind::WouldBlock);
    assert!(!waits, "{name} never hears the end");
}

fn file(tags: &[Tag]) -> Vec<u8> {
    tags.iter().fold(flv::header(5).to_vec(), |bytes, tag| [bytes, tag.bytes()].concat())
}

fn no_publisher_stops(workers: usize) {
    let (flags, good) = Clip::Av.minutes(5);
    let count = workers.to_string();
    let mut watched = Watched::publish(&["--workers", &count], flags, good);
    for (n, tags) in hostile().iter().enumerate() {
        for (protocol, publish) in
            [("rtmp", by_rtmp as fn(&Gateway, &str, &[Tag])), ("http", by_http), ("ws", by_websocket)]
        {
            publish(&watched.gateway, &format!("{protocol}{n}"), tags);
            assert_served(&watched.gateway, workers);
        }
    }
    watched.assert_untouched(60 << 20);
}

#[test]
fn no_publisher_stops_the_only_worker() {
    no_publisher_stops(1);
}

#[test]
fn no_publisher_stops_one_of_two_workers() {
    no_publisher_stops(2);
}
