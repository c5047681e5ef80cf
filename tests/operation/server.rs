//! Starting, stopping and the command line.

use std::net::TcpListener;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, Process, gateway, publisher, wait};

use crate::{LIMIT, publish};

#[test]
fn sigterm_ends_streams_and_exits_cleanly() {
    let mut gateway = Gateway::start(&[]);
    let mut publisher = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    assert_eq!(gateway.ready["pid"], gateway.process.pid());
    let status = gateway.stop();
    assert_eq!(status.code(), Some(0), "{}", gateway.process.stderr());
    wait::until_true("the response to end", LIMIT, || viewer.over());
    publisher.wait(LIMIT);
}

#[test]
fn a_port_in_use_is_said_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("a bound port").to_string();
    for flag in gateway::LISTENERS {
        let mut process = Process::start(&mut gateway::serve(&[flag, &addr]));
        assert!(!process.wait(LIMIT).success());
        let words = process.stderr();
        assert!(words.contains(&addr) && words.contains(flag), "{words}");
        assert!(!words.contains("panicked"), "{words}");
    }
}

#[test]
fn unknown_settings_are_errors() {
    let dir = gateway::temp_dir("config");
    let file = dir.join("lianmai.toml");
    std::fs::write(&file, "rtpm = \"127.0.0.1:0\"\n").expect("a writable folder");
    let mut process = Process::start(gateway::serve(&[]).arg("--config").arg(&file));
    assert!(!process.wait(LIMIT).success());
    assert!(process.stderr().contains("rtpm"), "{}", process.stderr());
    let printed = gateway::subcommand("config").arg("--print").output().expect("it starts");
    assert!(String::from_utf8_lossy(&printed.stdout).contains("play_wait = 15"));
    let _ = std::fs::remove_dir_all(dir);
}

/// A listener that the harness does not know would use its default port in every test.
#[test]
fn every_setting_with_a_port_is_known_to_the_harness() {
    let printed = gateway::subcommand("config").arg("--print").output().expect("it starts");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let is_address = |value: &str| {
        value.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|p| p > 0))
    };
    let mut listeners: Vec<String> = printed
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| value.split('"').any(is_address))
        .map(|(name, _)| format!("--{}", name.trim_start_matches(['#', ' ']).replace('_', "-")))
        .collect();
    listeners.sort();
    let mut known = gateway::LISTENERS;
    known.sort_unstable();
    assert_eq!(listeners, known, "{printed}");
}

#[test]
fn a_page_that_is_not_local_may_not_publish_into_an_open_server() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "y", Clip::VideoOnly);
    for header in ["X-Forwarded-For: 203.0.113.9", "Origin: http://example.com", "Host: example.com"] {
        let post = ["Content-Type: video/x-flv", header];
        let answer = lianmai_tests::http::request(gateway.http(), "POST", "/live/x.flv", &post);
        assert!(matches!(answer.status, 401 | 403), "{header}: {} {}", answer.status, answer.text());
    }
    assert!(gateway.stream("x").is_none());
}

#[test]
fn the_demo_stream_plays_and_makes_way() {
    let gateway = Gateway::start(&["--demo"]);
    gateway.wait_published("livestream");
    let viewer = FlvViewer::http(gateway.http(), "/live/livestream.flv");
    let frames = viewer.wait_frames(VIDEO, 20, LIMIT);
    assert!(frames[0].tag.is_key());
    let mut own = publisher::ffmpeg(&Clip::Other.file(), &gateway.rtmp_url("livestream"));
    wait::until_true("the own stream to take the demo's place", LIMIT, || {
        let width = gateway.stream("livestream").map(|stream| stream["video"]["width"].clone());
        assert!(own.ended().is_none_or(|status| status.success()), "{}", own.stderr());
        width == Some(640.into())
    });
}
