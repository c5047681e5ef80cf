mod entrances;
mod stand_in;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use media::{Audio, Codec, Config, Format, Frame, TrackId, Video};

use super::ring::{Cursor, Item, Ring, RingLimits};
use super::*;
use crate::core::admission::{PlayGrant, PublishGrant};
use crate::core::close::CloseReason;

fn config(codec: Codec) -> Arc<Config> {
    let format = match codec.track() {
        media::Track::Video => Format::Video(Video { width: 1280, height: 720 }),
        media::Track::Audio => Format::Audio(Audio { sample_rate: 48_000, channels: 2 }),
    };
    Arc::new(Config { codec, format, description: Bytes::new() })
}

fn frame(config: &Arc<Config>, millis: i64, key: bool) -> Frame {
    let dts = millis * 1000;
    Frame { number: 0, config: config.clone(), dts, pts: dts, key, data: Bytes::from_static(&[0; 100]) }
}

fn name() -> StreamName {
    StreamName::parse("live/livestream").unwrap()
}

#[derive(Clone, Debug, PartialEq)]
struct Number(i64, bool);

impl Item for Number {
    fn key(&self) -> bool {
        self.1
    }
    fn size(&self) -> usize {
        10
    }
    fn time(&self) -> i64 {
        self.0
    }
}

fn ring() -> Arc<Ring<Number>> {
    Ring::new(RingLimits { items: 8, bytes: 1000, span: 100 })
}

fn drain(cursor: &mut Cursor<Number>) -> Vec<i64> {
    std::iter::from_fn(|| cursor.try_next()).map(|n| n.0).collect()
}

#[test]
fn a_late_reader_starts_at_the_newest_key_and_live_waits_for_the_next() {
    let ring = ring();
    for n in 0..6 {
        ring.push(Number(n, n % 3 == 0));
    }
    let (mut key, mut live, mut next) =
        (ring.cursor(Start::Key), ring.cursor(Start::Live), ring.cursor(Start::Next));
    ring.push(Number(6, true));
    ring.push(Number(7, false));
    assert_eq!(drain(&mut key), [3, 4, 5, 6, 7]);
    assert_eq!(drain(&mut live), [6, 7]);
    assert_eq!(drain(&mut next), [6, 7]);
    assert_eq!(key.skipped() + live.skipped() + next.skipped(), 0);
}

#[test]
fn a_slow_reader_jumps_to_the_newest_key_and_counts_what_it_missed() {
    let ring = ring();
    let mut slow = ring.cursor(Start::Next);
    for n in 0..20 {
        ring.push(Number(n, n == 0 || n == 15));
    }
    assert_eq!(drain(&mut slow), [15, 16, 17, 18, 19]);
    assert_eq!(slow.skipped(), 15);
    assert!(slow.take_skip() && !slow.take_skip());
}

#[test]
fn a_slow_reader_with_no_key_left_waits_for_one() {
    let ring = ring();
    let mut slow = ring.cursor(Start::Next);
    for n in 0..20 {
        ring.push(Number(n, n == 0));
    }
    assert!(drain(&mut slow).is_empty());
    ring.push(Number(20, true));
    assert_eq!(drain(&mut slow), [20]);
    assert_eq!(slow.skipped(), 20);
}

#[test]
fn what_lies_further_back_than_the_span_is_dropped_once_a_newer_key_is_there() {
    let ring = ring();
    let mut slow = ring.cursor(Start::Next);
    ring.push(Number(0, true));
    ring.push(Number(90, true));
    ring.push(Number(180, false));
    assert_eq!(drain(&mut slow), [90, 180]);
}

#[tokio::test]
async fn readers_wake_and_see_the_end() {
    let ring = ring();
    let mut cursor = ring.cursor(Start::Key);
    let reader = tokio::spawn(async move { (cursor.next().await, cursor.next().await) });
    tokio::task::yield_now().await;
    ring.push(Number(1, true));
    tokio::task::yield_now().await;
    ring.close();
    assert_eq!(reader.await.unwrap(), (Some(Number(1, true)), None));
}

