//! `/api/v1/records`: start and stop, the list, keeping and deleting.

use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::{Value, json};

use crate::kit::{LIMIT, api, is_finished, list, path, wait_duration, wait_records};

#[test]
fn the_operator_starts_stops_keeps_and_deletes_recordings() {
    let gateway = Gateway::start(&[]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let nothing = list(&gateway, "x");
    assert_eq!((&nothing["total"], &nothing["streams"]), (&json!(0), &json!([])));

    let started = api(&gateway, "POST", "/api/v1/records", &json!({"stream": "live/x"}));
    assert_eq!(started.status, 200, "{}", started.text());
    let record = wait_duration(&gateway, "x", 2000);
    assert_eq!(record["state"], "recording");
    assert_eq!(list(&gateway, "x")["streams"][0]["stream"], "live/x");
    let address = format!("/api/v1/records/live/x/{}", record["file"].as_str().unwrap());
    assert_eq!(api(&gateway, "DELETE", &address, &Value::Null).status, 409);

    assert_eq!(api(&gateway, "DELETE", "/api/v1/records/live/x", &Value::Null).status, 200);
    let record = wait_records(&gateway, "x", 1, is_finished).remove(0);
    assert_eq!(api(&gateway, "DELETE", "/api/v1/records/live/x", &Value::Null).status, 404);
    let shown = api(&gateway, "GET", &address, &Value::Null);
    let shown: Value = serde_json::from_slice(&shown.body).unwrap();
    assert_eq!(shown["record"], record);

    // Kept until it is not.
    for keep in [true, false] {
        assert_eq!(api(&gateway, "PATCH", &address, &json!({ "keep": keep })).status, 200);
        assert_eq!(list(&gateway, "x")["records"][0]["keep"], keep);
    }
    // It selects by time, and shows a part.
    let from = record["from_ms"].as_u64().unwrap();
    for (query, total, shown) in [
        (format!("from={from}"), 1, 1),
        (format!("from={}", from + 3_600_000), 0, 0),
        ("start=1".to_owned(), 1, 0),
        ("stream=live/y".to_owned(), 0, 0),
    ] {
        let response = api(&gateway, "GET", &format!("/api/v1/records?{query}"), &Value::Null);
        let found: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(found["total"], total, "{query}");
        assert_eq!(found["records"].as_array().unwrap().len(), shown, "{query}");
        assert_eq!(found["all"], 1);
    }

    let file = path(gateway.data(), &record);
    assert!(file.exists() && file.with_extension("m3u8").exists());
    assert_eq!(api(&gateway, "DELETE", &address, &Value::Null).status, 200);
    assert!(!file.exists() && !file.with_extension("m3u8").exists());
    assert_eq!(list(&gateway, "x")["all"], 0);
    assert_eq!(api(&gateway, "DELETE", &address, &Value::Null).status, 404);
}

#[test]
fn a_stream_of_the_settings_that_was_stopped_is_recorded_again_when_it_begins_again() {
    let gateway = Gateway::start(&["--record", "live/*", "--reconnect", "1"]);
    let publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    wait_duration(&gateway, "x", 1000);
    assert_eq!(api(&gateway, "DELETE", "/api/v1/records/live/x", &Value::Null).status, 200);
    wait_records(&gateway, "x", 1, is_finished);
    drop(publisher);
    wait::until_true("the stream to end", LIMIT, || gateway.stream("x").is_none());
    assert_eq!(list(&gateway, "x")["total"], 1);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    wait_records(&gateway, "x", 2, |_| true);
}

#[test]
fn only_the_operator_may_and_bad_requests_are_named() {
    let gateway = Gateway::start(&["--public", "--https", ""]);
    for (method, path) in [
        ("GET", "/api/v1/records"),
        ("POST", "/api/v1/records"),
        ("GET", "/api/v1/records/live/x/f.mp4"),
        ("PATCH", "/api/v1/records/live/x/f.mp4"),
        ("DELETE", "/api/v1/records/live/x"),
    ] {
        let host = ["Host: example.com"];
        let response = lianmai_tests::http::request(gateway.http(), method, path, &host);
        assert!(matches!(response.status, 401 | 403), "{method} {path}: {}", response.status);
    }
    for (body, status) in [
        (json!({"stream": "live"}), 400),
        (json!({"stream": "../../etc"}), 400),
        (json!({"stream": "live/.x"}), 400),
        (json!({"name": "live/x"}), 400),
        (json!([]), 400),
    ] {
        let response = api(&gateway, "POST", "/api/v1/records", &body);
        assert_eq!(response.status, status, "{body}: {}", response.text());
    }
    for path in
        ["/api/v1/records/live/x/../../../../etc/passwd.mp4", "/api/v1/records/..%2f..%2fetc%2fpasswd"]
    {
        assert_eq!(api(&gateway, "DELETE", path, &Value::Null).status, 404, "{path}");
    }
    assert_eq!(api(&gateway, "GET", "/api/v1/records?from=yesterday", &Value::Null).status, 400);
}
