use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{Codec, Config, Format, Frame, Video};
use tokio::time::{Instant, advance};

use super::*;
use crate::core::admission::PublishGrant;
use crate::core::hub::{FrameEntry, Hub, HubConfig, Publisher, Start, StreamName, Subscriber};

const PICTURE: Micros = 40 * MILLI;

/// A publisher's reaction to a key frame request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Never,
    /// Answers after this time.
    After(Duration),
    /// Answers every second request, immediately.
    Sometimes,
}

/// Publishes 25 frames per second, with a key frame every `group` frames and the requested ones.
struct FakeEncoder {
    publisher: Publisher,
    config: Arc<Config>,
    kind: Kind,
    group: u32,
    number: u32,
    /// Requests as sent over the network: one each time that a key frame becomes wanted.
    requests: Vec<Instant>,
    wanted: bool,
    due: Option<Instant>,
}

impl FakeEncoder {
    fn new(kind: Kind, group: u32) -> Self {
        let hub = Hub::new(HubConfig::default());
        let publisher = hub
            .publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test"))
            .unwrap();
        publisher.promise_keys();
        let format = Format::Video(Video { width: 640, height: 360 });
        let config = Arc::new(Config { codec: Codec::H264, format, description: Bytes::new() });
        let (requests, wanted, due) = (Vec::new(), false, None);
        Self { publisher, config, kind, group, number: 0, requests, wanted, due }
    }

    /// Publishes the next frame, then handles requests.
    async fn picture(&mut self) {
        let answer = self.due.take_if(|at| *at <= Instant::now()).is_some();
        let at = Micros::from(self.number) * PICTURE;
        let key = self.number.is_multiple_of(self.group) || answer;
        self.number += 1;
        let data = Bytes::from_static(&[0, 0, 0, 1, 0x65]);
        self.publisher.push(Frame { number: 0, config: self.config.clone(), dts: at, pts: at, key, data });
        let wanted = self.publisher.key_wanted();
        if wanted && !self.wanted {
            self.requests.push(Instant::now());
            self.due = match self.kind {
                Kind::Never => self.due,
                Kind::After(time) => Some(Instant::now() + time),
                Kind::Sometimes if self.requests.len().is_multiple_of(2) => Some(Instant::now()),
                Kind::Sometimes => self.due,
            };
        }
        self.wanted = wanted;
        advance(Duration::from_micros(PICTURE as u64)).await;
    }

    async fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.picture().await;
        }
    }

    /// Returns how long a new viewer waits, and its first entry.
    async fn join(&mut self) -> (Duration, Arc<FrameEntry>) {
        let (mut viewer, since) = (self.publisher.stream().subscribe(Start::Key), Instant::now());
        loop {
            if let Some(entry) = viewer.try_next() {
                return (since.elapsed(), entry);
            }
            self.picture().await;
        }
    }

    fn believed(&self) -> bool {
        self.publisher.stream().makes_keys()
    }
}

