//! Audio and video of every input stay together in the mix.

use std::process::Command;

use lianmai_tests::Gateway;
use lianmai_tests::process::Process;
use serde_json::json;

use crate::kit::{mix, publish_signals, wait_live};

/// Largest offset between audio and video on a busy machine, in seconds.
const OFFSET: f64 = 0.06;

/// Publishes flashes and beeps: 0.2 s at the beginning of each second.
fn publish(gateway: &Gateway, name: &str, options: &str) -> Process {
    let video =
        "color=black:size=320x180:rate=30,drawbox=w=320:h=180:color=white:t=fill:enable='lt(mod(t,1),0.2)'";
    let audio = "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.2)':s=48000";
    publish_signals(gateway, name, video, audio, options)
}

/// Returns the times after `name` in the log of ffmpeg's detectors, in seconds.
fn times(log: &str, name: &str) -> Vec<f64> {
    let parts = log.split(name).skip(1);
    let number =
        |part: &str| part.split(|c: char| c.is_whitespace() || c == '|').find_map(|word| word.parse().ok());
    parts.filter_map(number).collect()
}

/// Plays a stream, and returns the time from each flash to its beep, in seconds.
fn offsets(url: &str) -> Vec<f64> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "info", "-nostats", "-analyzeduration", "1000000", "-i", url, "-t", "9"]);
    ffmpeg.args([
        "-vf",
        "blackdetect=d=0.3:pix_th=0.3",
        "-af",
        "silencedetect=n=-30dB:d=0.3",
        "-f",
        "null",
        "-",
    ]);
    let output = ffmpeg.output().expect("ffmpeg");
    let log = String::from_utf8_lossy(&output.stderr);
    let (flashes, beeps) = (times(&log, "black_end:"), times(&log, "silence_end:"));
    let nearest = |flash: &f64| {
        let offsets = beeps.iter().map(|beep| beep - flash);
        offsets.min_by(|a, b| a.abs().total_cmp(&b.abs()))
    };
    flashes.iter().filter_map(nearest).collect()
}

#[test]
fn audio_and_video_of_an_input_stay_together() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    // With and without B-frames, which make the presentation times later than the decode times.
    for (name, options) in [("plain", "-tune zerolatency"), ("reordered", "-bf 3")] {
        let _input = publish(&gateway, &format!("live/{name}"), options);
        let output = format!("live/mix-{name}");
        let request = json!({
            "inputs": [format!("live/{name}")], "output": output, "width": 320, "height": 180, "names": false,
            "border": false
        });
        let id = mix(&gateway, &request);
        wait_live(&gateway, &id);
        let mut offsets = offsets(&gateway.http_url(&format!("mix-{name}.flv")));
        assert!(offsets.len() >= 4, "{name}: {offsets:?}");
        offsets.sort_by(f64::total_cmp);
        let median = offsets[offsets.len() / 2];
        assert!(median.abs() <= OFFSET, "{name}: {offsets:?}");
        println!("{name}: {:.0} ms", median * 1e3);
    }
}
