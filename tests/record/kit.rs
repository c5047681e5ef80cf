//! Finds and examines recordings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lianmai_tests::http::{self, Response};
use lianmai_tests::{Gateway, wait};
use serde_json::Value;

/// A timeout for a busy machine; nothing waits that long normally.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// Sends a request to the API as the operator.
#[track_caller]
pub(crate) fn api(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Response {
    let path = gateway.operator(path);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    http::send(gateway.http(), method, &path, &["Content-Type: application/json"], body.as_bytes())
}

/// Returns what `GET /api/v1/records` says about `live/NAME`.
#[track_caller]
pub(crate) fn list(gateway: &Gateway, name: &str) -> Value {
    let path = format!("/api/v1/records?stream=live/{name}&count=100");
    let response = api(gateway, "GET", &path, &Value::Null);
    assert_eq!(response.status, 200, "{}", response.text());
    serde_json::from_slice(&response.body).expect("the JSON of the API or of ffprobe")
}

/// Waits until `live/NAME` has `count` recordings for which `which` returns true; returns them, oldest first.
#[track_caller]
pub(crate) fn wait_records(
    gateway: &Gateway,
    name: &str,
    count: usize,
    which: impl Fn(&Value) -> bool,
) -> Vec<Value> {
    wait::until(&format!("{count} recordings of live/{name}"), LIMIT, || {
        let list = list(gateway, name);
        let mut found: Vec<Value> = list["records"]
            .as_array()
            .expect("the JSON of the API or of ffprobe")
            .iter()
            .filter(|record| which(record))
            .cloned()
            .collect();
        found.reverse();
        (found.len() >= count).then_some(found)
    })
}

pub(crate) fn is_finished(record: &Value) -> bool {
    record["state"] == "finished"
}

/// Waits until the recording of `live/NAME` has this duration.
#[track_caller]
pub(crate) fn wait_duration(gateway: &Gateway, name: &str, millis: u64) -> Value {
    let long = |record: &Value| record["duration_ms"].as_u64().is_some_and(|ms| ms >= millis);
    wait_records(gateway, name, 1, long).remove(0)
}

/// Returns the path of a recording's file.
pub(crate) fn path(data: &Path, record: &Value) -> PathBuf {
    let (stream, file) = (
        record["stream"].as_str().expect("the JSON of the API or of ffprobe"),
        record["file"].as_str().expect("the JSON of the API or of ffprobe"),
    );
    data.join("records").join(stream).join(file)
}

/// What ffprobe finds in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Probe {
    /// Codec, and number of decoded frames, of each stream.
    pub(crate) streams: Vec<(String, u64)>,
    /// Duration in seconds.
    pub(crate) duration: f64,
}

/// Decodes a file completely; fails on every error of the decoder.
#[track_caller]
pub(crate) fn probe(input: &str) -> Probe {
    let args =
        "-v error -count_frames -show_entries stream=codec_name,nb_read_frames:format=duration -of json";
    let output = Command::new("ffprobe").args(args.split(' ')).arg(input).output().expect("ffprobe runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.is_empty(), "{input}: {errors}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("the JSON of the API or of ffprobe");
    let stream = |stream: &Value| {
        let count = stream["nb_read_frames"].as_str().and_then(|count| count.parse().ok()).unwrap_or(0);
        (stream["codec_name"].as_str().unwrap_or_default().to_owned(), count)
    };
    Probe {
        streams: json["streams"]
            .as_array()
            .expect("the JSON of the API or of ffprobe")
            .iter()
            .map(stream)
            .collect(),
        duration: json["format"]["duration"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0),
    }
}

/// Returns the number of packets of a kind (`v` or `a`) in a file, without decoding.
#[track_caller]
pub(crate) fn packets(input: &Path, kind: &str) -> u64 {
    let args = ["-v", "error", "-count_packets", "-select_streams", kind];
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(args).args("-show_entries stream=nb_read_packets -of csv=p=0".split(' ')).arg(input);
    let output = ffprobe.output().expect("ffprobe runs");
    String::from_utf8_lossy(&output.stdout).trim().trim_end_matches(',').parse().unwrap_or(0)
}
