//! Runs the example programs against real gateways.

use std::process::Command;
use std::time::Duration;

use lianmai_tests::{Gateway, Process, http, wait};

const LIMIT: Duration = Duration::from_secs(30);
const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/clip.flv");

fn push(gateway: &Gateway, name: &str) -> Process {
    Process::start(Command::new(env!("CARGO_BIN_EXE_push")).args([CLIP, &gateway.rtmp_url(name)]))
}

fn watch(address: &str, frames: &str) -> Process {
    Process::start(Command::new(env!("CARGO_BIN_EXE_watch")).args([address, "live/livestream", frames]))
}

/// Waits for `watch`, and checks that it printed so many frames of both tracks.
fn assert_watched(mut watch: Process, frames: usize) {
    let status = watch.wait(LIMIT);
    assert!(status.success(), "{}", watch.stderr());
    let lines = watch.stdout();
    assert_eq!(lines.lines().count(), frames, "{lines}");
    for word in ["video  h264", "audio  aac", "key frame"] {
        assert!(lines.contains(word), "{word}: {lines}");
    }
}

#[test]
fn pushed_frames_are_watched() {
    let gateway = Gateway::start(&[]);
    let mut push = push(&gateway, "livestream");
    wait::until_true("the stream", LIMIT, || {
        assert!(push.ended().is_none(), "{}", push.stderr());
        gateway.stream("livestream").is_some_and(|stream| stream["publish"]["active"] == true)
    });
    assert_watched(watch(&gateway.http().to_string(), "60"), 60);
}

#[test]
fn a_refused_push_says_why_it_ends() {
    let gateway = Gateway::start(&["--public", "--secret", "s3cret"]);
    let mut push = push(&gateway, "livestream");
    assert!(!push.wait(LIMIT).success());
    assert!(push.stderr().contains("secret"), "{}", push.stderr());
}

#[test]
fn the_embedded_gateway_plays_its_demo_stream_and_ends() {
    let mut embed = Process::start(Command::new(env!("CARGO_BIN_EXE_embed")).arg("127.0.0.1:0"));
    let ready = wait::until("the embedded gateway", LIMIT, || {
        assert!(embed.ended().is_none(), "{}", embed.stderr());
        let line = embed
            .stdout()
            .lines()
            .find_map(|line| line.strip_prefix("the gateway listens on ").map(str::to_owned))?;
        serde_json::from_str::<serde_json::Value>(&line).ok()
    });
    let address = ready["http"][0].as_str().expect("an address").to_owned();
    wait::until_true("the demo stream", LIMIT, || {
        let streams = http::get(address.parse().expect("an address"), "/api/v1/streams");
        streams.text().contains("livestream")
    });
    assert_watched(watch(&address, "60"), 60);
    embed.terminate();
    assert!(embed.wait(LIMIT).success(), "{}", embed.stderr());
    assert!(embed.stdout().contains("the gateway has ended"), "{}", embed.stdout());
}
