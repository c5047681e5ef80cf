//! Streams with B-frames, which a viewer by WebRTC can't put in order: encoded anew, or thinned out.

use std::fs;
use std::process::Command;
use std::time::Duration;

use lianmai_tests::rtc::{Call, Peer, Received};
use lianmai_tests::{Clip, Gateway, wait};

use super::{LIMIT, publish};

/// The clip's 30 pictures a second, in milliseconds that FLV rounds down.
const STEP: std::ops::RangeInclusive<i64> = 32_000..=35_000;

/// The ids of a process's children, those included that ended and were not taken note of.
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

/// Waits until the newest two seconds of pictures have none missing and none twice.
fn wait_whole(peer: &Peer, after: usize) -> usize {
    wait::until("two seconds with all their pictures", Duration::from_secs(60), || {
        assert_eq!(peer.over(), None);
        let frames = peer.frames(true);
        let last = &frames[after.max(frames.len().saturating_sub(60))..];
        let even = last.windows(2).all(|pair| STEP.contains(&(pair[1].time - pair[0].time)));
        (last.len() == 60 && even && last.iter().all(|frame| frame.contiguous)).then_some(frames.len())
    })
}

#[test]
fn b_frames_are_encoded_away_once_for_all_who_play_by_webrtc() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::BFrames);
    wait::until_true("the API to know", LIMIT, || {
        gateway.stream("x").is_some_and(|stream| stream["video"]["reordered"] == true)
    });
    assert_eq!(children(gateway.process.pid()), [0u32; 0]);

    let first = viewer(&gateway);
    wait_whole(&first, 0);
    let second = viewer(&gateway);
    wait_whole(&second, 0);
    let child = children(gateway.process.pid());
    assert_eq!(child.len(), 1, "one encoder for both");
    assert!(second.frames(true)[0].key);
    assert!(rising(&first.frames(true)) && rising(&second.frames(true)));
    second.wait_frames(false, 50, LIMIT);

    // One that dies is replaced.
    let killed = Command::new("kill").args(["-KILL", &child[0].to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    wait::until_true("another encoder", LIMIT, || {
        children(gateway.process.pid()).first().is_some_and(|other| *other != child[0])
    });
    let had = first.frames(true).len();
    wait_whole(&first, had);
    assert!(rising(&first.frames(true)));

    // And the last one ends ten seconds after the last viewer.
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
            // What is left out is left out before it is numbered.
            assert!(rising(&frames) && frames.iter().all(|frame| frame.contiguous) && frames[0].key);
            peer.wait_frames(false, 100, LIMIT);
            assert_eq!(peer.over(), None);
        }
        assert_eq!(children(gateway.process.pid()), [0u32; 0]);
        let said = gateway.process.stderr().matches("ffmpeg is not in PATH").count();
        assert_eq!(said, variables.len());
    }
}
