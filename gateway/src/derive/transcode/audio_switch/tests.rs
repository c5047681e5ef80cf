use std::time::Duration;

use bytes::Bytes;
use media::codec::{aac, opus};
use media::time::{MILLI, SECOND};
use media::{Audio, Codec, Format, Frame, Video};
use tokio::time::sleep;

use super::*;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, HubConfig, Publisher, StreamName};
use crate::derive::transcode::Reencoders;
use crate::derive::transcode::codec::encoder;

fn config(codec: Codec) -> Arc<Config> {
    Arc::new(match codec {
        Codec::Aac => aac::config_from_asc(Bytes::from_static(&[0x11, 0x90])).unwrap(),
        Codec::Opus => opus::config_of_channels(2),
        Codec::Mp3 => {
            let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
            Config { codec, format, description: Bytes::new() }
        }
        _ => {
            let format = Format::Video(Video { width: 1280, height: 720 });
            Config { codec, format, description: Bytes::new() }
        }
    })
}

/// Publishes a video frame each 40 ms, with a key frame each second, and audio of one codec in between.
struct Feed {
    publisher: Publisher,
    video: Arc<Config>,
    audio: Arc<Config>,
    packet: Bytes,
    step: Micros,
    /// Times of the next video frame and the next audio packet.
    next: [Micros; 2],
}

impl Feed {
    fn new(publisher: Publisher, codec: Codec) -> Self {
        let (packet, step) = match codec {
            Codec::Opus => (tone(AudioTarget::Opus), 20 * MILLI),
            Codec::Aac => (tone(AudioTarget::Aac), 21_333),
            _ => (Bytes::from_static(b"sound"), 24 * MILLI),
        };
        Self { publisher, video: config(Codec::H264), audio: config(codec), packet, step, next: [0, MILLI] }
    }

    /// All that is due in the next while.
    async fn run(&mut self, time: Micros) {
        let end = self.next[0] + time;
        while self.next[0] < end {
            let video = self.next[0] <= self.next[1];
            let dts = self.next[usize::from(!video)];
            let (config, key, data) = match video {
                true => (&self.video, dts % SECOND == 0, Bytes::from_static(b"picture")),
                false => (&self.audio, true, self.packet.clone()),
            };
            self.publisher.push(Frame { number: 0, config: config.clone(), dts, pts: dts, key, data });
            self.next[usize::from(!video)] += if video { 40 * MILLI } else { self.step };
            tokio::task::yield_now().await;
        }
    }
}

/// Returns an audio packet that is not silent.
fn tone(sound: AudioTarget) -> Bytes {
    let mut encoder = encoder(sound, 2).unwrap();
    let plane: Vec<f32> = (0..encoder.frame()).map(|n| (n as f32 * 0.06).sin() * 0.3).collect();
    encoder.encode(&[&plane, &plane]).unwrap();
    encoder.encode(&[&plane, &plane]).unwrap()
}

fn hub() -> (Hub, StreamName) {
    (Hub::new(HubConfig::default()), StreamName::parse("live/livestream").unwrap())
}

/// All that comes until nothing has come for a moment.
async fn drain(reader: &mut AudioSwitch) -> Vec<Arc<FrameEntry>> {
    let mut entries = Vec::new();
    while let Ok(Some(entry)) = tokio::time::timeout(Duration::from_millis(50), reader.next()).await {
        entries.push(entry);
    }
    entries
}

fn times(entries: &[Arc<FrameEntry>], video: bool) -> Vec<Micros> {
    entries.iter().filter(|e| e.frame.is_video() == video).map(|e| e.frame.dts).collect()
}

fn codecs(entries: &[Arc<FrameEntry>]) -> Vec<&'static str> {
    let mut names: Vec<_> = entries.iter().map(|e| e.frame.config.codec.name()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    names
}

