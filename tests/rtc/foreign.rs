//! WebRTC clients of other projects: GStreamer's webrtcbin (RSA certificates) and FFmpeg's WHIP muxer
//! (P-224).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::gateway::cache_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::process::Process;
use lianmai_tests::{Gateway, wait};

use crate::LIMIT;

/// Debian's own Python: GStreamer's bindings are a package for it.
const PYTHON: &str = "/usr/bin/python3";

fn client(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rtc/clients").join(name)
}

/// Returns the folder with PyAV, which is installed there once.
#[track_caller]
fn pyav() -> PathBuf {
    let requirements = client("requirements.txt");
    let version = fs::read_to_string(&requirements).expect("the requirements can be read");
    let version = version.lines().find_map(|line| line.strip_prefix("av==")?.split(' ').next());
    let folder = cache_dir().join(format!("pyav-{}", version.expect("a version is pinned")));
    if !folder.exists() {
        let own = cache_dir().join(format!("pyav-{}", std::process::id()));
        let mut pip = Command::new(PYTHON);
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
        pip.args(["--disable-pip-version-check", "--require-hashes", "--requirement"]);
        pip.arg(&requirements).arg("--target").arg(&own);
        // The registry may fail once or twice.
        let installed = (0..3).any(|_| pip.status().expect("python3 is installed").success());
        assert!(installed, "PyAV cannot be installed");
        // If another test was faster, its folder is as good.
        let _ = fs::rename(&own, &folder);
    }
    folder
}

fn gstreamer(role: &str, url: &str) -> Process {
    Process::start(Command::new(PYTHON).arg(client("gstreamer.py")).args([role, url]))
}

/// Watches `live/NAME` as FLV until both tracks have arrived for a while.
#[track_caller]
fn wait_played(gateway: &Gateway, name: &str) {
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"));
    viewer.wait_frames(VIDEO, 50, LIMIT);
    viewer.wait_frames(AUDIO, 50, LIMIT);
}

/// Returns how often a line occurs in a process's output.
fn count(process: &Process, line: &str) -> usize {
    process.stdout().lines().filter(|found| *found == line).count()
}

#[test]
fn gstreamer_publishes_and_plays() {
    let gateway = Gateway::start(&[]);
    let base = format!("http://{}/live/gst", gateway.http());
    let _publisher = gstreamer("publish", &format!("{base}/whip"));
    gateway.wait_published("gst");
    wait_played(&gateway, "gst");
    let viewer = gstreamer("play", &format!("{base}/whep"));
    wait::until_true("GStreamer to play both tracks", LIMIT, || {
        count(&viewer, "video") >= 50 && count(&viewer, "audio") >= 50
    });
}

#[test]
fn ffmpegs_whip_muxer_publishes() {
    let gateway = Gateway::start(&[]);
    let folder = pyav();
    let url = format!("http://{}/live/ffmpeg/whip", gateway.http());
    let mut publisher = Process::start(
        Command::new(PYTHON).arg(client("ffmpeg_whip.py")).args([&url, "6"]).env("PYTHONPATH", folder),
    );
    gateway.wait_published("ffmpeg");
    wait_played(&gateway, "ffmpeg");
    // The publisher closes the session by DELETE, and the name is free.
    assert!(publisher.wait(LIMIT).success(), "{}", publisher.stderr());
    wait::until_true("the name to be free", LIMIT, || {
        gateway.stream("ffmpeg").is_none_or(|stream| stream["publish"]["active"] == false)
    });
}
