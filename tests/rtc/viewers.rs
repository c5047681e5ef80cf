//! Tests of what WebRTC viewers receive, and of the delay.

use std::time::Instant;

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::{Call, Media, Peer, Received, slices};
use lianmai_tests::{Clip, Gateway, wait};

use crate::{LIMIT, publish};

/// Frames between two key frames of [`Clip::LongGop`].
const GOP: usize = 120;

/// Waits until the newest key frame is `after` frames back. Returns its slices and all later ones.
#[track_caller]
fn wait_middle(witness: &FlvViewer, after: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    wait::until("the middle of a group of pictures", LIMIT, || {
        let frames = witness.frames(VIDEO);
        let key = frames.iter().rposition(|seen| seen.tag.is_key())?;
        let group = &frames[key..];
        after.contains(&group.len()).then(|| group.iter().map(|seen| slices(seen.tag.frame().1)).collect())
    })
}

fn all(frames: &[Received]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| slices(&frame.data)).collect()
}

#[test]
fn a_late_joiner_gets_the_key_frame_that_was_and_all_after_it() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::LongGop);
    let witness = FlvViewer::http(gateway.http(), "/live/x.flv");
    for tcp in [false, true] {
        let group = wait_middle(&witness, 30..60);
        let began = Instant::now();
        let call = Call { tcp, ..Call::new(&gateway, "x") };
        let viewer = Peer::play(&call);
        let first = viewer.wait_frames(true, 1, LIMIT)[0].clone();
        println!("first picture after {:?}, {} frames after a key frame", first.at - began, group.len());
        assert!(first.key);
        assert_eq!(slices(&first.data), group[0], "not the key frame that was");
        let frames = viewer.wait_frames(true, group.len(), LIMIT);
        assert_eq!(all(&frames)[..group.len()], group);
        assert!(frames.iter().all(|frame| frame.contiguous));
        // Cached frames are sent with compressed timestamps: they are decoded, but not watched.
        let past = frames[group.len() - 1].time - frames[0].time;
        assert!(past < 500_000, "{past} µs of the past are to be watched");
        viewer.wait_frames(false, 20, LIMIT);
    }
}

#[test]
fn video_that_lies_behind_its_audio_never_steps_back_for_one_who_joins() {
    let gateway = Gateway::start(&[]);
    let (flags, mut tags) = Clip::Av.minutes(2);
    tags.iter_mut().filter(|tag| tag.kind == AUDIO).for_each(|tag| tag.time += 400);
    let _publisher = WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0);
    gateway.wait_published("x");
    let witness = FlvViewer::http(gateway.http(), "/live/x.flv");
    for _ in 0..3 {
        wait_middle(&witness, 10..25);
        let viewer = Peer::play(&Call::new(&gateway, "x"));
        let frames = viewer.wait_frames(true, 60, LIMIT);
        let times: Vec<_> = frames.iter().map(|frame| frame.time).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "time goes back: {times:?}");
    }
}

/// OBS and FFmpeg publish over WHIP in this way.
#[test]
fn viewers_of_a_publisher_that_ignores_requests_for_key_frames_begin_with_the_cached_one() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    let media = Media { whole: true, ..Media::of(Clip::LongGop) };
    let publisher = Peer::publish(&call, media);
    gateway.wait_published("x");
    wait::until_true("the gateway to find out", LIMIT, || {
        gateway.process.stderr().contains("publisher ignores requests for key frames")
    });
    assert!(publisher.key_requests() > 0);
    let witness = FlvViewer::http(gateway.http(), "/live/x.flv");
    let group = wait_middle(&witness, 40..80);
    let (by_rtc, by_flv) = (Peer::play(&call), FlvViewer::http(gateway.http(), "/live/x.flv"));
    let list = gateway.get("/live/x.m3u8");
    let by_rtc = by_rtc.wait_frames(true, group.len(), LIMIT);
    assert_eq!(all(&by_rtc)[..group.len()], group);
    let by_flv = by_flv.wait_frames(VIDEO, group.len(), LIMIT);
    let by_flv: Vec<_> = by_flv.iter().map(|seen| slices(seen.tag.frame().1)).collect();
    assert_eq!(by_flv[..group.len()], group);
    // HLS has segmented the stream before the first request.
    assert!(list.status == 200 && list.text().contains("#EXTINF"), "{} {}", list.status, list.text());
}

#[test]
fn a_viewer_that_lost_the_picture_gets_it_again_before_the_next_key_frame() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::LongGop);
    let witness = FlvViewer::http(gateway.http(), "/live/x.flv");
    let viewer = Peer::play(&Call::new(&gateway, "x"));
    viewer.wait_frames(true, 10, LIMIT);
    let group = wait_middle(&witness, 20..50);
    let before = viewer.frames(true).len();
    let asked = Instant::now();
    viewer.ask_key();
    let again = wait::until("a key frame", LIMIT, || {
        viewer.frames(true)[before..].iter().position(|frame| frame.key)
    });
    let frames = viewer.wait_frames(true, before + again + GOP / 2, LIMIT);
    let again = &frames[before + again..];
    println!("a picture again after {:?}", again[0].at - asked);
    // The same group of pictures with all that followed, and then new frames.
    assert_eq!(all(&again[..group.len()]), group);
    assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time), "time goes back");
}

#[test]
fn a_publisher_that_can_is_asked_for_the_key_frame() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x");
    // Distant key frames, as from a browser.
    let publisher = Peer::publish(&call, Media::of(Clip::LongGop));
    gateway.wait_published("x");
    let viewer = Peer::play(&call);
    viewer.wait_frames(true, 10, LIMIT);
    let (before, asked) = (viewer.frames(true).len(), publisher.key_requests());
    viewer.ask_key();
    let key = wait::until("a key frame", LIMIT, || viewer.frames(true)[before..].iter().position(|f| f.key));
    assert!(publisher.key_requests() > asked, "nobody asked for it");
    assert!(key < GOP / 2, "only after {key} frames");
}

#[test]
fn media_go_by_tcp_both_ways() {
    let gateway = Gateway::start(&[]);
    let call = Call::new(&gateway, "x").over_tcp();
    let publisher = Peer::publish(&call, Media::usual());
    gateway.wait_published("x");
    let viewer = Peer::play(&call);
    let frames = viewer.wait_frames(true, 60, LIMIT);
    assert!(frames[0].key && frames.iter().all(|frame| frame.contiguous));
    viewer.wait_frames(false, 60, LIMIT);
    let sent: Vec<Vec<u8>> =
        publisher.sent().iter().filter(|frame| frame.video).map(|frame| slices(&frame.data)).collect();
    let first = slices(&frames[0].data);
    let at = sent.iter().position(|picture| *picture == first).expect("it was sent");
    assert_eq!(all(&frames)[..], sent[at..at + frames.len()]);
}
