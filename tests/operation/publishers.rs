//! Publishers that return, connect twice, or come late.

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::packets::View;
use lianmai_tests::player::{FlvViewer, Player, Seen};
use lianmai_tests::{Clip, Gateway, http, publisher, wait};

use crate::{LIMIT, publish};

/// Returns the longest step between neighbours in milliseconds; panics if time goes back.
#[track_caller]
fn longest_step(frames: &[Seen]) -> u32 {
    let steps = frames.windows(2).map(|pair| {
        let [before, after] = [pair[0].tag.time, pair[1].tag.time];
        after.checked_sub(before).unwrap_or_else(|| panic!("time falls from {before} to {after}"))
    });
    steps.max().unwrap_or_default()
}

#[test]
fn a_publisher_that_comes_back_finds_its_viewers_and_time_goes_on() {
    let gateway = Gateway::start(&[]);
    let first = publish(&gateway, "x", Clip::Av);
    let flv = FlvViewer::http(gateway.http(), "/live/x.flv");
    let ws = FlvViewer::ws(&gateway.ws_url("x.flv"));
    let mut rtmp = Player::start(&gateway.rtmp_url("x"), View::Whole);
    flv.wait_frames(VIDEO, 60, LIMIT);
    ws.wait_frames(VIDEO, 60, LIMIT);
    rtmp.wait(LIMIT, |packets| packets.video.len() >= 60);
    drop(first);
    wait::until_true("the publisher to be gone", LIMIT, || {
        gateway.stream("x").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    let before = (flv.frames(VIDEO).len(), rtmp.packets().video.len());
    // Another size: viewers receive the new configuration.
    let _second = publish(&gateway, "x", Clip::Other);
    for viewer in [&flv, &ws] {
        let video = viewer.wait_frames(VIDEO, before.0 + 60, LIMIT);
        assert!(longest_step(&video) <= 150, "a video step of {} ms", longest_step(&video));
        let audio = viewer.frames(AUDIO);
        assert!(longest_step(&audio) <= 150, "an audio step of {} ms", longest_step(&audio));
        let configs = viewer.seen().iter().filter(|s| s.tag.kind == VIDEO && !s.tag.is_frame()).count();
        assert!(configs >= 2, "no new sequence header");
        let first_new = video.iter().position(|seen| seen.tag.body.len() > 3_000 && seen.tag.is_key());
        assert!(first_new.is_some());
    }
    let packets = rtmp.wait(LIMIT, |packets| packets.video.len() >= before.1 + 60);
    let step = packets.video.windows(2).map(|p| p[1].dts - p[0].dts).max();
    assert!(step <= Some(150_000), "a step of {step:?} µs over RTMP");
}

#[test]
fn viewers_are_let_go_when_nobody_comes_back() {
    let gateway = Gateway::start(&["--reconnect", "1"]);
    let first = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    drop(first);
    wait::until_true("the response to end", LIMIT, || viewer.over());
    wait::until_true("the stream to be gone", LIMIT, || gateway.stream("x").is_none());
}

#[test]
fn a_second_publisher_is_refused_with_words() {
    let gateway = Gateway::start(&[]);
    let _first = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    let seen = viewer.wait_frames(VIDEO, 5, LIMIT).len();

    let mut second = publisher::ffmpeg(&Clip::Av.file(), &gateway.rtmp_url("x"));
    assert!(!second.wait(LIMIT).success());
    let words = second.stderr();
    assert!(words.contains("publishing"), "ffmpeg says: {words}");

    let refused = http::request(gateway.http(), "POST", "/live/x.flv", &["Content-Type: video/x-flv"]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert!(refused.text().contains("publishing"), "{}", refused.text());

    // The first publisher and its viewers are not affected.
    let frames = viewer.wait_frames(VIDEO, seen + 60, LIMIT);
    assert!(longest_step(&frames) <= 50);
}

#[test]
fn playing_what_nobody_publishes_ends_with_words() {
    let gateway = Gateway::start(&["--play-wait", "1"]);
    for path in ["/live/nobody.flv", "/live/nobody.m3u8"] {
        let answer = gateway.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(answer.text().contains("nobody is publishing"), "{path}: {}", answer.text());
    }
    let mut player = Player::start(&gateway.rtmp_url("nobody"), View::Whole);
    assert!(!player.process.wait(LIMIT).success());
}

#[test]
fn a_late_joiner_starts_at_the_cached_key_frame_unless_it_says_no() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let witness = FlvViewer::http(gateway.http(), "/live/x.flv");
    // Join in the middle of a group of pictures: 10 frames after a key frame.
    witness.wait_frames(VIDEO, 45, LIMIT);
    wait::until_true("the middle of a group of pictures", LIMIT, || {
        let frames = witness.frames(VIDEO);
        frames.iter().rev().position(|seen| seen.tag.is_key()).is_some_and(|since| (8..16).contains(&since))
    });
    let newest = |viewer: &FlvViewer| viewer.frames(VIDEO).last().expect("a frame").tag.time;
    let now = newest(&witness);
    let cached = FlvViewer::http(gateway.http(), "/live/x.flv");
    let live = FlvViewer::http(gateway.http(), "/live/x.flv?gop=0");
    let first = cached.wait_frames(VIDEO, 1, LIMIT)[0].clone();
    assert!(first.tag.is_key());
    assert!(first.tag.time <= now, "it began at {}, the stream was at {now}", first.tag.time);
    let first = live.wait_frames(VIDEO, 1, LIMIT)[0].clone();
    assert!(first.tag.is_key());
    assert!(first.tag.time > now, "it began at {}, the stream was at {now}", first.tag.time);
}

#[test]
fn hls_goes_on_over_a_restart_with_a_discontinuity() {
    let gateway = Gateway::start(&[]);
    let first = publish(&gateway, "x", Clip::Av);
    let playlist = || {
        let answer = gateway.get("/live/x.m3u8");
        if answer.status == 200 { answer.text() } else { String::new() }
    };
    let segments = |text: &str| text.lines().filter(|line| line.starts_with("#EXTINF")).count();
    wait::until_true("two segments", LIMIT, || segments(&playlist()) >= 2);
    let before = playlist();
    assert!(!before.contains("#EXT-X-DISCONTINUITY"), "{before}");
    drop(first);
    let _second = publish(&gateway, "x", Clip::Other);
    let after = wait::until("a discontinuity", LIMIT, || {
        Some(playlist()).filter(|text| text.contains("#EXT-X-DISCONTINUITY\n") && segments(text) >= 4)
    });
    let sequence = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
        line.and_then(|n| n.trim().parse::<u64>().ok()).expect("a media sequence")
    };
    assert!(sequence(&after) >= sequence(&before), "{before}\n{after}");
    // A segment that was listed before and still is has the same name.
    let uris = |text: &str| {
        text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    let skip = (sequence(&after) - sequence(&before)) as usize;
    let kept: Vec<_> = uris(&before).into_iter().skip(skip).collect();
    assert_eq!(uris(&after)[..kept.len()], kept);
    // Each listed segment exists, and a live playlist has no end.
    for uri in uris(&after) {
        let path = if uri.starts_with('/') { uri } else { format!("/live/{uri}") };
        let segment = gateway.get(&path);
        assert_eq!((segment.status, segment.body.first()), (200, Some(&0x47)), "{path}");
        assert_eq!(segment.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    assert!(!after.contains("#EXT-X-ENDLIST"));
}
