use std::time::Duration;

use media::{Codec, Track};

use super::{config, frame, name};
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, HubConfig, Publisher, Start, Stream, Subscriber};

/// Returns the times in milliseconds of the frames that a reader has not seen, and whether each follows a discontinuity.
fn times(reader: &mut Subscriber) -> Vec<(i64, bool)> {
    let next = || reader.try_next().map(|entry| (entry.frame.dts / 1000, entry.discontinuity));
    std::iter::from_fn(next).collect()
}

/// Publishes 200 ms of video, and returns a reader that has seen it.
fn publish(hub: &Hub) -> (Publisher, std::sync::Arc<Stream>, Subscriber, i64) {
    let video = config(Codec::H264);
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let stream = publisher.stream().clone();
    let mut reader = stream.subscribe(Start::Key);
    for n in 0..6 {
        publisher.push(frame(&video, 5000 + n * 40, n == 0));
    }
    let seen = times(&mut reader);
    assert_eq!(seen.len(), 6);
    (publisher, stream, reader, seen[5].0)
}

#[tokio::test(start_paused = true)]
async fn a_silent_publisher_is_covered_and_returns_with_its_next_key_frame() {
    let hub = Hub::new(HubConfig::default());
    let (mut publisher, stream, mut reader, last) = publish(&hub);
    let (video, other) = (config(Codec::H264), config(Codec::H264));
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut cover = stream.stand_in().unwrap();
    assert!(stream.stand_in().is_none(), "one at a time");
    assert!((0..3).all(|n| cover.push(frame(&other, n * 40, n == 0))));
    let seen = times(&mut reader);
    assert!(seen[0].0 > last && seen[0].1 && !seen[1].1, "{seen:?}");
    assert!(stream.silence() >= Duration::from_secs(1), "its frames are not those of the publisher");
    // Frames between key frames do not end it.
    publisher.push(frame(&video, 6240, false));
    assert!(cover.push(frame(&other, 120, false)));
    assert_eq!((times(&mut reader).len(), stream.silence()), (1, Duration::ZERO));
    publisher.push(frame(&video, 6280, true));
    assert!(!cover.push(frame(&other, 160, false)), "the publisher is back");
    publisher.push(frame(&video, 6320, false));
    let back = times(&mut reader);
    assert!(back.len() == 2 && back[0].0 > seen[2].0 && back[0].1 && !back[1].1, "{back:?}");
    drop(cover);
    publisher.push(frame(&video, 6360, false));
    assert_eq!(times(&mut reader).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_covered_publisher_without_key_frames_returns_after_a_time() {
    let hub = Hub::new(HubConfig::default());
    let (mut publisher, stream, mut reader, _) = publish(&hub);
    let video = config(Codec::H264);
    let mut cover = stream.stand_in().unwrap();
    assert!(cover.push(frame(&video, 0, true)));
    drop(cover);
    publisher.push(frame(&video, 6000, false));
    assert_eq!(times(&mut reader).len(), 1, "the cover's frame only");
    tokio::time::advance(Duration::from_secs(10)).await;
    publisher.push(frame(&video, 16_000, false));
    assert_eq!(times(&mut reader).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_time_goes_on_when_a_covered_publisher_leaves_or_is_replaced() {
    for replaced in [false, true] {
        let hub = Hub::new(HubConfig::default());
        let (publisher, stream, mut reader, _) = publish(&hub);
        let video = config(Codec::H264);
        tokio::time::advance(Duration::from_secs(6)).await;
        let mut cover = stream.stand_in().unwrap();
        assert!((0..100).all(|n| cover.push(frame(&video, n * 40, n == 0))));
        let newest = times(&mut reader).last().unwrap().0;
        let publisher = if replaced {
            Some(publisher)
        } else {
            drop(publisher);
            None
        };
        if !replaced {
            assert!(!cover.push(frame(&video, 4000, false)), "the publisher has left");
        }
        let mut next = hub.publish(&PublishGrant::for_job(&name(), "another")).unwrap();
        next.push(frame(&video, 0, true));
        assert!(!cover.push(frame(&video, 4040, false)), "another publisher is there");
        let seen = times(&mut reader);
        assert!(seen.len() == 1 && seen[0].0 > newest, "{seen:?} after {newest}");
        assert!(stream.has(Track::Video));
        drop(publisher);
    }
}
