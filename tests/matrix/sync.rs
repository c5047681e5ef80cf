//! Transcoded audio is present, unchanged in content, and in sync with the video. Each second of the clip
//! begins with a flash and a beep; ffmpeg reports when it detected them.

use std::fs;
use std::path::Path;
use std::process::Command;

use gateway::core::admission::PublishGrant;
use gateway::core::hub::{Hub, HubConfig, Start, StreamName};
use gateway::derive::transcode::{Frames, Reencoders, Want};
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::{Clip, Gateway, Process, wait};
use media::time::MILLI;

use super::{LIMIT, frames, tags};

/// Maximum distance between a flash and its beep in seconds. FLV rounds both to milliseconds.
const APART: f64 = 0.005;

/// Starts ffmpeg to detect flashes and beeps.
pub(super) fn watch(input: &str) -> Process {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostats", "-copyts", "-analyzeduration", "1000000"]);
    if input.contains(".m3u8") {
        ffmpeg.args(["-live_start_index", "0"]);
    }
    ffmpeg.args(["-i", input, "-vf", "blackdetect=d=0.1:pix_th=0.5"]);
    ffmpeg.args(["-af", "silencedetect=noise=-30dB:d=0.3", "-f", "null", "-"]);
    Process::start(&mut ffmpeg)
}

/// Returns the times after `name` in ffmpeg's output so far, in seconds.
fn times(said: &str, name: &str) -> Vec<f64> {
    let ends = said.lines().filter(|line| line.contains("silence_end") || line.contains("black_end"));
    let values = ends.filter_map(|line| line.split(name).nth(1)?.split_whitespace().next());
    values.map(|value| value.parse().expect("a time")).collect()
}

/// Returns each beep with the nearest flash.
pub(super) fn pairs(said: &str) -> Vec<(f64, f64)> {
    let flashes = times(said, "black_end:");
    let nearest = |beep: f64| flashes.iter().copied().find(|flash| (flash - beep).abs() < 0.4);
    times(said, "silence_end: ").into_iter().filter_map(|beep| Some((nearest(beep)?, beep))).collect()
}

/// Checks the first `count` of them: the end of the stream is not a flash.
#[track_caller]
pub(super) fn check(what: &str, said: &str, count: usize, limit: f64) {
    let mut pairs = pairs(said);
    assert!(pairs.len() >= count, "{what}: {pairs:?} in {said}");
    pairs.truncate(count);
    for (flash, beep) in &pairs {
        let apart = beep - flash;
        assert!(apart.abs() <= limit, "{what}: the beep is {:+.1} ms off: {pairs:?}", apart * 1e3);
    }
    for pair in pairs.windows(2) {
        let step = pair[1].1 - pair[0].1;
        assert!((step - 1.0).abs() <= limit, "{what}: {step} s from beep to beep: {pairs:?}");
    }
}

pub(super) fn file(path: &Path) -> String {
    let mut process = watch(&path.to_string_lossy());
    process.wait(LIMIT);
    process.stderr()
}

#[test]
fn opus_is_heard_as_aac_and_in_time_by_those_who_know_only_that() {
    let sent = file(&Clip::Opus.file());
    assert!(sent.contains("Audio: opus"), "{sent}");
    check("the clip itself", &sent, 7, APART);

    let gateway = Gateway::start(&[]);
    let urls = [gateway.rtmp_url("x"), gateway.http_url("x.flv")];
    let mut players: Vec<_> = urls.iter().map(|url| (url.clone(), watch(url), 6)).collect();
    wait::until_true("the players to connect", LIMIT, || gateway.connections() >= players.len());
    let (flags, tags) = tags(Clip::Opus);
    let _publisher = WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0);
    wait::until_true("a first HLS segment", LIMIT, || {
        let playlist = gateway.get("/live/x.m3u8");
        playlist.status == 200 && playlist.text().contains("#EXTINF")
    });
    let hls = gateway.http_url("x.m3u8");
    // The clip's last segment ends with the stream, long after this.
    players.push((hls.clone(), watch(&hls), 4));
    let published = gateway.stream("x").expect("the stream is there");
    assert_eq!(published["audio"]["codec"], "Opus", "the publisher's codec: {published}");
    let metrics = gateway.get("/metrics").text();
    assert!(metrics.contains("lianmai_transcoders{to=\"aac\"} 1\n"), "one for all: {metrics}");

    for (url, player, enough) in &mut players {
        wait::until_true(&format!("flashes and beeps of {url}"), LIMIT, || {
            let said = player.stderr();
            assert!(player.ended().is_none() || pairs(&said).len() >= *enough, "{url}: {said}");
            pairs(&said).len() >= *enough
        });
        let said = player.stderr();
        assert!(said.contains("Audio: aac (LC)") && said.contains("48000 Hz, stereo"), "{url}: {said}");
        check(url, &said, *enough, APART);
    }
}

/// AAC at an unusual rate becomes Opus, without a network: ffmpeg's decoder detects the beeps.
#[tokio::test]
async fn aac_is_heard_as_opus_and_in_time() {
    let dir = temp_dir("sync");
    let (sent, seen) = (dir.join("aac.ts"), dir.join("opus.ts"));
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-i"]).arg(Clip::Opus.file());
    ffmpeg.args(["-c:v", "copy", "-c:a", "aac", "-ar", "44100", "-b:a", "128k"]).arg(&sent);
    assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg makes the clip");
    check("the clip itself", &file(&sent), 7, APART);

    let hub = Hub::new(HubConfig::default());
    let name = StreamName::parse("live/x").expect("a name");
    let mut publisher = hub.publish(&PublishGrant::for_job(&name, "test")).expect("it is free");
    let stream = publisher.stream().clone();
    let want = Want { presentation_order: None, ..Want::webrtc(&Reencoders::off()) };
    let mut source = Frames::new(&stream, &want, Start::Key);
    let (mut muxer, mut out) = (media::ts::Muxer::new(), Vec::new());
    let mut write = |entry: &gateway::core::hub::FrameEntry| {
        muxer.frame(&entry.frame, &mut out).expect("a frame for TS");
        muxer.flush(&mut out);
    };
    for frames in frames(&sent).chunks(20) {
        frames.iter().for_each(|frame| publisher.push(frame.clone()));
        let newest = stream.newest().expect("something was published");
        // Like a player, it reads the available frames before more arrive.
        while let Some(entry) = source.next().await {
            write(&entry);
            if entry.frame.dts > newest - 100 * MILLI {
                break;
            }
        }
    }
    hub.shutdown();
    while let Some(entry) = source.next().await {
        write(&entry);
    }
    assert_eq!(source.skipped(), 0);
    fs::write(&seen, out).expect("it can be written");
    let said = file(&seen);
    assert!(said.contains("Audio: opus") && said.contains("48000 Hz, stereo"), "{said}");
    check("Opus", &said, 7, APART);
    fs::remove_dir_all(dir).expect("it can be removed");
}
