//! A hundred publishers in a row.

use std::time::{Duration, Instant};

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::player::{FlvViewer, Seen};
use lianmai_tests::rtc::{Call, Media, Peer, slices};
use lianmai_tests::{Gateway, wait};

use super::LIMIT;

#[test]
fn a_hundred_publishes_in_a_row_play_over_flv_with_picture_and_sound() {
    let gateway = Gateway::start(&["--reconnect", "0"]);
    let media = Media::usual();
    let mut took: Vec<Duration> = (0..100)
        .map(|n| {
            let call = Call::new(&gateway, &format!("x{n}"));
            let began = Instant::now();
            let publisher = Peer::publish(&call, media.clone());
            // The viewer waits for the first frame, like a viewer who was told of the stream.
            let viewer = FlvViewer::http(gateway.http(), &format!("/live/x{n}.flv"));
            let first = |frames: Vec<Seen>| frames.first().cloned();
            let (picture, sound) = wait::until(&format!("picture and sound of x{n}"), LIMIT, || {
                Some((first(viewer.frames(VIDEO))?, first(viewer.frames(AUDIO))?))
            });
            assert!(picture.tag.is_key(), "x{n} begins in the middle");
            let shown = slices(picture.tag.frame().1);
            assert!(
                publisher.sent().iter().any(|frame| slices(&frame.data) == shown),
                "x{n}: another picture"
            );
            assert_eq!(viewer.flags(), Some(5), "x{n}: the FLV header's flags");
            picture.at.max(sound.at) - began
        })
        .collect();
    took.sort();
    println!(
        "WHIP to first FLV picture and sound: p50 {:?}, p95 {:?}, max {:?}",
        took[50], took[95], took[99]
    );
}