#[tokio::test(start_paused = true)]
async fn sound_that_is_carried_is_read_from_the_stream_itself() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Aac);
    feed.run(SECOND).await;
    let stream = feed.publisher.stream().clone();
    let (mut reader, mut direct) =
        (AudioSwitch::new(&stream, &Want::FLV, Start::Key), stream.subscribe(Start::Key));
    for entry in drain(&mut reader).await {
        assert!(Arc::ptr_eq(&entry, &direct.try_next().unwrap()));
    }
    assert!(direct.try_next().is_none() && !reader.transcodes());
    assert!(Arc::ptr_eq(&reader.config(Track::Audio).unwrap(), &feed.audio));
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_has_sound_with_the_cached_pictures() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Opus);
    // The newest key frame lies 0.9 s back.
    feed.run(1900 * MILLI).await;
    let stream = feed.publisher.stream().clone();
    for turn in ["who starts the view", "who finds it running"] {
        let mut reader = AudioSwitch::new(&stream, &Want::FLV, Start::Key);
        assert!(reader.transcodes());
        let entries = drain(&mut reader).await;
        assert!(entries[0].start && entries[0].frame.key && entries[0].frame.is_video(), "{turn}");
        assert!(!entries[0].discontinuity && codecs(&entries) == ["aac", "h264"], "{turn}");
        let (video, audio) = (times(&entries, true), times(&entries, false));
        let (first, last) = (video[0], video[video.len() - 1]);
        assert_eq!((first, last), (2 * SECOND, 2880 * MILLI));
        assert!(audio[0] - first < 30 * MILLI && last - audio[audio.len() - 1] < 70 * MILLI, "{turn}");
        audio.windows(2).for_each(|pair| assert!((21_333..=21_334).contains(&(pair[1] - pair[0]))));
        // Audio has its place among the video frames: one packet and the encoder's delay later.
        let mut shown = first;
        for entry in &entries {
            let dts = entry.frame.dts;
            match entry.frame.is_video() {
                true => shown = dts,
                false => assert!((-45 * MILLI..=100 * MILLI).contains(&(shown - dts)), "{shown} {dts}"),
            }
        }
        let config = reader.config(Track::Audio).unwrap();
        assert!(entries.iter().all(|e| e.frame.is_video() || Arc::ptr_eq(&e.frame.config, &config)));
        // Pictures are the stream's own.
        let own = stream.subscribe(Start::Key).try_next().unwrap();
        assert!(Arc::ptr_eq(&entries[0], &own), "{turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_view_serves_all_and_stops_ten_seconds_after_the_last() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Aac);
    feed.run(SECOND).await;
    let stream = feed.publisher.stream().clone();
    let derived = |reader: &AudioSwitch| reader.view.as_ref().unwrap().downgrade().upgrade().unwrap();
    let first = AudioSwitch::new(&stream, &Want::webrtc(&Reencoders::off()), Start::Key);
    let second = AudioSwitch::new(&stream, &Want::webrtc(&Reencoders::off()), Start::Key);
    assert!(Arc::ptr_eq(&derived(&first), &derived(&second)));
    let weak = Arc::downgrade(&derived(&first));
    drop((first, second));
    sleep(Duration::from_secs(9)).await;
    // The view keeps running without a reader.
    let before = weak.upgrade().unwrap().newest();
    feed.run(SECOND).await;
    assert!(weak.upgrade().unwrap().newest() > before);
    let third = AudioSwitch::new(&stream, &Want::webrtc(&Reencoders::off()), Start::Key);
    assert!(Arc::ptr_eq(&derived(&third), &weak.upgrade().unwrap()));
    drop(third);
    sleep(Duration::from_millis(9_900)).await;
    assert!(weak.upgrade().is_some());
    sleep(Duration::from_millis(200)).await;
    assert!(weak.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn it_changes_over_with_the_publisher_and_back_without_a_gap() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Aac);
    let stream = feed.publisher.stream().clone();
    let mut reader = AudioSwitch::new(&stream, &Want::FLV, Start::Key);
    let mut all = Vec::new();
    for (codec, transcodes) in
        [(Codec::Aac, false), (Codec::Opus, true), (Codec::Aac, false), (Codec::Opus, true)]
    {
        if !all.is_empty() {
            drop(feed);
            feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), codec);
        }
        // Read at once, so that the reader misses nothing.
        for _ in 0..6 {
            feed.run(480 * MILLI).await;
            all.extend(drain(&mut reader).await);
        }
        assert_eq!(reader.transcodes(), transcodes);
    }
    assert_eq!(codecs(&all), ["aac", "h264"]);
    assert_eq!(all.iter().filter(|entry| entry.discontinuity).count(), 4);
    let video = times(&all, true);
    assert_eq!(video.len(), 4 * 72);
    video.windows(2).for_each(|pair| assert_eq!(pair[1] - pair[0], 40 * MILLI));
    let audio = times(&all, false);
    audio.windows(2).for_each(|pair| assert!((1..120 * MILLI).contains(&(pair[1] - pair[0])), "{pair:?}"));
    assert!((reader.skipped(), reader.take_skip()) == (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_shows_its_sound_later_is_changed_over_then() {
    let (hub, name) = hub();
    let publisher = hub.publish(&PublishGrant::for_job(&name, "test")).unwrap();
    let mut reader = AudioSwitch::new(publisher.stream(), &Want::FLV, Start::Key);
    let mut feed = Feed::new(publisher, Codec::Opus);
    let mut all = Vec::new();
    for _ in 0..10 {
        feed.run(120 * MILLI).await;
        all.extend(drain(&mut reader).await);
    }
    assert_eq!(codecs(&all), ["aac", "h264"]);
    assert_eq!(times(&all, true).len(), 30);
    assert!(all[0].discontinuity && all.iter().filter(|entry| entry.discontinuity).count() == 1);
}

#[tokio::test(start_paused = true)]
async fn who_wants_only_what_is_to_come_gets_no_cached_pictures() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Opus);
    feed.run(1500 * MILLI).await;
    let mut reader = AudioSwitch::new(feed.publisher.stream(), &Want::FLV, Start::Live);
    assert!(drain(&mut reader).await.is_empty());
    feed.run(SECOND).await;
    let entries = drain(&mut reader).await;
    assert_eq!(entries[0].frame.dts, 3 * SECOND);
    assert_eq!(codecs(&entries), ["aac", "h264"]);
}

