//! Servers and publishers that go and come back.

use std::net::TcpListener;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, gateway, publisher, wait};

use crate::{LIMIT, publish, targets, wait_frames, wait_state};

#[test]
fn a_target_that_comes_back_gets_the_stream_again_and_viewers_notice_nothing() {
    let mut target = Gateway::start(&[]);
    let addr = target.rtmp().to_string();
    let source = Gateway::start(&["--forward", &format!("live/*=rtmp://{addr}/live/{{stream}}")]);
    let _publisher = publish(&source, "x", Clip::Av);
    let viewer = FlvViewer::http(source.http(), "/live/x.flv");
    wait_frames(&target, "x", 30);
    target.stop();
    drop(target);
    let state = wait_state(&source, "retrying");
    assert!(state["next_try_ms"].as_u64() > Some(0) && state["last_words"].is_string(), "{state}");
    let target = Gateway::start(&["--rtmp", &addr]);
    let state = wait_state(&source, "sending");
    assert!(state["tries"].as_u64() >= Some(2), "{state}");
    wait_frames(&target, "x", 30);
    let video = viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + 30, LIMIT);
    assert!(
        video.windows(2).all(|pair| pair[1].tag.time - pair[0].tag.time <= 50),
        "a viewer missed a frame"
    );
}

#[test]
fn a_publisher_that_comes_back_keeps_the_connection() {
    let target = Gateway::start(&[]);
    let source = Gateway::start(&["--forward", &format!("live/*=rtmp://{}/live/{{stream}}", target.rtmp())]);
    let first = publish(&source, "x", Clip::Av);
    wait_frames(&target, "x", 30);
    let publisher_id = || target.stream("x").map(|stream| stream["publish"]["cid"].clone());
    let (before, viewer) = (publisher_id(), FlvViewer::http(target.http(), "/live/x.flv"));
    drop(first);
    wait::until_true("the publisher to be gone", LIMIT, || {
        source.stream("x").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    let seen = viewer.frames(VIDEO).len();
    let _second = publish(&source, "x", Clip::Other);
    let video = viewer.wait_frames(VIDEO, seen + 60, LIMIT);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
    let configs = viewer.seen().iter().filter(|seen| seen.tag.kind == VIDEO && !seen.tag.is_frame()).count();
    assert!(configs >= 2, "the new size has a new sequence header");
    assert_eq!(publisher_id(), before, "the target saw one publisher");
    assert_eq!(targets(&source)[0]["tries"], 1);
}

#[test]
fn the_end_of_a_stream_ends_the_forward_at_once_and_its_next_start_begins_it() {
    let target = Gateway::start(&["--reconnect", "1"]);
    let to = format!("live/*=rtmp://{}/live/{{stream}}", target.rtmp());
    let source = Gateway::start(&["--reconnect", "1", "--forward", &to]);
    for _ in 0..2 {
        let publisher = publish(&source, "x", Clip::Av);
        wait_frames(&target, "x", 10);
        drop(publisher);
        wait::until_true("the stream to end at both", LIMIT, || {
            source.stream("x").is_none() && target.stream("x").is_none() && targets(&source).is_empty()
        });
    }
}

#[test]
fn a_wrong_key_is_shown_in_the_servers_words_and_tried_slowly() {
    let target = Gateway::start(&["--public", "--secret", "right"]);
    let to = format!("rtmp://{}/live/{{stream}}?secret=", target.rtmp());
    let (wrong, right) = (format!("live/*={to}wrong"), format!("live/*={to}right"));
    let source = Gateway::start(&["--forward", &wrong, "--forward", &right]);
    let _publisher = publish(&source, "x", Clip::Av);
    let state = wait_state(&source, "refused");
    let words = state["last_words"].as_str().unwrap_or_default();
    assert!(words.contains("NetStream.Publish.Denied"), "{state}");
    let pause = state["next_try_ms"].as_u64().unwrap_or(0) - state["since_ms"].as_u64().unwrap_or(0);
    assert!(pause >= 20_000, "the next try is {pause} ms later");
    // The other forward goes on beside it.
    wait_frames(&target, "x", 30);
}

#[test]
fn a_target_that_accepts_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = silent.local_addr().expect("it listens");
    let source = Gateway::start(&["--forward", &format!("live/*=rtmp://{addr}/live/{{stream}}")]);
    let _publisher = publish(&source, "x", Clip::Av);
    let state = wait_state(&source, "retrying");
    assert!(state["last_words"].as_str().is_some_and(|words| words.contains("did not answer")), "{state}");
}

#[test]
fn a_target_that_stops_reading_slows_nobody_and_is_given_up() {
    let (stuck, other) = (Gateway::start(&[]), Gateway::start(&[]));
    let rules = [&stuck, &other].map(|target| format!("live/*=rtmp://{}/live/{{stream}}", target.rtmp()));
    let source = Gateway::start(&["--forward", &rules[0], "--forward", &rules[1]]);
    let _publisher = publish(&source, "x", Clip::Av);
    wait_frames(&stuck, "x", 10);
    stuck.process.signal("STOP");
    let (viewer, beside) =
        (FlvViewer::http(source.http(), "/live/x.flv"), FlvViewer::http(other.http(), "/live/x.flv"));
    let state = wait_state(&source, "retrying");
    assert!(state["last_words"].as_str().is_some_and(|words| words.contains("took no bytes")), "{state}");
    for viewer in [&viewer, &beside] {
        let video = viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + 30, LIMIT);
        assert!(
            video.windows(2).all(|pair| pair[1].tag.time - pair[0].tag.time <= 50),
            "a viewer missed a frame"
        );
    }
    stuck.process.signal("CONT");
    wait_state(&source, "sending");
}

