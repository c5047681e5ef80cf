//! The API of mixes, and mixes of the settings.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lianmai_tests::http;
use lianmai_tests::{Gateway, wait};
use serde_json::{Value, json};

use crate::kit::{LIMIT, api, change, json_of, mix, shown, wait_on_air};

const ALL: &str = "/api/v1/mixes";

#[test]
fn bad_requests_are_refused_in_words_and_change_nothing() {
    let gateway = Gateway::start(&["--mix-max", "1"]);
    let refused = |method: &str, path: &str, body: &Value, status: u16, said: &str| {
        let response = api(&gateway, method, path, body);
        assert_eq!(response.status, status, "{method} {path} {body}: {}", response.text());
        let json = json_of(&response);
        let message = json["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{method} {path} {body}: {message}");
        assert_ne!(json["code"], 0);
    };
    for (body, said) in [
        (json!({}), "missing field"),
        (json!({ "inputs": ["live/a"], "output": "merge" }), "output \"merge\""),
        (json!({ "inputs": ["live/a"], "output": "live/m", "layout": "spiral" }), "spiral"),
        (json!({ "inputs": ["live/a"], "output": "live/m", "width": 7680 }), "1920x1080"),
        (json!({ "inputs": ["live/a"], "output": "live/m", "rate": 1000 }), "1 to 60"),
        (json!([1, 2]), "invalid"),
    ] {
        refused("POST", ALL, &body, 400, said);
    }
    let big = json!({ "inputs": ["x".repeat(100_000)], "output": "live/m" });
    refused("POST", ALL, &big, 413, "");
    refused("DELETE", "/api/v1/mixes/7?card=a&card=b", &Value::Null, 400, "one text");
    refused("GET", "/api/v1/mixes/7", &Value::Null, 404, "no mix");
    refused("PATCH", "/api/v1/mixes/x", &json!({}), 404, "no mix");
    refused("DELETE", "/api/v1/mixes/7", &Value::Null, 404, "no mix");
    let small = json!({ "inputs": [], "output": "live/m", "width": 320, "height": 180, "rate": 10 });
    let id = mix(&gateway, &small);
    refused("POST", ALL, &json!({ "inputs": [], "output": "live/n" }), 503, "--mix-max");
    refused("PATCH", &format!("{ALL}/{id}"), &json!({ "inputs": ["live/m"] }), 400, "the output");
    assert_eq!(shown(&gateway, &id)["inputs"], json!([]));
    let job = json_of(&api(&gateway, "GET", "/api/v1/jobs", &Value::Null));
    let listed =
        job["jobs"].as_array().unwrap().iter().any(|job| job["kind"] == "mix" && job["target"] == "live/m");
    assert!(listed, "{job}");
    assert_eq!(api(&gateway, "DELETE", &format!("{ALL}/{id}"), &Value::Null).status, 200);
    assert_eq!(json_of(&api(&gateway, "GET", ALL, &Value::Null))["mixes"], json!([]));
    // The place is free again, but not the name while somebody publishes it.
    wait_on_air_again(&gateway);
}

/// A mix can be started once the stream of the last one is free.
fn wait_on_air_again(gateway: &Gateway) {
    let small = json!({ "inputs": [], "output": "live/m", "width": 320, "height": 180, "rate": 10 });
    let id = wait::until("the name to be free", LIMIT, || {
        let response = api(gateway, "POST", ALL, &small);
        (response.status == 201).then(|| json_of(&response)["mix"]["id"].as_str().expect("an id").to_owned())
    });
    wait_on_air(gateway, "live/m");
    change(gateway, &id, &json!({ "layout": "speaker", "names": false }));
    assert_eq!(shown(gateway, &id)["layout"], "speaker");
}

#[test]
fn mixes_are_for_the_operator() {
    let gateway = Gateway::start(&["--public", "--secret", "key"]);
    for (method, path) in
        [("GET", ALL), ("POST", ALL), ("GET", "/api/v1/mixes/1"), ("DELETE", "/api/v1/mixes/1")]
    {
        let body = json!({ "inputs": [], "output": "live/m" }).to_string();
        let response = http::send(gateway.http(), method, path, &["Host: example.com"], body.as_bytes());
        assert_eq!(response.status, 401, "{method} {path}: {}", response.text());
    }
    // A stranger is refused before the body: one that never ends holds nothing.
    for (method, path) in [("POST", ALL), ("PATCH", "/api/v1/mixes/1")] {
        let mut socket = TcpStream::connect(gateway.http()).expect("a connection");
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: example.com\r\nContent-Length: 60000\r\n\r\n{{");
        socket.write_all(head.as_bytes()).expect("the head is sent");
        socket.set_read_timeout(Some(LIMIT)).expect("a timeout");
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 401", "{method}");
    }
}

#[test]
fn a_mix_of_the_settings_runs_from_the_start() {
    let gateway = Gateway::start(&["--mix", "live/merge=live/a+live/b"]);
    wait_on_air(&gateway, "live/merge");
    let mixes = json_of(&api(&gateway, "GET", ALL, &Value::Null));
    assert_eq!(mixes["mixes"][0]["output"], "live/merge", "{mixes}");
    assert_eq!(mixes["mixes"][0]["inputs"][1]["stream"], "live/b");
}

#[test]
fn without_ffmpeg_a_mix_is_refused_with_the_reason() {
    let gateway = Gateway::start_with(&[], &[("PATH", "/nonexistent".to_owned())]);
    let response = api(&gateway, "POST", ALL, &json!({ "inputs": [], "output": "live/m" }));
    assert_eq!(response.status, 503);
    assert!(response.text().contains("ffmpeg is not in PATH"), "{}", response.text());
}