#[tokio::test(start_paused = true)]
async fn sound_alone_is_transcoded_and_anyone_starts_anywhere() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Opus);
    let mut reader = AudioSwitch::new(feed.publisher.stream(), &Want::FLV, Start::Key);
    let mut entries = Vec::new();
    for n in 0..50 {
        let dts = n * 20 * MILLI;
        let data = feed.packet.clone();
        feed.publisher.push(Frame { number: 0, config: feed.audio.clone(), dts, pts: dts, key: true, data });
        entries.extend(drain(&mut reader).await);
    }
    assert!(entries.len() > 43 && entries.iter().all(|entry| entry.start));
    assert_eq!(drain(&mut AudioSwitch::new(feed.publisher.stream(), &Want::FLV, Start::Key)).await.len(), 1);
    feed.next = [2 * SECOND, 2 * SECOND];
    feed.run(SECOND).await;
    assert_eq!(codecs(&drain(&mut reader).await), ["aac", "h264"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_is_left_out() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Mp3);
    feed.run(SECOND).await;
    let stream = feed.publisher.stream();
    let mut reader = AudioSwitch::new(stream, &Want::webrtc(&Reencoders::off()), Start::Key);
    assert_eq!(codecs(&drain(&mut reader).await), ["h264"]);
    assert!(reader.config(Track::Audio).is_none() && !reader.transcodes());
    assert_eq!(codecs(&drain(&mut AudioSwitch::new(stream, &Want::FLV, Start::Key)).await), ["h264", "mp3"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_stream() {
    let (hub, name) = hub();
    let mut feed = Feed::new(hub.publish(&PublishGrant::for_job(&name, "test")).unwrap(), Codec::Opus);
    feed.run(SECOND).await;
    let mut reader = AudioSwitch::new(feed.publisher.stream(), &Want::FLV, Start::Key);
    hub.shutdown();
    let mut count = 0;
    while reader.next().await.is_some() {
        count += 1;
    }
    assert!(count > 25);
}
