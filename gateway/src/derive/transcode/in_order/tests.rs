use std::time::Duration;

use bytes::Bytes;
use media::codec::opus;
use media::time::SECOND;
use media::{Codec, Config, Format, Frame, Video};
use tokio::time::sleep;

use super::*;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, HubConfig, Publisher, StreamName};
use crate::derive::derived::Output;
use crate::derive::transcode::Want;

const PICTURE: Micros = 40 * MILLI;

/// Publishes a key frame each second, then pictures as they come in the order shown or with two B
/// pictures between others, the first of which the second needs; and sound.
struct Feed {
    publisher: Publisher,
    video: Arc<Config>,
    audio: Arc<Config>,
    between: bool,
    number: i64,
}

fn video(width: u32) -> Arc<Config> {
    let format = Format::Video(Video { width, height: 720 });
    Arc::new(Config { codec: Codec::H264, format, description: Bytes::new() })
}

fn picture(config: &Arc<Config>, dts: Micros, pts: Micros, header: u8, kind: u8) -> Frame {
    let data = Bytes::copy_from_slice(&[0, 0, 0, 2, header, kind]);
    Frame { number: 0, config: config.clone(), dts, pts, key: header == 0x65, data }
}

impl Feed {
    fn new(hub: &Hub, between: bool) -> Self {
        let publisher = hub
            .publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test"))
            .unwrap();
        Self {
            publisher,
            video: video(1280),
            audio: Arc::new(opus::config_of_channels(2)),
            between,
            number: 0,
        }
    }

    fn stream(&self) -> Arc<Stream> {
        self.publisher.stream().clone()
    }

    /// Publishes the next video frames, each with an audio packet. Returns the newest time of the stream.
    async fn run(&mut self, pictures: i64) -> Micros {
        for _ in 0..pictures {
            // I P b b P b b …: 25 of them.
            let (number, place) = (self.number, self.number % 25);
            let (header, kind, ahead) = match (place, place % 3) {
                (0, _) => (0x65, 0x88, 1),
                (_, 1) if self.between => (0x41, 0x98, 3),
                (_, 2) if self.between => (0x41, 0xa0, 0),
                (_, 0) if self.between => (0x01, 0xa0, 0),
                _ => (0x41, 0x98, 1),
            };
            let dts = number * PICTURE;
            self.publisher.push(picture(&self.video, dts, dts + ahead * PICTURE, header, kind));
            let data = Bytes::from_static(b"\xfcsound");
            self.publisher.push(Frame {
                number: 0,
                config: self.audio.clone(),
                dts,
                pts: dts,
                key: true,
                data,
            });
            self.number += 1;
            tokio::task::yield_now().await;
        }
        self.publisher.stream().newest().unwrap()
    }
}

/// An encoder whose video frames a test makes.
struct FakeEncoder {
    reencoders: Reencoders,
    holder: Holder<ReencodedVideo>,
    output: Output<Arc<FrameEntry>>,
    config: Arc<Config>,
}

impl FakeEncoder {
    fn new(stream: &Arc<Stream>) -> Self {
        let reencoders = Reencoders::new(0);
        let (holder, output) = Derived::by_hand(stream, ReencodedVideo { reencoders: reencoders.clone() });
        Self { reencoders, holder, output, config: video(640) }
    }

    fn reader(&self, stream: &Arc<Stream>) -> InOrder {
        self::reader(stream, &self.reencoders)
    }

    /// Video frames at these times, the first of which is a key frame.
    fn make(&self, times: impl Iterator<Item = Micros>) {
        for (index, time) in times.enumerate() {
            let (header, kind) = if index == 0 { (0x65, 0x88) } else { (0x41, 0x98) };
            let frame = picture(&self.config, time, time, header, kind);
            self.output.push(Arc::new(FrameEntry { start: frame.key, frame, discontinuity: false }));
        }
    }
}

/// A reader from the newest key frame on.
fn reader(stream: &Arc<Stream>, reencoders: &Reencoders) -> InOrder {
    let audio = AudioSwitch::new(stream, &Want::webrtc(reencoders), Start::Key);
    InOrder::new(stream, audio, Start::Key, reencoders)
}

fn every(from: Micros, to: Micros) -> impl Iterator<Item = Micros> {
    (0..).map(move |n| from + n * PICTURE).take_while(move |time| *time <= to)
}

fn hub() -> Hub {
    Hub::new(HubConfig::default())
}

/// Reads until nothing has arrived for a moment. Returns the video frames, and the number of audio packets.
async fn drain(reader: &mut InOrder) -> (Vec<Arc<FrameEntry>>, usize) {
    let mut all = Vec::new();
    while let Ok(Some(entry)) = tokio::time::timeout(Duration::from_millis(20), reader.next()).await {
        all.push(entry);
    }
    let sounds = all.iter().filter(|entry| !entry.frame.is_video()).count();
    all.retain(|entry| entry.frame.is_video());
    let shown = all.iter().map(|entry| entry.frame.pts);
    assert!(shown.is_sorted_by(|a, b| a < b), "{:?}", all.iter().map(|e| e.frame.pts).collect::<Vec<_>>());
    (all, sounds)
}

/// Whether these are the encoder's.
fn made(pictures: &[Arc<FrameEntry>]) -> Vec<bool> {
    let mut made: Vec<_> = pictures.iter().map(|e| e.frame.config.video().unwrap().width == 640).collect();
    made.dedup();
    made
}