#[test]
fn a_slate_goes_on_while_the_publisher_is_away() {
    let dir = gateway::temp_dir("slate");
    let image = dir.join("slate.png");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", "color=red:size=640x360", "-frames:v", "1"])
        .arg(&image)
        .status();
    assert!(made.expect("ffmpeg starts").success());
    let slate = format!("live/*={}", image.display());
    let target = Gateway::start(&[]);
    let to = format!("live/*=rtmp://{}/live/{{stream}}", target.rtmp());
    let source =
        Gateway::start(&["--slate", &slate, "--slate-limit", "20", "--reconnect", "10", "--forward", &to]);
    let publisher = publish(&source, "x", Clip::Av);
    let viewer = FlvViewer::http(source.http(), "/live/x.flv");
    wait_frames(&target, "x", 60);
    drop(publisher);
    // The slate plays for longer than a stream waits for its publisher.
    wait::until_true("the slate", LIMIT, || source.process.stderr().contains("slate started"));
    let before = viewer.frames(VIDEO).len();
    let video = viewer.wait_frames(VIDEO, before + 300, LIMIT);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
    let size = |gateway: &Gateway| gateway.stream("x").map(|stream| stream["video"]["width"].clone());
    assert_eq!(size(&source), Some(320.into()), "the slate has the publisher's size");
    assert_eq!(targets(&source)[0]["tries"], 1, "the forward went on");
    let publisher = publish(&source, "x", Clip::Av);
    wait::until_true("the publisher to be back", LIMIT, || source.process.stderr().contains("slate stopped"));
    viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + 60, LIMIT);
    assert_eq!(targets(&source)[0]["tries"], 1);
    drop(publisher);
    // The limit ends the slate, and then the stream.
    wait::until_true("the end of the stream", LIMIT, || source.stream("x").is_none());
    assert!(source.process.stderr().contains("at_limit=true"));
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_slate_covers_a_publisher_that_is_connected_and_silent() {
    let dir = gateway::temp_dir("slate-silent");
    let image = dir.join("slate.png");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", "color=blue:size=320x180", "-frames:v", "1"])
        .arg(&image)
        .status();
    assert!(made.expect("ffmpeg starts").success());
    let source = Gateway::start(&["--slate", &format!("live/*={}", image.display())]);
    let encoder = publisher::ffmpeg_forever(&Clip::Av.file(), &source.rtmp_url("x"));
    source.wait_published("x");
    let viewer = FlvViewer::http(source.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    let connected = || source.stream("x").map(|stream| stream["publish"]["cid"].clone());
    let before = connected();
    let times = |word: &str| source.process.stderr().matches(word).count();
    for round in 1..=2 {
        encoder.signal("STOP");
        wait::until_true("the slate", LIMIT, || times("slate started") == round);
        let seen = viewer.frames(VIDEO).len();
        viewer.wait_frames(VIDEO, seen + 50, LIMIT);
        encoder.signal("CONT");
        wait::until_true("the publisher to be back", LIMIT, || times("slate stopped") == round);
        let seen = viewer.frames(VIDEO).len();
        viewer.wait_frames(VIDEO, seen + 30, LIMIT);
    }
    assert_eq!(connected(), before, "it was not disconnected");
    let video = viewer.frames(VIDEO);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
    let _ = std::fs::remove_dir_all(dir);
}
