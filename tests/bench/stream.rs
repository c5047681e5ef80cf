//! The measured stream: 720p30 H.264 at 2 Mb/s with AAC at 128 kb/s.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lianmai_tests::gateway::cache_dir;
use lianmai_tests::publisher;
use lianmai_tests::{Gateway, Process};

/// Nominal bit rate in bits per second.
pub(crate) const BITRATE: f64 = 2.128e6;

/// 20 s with a key frame every 2 s; created if it does not exist.
pub(crate) fn clip() -> PathBuf {
    let file = cache_dir().join("bench-720p30.flv");
    if !file.exists() {
        let own = file.with_extension("part.flv");
        let video = "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t";
        let encoder = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 60 -keyint_min 60 \
                       -sc_threshold 0 -b:v 2M -minrate 2M -maxrate 2M -bufsize 1M -nal-hrd cbr \
                       -c:a aac -b:a 128k -t 20";
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", video]);
        ffmpeg.args(["-f", "lavfi", "-i", "anoisesrc=sample_rate=44100:amplitude=0.3"]);
        ffmpeg.args(encoder.split_whitespace()).arg(&own);
        assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg makes the clip");
        fs::rename(own, &file).expect("the clip can be renamed");
    }
    file
}

/// A gateway as a user starts it, with `flags` and the stream `live/bench`.
pub(crate) fn gateway(flags: &[&str]) -> (Gateway, Process) {
    let gateway = Gateway::start(flags);
    let publisher = publisher::ffmpeg_forever(&clip(), &gateway.rtmp_url("bench"));
    gateway.wait_published("bench");
    (gateway, publisher)
}
