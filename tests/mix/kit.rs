//! Starts inputs and mixes.

use std::process::Command;
use std::time::Duration;

use lianmai_tests::http::{self, Response};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::process::Process;
use lianmai_tests::{Gateway, wait};
use serde_json::{Value, json};

/// A timeout for a busy machine; nothing waits that long normally.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// An input: a plain colour and a tone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    /// ffmpeg's name of the colour.
    pub(crate) colour: &'static str,
    /// Frequency of the tone in hertz.
    pub(crate) tone: u32,
    /// Size of the picture.
    pub(crate) size: &'static str,
    /// Pictures per second.
    pub(crate) rate: u32,
    /// Further options of ffmpeg for the output.
    pub(crate) options: &'static str,
}

pub(crate) const RED: Input = Input { colour: "0xd02020", tone: 440, size: "640x360", rate: 30, options: "" };
/// In portrait format, with B-frames, 25 pictures per second, and mono audio at 44.1 kHz.
pub(crate) const BLUE: Input = Input {
    colour: "0x2030d0",
    tone: 700,
    size: "360x480",
    rate: 25,
    options: "-tune fastdecode -bf 3 -ar 44100 -ac 1",
};
/// Odd aspect ratio, and 4:4:4 video.
pub(crate) const GREEN: Input =
    Input { colour: "0x20a030", tone: 1100, size: "400x400", rate: 15, options: "-pix_fmt yuv444p" };

/// Publishes an input over RTMP until it is dropped.
#[track_caller]
pub(crate) fn publish(gateway: &Gateway, name: &str, input: Input) -> Process {
    let Input { colour, tone, size, rate, options } = input;
    let video = format!("color=c={colour}:size={size}:rate={rate}");
    // A little motion in the corner, so that frames are not empty.
    let video = format!("{video},drawbox=x=0:y=0:w=8:h=8:color=white:t=fill:enable='mod(n,2)'");
    let audio = format!("sine=frequency={tone}:sample_rate=48000,volume=4");
    publish_signals(gateway, name, &video, &audio, options)
}

/// Publishes a video and an audio source of ffmpeg as H.264 and AAC over RTMP until the result is dropped.
#[track_caller]
pub(crate) fn publish_signals(
    gateway: &Gateway,
    name: &str,
    video: &str,
    audio: &str,
    options: &str,
) -> Process {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-re", "-f", "lavfi", "-i", video, "-re", "-f", "lavfi", "-i", audio]);
    ffmpeg.args("-c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p -c:a aac".split(' '));
    ffmpeg.args(options.split_whitespace()).args(["-f", "flv", &url(gateway, name)]);
    let mut process = Process::start(&mut ffmpeg);
    wait::until_true(&format!("{name} on air"), LIMIT, || {
        assert!(process.ended().is_none(), "ffmpeg ended: {}", process.stderr());
        is_on_air(gateway, name)
    });
    process
}

fn url(gateway: &Gateway, name: &str) -> String {
    format!("rtmp://{}/{name}", gateway.rtmp())
}

/// Waits until a stream `app/name` is on air.
#[track_caller]
pub(crate) fn wait_on_air(gateway: &Gateway, name: &str) {
    wait::until_true(&format!("{name} on air"), LIMIT, || is_on_air(gateway, name));
}

fn is_on_air(gateway: &Gateway, name: &str) -> bool {
    let (app, stream) = name.rsplit_once('/').expect("app/stream");
    let streams = gateway.json("/api/v1/streams?count=100");
    let is = |one: &Value| one["app"] == app && one["name"] == stream && one["publish"]["active"] == true;
    streams["streams"].as_array().is_some_and(|all| all.iter().any(is))
}

/// Sends a request to the API as the operator.
#[track_caller]
pub(crate) fn api(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Response {
    let path = gateway.operator(path);
    http::send(
        gateway.http(),
        method,
        &path,
        &["Content-Type: application/json"],
        body.to_string().as_bytes(),
    )
}

/// Returns the JSON of a response.
#[track_caller]
pub(crate) fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {}", response.text()))
}

/// Starts a mix. Returns its id.
#[track_caller]
pub(crate) fn mix(gateway: &Gateway, request: &Value) -> String {
    let response = api(gateway, "POST", "/api/v1/mixes", request);
    assert_eq!(response.status, 201, "{}", response.text());
    let id = json_of(&response)["mix"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(response.header("location"), Some(&*format!("/api/v1/mixes/{id}")));
    id
}

/// Returns a mix as the API shows it.
#[track_caller]
pub(crate) fn shown(gateway: &Gateway, id: &str) -> Value {
    let response = api(gateway, "GET", &format!("/api/v1/mixes/{id}"), &json!(null));
    assert_eq!(response.status, 200, "{}", response.text());
    json_of(&response)["mix"].clone()
}

/// Changes a mix.
#[track_caller]
pub(crate) fn change(gateway: &Gateway, id: &str, change: &Value) {
    let response = api(gateway, "PATCH", &format!("/api/v1/mixes/{id}"), change);
    assert_eq!(response.status, 200, "{}", response.text());
}

/// Waits until all inputs of a mix are shown.
#[track_caller]
pub(crate) fn wait_live(gateway: &Gateway, id: &str) {
    wait::until_true("all inputs live", LIMIT, || {
        let mix = shown(gateway, id);
        let inputs = mix["status"]["inputs"].as_array().cloned().unwrap_or_default();
        !inputs.is_empty() && inputs.iter().all(|input| input["state"] == "live")
    });
}

/// Returns the number of codec configurations of a track that a viewer has received.
pub(crate) fn configurations(viewer: &FlvViewer, kind: u8) -> usize {
    viewer.seen().iter().filter(|seen| seen.tag.kind == kind && !seen.tag.is_frame()).count()
}

/// Returns the longest distance between the times of two frames that follow each other, in milliseconds.
#[track_caller]
pub(crate) fn longest_gap(viewer: &FlvViewer, kind: u8) -> u32 {
    let times: Vec<u32> = viewer.frames(kind).iter().map(|seen| seen.tag.time).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "the times rise");
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}