#[tokio::test(start_paused = true)]
async fn pictures_in_order_are_the_streams_own() {
    let hub = hub();
    let mut feed = Feed::new(&hub, false);
    feed.run(60).await;
    let stream = feed.stream();
    let mut reader = reader(&stream, &Reencoders::new(0));
    let (pictures, sounds) = drain(&mut reader).await;
    assert_eq!((pictures.len(), sounds), (10, 10));
    let mut own = stream.subscribe(Start::Key);
    for picture in &pictures {
        let own = std::iter::from_fn(|| own.try_next()).find(|entry| entry.frame.is_video()).unwrap();
        assert!(Arc::ptr_eq(picture, &own));
    }
    assert!(reader.encoded.is_none() && !reordered(&stream));
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_is_left_out_where_nothing_is_encoded_anew() {
    let hub = hub();
    let mut feed = Feed::new(&hub, true);
    feed.run(75).await;
    let stream = feed.stream();
    let mut reader = reader(&stream, &Reencoders::off());
    // I and eight P of 25.
    let (pictures, sounds) = drain(&mut reader).await;
    assert_eq!((pictures.len(), sounds), (9, 25));
    assert!(reader.encoded.is_none() && reordered(&stream));
}

#[tokio::test(start_paused = true)]
async fn it_changes_over_where_the_encoder_has_caught_up() {
    let hub = hub();
    let mut feed = Feed::new(&hub, true);
    let newest = feed.run(75).await;
    let stream = feed.stream();
    let encoder = FakeEncoder::new(&stream);
    let mut reader = encoder.reader(&stream);
    // The first viewer starts the encoder and gets a frame at once.
    assert_eq!(made(&drain(&mut reader).await.0), [false]);
    // A key frame long ago is the past still.
    encoder.make(every(newest - SECOND, newest - 600 * MILLI));
    assert!(drain(&mut reader).await.0.is_empty());
    let before = feed.run(2).await;
    // This one is near. What was shown already is run through in milliseconds.
    encoder.make(every(before - 120 * MILLI, before));
    let (pictures, _) = drain(&mut reader).await;
    assert_eq!(made(&pictures), [false, true]);
    let newest = feed.run(10).await;
    encoder.make(every(before + PICTURE, newest));
    let (pictures, sounds) = drain(&mut reader).await;
    assert_eq!((made(&pictures), pictures.len(), sounds), (vec![true], 10, 10));
    assert_eq!(pictures[9].frame.pts, newest);
    // A new reader begins with the encoder's newest key frame.
    let mut second = encoder.reader(&stream);
    let first = second.try_next().unwrap();
    let pictures = std::iter::from_fn(|| second.try_next()).filter(|entry| entry.frame.is_video());
    let pictures: Vec<_> = pictures.collect();
    assert!(!first.frame.is_video());
    assert_eq!((made(&pictures), pictures.len()), (vec![true], 10));
    assert!(pictures[0].start && pictures[0].frame.pts == before + PICTURE);
}

#[tokio::test(start_paused = true)]
async fn b_frames_may_begin_in_mid_stream_and_end_with_the_publisher() {
    let hub = hub();
    let mut feed = Feed::new(&hub, false);
    feed.run(30).await;
    let stream = feed.stream();
    let encoder = FakeEncoder::new(&stream);
    let weak = encoder.holder.downgrade();
    let mut reader = encoder.reader(&stream);
    drain(&mut reader).await;
    feed.between = true;
    let newest = feed.run(45).await;
    drain(&mut reader).await;
    assert!(reader.encoded.is_some());
    encoder.make(every(newest, newest + PICTURE));
    assert_eq!(made(&drain(&mut reader).await.0), [true]);
    let FakeEncoder { holder, output: _output, .. } = encoder;
    drop(holder);
    drop(feed);
    // The next publisher has none.
    let mut feed = Feed::new(&hub, false);
    feed.run(60).await;
    let (pictures, _) = drain(&mut reader).await;
    assert_eq!((made(&pictures), pictures.len()), (vec![false], 60));
    assert!(pictures[0].start && reader.encoded.is_none());
    // No viewer needs the encoder any more, so it ends after ten seconds.
    sleep(Duration::from_millis(9_500)).await;
    assert!(weak.upgrade().is_some());
    sleep(Duration::from_millis(600)).await;
    assert!(weak.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn without_an_encoder_it_goes_on_at_the_next_key_frame() {
    let hub = hub();
    let mut feed = Feed::new(&hub, true);
    let newest = feed.run(75).await;
    let stream = feed.stream();
    let encoder = FakeEncoder::new(&stream);
    let mut reader = encoder.reader(&stream);
    drain(&mut reader).await;
    encoder.make(every(newest, newest + PICTURE));
    feed.run(10).await;
    assert_eq!(made(&drain(&mut reader).await.0), [false, true]);
    // The encoder has given up. Frames that depend on frames that were not shown cannot be decoded.
    let FakeEncoder { holder: _holder, output, .. } = encoder;
    drop(output);
    let (pictures, sounds) = drain(&mut reader).await;
    assert_eq!((pictures.len(), sounds), (0, 0));
    feed.run(30).await;
    let (pictures, sounds) = drain(&mut reader).await;
    assert!(pictures[0].start && made(&pictures) == [false] && reader.encoded.is_none());
    assert_eq!((pictures.len(), sounds), (6, 30));
}