#[test]
fn readers_on_other_workers_wake_by_post() {
    let ring = ring();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let worker = {
        let ring = ring.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                crate::net::wake::join_worker();
                let mut cursor = ring.cursor(Start::Key);
                let mut first = Box::pin(cursor.next());
                // The viewer waits before anything is there: only a notification can wake it.
                assert!(futures_util::poll!(first.as_mut()).is_pending());
                ready.send(()).unwrap();
                let mut seen = usize::from(first.await.is_some());
                while cursor.next().await.is_some() {
                    seen += 1;
                }
                seen
            })
        })
    };
    is_ready.recv().unwrap();
    for n in 0..5 {
        ring.push(Number(n, true));
    }
    ring.close();
    assert_eq!(worker.join().unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_second_publisher_is_refused_and_a_returning_one_goes_on_in_time() {
    let hub = Hub::new(HubConfig::default());
    let video = config(Codec::H264);
    let mut first = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    assert_eq!(hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap_err(), PublishError::Busy);
    let mut viewer = first.stream().subscribe(Start::Key);
    first.push(frame(&video, 5000, true));
    first.push(frame(&video, 5040, false));
    drop(first);
    tokio::time::sleep(Duration::from_secs(14)).await;
    let mut second = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    second.push(frame(&video, 0, true));
    let mut seen = Vec::new();
    while let Some(entry) = viewer.try_next() {
        seen.push((entry.frame.dts, entry.discontinuity));
    }
    assert_eq!(seen, [(1_000_000, true), (1_040_000, false), (1_080_000, true)]);
    drop(second);
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert!(viewer.next().await.is_none());
    assert!(hub.streams().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_steps_back_goes_on_and_decoders_start_anew_at_the_next_key_frame() {
    let hub = Hub::new(HubConfig::default());
    let (video, audio) = (config(Codec::H264), config(Codec::Opus));
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let mut viewer = publisher.stream().subscribe(Start::Key);
    for n in 0..100 {
        // Both tracks step back by 3 s, two frames before a key frame.
        let millis = 9_000 + n * 40 - if n >= 48 { 3_000 } else { 0 };
        publisher.push(frame(&video, millis, n % 25 == 0));
        publisher.push(frame(&audio, millis + 10, true));
        tokio::time::advance(Duration::from_millis(40)).await;
    }
    let seen: Vec<_> = std::iter::from_fn(|| viewer.try_next()).collect();
    for (n, entry) in seen.iter().enumerate() {
        let expected = 1_000_000 + n as i64 / 2 * 40_000 + n as i64 % 2 * 10_000;
        assert_eq!(entry.frame.dts, expected, "frame {n}");
        assert_eq!(entry.discontinuity, n == 0 || n == 100, "frame {n}");
    }
    assert_eq!(seen.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn pictures_far_apart_leave_the_audio_no_place_to_start() {
    let hub = Hub::new(HubConfig::default());
    let (video, audio) = (config(Codec::H264), config(Codec::Opus));
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let mut starts = Vec::new();
    let mut viewer = publisher.stream().subscribe(Start::Live);
    for n in 0..1500 {
        if n % 300 == 0 {
            publisher.push(frame(&video, n * 20, true));
        }
        publisher.push(frame(&audio, n * 20, true));
        tokio::time::advance(Duration::from_millis(20)).await;
        while let Some(entry) = viewer.try_next() {
            starts.extend((entry.start && !entry.frame.is_video()).then_some(entry.frame.dts));
        }
    }
    // The low frame rate is only known from the second frame on.
    assert!(starts.iter().all(|at| *at < 7_000_000), "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_fell_silent_makes_way_and_is_told() {
    let hub = Hub::new(HubConfig::default());
    let video = config(Codec::H264);
    let mut lost = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    for n in 0..4 {
        lost.push(frame(&video, n * 2000, true));
        tokio::time::sleep(Duration::from_millis(2000)).await;
        assert_eq!(hub.available(&PublishGrant::for_job(&name(), "test")), Err(PublishError::Busy));
    }
    tokio::time::sleep(Duration::from_millis(2999)).await;
    assert_eq!(hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap_err(), PublishError::Busy);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(hub.available(&PublishGrant::for_job(&name(), "test")), Ok(()));
    let mut viewer = lost.stream().subscribe(Start::Live);
    let mut next = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    assert!(lost.revoked().now_or_never().is_some() && next.revoked().now_or_never().is_none());
    lost.push(frame(&video, 9000, true));
    next.push(frame(&video, 0, true));
    let entry = viewer.next().await.unwrap();
    assert!(entry.discontinuity && viewer.try_next().is_none());
    drop(lost);
    assert_eq!(hub.available(&PublishGrant::for_job(&name(), "test")), Err(PublishError::Busy));
}

#[tokio::test(start_paused = true)]
async fn who_joins_while_the_publisher_is_away_waits_for_the_next() {
    let hub = Hub::new(HubConfig::default());
    let video = config(Codec::H264);
    let mut first = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    first.announce(false, true);
    first.push(frame(&video, 0, true));
    drop(first);
    let late = {
        let hub = hub.clone();
        tokio::spawn(
            async move { hub.play(&PlayGrant::for_job(&name(), "test"), Duration::from_secs(15)).await },
        )
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!late.is_finished());
    let mut second = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    second.announce(false, true);
    second.push(frame(&video, 0, true));
    let mut viewer = late.await.unwrap().unwrap().subscribe(Start::Key);
    assert_eq!(viewer.try_next().unwrap().frame.dts, 1_033_000);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_yields_makes_way_and_time_goes_on() {
    let hub = Hub::new(HubConfig::default());
    let video = config(Codec::H264);
    let mut demo = hub.publish_yielding(&PublishGrant::for_job(&name(), "test")).unwrap();
    let mut viewer = demo.stream().subscribe(Start::Key);
    demo.push(frame(&video, 0, true));
    let mut real = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    assert_eq!(demo.revoked().await, CloseReason::Replaced);
    demo.push(frame(&video, 40, false));
    drop(demo);
    real.push(frame(&video, 777, true));
    assert_eq!(viewer.next().await.unwrap().frame.dts, 1_000_000);
    assert_eq!(viewer.next().await.unwrap().frame.dts, 1_033_000);
    assert_eq!(
        hub.publish_yielding(&PublishGrant::for_job(&name(), "test")).unwrap_err(),
        PublishError::Busy
    );
    drop(real);
    assert_eq!(
        hub.publish_yielding(&PublishGrant::for_job(&name(), "test")).unwrap_err(),
        PublishError::Busy
    );
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert!(hub.publish_yielding(&PublishGrant::for_job(&name(), "test")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn play_waits_for_the_publisher_and_for_both_tracks() {
    let hub = Hub::new(HubConfig::default());
    let early = {
        let hub = hub.clone();
        tokio::spawn(
            async move { hub.play(&PlayGrant::for_job(&name(), "test"), Duration::from_secs(15)).await },
        )
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.push(frame(&config(Codec::Aac), 0, true));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!early.is_finished());
    publisher.push(frame(&config(Codec::H264), 0, true));
    let stream = early.await.unwrap().unwrap();
    assert!(stream.has(media::Track::Video) && stream.has(media::Track::Audio));
    let other = StreamName::parse("live/other").unwrap();
    assert_eq!(
        hub.play(&PlayGrant::for_job(&other, "test"), Duration::from_secs(15)).await.unwrap_err(),
        PlayError::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn an_announced_single_track_is_played_at_once_and_an_unannounced_one_after_a_second() {
    let hub = Hub::new(HubConfig::default());
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let start = tokio::time::Instant::now();
    publisher.push(frame(&config(Codec::Aac), 0, true));
    hub.play(&PlayGrant::for_job(&name(), "test"), Duration::from_secs(15)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(990));
    let other = StreamName::parse("live/other").unwrap();
    let mut publisher = hub.publish(&PublishGrant::for_job(&other, "test")).unwrap();
    publisher.announce(true, false);
    publisher.push(frame(&config(Codec::Aac), 0, true));
    let start = tokio::time::Instant::now();
    hub.play(&PlayGrant::for_job(&other, "test"), Duration::from_secs(15)).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(10));
}

#[tokio::test]
async fn shutdown_ends_everything_and_refuses_the_rest() {
    let hub = Hub::new(HubConfig::default());
    let publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let mut viewer = publisher.stream().subscribe(Start::Key);
    hub.shutdown();
    assert_eq!(publisher.revoked().await, CloseReason::Shutdown);
    assert!(viewer.next().await.is_none());
    assert_eq!(hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap_err(), PublishError::ShuttingDown);
    assert_eq!(
        hub.play(&PlayGrant::for_job(&name(), "test"), Duration::from_secs(1)).await.unwrap_err(),
        PlayError::ShuttingDown
    );
}

#[test]
fn names() {
    for good in ["live/a", "a/b/c", "live/流", "/live/x/"] {
        assert!(StreamName::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "live", "live/", "/x", "//", "a//", "a/../b", "a/b?c", "a/b c", "a/<b>", "a/\u{7}"] {
        assert!(StreamName::parse(bad).is_err(), "{bad}");
    }
    let name = StreamName::new("/a/b/", "c").unwrap();
    assert_eq!((name.app(), name.stream()), ("a/b", "c"));
}

#[tokio::test(start_paused = true)]
async fn viewers_hear_of_a_publisher_that_cannot_be_read_until_it_can() {
    let hub = Hub::new(HubConfig::default());
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let patience = Duration::from_secs(15);
    for why in [
        media::Error::unsupported_track("flv", 0, media::Track::Video, "video codec VP6"),
        media::Error::truncated("flv", 3),
    ] {
        publisher.bad_frame(&why);
    }
    let began = tokio::time::Instant::now();
    let error = hub.play(&PlayGrant::for_job(&name(), "test"), patience).await.unwrap_err();
    assert_eq!(error.to_string(), "the publisher sends video codec VP6, which this server cannot read");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(hub.play(&PlayGrant::for_job(&name(), "test"), Duration::ZERO).await.unwrap_err(), error);
    // Another track is readable.
    publisher.push(frame(&config(Codec::Opus), 0, true));
    assert!(hub.play(&PlayGrant::for_job(&name(), "test"), patience).await.is_ok());
    drop(publisher);
    // The next publisher has sent nothing unreadable yet.
    let mut next = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    assert_eq!(
        hub.play(&PlayGrant::for_job(&name(), "test"), patience).await.unwrap_err(),
        PlayError::NotFound
    );
    next.passes_tracks_over();
    let error = hub.play(&PlayGrant::for_job(&name(), "test"), patience).await.unwrap_err();
    assert!(matches!(&error, PlayError::Unreadable(what) if what.contains("track 0")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_good_frames_gets_them_though_the_first_were_bad() {
    let hub = Hub::new(HubConfig::default());
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.bad_frame(&media::Error::truncated("h264", 3));
    let name = name();
    let grant = PlayGrant::for_job(&name, "test");
    let play = hub.play(&grant, Duration::from_secs(15));
    let publish = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        publisher.push(frame(&config(Codec::H264), 0, true));
    };
    assert!(tokio::join!(play, publish).0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn tracks_are_promised_that_are_there_or_announced_or_may_still_come() {
    let hub = Hub::new(HubConfig::default());
    let promised = |publisher: &Publisher| {
        let stream = publisher.stream();
        (stream.promises(media::Track::Audio), stream.promises(media::Track::Video))
    };
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.push(frame(&config(Codec::H264), 0, true));
    assert_eq!(promised(&publisher), (true, true), "nothing was announced: audio may come");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(promised(&publisher), (false, true), "it did not come");
    publisher.announce(true, true);
    assert_eq!(promised(&publisher), (true, true));
    publisher.announce(false, true);
    assert_eq!(promised(&publisher), (false, true));
    drop(publisher);
    // WebRTC: a negotiated track may not be sent.
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.expect(true, true);
    assert_eq!(promised(&publisher), (false, false));
    publisher.push(frame(&config(Codec::H264), 0, true));
    assert_eq!(promised(&publisher), (false, true));
}

#[tokio::test(start_paused = true)]
async fn tracks_are_known_by_their_id_and_only_the_default_ones_are_passed_on() {
    let (video, audio) = (config(Codec::H264), config(Codec::Aac));
    let mut publisher =
        Hub::new(HubConfig::default()).publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let second = Frame { number: 1, ..frame(&config(Codec::Opus), 5, true) };
    assert_eq!(second.track_id(), TrackId { kind: media::Track::Audio, number: 1 });
    for frame in [frame(&video, 0, true), frame(&audio, 0, true), second.clone(), frame(&video, 40, false)] {
        publisher.push(frame);
    }
    let stream = publisher.stream();
    let mut frames = stream.subscribe(Start::Oldest);
    let ids: Vec<_> = std::iter::from_fn(|| frames.try_next()).map(|entry| entry.frame.track_id()).collect();
    assert_eq!(ids, [TrackId::VIDEO, TrackId::AUDIO, TrackId::VIDEO]);
    assert_eq!(stream.config(TrackId::AUDIO), Some(audio));
    assert_eq!(stream.config(media::Track::Video), Some(video));
    assert!(!stream.has(second.track_id()));
}

#[tokio::test(start_paused = true)]
async fn a_viewer_whose_right_is_taken_away_while_it_waits_gets_nothing() {
    let hub = Hub::new(HubConfig::default());
    let name = StreamName::parse("live/x").unwrap();
    let (grant, other) = (PlayGrant::for_job(&name, "test"), PlayGrant::for_job(&name, "other"));
    let wait = Duration::from_secs(15);
    let end = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(hub.waiting(), 2);
        hub.end_waiting(|grant| *grant.identity() == Identity::Job("test"), &CloseReason::Operator);
    };
    let started = tokio::time::Instant::now();
    let (ended, gone, ()) = tokio::join!(hub.play(&grant, wait), hub.play(&other, wait), end);
    assert_eq!(ended.unwrap_err(), PlayError::Revoked(CloseReason::Operator));
    assert_eq!(gone.unwrap_err(), PlayError::NotFound, "the others wait on");
    assert_eq!((started.elapsed(), hub.waiting()), (wait, 0));
    // The right stays taken away, also when the stream is there.
    let _publisher = hub.publish(&PublishGrant::for_job(&name, "test")).unwrap();
    assert_eq!(hub.play(&grant, wait).await.unwrap_err(), PlayError::Revoked(CloseReason::Operator));
}