/// Counts the entries that can be read now.
fn rest(viewer: &mut Subscriber) -> usize {
    std::iter::from_fn(|| viewer.try_next()).count()
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_never_answers_is_found_out_before_the_first_viewer() {
    for group in [100, 250, 500] {
        let mut encoder = FakeEncoder::new(Kind::Never, group);
        assert!(encoder.believed());
        encoder.run(Duration::from_millis(3500)).await;
        assert!(!encoder.believed() && encoder.requests.len() == 1);
        for _ in 0..30 {
            let (wait, entry) = encoder.join().await;
            assert!(wait == Duration::ZERO && entry.start, "{wait:?}");
            encoder.run(Duration::from_millis(990)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_while_it_is_found_out_gets_the_cached_key_frame() {
    let mut encoder = FakeEncoder::new(Kind::Never, 500);
    encoder.run(Duration::from_millis(2120)).await;
    // The publisher is being asked for the first time.
    let stream = encoder.publisher.stream().clone();
    let mut viewers: Vec<_> = (0..3).map(|_| stream.subscribe(Start::Key)).collect();
    let only_new = &mut stream.subscribe(Start::Live);
    encoder.run(Duration::from_millis(500)).await;
    assert_eq!(viewers.iter_mut().map(rest).sum::<usize>(), 0);
    encoder.run(Duration::from_millis(400)).await;
    for viewer in &mut viewers {
        let first = viewer.try_next().unwrap();
        assert!(first.start && rest(viewer) + 1 == encoder.number as usize);
    }
    assert_eq!(rest(only_new), 0, "who wants no cached pictures gets none");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_always_answers_is_believed() {
    for ms in [0, 100, 400] {
        let mut encoder = FakeEncoder::new(Kind::After(Duration::from_millis(ms)), u32::MAX);
        for _ in 0..20 {
            encoder.run(Duration::from_millis(3000)).await;
            assert!(encoder.believed());
            let (wait, entry) = encoder.join().await;
            assert!(wait <= Duration::from_millis(ms + 90), "{wait:?}");
            assert!(stale(&encoder, &entry) < 2 * SECOND, "a new one");
        }
    }
}

/// Returns the age of a frame.
fn stale(encoder: &FakeEncoder, entry: &FrameEntry) -> Micros {
    encoder.publisher.stream().newest().unwrap() - entry.frame.dts
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_answers_late_or_sometimes_keeps_nobody_waiting_long() {
    let late = Kind::After(Duration::from_millis(1500));
    for (kind, group) in [(late, 250), (late, u32::MAX), (Kind::Sometimes, 250), (Kind::Sometimes, u32::MAX)]
    {
        let mut encoder = FakeEncoder::new(kind, group);
        encoder.run(Duration::from_secs(3)).await;
        let mut longest = Duration::ZERO;
        for pause in 1..60 {
            encoder.run(Duration::from_millis(pause * 130)).await;
            let (wait, entry) = encoder.join().await;
            assert!(entry.start);
            longest = longest.max(wait);
        }
        assert!(longest <= ANSWER + Duration::from_millis(90), "{kind:?} {group}: {longest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_begins_to_answer_is_believed_again() {
    let mut encoder = FakeEncoder::new(Kind::Never, 250);
    encoder.run(Duration::from_secs(13)).await;
    assert!(!encoder.believed());
    encoder.kind = Kind::After(Duration::from_millis(200));
    encoder.run(Duration::from_secs(1)).await;
    assert!(!encoder.believed(), "nobody asked");
    assert_eq!(encoder.join().await.0, Duration::ZERO);
    encoder.run(Duration::from_millis(400)).await;
    assert!(encoder.believed());
    encoder.kind = Kind::Never;
    encoder.run(Duration::from_secs(4)).await;
    assert!(encoder.join().await.0 <= ANSWER + Duration::from_millis(90));
    assert!(!encoder.believed());
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_answer_is_asked_rarely_for_those_who_watch() {
    let mut encoder = FakeEncoder::new(Kind::Never, 500);
    let demand = encoder.publisher.stream().demand_keys();
    encoder.run(Duration::from_secs(60)).await;
    assert!((4..=7).contains(&encoder.requests.len()), "{}", encoder.requests.len());
    drop(demand);
    let before = encoder.requests.len();
    encoder.run(Duration::from_secs(60)).await;
    assert_eq!(encoder.requests.len(), before);
}

#[tokio::test(start_paused = true)]
async fn the_next_publisher_is_not_judged_by_the_one_before() {
    let keys = Arc::new(Keys::default());
    keys.promise();
    keys.seen(0);
    keys.ask();
    advance(Duration::from_secs(1)).await;
    assert!(keys.check() && !keys.check() && !keys.on_request() && KeyFrameWait::new(&keys).is_over());
    keys.begin();
    assert!(!keys.on_request() && !keys.wanted(10 * SECOND), "nothing was promised");
    keys.promise();
    assert!(keys.on_request());
    // Audio has no key frames, so it cannot break the promise.
    keys.ask();
    advance(Duration::from_secs(5)).await;
    assert!(!keys.check() && keys.on_request());
}
