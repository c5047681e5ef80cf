//! What is in a recording.

use lianmai_tests::publisher::{WsPublisher, ffmpeg};
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Clip, Gateway, Process, wait};

use crate::kit::{LIMIT, is_finished, list, packets, path, probe, wait_duration, wait_records};

/// Publishes each clip to its end; its recording must have all its packets, and every frame must decode.
#[test]
fn recordings_have_every_frame_of_what_was_published() {
    let gateway = Gateway::start(&["--record", "live/*", "--reconnect", "2"]);
    let clips = [
        ("av", Clip::Av),
        ("bframes", Clip::BFrames),
        ("video", Clip::VideoOnly),
        ("audio", Clip::AudioOnly),
        ("mp3", Clip::Mp3),
        ("longgop", Clip::LongGop),
    ];
    let publishers: Vec<_> =
        clips.iter().map(|(name, clip)| ffmpeg(&clip.file(), &gateway.rtmp_url(name))).collect();
    for ((name, clip), mut publisher) in clips.iter().zip(publishers) {
        publisher.wait(LIMIT);
        let record = wait_records(&gateway, name, 1, is_finished).remove(0);
        let file = path(gateway.data(), &record);
        let counts: Vec<(u64, u64)> =
            ["v", "a"].map(|kind| (packets(&file, kind), packets(&clip.file(), kind))).into();
        for (kind, (recorded, published)) in ["video", "audio"].iter().zip(counts) {
            // ffmpeg may not send the last packets of a file, and audio before the first picture is left out.
            assert!(
                recorded <= published && recorded + 8 >= published,
                "{name}: {recorded} of {published} {kind} packets"
            );
        }
        let found = probe(file.to_str().unwrap());
        assert!((found.duration - 8.0).abs() < 0.5, "{name}: {found:?}");
        let said = record["duration_ms"].as_f64().unwrap() / 1000.0;
        assert!((found.duration - said).abs() < 0.3, "{name}: {said} s in the list, {found:?}");
        assert_eq!(record["bytes"], file.metadata().unwrap().len());
        // The playlist names the same file, whose ranges are still valid.
        let listed = probe(file.with_extension("m3u8").to_str().unwrap());
        assert_eq!(listed.streams, found.streams, "{name}");
    }
    assert_eq!(
        gateway
            .get("/metrics")
            .text()
            .lines()
            .filter(|line| *line == "lianmai_record_errors_total 0")
            .count(),
        1
    );
}

#[test]
fn opus_of_a_browser_and_h264_are_recorded_as_they_come() {
    let gateway = Gateway::start(&["--record", "live/*", "--reconnect", "2"]);
    let peer = Peer::publish(&Call::new(&gateway, "x"), Media::usual());
    peer.wait_connected(LIMIT);
    wait_duration(&gateway, "x", 4000);
    drop(peer);
    let record = wait_records(&gateway, "x", 1, is_finished).remove(0);
    let found = probe(path(gateway.data(), &record).to_str().unwrap());
    let codecs: Vec<&str> = found.streams.iter().map(|(codec, _)| &**codec).collect();
    assert_eq!(codecs, ["h264", "opus"]);
    assert!(found.streams.iter().all(|(_, frames)| *frames > 90), "{found:?}");
}

#[test]
fn a_publisher_that_returns_goes_on_in_the_same_file_and_another_codec_begins_a_new_one() {
    let gateway = Gateway::start(&["--record", "live/x"]);
    let publish = |clip: Clip| {
        let (flags, tags) = clip.minutes(2);
        let publisher = WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0);
        gateway.wait_published("x");
        publisher
    };
    let first = publish(Clip::Av);
    let before = wait_duration(&gateway, "x", 3000)["duration_ms"].as_u64().unwrap();
    drop(first);
    wait::until_true("the publisher to be away", LIMIT, || {
        gateway.stream("x").is_some_and(|stream| stream["publish"]["active"] == false)
    });
    let second = publish(Clip::Av);
    wait_duration(&gateway, "x", before + 4000);
    assert_eq!(list(&gateway, "x")["total"], 1);
    drop(second);
    let third = publish(Clip::Other);
    wait_records(&gateway, "x", 2, |record| record["duration_ms"].as_u64() > Some(1000));
    drop(third);
    let records = wait_records(&gateway, "x", 2, is_finished);
    let found = records.iter().map(|record| probe(path(gateway.data(), record).to_str().unwrap()));
    for (found, least) in found.zip([6.0, 1.0]) {
        assert!(found.duration > least && found.streams.len() == 2, "{found:?}");
    }
}

#[test]
fn a_stream_that_mp4_files_do_not_carry_says_so() {
    let gateway = Gateway::start(&["--record", "live/*"]);
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args("-v error -re -f lavfi -i sine=440:sample_rate=8000 -c:a pcm_alaw -ac 1 -f flv".split(' '));
    let _publisher = Process::start(ffmpeg.arg(gateway.rtmp_url("x")));
    let told = wait::until("the reason", LIMIT, || {
        list(&gateway, "x")["streams"][0]["failure"].as_str().map(str::to_owned)
    });
    assert!(told.contains("nothing is recorded") && told.contains("MP4 files do not carry"), "{told}");
    let log = gateway.process.stderr();
    assert_eq!(log.matches("stream not recorded").count(), 1, "{log}");
    assert_eq!(list(&gateway, "x")["total"], 0);
}
