//! Every colour is in its place, and every tone in the spectrum.

use std::process::Command;

use lianmai_tests::flv::{self, Tag};
use lianmai_tests::process::Process;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::{Call, Peer};
use lianmai_tests::{Gateway, wait};
use serde_json::json;

use crate::analysis::{Piece, is_near};
use crate::kit::{BLUE, GREEN, LIMIT, RED, change, mix, publish, shown, wait_live, wait_on_air};

/// Amplitude of a tone that is heard, and of one that is not.
const LOUD: f64 = 0.05;
const QUIET: f64 = 0.01;
const RED_RGB: [u8; 3] = [0xd0, 0x20, 0x20];
const BLUE_RGB: [u8; 3] = [0x20, 0x30, 0xd0];
const GREEN_RGB: [u8; 3] = [0x20, 0xa0, 0x30];

/// Records the output until `is` holds for a piece.
#[track_caller]
fn until(url: &str, what: &str, is: impl Fn(&Piece) -> bool) -> Piece {
    wait::until(what, LIMIT, || {
        let piece = Piece::record(url, 0.5, 1.5, (320, 180));
        is(&piece).then_some(piece)
    })
}

#[test]
fn three_inputs_of_other_kinds_are_seen_and_heard_over_flv_hls_and_whep() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let _inputs = [publish(&gateway, "live/a", RED), publish(&gateway, "live/b", BLUE)];
    let request = json!({
        "inputs": ["live/a", "live/b"], "output": "live/merge", "layout": "side", "names": false,
        "width": 640, "height": 360, "rate": 20, "border": false
    });
    let id = mix(&gateway, &request);
    wait_live(&gateway, &id);
    for url in [gateway.http_url("merge.flv"), gateway.http_url("merge.m3u8")] {
        let piece = until(&url, "both colours in their places", |piece| {
            is_near(piece.last_colour(0.25, 0.5), RED_RGB)
                && is_near(piece.last_colour(0.75, 0.5), BLUE_RGB)
                && piece.tone(440) > LOUD
                && piece.tone(700) > LOUD
        });
        assert!(piece.tone(560) < QUIET, "{url}: {}", piece.tone(560));
    }
    let viewer = Peer::play(&Call::new(&gateway, "merge"));
    wait::until_true("both colours and both tones over WHEP", LIMIT, || {
        let (video, audio) = (viewer.frames(true), viewer.frames(false));
        if video.len() < 10 || audio.len() < 100 {
            assert_eq!(viewer.over(), None);
            return false;
        }
        // Two seconds of audio: the beginning may be that of an input that is just beginning.
        let piece = Piece::of_frames(&video, &audio[audio.len() - 100..], (320, 180));
        is_near(piece.last_colour(0.25, 0.5), RED_RGB)
            && is_near(piece.last_colour(0.75, 0.5), BLUE_RGB)
            && piece.tone(440) > LOUD
            && piece.tone(700) > LOUD
            && piece.tone(560) < QUIET
    });
    drop(viewer);
    // A third one comes while the mix runs: a grid of two columns.
    let _green = publish(&gateway, "live/c", GREEN);
    change(&gateway, &id, &json!({ "inputs": ["live/a", "live/b", "live/c"], "layout": "grid" }));
    wait_live(&gateway, &id);
    let url = gateway.http_url("merge.flv");
    until(&url, "three colours in a grid, and their tones", |piece| {
        is_near(piece.last_colour(0.25, 0.25), RED_RGB)
            && is_near(piece.last_colour(0.75, 0.25), BLUE_RGB)
            && is_near(piece.last_colour(0.5, 0.75), GREEN_RGB)
            && piece.tone(1100) > LOUD
    });
    // A muted input is seen and not heard; a hidden one is heard and not seen.
    change(
        &gateway,
        &id,
        &json!({ "inputs": [{ "stream": "live/a", "muted": true }, { "stream": "live/b", "hidden": true }, "live/c"],
                 "layout": "side" }),
    );
    until(&url, "the hidden input to be heard only, and the muted one to be seen only", |piece| {
        is_near(piece.last_colour(0.25, 0.5), RED_RGB)
            && is_near(piece.last_colour(0.75, 0.5), GREEN_RGB)
            && piece.tone(440) < QUIET
            && piece.tone(700) > LOUD
    });
    // The tutorial's corner, of 96x72 pixels.
    change(
        &gateway,
        &id,
        &json!({ "inputs": ["live/a", "live/b"],
                 "layout": { "pip": { "width": 96, "height": 72, "offset": 0, "fit": "stretch" } } }),
    );
    until(&url, "a small picture in the corner", |piece| {
        let inside = piece.last_colour(1.0 - 48.0 / 640.0, 1.0 - 36.0 / 360.0);
        let outside = piece.last_colour(1.0 - 110.0 / 640.0, 1.0 - 36.0 / 360.0);
        is_near(inside, BLUE_RGB)
            && is_near(outside, RED_RGB)
            && is_near(piece.last_colour(0.9, 0.7), RED_RGB)
    });
    let status = &shown(&gateway, &id)["status"];
    assert_eq!((&status["quality"], &status["width"]), (&json!("full"), &json!(640)), "{status}");
    assert!((5..=21).contains(&status["fps"].as_u64().unwrap_or_default()), "{status}");
    for input in status["inputs"].as_array().unwrap() {
        assert!(
            input["level"].as_i64().unwrap() > -40 && input["delay_ms"].as_i64().unwrap() <= 1_100,
            "{input}"
        );
    }
}

