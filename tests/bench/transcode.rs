//! Cost of transcoding one stream's audio within this process: hub to hub, without a network.

use std::fs;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use gateway::core::admission::PublishGrant;
use gateway::core::hub::{Hub, HubConfig, Start, StreamName};
use gateway::derive::transcode::{AudioTarget, Frames, Reencoders, Want, counted};
use lianmai_tests::gateway::cache_dir;
use media::Frame;
use media::time::{MILLI, SECOND};
use media::ts::{Demuxer, Event};

/// Seconds of audio for each direction.
const SECONDS: i64 = 120;

pub(crate) fn run() {
    println!("{SECONDS} s of pink noise and tones in stereo, µs of CPU per second of audio:");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (name, codec, rate, to, target) in [
        ("AAC 44.1 kHz -> Opus", "aac", "44100", AudioTarget::Opus, 5_500),
        ("AAC 48 kHz -> Opus", "aac", "48000", AudioTarget::Opus, 5_500),
        ("Opus -> AAC", "libopus", "48000", AudioTarget::Aac, 6_600),
    ] {
        let frames = clip(codec, rate);
        let before = counted(to);
        runtime.block_on(pass(frames, to));
        let after = counted(to);
        let made = (after.made - before.made).as_secs_f64();
        let cost = (after.busy - before.busy).as_secs_f64() * 1e6 / made;
        println!(
            "{name:<22} {cost:>6.0} ({:.2} % of a core; measured with the crates alone: {target})",
            cost / 1e4
        );
    }
}

/// Publishes the frames as fast as they are consumed.
async fn pass(frames: Vec<Frame>, target: AudioTarget) {
    let want = match target {
        AudioTarget::Aac => Want::FLV,
        AudioTarget::Opus => Want { presentation_order: None, ..Want::webrtc(&Reencoders::off()) },
    };
    let hub = Hub::new(HubConfig::default());
    let name = StreamName::parse("live/bench").expect("a name");
    let mut publisher = hub.publish(&PublishGrant::for_job(&name, "bench")).expect("the name is free");
    let mut source = None;
    for frames in frames.chunks(10) {
        for frame in frames {
            publisher.push(frame.clone());
        }
        let stream = publisher.stream();
        let newest = stream.newest().unwrap_or(0);
        // A stream of audio only begins with the newest packet; a single one does not fill another packet.
        let Some(source) = &mut source else {
            source = Some(Frames::new(stream, &want, Start::Key));
            continue;
        };
        // Decoder and encoder buffer less than this.
        while source.next().await.is_some_and(|entry| entry.frame.dts < newest - 100 * MILLI) {}
    }
}

/// Repeats the same audio.
fn clip(codec: &str, rate: &str) -> Vec<Frame> {
    let file = cache_dir().join(format!("bench-{codec}-{rate}.ts"));
    if !file.exists() {
        let own = file.with_extension("part.ts");
        let tones = format!("aevalsrc=0.2*sin(440*2*PI*t)|0.2*sin(660*2*PI*t):s={rate}");
        let noise = format!("anoisesrc=color=pink:amplitude=0.3:sample_rate={rate}");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", &tones, "-f", "lavfi", "-i", &noise]);
        ffmpeg.args(["-filter_complex", "amix=normalize=0", "-ac", "2", "-t", "10"]);
        ffmpeg.args(["-c:a", codec, "-b:a", "128k"]).arg(&own);
        assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg makes the clip");
        fs::rename(own, &file).expect("the clip can be renamed");
    }
    let once = read(&file);
    let length =
        once.last().map_or(0, |last| last.dts) - once.first().map_or(0, |first| first.dts) + 20 * MILLI;
    let turn = |n| {
        let later = move |frame: &Frame| Frame {
            dts: frame.dts + n * length,
            pts: frame.pts + n * length,
            ..frame.clone()
        };
        once.iter().map(later)
    };
    (0..=SECONDS * SECOND / length).flat_map(turn).collect()
}

fn read(file: &Path) -> Vec<Frame> {
    let mut demuxer = Demuxer::new();
    demuxer.push(Bytes::from(fs::read(file).expect("a readable clip")));
    demuxer.flush();
    let events = std::iter::from_fn(|| demuxer.next());
    events
        .filter_map(|event| match event {
            Ok(Event::Frame(frame)) => Some(frame),
            _ => None,
        })
        .collect()
}
