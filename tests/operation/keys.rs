//! Lasting keys for encoders.

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, http, publisher, rtmp, wait};
use serde_json::{Value, json};

use crate::LIMIT;

/// Calls the API as the operator. Returns the status and the answer.
#[track_caller]
fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let answer = http::send(
        gateway.http(),
        method,
        &gateway.operator(path),
        &["Content-Type: application/json"],
        body.as_bytes(),
    );
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

/// Makes a key and returns its identifier and its text.
#[track_caller]
fn make(gateway: &Gateway, wanted: &Value) -> (String, String) {
    let (status, answer) = call(gateway, "POST", "/api/v1/keys", wanted);
    assert_eq!(status, 200, "{answer}");
    let text = |name: &str| answer["key"][name].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

#[test]
fn an_encoder_publishes_with_its_own_key_until_the_operator_revokes_it() {
    let gateway = Gateway::start(&["--public", "--play-secret", "watch"]);
    let (id, key) = make(&gateway, &json!({ "name": "Anna", "streams": "live/anna" }));
    let (_, other) = make(&gateway, &json!({ "name": "Bert", "streams": "live/*", "play": true }));
    let mut anna = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url(&format!("anna?key={key}")));
    gateway.wait_published("anna");
    let mut bert =
        publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url(&format!("bert?key={other}")));
    gateway.wait_published("bert");

    for query in [format!("key={key}"), "key=lk_wrong".to_owned(), format!("secret={key}")] {
        let refused = rtmp::Client::publish(gateway.rtmp(), &format!("x?{query}")).expect_err("refused");
        assert_eq!(refused.to_string(), "NetStream.Publish.Denied", "{query}");
    }
    wait::until_true("the reasons in the log", LIMIT, || {
        let log = gateway.process.stderr();
        log.matches("the key is wrong or revoked").count() == 2 && log.contains("wrong secret")
    });
    // Publishing includes no playing, where playing is restricted.
    let play =
        |key: &str| http::request(gateway.http(), "HEAD", &format!("/live/anna.flv?key={key}"), &[]).status;
    assert_eq!((play(&key), play(&other)), (403, 200));
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/anna.flv?key={other}"));
    viewer.wait_frames(VIDEO, 5, LIMIT);
    let (_, playlist) = gateway.follow(&format!("/live/anna.m3u8?key={other}"));
    assert_eq!(playlist.status, 200, "{}", playlist.text());

    // The list names the keys without their texts.
    let (_, list) = call(&gateway, "GET", "/api/v1/keys", &Value::Null);
    assert_eq!((&list["keys"][0]["name"], &list["keys"][1]["streams"]), (&"Anna".into(), &"live/*".into()));
    assert!(list["keys"][0]["used"].is_u64() && !list.to_string().contains("lk_"), "{list}");
    let clients = gateway.json("/api/v1/clients");
    assert!(clients.to_string().contains("\"key\":\"Anna\""), "{clients}");
    assert!(!gateway.process.stderr().contains("lk_"), "a key is in the log");

    assert_eq!(http::request(gateway.http(), "DELETE", &format!("/api/v1/keys/{id}"), &[]).status, 401);
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/keys/{id}"), &Value::Null).0, 200);
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/keys/{id}"), &Value::Null).0, 404);
    anna.wait(LIMIT);
    assert!(rtmp::Client::publish(gateway.rtmp(), &format!("anna?key={key}")).is_err());
    assert!(bert.ended().is_none(), "other keys stay");
}

#[test]
fn keys_that_cannot_be_are_refused_in_words_and_only_the_operator_makes_any() {
    let mut gateway = Gateway::start(&[]);
    for (wanted, words) in [
        (json!({ "name": "", "streams": "*" }), "1 to 64"),
        (json!({ "name": "x", "streams": "live" }), "APP/NAME"),
        (json!({ "name": "x", "streams": "*", "publish": false }), "must allow an action"),
        (json!({ "name": "x", "streams": "*", "until": 5 }), "until"),
        (json!({ "name": "x" }), "streams"),
        (json!(5), "invalid type"),
    ] {
        let (status, answer) = call(&gateway, "POST", "/api/v1/keys", &wanted);
        assert!(matches!(status, 400) && answer["message"].to_string().contains(words), "{wanted}: {answer}");
    }
    let body = json!({ "name": "x", "streams": "*" }).to_string();
    let lines = ["Content-Type: application/json"];
    let answer = http::send(gateway.http(), "POST", "/api/v1/keys", &lines, body.as_bytes());
    assert_eq!(answer.status, 401);
    // A key outlives the gateway.
    let (_, key) = make(&gateway, &json!({ "name": "Anna", "streams": "live/x" }));
    let data = gateway.data().to_str().expect("text").to_owned();
    assert_eq!(gateway.stop().code(), Some(0));
    let again = Gateway::start(&["--public", "--data", &data]);
    drop(rtmp::Client::publish(again.rtmp(), &format!("x?key={key}")).expect("the key publishes"));
}
