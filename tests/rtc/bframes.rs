//! Streams with B-frames, which WebRTC viewers cannot reorder: re-encoded, or without the B-frames.

use std::fs;
use std::process::Command;
use std::time::Duration;

use lianmai_tests::flv::{self, Tag, VIDEO};
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::{Call, Offered, Peer, Received, offer};
use lianmai_tests::{Clip, Gateway, wait};
use str0m::media::Direction;

use super::{LIMIT, publish};

/// The clip's frame distance at 30 fps in µs; FLV rounds times down to milliseconds.
const STEP: std::ops::RangeInclusive<i64> = 32_000..=35_000;

/// Returns the ids of a process's children, including those that have ended and were not waited for.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("a list of processes").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = parent.to_string();
    // `pid (name) state ppid …`
    ids.filter(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(parent.as_str())
    })
    .collect()
}

fn viewer(gateway: &Gateway) -> Peer {
    let peer = Peer::play(&Call::new(gateway, "x"));
    peer.wait_connected(LIMIT);
    peer
}

fn rising(frames: &[Received]) -> bool {
    frames.is_sorted_by(|a, b| a.time < b.time)
}

/// Waits until the newest two seconds of video have no missing and no repeated frame.
fn wait_whole(peer: &Peer, after: usize) -> usize {
    wait::until("two seconds with all their pictures", Duration::from_secs(60), || {
        assert_eq!(peer.over(), None);
        let frames = peer.frames(true);
        let last = &frames[after.max(frames.len().saturating_sub(60))..];
        let even = last.windows(2).all(|pair| STEP.contains(&(pair[1].time - pair[0].time)));
        (last.len() == 60 && even && last.iter().all(|frame| frame.contiguous)).then_some(frames.len())
    })
}

/// Publishes these tags as `live/NAME` at `rate` times their speed.
#[track_caller]
fn publish_tags(
    gateway: &Gateway,
    name: &str,
    url: &str,
    (flags, tags): (u8, Vec<Tag>),
    rate: f64,
) -> WsPublisher {
    let publisher = WsPublisher::start(url, flags, tags, rate);
    gateway.wait_published(name);
    publisher
}

#[track_caller]
fn wait_reordered(gateway: &Gateway, name: &str) {
    wait::until_true("the API to know", LIMIT, || {
        gateway.stream(name).is_some_and(|stream| stream["video"]["reordered"] == true)
    });
}

/// Asserts that untrusted media is decoded by a process without secrets and with limited resources.
#[track_caller]
fn assert_confined(child: u32) {
    let read = |name: &str| fs::read_to_string(format!("/proc/{child}/{name}")).expect("a running child");
    assert_eq!(read("environ"), "");
    let status = read("status");
    assert!(status.contains("NoNewPrivs:\t1\n"), "{status}");
    let limits = read("limits");
    for name in ["Max address space", "Max cpu time", "Max open files", "Max file size", "Max core file size"]
    {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        assert!(!line.contains("unlimited"), "{line}");
    }
}

/// Returns a value of the gateway's metrics.
#[track_caller]
fn metric(gateway: &Gateway, name: &str) -> f64 {
    let text = gateway.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect("a figure");
    line.parse().expect("a number")
}

#[test]
fn an_offer_that_comes_to_nothing_starts_no_encoder() {
    let gateway = Gateway::start(&[]);
    let names = ["x", "y"];
    let _publishers = names.map(|name| publish(&gateway, name, Clip::BFrames));
    names.iter().for_each(|name| wait_reordered(&gateway, name));
    let Offered { sdp, .. } = offer(Direction::RecvOnly, None);
    assert_eq!(Call::new(&gateway, "x").post(false, &sdp).status, 201);
    // When another stream's viewer has its encoder, this one would have had its own.
    let peer = Peer::play(&Call::new(&gateway, "y"));
    wait_whole(&peer, 0);
    assert_eq!(children(gateway.process.pid()).len(), 1);
    assert_eq!(metric(&gateway, "lianmai_reencoders_started_total"), 1.0);
}

#[test]
fn without_a_place_for_an_encoder_viewers_get_what_comes_in_order_until_there_is_one() {
    let gateway = Gateway::start(&["--max-reencoders", "1"]);
    let names = ["x", "y"];
    let _publishers = names.map(|name| publish(&gateway, name, Clip::BFrames));
    names.iter().for_each(|name| wait_reordered(&gateway, name));
    let first = Peer::play(&Call::new(&gateway, "x"));
    wait_whole(&first, 0);
    let second = Peer::play(&Call::new(&gateway, "y"));
    let frames = second.wait_frames(true, 40, LIMIT);
    assert!(rising(&frames) && frames.iter().all(|frame| frame.contiguous) && frames[0].key);
    assert_eq!(children(gateway.process.pid()).len(), 1);
    let refused = || metric(&gateway, "lianmai_reencoders_refused_total");
    assert_eq!((metric(&gateway, "lianmai_reencoders"), refused()), (1.0, 1.0));
    assert!(gateway.process.stderr().contains("no video encoder is free"));
    drop(first);
    let had = second.frames(true).len();
    wait_whole(&second, had);
    assert!(rising(&second.frames(true)));
    assert_eq!(children(gateway.process.pid()).len(), 1);
}

