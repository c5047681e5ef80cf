use media::time::MILLI;
use media::{Audio, Codec, Format, Video};
use tokio::time::Instant;

use super::*;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, HubConfig, Publisher, StreamName};

/// Writes what a person can read.
struct Words;

const WORDS: WireFormat = WireFormat { name: "words", muxer: || Box::new(Words) };

impl WireMuxer for Words {
    fn prelude(&mut self, tracks: &Tracks, _: Micros, out: &mut Vec<u8>) {
        let name = |t: &Option<Arc<Config>>| t.as_ref().map_or("-", |c| c.codec.name()).to_owned();
        out.extend(format!("<{} {}>", name(&tracks.video), name(&tracks.audio)).bytes());
    }
    fn config(&mut self, config: &Config, _: &Tracks, _: Micros, out: &mut Vec<u8>) {
        out.extend(format!("[{}]", config.codec.name()).bytes());
    }
    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        let kind = if frame.is_video() { if frame.key { 'K' } else { 'v' } } else { 'a' };
        out.extend(format!("{kind}{} ", frame.dts / MILLI - 1000).bytes());
    }
}

fn config(codec: Codec) -> Arc<Config> {
    let format = match codec.track() {
        Track::Video => Format::Video(Video { width: 1280, height: 720 }),
        Track::Audio => Format::Audio(Audio { sample_rate: 48_000, channels: 2 }),
    };
    Arc::new(Config { codec, format, description: Bytes::new() })
}

fn push(publisher: &mut Publisher, config: &Arc<Config>, millis: i64, key: bool) {
    let dts = millis * MILLI;
    let data = Bytes::from_static(b"data");
    publisher.push(Frame { number: 0, config: config.clone(), dts, pts: dts, key, data });
}

fn publisher() -> Publisher {
    let hub = Hub::new(HubConfig::default());
    hub.publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test")).unwrap()
}

async fn read(reader: &mut BatchReader) -> String {
    let mut out = Vec::new();
    assert!(reader.next(&mut out).await, "the stream is not over");
    out.iter().map(|b| std::str::from_utf8(b).unwrap()).collect::<Vec<_>>().join("|")
}

#[tokio::test(start_paused = true)]
async fn a_late_viewer_starts_at_the_key_frame_and_sound_goes_with_the_next_picture() {
    let (h264, aac) = (config(Codec::H264), config(Codec::Aac));
    let mut publisher = publisher();
    for (config, millis, key) in [(&h264, 0, true), (&aac, 5, true), (&h264, 40, false)] {
        push(&mut publisher, config, millis, key);
    }
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let mut first = wire.reader(Start::Key);
    let mut live = wire.reader(Start::Live);
    assert_eq!(read(&mut first).await, "<h264 aac>|K0 |a5 v40 ");
    push(&mut publisher, &aac, 50, true);
    push(&mut publisher, &h264, 80, true);
    // The key frame begins a batch, so that another can start there.
    assert_eq!(read(&mut first).await, "a50 |K80 ");
    assert_eq!(read(&mut live).await, "<h264 aac>|K80 ");
    let other = Wire::of(publisher.stream(), WORDS, Want::FLV);
    assert!(other.batches.downgrade().ptr_eq(&wire.batches.downgrade()), "one wire for all");
}