#[test]
fn an_input_without_a_publisher_freezes_shows_its_card_and_leaves() {
    let gateway = Gateway::start(&[]);
    let red = publish(&gateway, "live/a", RED);
    let _blue = publish(&gateway, "live/b", BLUE);
    let request = json!({
        "inputs": ["live/a", "live/b"], "output": "live/merge", "layout": "side", "width": 640, "height": 360, "rate": 20,
        "names": false, "border": false, "fade": false
    });
    let id = mix(&gateway, &request);
    wait_live(&gateway, &id);
    let url = gateway.http_url("merge.flv");
    let both = |piece: &Piece| {
        is_near(piece.last_colour(0.25, 0.5), RED_RGB) && is_near(piece.last_colour(0.75, 0.5), BLUE_RGB)
    };
    until(&url, "both", both);
    drop(red);
    let card = Piece::record(&url, 0.0, 5.0, (320, 180));
    let at = |is: &dyn Fn([u8; 3]) -> bool| {
        card.pictures.iter().enumerate().position(|(n, _)| is(card.colour(n, 0.05, 0.1)))
    };
    let carded = at(&|colour| !is_near(colour, RED_RGB)).expect("the card");
    assert!(is_near(card.colour(carded, 0.75, 0.5), BLUE_RGB), "the other input stays in its place");
    until(&url, "the other input to have the whole picture", |piece| {
        is_near(piece.last_colour(0.5, 0.5), BLUE_RGB)
    });
    assert_eq!(shown(&gateway, &id)["status"]["inputs"][0]["state"], "waiting");
    let _red = publish(&gateway, "live/a", RED);
    until(&url, "both again, and heard", |piece| {
        both(piece) && piece.tone(440) > LOUD && piece.tone(700) > LOUD
    });
}

/// Returns the tags of 8 seconds of a plain colour, which begin at `from` milliseconds.
fn colour_tags(colour: &str, size: &str, from: u32) -> Vec<Tag> {
    let source = format!("color=c={colour}:size={size}:rate=30");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        &source,
        "-t",
        "8",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
    ]);
    ffmpeg.args(["-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p", "-f", "flv", "pipe:1"]);
    let output = ffmpeg.output().expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tags = flv::read(&output.stdout).1;
    tags.into_iter().map(|tag| Tag { time: tag.time + from, ..tag }).collect()
}

#[test]
fn an_input_that_is_turned_while_it_is_on_air_is_shown_in_its_new_format() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    // As a phone does: the same stream goes on in another format, every 8 seconds.
    let once = [colour_tags("0xd02020", "320x180", 0), colour_tags("0x2030d0", "180x320", 8000)].concat();
    let tags = flv::repeat(&once, 10, 16_000);
    let _phone = WsPublisher::start(&gateway.ws_publish_url("phone"), 1, tags, 1.0);
    wait_on_air(&gateway, "live/phone");
    let request = json!({
        "inputs": ["live/phone"], "output": "live/merge", "width": 320, "height": 180, "rate": 20, "names": false,
        "layout": { "regions": [{ "source": 0, "x": 0, "y": 0, "w": 320, "h": 180, "fit": "contain" }] },
        "background": "#20a030"
    });
    let id = mix(&gateway, &request);
    wait_live(&gateway, &id);
    let url = gateway.http_url("merge.flv");
    let is = |piece: &Piece, middle, left| {
        is_near(piece.last_colour(0.5, 0.5), middle) && is_near(piece.last_colour(0.1, 0.5), left)
    };
    until(&url, "the landscape format", |piece| is(piece, RED_RGB, RED_RGB));
    until(&url, "the portrait format", |piece| is(piece, BLUE_RGB, GREEN_RGB));
    until(&url, "the landscape format again", |piece| is(piece, RED_RGB, RED_RGB));
    assert_eq!(shown(&gateway, &id)["status"]["inputs"][0]["failure"], json!(null));
}

/// Returns the FFmpeg command of the documentation, as it stands there.
fn documented_command() -> String {
    let docs = include_str!("../../docs/mix.md");
    let lines = docs
        .lines()
        .skip_while(|line| !line.starts_with("    ffmpeg -f flv"))
        .take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().trim_end_matches('\\')).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_ffmpeg_command_of_the_documentation_mixes_two_streams() {
    let gateway = Gateway::start(&[]);
    let _inputs = [publish(&gateway, "live/a", RED), publish(&gateway, "live/b", BLUE)];
    let command = documented_command().replace("rtmp://localhost/", &format!("rtmp://{}/", gateway.rtmp()));
    assert!(command.contains("overlay=x=W-w-10:y=H-h-10"), "{command}");
    let mut shell = std::process::Command::new("sh");
    let _ffmpeg = Process::start(shell.args(["-c", &format!("exec {command}")]));
    wait_on_air(&gateway, "live/merge");
    let piece = until(&gateway.http_url("merge.flv"), "the small picture in the corner", |piece| {
        let inside = piece.last_colour(1.0 - 58.0 / 640.0, 1.0 - 46.0 / 360.0);
        is_near(inside, BLUE_RGB) && is_near(piece.last_colour(0.5, 0.5), RED_RGB)
    });
    assert!(piece.tone(440) > 0.03 && piece.tone(700) > 0.03);
}