#[test]
fn a_publisher_that_changes_its_configuration_all_the_time_starts_few_encoders() {
    const RATE: f64 = 20.0;
    let gateway = Gateway::start(&[]);
    let (flags, tags) = Clip::BFrames.minutes(5);
    let header = tags.iter().find(|tag| tag.kind == VIDEO && !tag.is_frame()).expect("a sequence header");
    // A new level before each key frame: two alternating configurations, each for a second that lasts 50 ms.
    let mut changing = Vec::new();
    for (number, tag) in tags.iter().filter(|tag| tag.kind == VIDEO).enumerate() {
        if tag.is_key() {
            let mut header = Tag { time: tag.time, ..header.clone() };
            header.body[8] = if number.is_multiple_of(2) { 40 } else { 41 };
            changing.push(header);
        }
        changing.extend(tag.is_frame().then(|| tag.clone()));
    }
    let url = gateway.ws_publish_url("x");
    let publisher = publish_tags(&gateway, "x", &url, (flags, changing), RATE);
    let peer = viewer(&gateway);
    let started = || metric(&gateway, "lianmai_reencoders_started_total");
    wait::until_true("an encoder", LIMIT, || started() > 0.0);
    wait::until_true("the end", LIMIT, || publisher.ended());
    // Of about 200 configurations in 10 s.
    assert!((1.0..=8.0).contains(&started()), "{}", started());
    assert!(rising(&peer.frames(true)));
}

#[test]
fn video_that_is_too_large_is_not_encoded() {
    let file = temp_dir("large").join("large.flv");
    let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-x264-params", "b-adapt=0:bframes=3"];
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "color=black:size=4112x2320:rate=10", "-t", "2"])
        .args(x264)
        .args(["-g", "10", "-pix_fmt", "yuv420p"])
        .arg(&file)
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let (flags, tags) = flv::read(&fs::read(&file).expect("a clip"));
    let gateway = Gateway::start(&[]);
    let url = gateway.ws_publish_url("x");
    let _publisher = publish_tags(&gateway, "x", &url, (flags, flv::repeat(&tags, 30, 2000)), 1.0);
    let peer = viewer(&gateway);
    assert!(rising(&peer.wait_frames(true, 10, LIMIT)));
    wait::until_true("a word about it", LIMIT, || {
        gateway.process.stderr().contains("too large to be encoded")
    });
    assert_eq!(metric(&gateway, "lianmai_reencoders_started_total"), 0.0);
}

#[test]
fn b_frames_are_encoded_away_once_for_all_who_play_by_webrtc() {
    let gateway = Gateway::start_with(&[], &[("LIANMAI_SECRET", "in-the-environment".to_owned())]);
    let url = format!("{}&secret=in-the-environment", gateway.ws_publish_url("x"));
    let _publisher = publish_tags(&gateway, "x", &url, Clip::BFrames.minutes(2), 1.0);
    wait_reordered(&gateway, "x");
    assert_eq!(children(gateway.process.pid()), [0u32; 0]);

    let first = viewer(&gateway);
    wait_whole(&first, 0);
    let second = viewer(&gateway);
    wait_whole(&second, 0);
    let child = children(gateway.process.pid());
    assert_eq!(child.len(), 1, "one encoder for both");
    assert_confined(child[0]);
    assert!(second.frames(true)[0].key);
    assert!(rising(&first.frames(true)) && rising(&second.frames(true)));
    second.wait_frames(false, 50, LIMIT);

    // A killed encoder is replaced.
    let killed = Command::new("kill").args(["-KILL", &child[0].to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    wait::until_true("another encoder", LIMIT, || {
        children(gateway.process.pid()).first().is_some_and(|other| *other != child[0])
    });
    let had = first.frames(true).len();
    wait_whole(&first, had);
    assert!(rising(&first.frames(true)));

    // The last one ends ten seconds after the last viewer.
    drop((first, second));
    wait::until_true("no child, and none that ended unseen", LIMIT, || {
        children(gateway.process.pid()).is_empty()
    });
}

#[test]
fn without_an_encoder_viewers_get_what_comes_in_order() {
    let nowhere = ("PATH", "/nonexistent".to_owned());
    let off = &["--transcode", "off"][..];
    for (flags, variables) in [(off, vec![]), (&[], vec![nowhere])] {
        let gateway = Gateway::start_with(flags, &variables);
        let _publisher = publish(&gateway, "x", Clip::BFrames);
        let viewers = [viewer(&gateway), viewer(&gateway)];
        for peer in &viewers {
            let frames = peer.wait_frames(true, 40, LIMIT);
            // Dropped frames are dropped before packets are numbered.
            assert!(rising(&frames) && frames.iter().all(|frame| frame.contiguous) && frames[0].key);
            peer.wait_frames(false, 100, LIMIT);
            assert_eq!(peer.over(), None);
        }
        assert_eq!(children(gateway.process.pid()), [0u32; 0]);
        let said = gateway.process.stderr().matches("ffmpeg is not in PATH").count();
        assert_eq!(said, variables.len());
    }
}