#[tokio::test(start_paused = true)]
async fn sound_waits_no_longer_than_a_frame_for_a_picture_that_does_not_come() {
    let (h264, aac) = (config(Codec::H264), config(Codec::Aac));
    let mut publisher = publisher();
    push(&mut publisher, &h264, 0, true);
    push(&mut publisher, &aac, 0, true);
    push(&mut publisher, &h264, 20, false);
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let mut viewer = wire.reader(Start::Key);
    read(&mut viewer).await;
    let start = Instant::now();
    push(&mut publisher, &aac, 30, true);
    assert_eq!(read(&mut viewer).await, "a30 ");
    assert!((20..=21).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn sound_alone_goes_out_at_once_and_anyone_starts_anywhere() {
    let aac = config(Codec::Aac);
    let mut publisher = publisher();
    push(&mut publisher, &aac, 0, true);
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let mut first = wire.reader(Start::Key);
    assert_eq!(read(&mut first).await, "<- aac>|a0 ");
    push(&mut publisher, &aac, 21, true);
    assert_eq!(read(&mut first).await, "a21 ");
    assert_eq!(read(&mut wire.reader(Start::Key)).await, "<- aac>|a21 ");
}

#[tokio::test(start_paused = true)]
async fn a_changed_configuration_stands_before_its_frame_and_in_what_newcomers_get() {
    let (h264, aac, h265) = (config(Codec::H264), config(Codec::Aac), config(Codec::H265));
    let mut publisher = publisher();
    push(&mut publisher, &h264, 0, true);
    push(&mut publisher, &aac, 0, true);
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let mut viewer = wire.reader(Start::Key);
    assert_eq!(read(&mut viewer).await, "<h264 aac>|K0 ");
    push(&mut publisher, &h265, 40, true);
    assert_eq!(read(&mut viewer).await, "a0 |[hevc]K40 ");
    assert_eq!(read(&mut wire.reader(Start::Key)).await, "<hevc aac>|[hevc]K40 ");
}

#[tokio::test(start_paused = true)]
async fn players_that_take_opus_get_it_as_it_was_published_beside_others() {
    let (h264, opus) = (config(Codec::H264), Arc::new(media::codec::opus::config_of_channels(2)));
    let mut publisher = publisher();
    let data = Bytes::from_static(&[0xfc, 0xff, 0xfe]);
    push(&mut publisher, &h264, 0, true);
    publisher.push(Frame { number: 0, config: opus, dts: 5 * MILLI, pts: 5 * MILLI, key: true, data });
    push(&mut publisher, &h264, 40, false);
    let with_opus = Wire::of(publisher.stream(), WORDS, Want::FLV_WITH_OPUS);
    let plain = Wire::of(publisher.stream(), WORDS, Want::FLV);
    assert!(!plain.batches.downgrade().ptr_eq(&with_opus.batches.downgrade()));
    assert_eq!(read(&mut with_opus.reader(Start::Key)).await, "<h264 opus>|K0 |a5 v40 ");
    let others = read(&mut plain.reader(Start::Key)).await;
    assert!(others.starts_with("<h264 aac>|K0 "), "{others}");
}

#[tokio::test(start_paused = true)]
async fn sound_that_old_players_do_not_know_goes_out_as_aac_and_is_promised_so() {
    let (h264, opus) = (config(Codec::H264), Arc::new(media::codec::opus::config_of_channels(2)));
    let mut publisher = publisher();
    // 20 ms of silence.
    let sound = |publisher: &mut Publisher, millis: i64| {
        let data = Bytes::from_static(&[0xfc, 0xff, 0xfe]);
        let dts = millis * MILLI;
        publisher.push(Frame { number: 0, config: opus.clone(), dts, pts: dts, key: true, data });
    };
    push(&mut publisher, &h264, 0, true);
    for n in 0..6 {
        sound(&mut publisher, 5 + n * 20);
    }
    push(&mut publisher, &h264, 120, false);
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let (mut first, mut live) = (wire.reader(Start::Key), wire.reader(Start::Live));
    let mut seen = String::new();
    while !seen.contains("v120") {
        seen += &read(&mut first).await;
    }
    // The first packet holds what the muxer puts before the first sample.
    assert_eq!(seen, "<h264 aac>|K0 a-17 a5 a26 a47 a69 v120 ");
    push(&mut publisher, &h264, 160, true);
    // The cached pictures were made after it came, and are not what comes next.
    assert_eq!(read(&mut live).await, "<h264 aac>|K160 ");
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_its_last_holder_and_readers_end_with_the_stream() {
    let h264 = config(Codec::H264);
    let hub = Hub::new(HubConfig::default());
    let mut publisher =
        hub.publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test")).unwrap();
    push(&mut publisher, &h264, 0, true);
    let wire = Wire::of(publisher.stream(), WORDS, Want::FLV);
    let (batches, mut viewer) = (wire.batches.downgrade(), wire.reader(Start::Key));
    read(&mut viewer).await;
    hub.shutdown();
    assert!(!viewer.next(&mut Vec::new()).await);
    drop((viewer, wire));
    tokio::task::yield_now().await;
    assert!(batches.upgrade().is_none());
}
