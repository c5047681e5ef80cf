//! The HTTP API in SRS's form, metrics, and closing clients.

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, http, publisher, wait};
use serde_json::Value;

use crate::{LIMIT, publish};

/// A path (`a.b`) and the condition for its value.
type Member = (&'static str, fn(&Value) -> bool);

/// Asserts that each member of `value` meets its condition.
#[track_caller]
fn has(value: &Value, shape: &[Member]) {
    for (path, kind) in shape {
        let found = path.split('.').fold(value, |value, key| &value[key]);
        assert!(kind(found), "{path} is {found} in {value:#}");
    }
}

#[test]
fn streams_and_clients_have_the_shape_of_srs() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 40, LIMIT);

    for path in ["versions", "summaries", "streams", "clients"] {
        let answer = gateway.json(&format!("/api/v1/{path}"));
        assert_eq!(answer["code"], 0, "{path}");
        has(
            &answer,
            &[("server", Value::is_string), ("service", Value::is_string), ("pid", Value::is_string)],
        );
    }
    has(
        &gateway.json("/api/v1/versions")["data"],
        &[
            ("major", Value::is_u64),
            ("minor", Value::is_u64),
            ("revision", Value::is_u64),
            ("version", Value::is_string),
        ],
    );

    let stream = gateway.stream("x").expect("the stream is listed");
    has(
        &stream,
        &[
            ("id", Value::is_string),
            ("vhost", Value::is_string),
            ("tcUrl", Value::is_string),
            ("url", Value::is_string),
            ("live_ms", Value::is_u64),
            ("frames", Value::is_u64),
            ("send_bytes", Value::is_u64),
            ("recv_bytes", Value::is_u64),
            ("kbps.recv_30s", Value::is_u64),
            ("kbps.send_30s", Value::is_u64),
            ("publish.cid", Value::is_string),
            ("video.profile", Value::is_string),
            ("video.level", Value::is_string),
            ("audio.profile", Value::is_string),
        ],
    );
    assert_eq!((&stream["video"]["codec"], &stream["video"]["reordered"]), (&"H264".into(), &false.into()));
    assert_eq!((&stream["video"]["width"], &stream["video"]["height"]), (&320.into(), &180.into()));
    assert_eq!(stream["audio"]["codec"], "AAC");
    assert_eq!((&stream["audio"]["sample_rate"], &stream["audio"]["channel"]), (&44_100.into(), &1.into()));
    assert!(stream["frames"].as_u64() > Some(30));

    let id = stream["id"].as_str().expect("an id");
    let same = gateway.json(&format!("/api/v1/streams/{id}"));
    assert_eq!(same["stream"]["name"], "x");
    let none = gateway.get("/api/v1/streams/vid-none");
    assert_ne!(serde_json::from_slice::<Value>(&none.body).expect("JSON")["code"], 0);

    let clients = gateway.json("/api/v1/clients")["clients"].as_array().cloned().unwrap_or_default();
    assert_eq!(clients.iter().filter(|client| client["publish"] == true).count(), 1, "{clients:?}");
    assert_eq!(clients.iter().filter(|client| client["publish"] == false).count(), 1, "{clients:?}");
}

#[test]
fn an_operator_kicks_a_viewer_and_a_publisher() {
    let gateway = Gateway::start(&[]);
    let mut publisher = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    let other = FlvViewer::ws(&gateway.ws_url("x.flv"));
    viewer.wait_frames(VIDEO, 5, LIMIT);
    other.wait_frames(VIDEO, 5, LIMIT);
    let client = |publish: bool, kind: &str| {
        let clients = gateway.json("/api/v1/clients");
        let found = clients["clients"].as_array().into_iter().flatten().find(|client| {
            client["publish"] == publish
                && client["type"].as_str().is_some_and(|t| t.to_lowercase().contains(kind))
        });
        let id = &found.unwrap_or_else(|| panic!("no {kind} in {clients:#}"))["id"];
        id.as_str().map_or_else(|| id.to_string(), str::to_owned)
    };
    let kick = |id: &str| {
        http::request(gateway.http(), "DELETE", &gateway.operator(&format!("/api/v1/clients/{id}")), &[])
    };
    assert_eq!(kick(&client(false, "http")).status, 200);
    wait::until_true("the kicked viewer to be gone", LIMIT, || viewer.over());
    let seen = other.frames(VIDEO).len();
    other.wait_frames(VIDEO, seen + 10, LIMIT);
    assert_eq!(kick(&client(true, "")).status, 200);
    publisher.wait(LIMIT);
    let unknown = kick("999999");
    let code = serde_json::from_slice::<Value>(&unknown.body).expect("JSON")["code"].clone();
    assert!(code != 0, "{}", unknown.text());
}

#[test]
fn a_kicked_publisher_stays_out_as_long_as_the_operator_says() {
    let gateway = Gateway::start(&[]);
    let ask = |method: &str, path: &str| {
        let answer = http::request(gateway.http(), method, &gateway.operator(path), &[]);
        (answer.status, serde_json::from_slice::<Value>(&answer.body).expect("JSON"))
    };
    let mut publisher = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let client = gateway.stream("x").expect("it is published")["publish"]["cid"].clone();
    let path = format!("/api/v1/clients/{}", client.as_str().expect("an id"));
    for minutes in ["0", "x", "-1", "10081"] {
        assert_eq!(ask("DELETE", &format!("{path}?minutes={minutes}")).0, 400, "{minutes}");
    }
    let (status, answer) = ask("DELETE", &format!("{path}?minutes=5"));
    assert_eq!((status, &answer["ban"]["stream"]), (200, &"live/x".into()), "{answer}");
    publisher.wait(LIMIT);
    let mut again = publisher::ffmpeg(&Clip::Av.file(), &gateway.rtmp_url("x"));
    assert!(!again.wait(LIMIT).success());
    assert!(gateway.process.stderr().contains("refused for 5 min"), "{}", gateway.process.stderr());
    let _other = publish(&gateway, "y", Clip::Av);

    assert_eq!(gateway.get("/api/v1/bans").status, 401);
    let ban = ask("GET", "/api/v1/bans").1["bans"][0].clone();
    assert_eq!((&ban["act"], &ban["ip"]), (&"publish".into(), &"127.0.0.1".into()), "{ban}");
    let path = format!("/api/v1/bans/{}", ban["id"].as_str().expect("an id"));
    assert_eq!(http::request(gateway.http(), "DELETE", &path, &[]).status, 401);
    assert_eq!((ask("DELETE", &path).0, ask("DELETE", &path).0), (200, 404));
    let _again = publish(&gateway, "x", Clip::Av);
}

#[test]
fn metrics_count_what_happens() {
    let gateway = Gateway::start(&[]);
    assert_eq!(gateway.get("/healthz").status, 200);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    let text = gateway.get("/metrics").text();
    for name in [
        "lianmai_streams",
        "lianmai_publishers",
        "lianmai_viewers{protocol=\"http-flv\"}",
        "lianmai_stream_frames_total{stream=\"live/x\"}",
        "lianmai_received_bytes_total",
        "lianmai_sent_bytes_total",
        "lianmai_process_memory_bytes",
        "lianmai_connections",
    ] {
        let sample = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        assert!(sample.is_some_and(|value| value > 0.0), "{name} in\n{text}");
    }
}

#[test]
fn the_operator_sees_the_gateway_itself_without_secrets() {
    let flags = ["--secret", "geheim", "--hook", "on_dvr=http://127.0.0.1:1/?key=verborgen"];
    let gateway = Gateway::start(&flags);
    assert_eq!(gateway.get("/api/v1/server").status, 401);
    let answer = gateway.get(&gateway.operator("/api/v1/server"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    for secret in ["geheim", "verborgen"] {
        assert!(!answer.text().contains(secret), "{}", answer.text());
    }
    let server: Value = serde_json::from_slice(&answer.body).expect("JSON");
    has(
        &server,
        &[
            ("code", |code| *code == 0),
            ("data.version", Value::is_string),
            ("data.uptime_s", Value::is_u64),
            ("data.public", |public| *public == false),
            ("data.certificate.source", |source| *source == "own"),
            ("data.certificate.names", |names| {
                names.as_array().is_some_and(|all| all.contains(&"localhost".into()))
            }),
            ("data.certificate.acme_error", Value::is_null),
            ("data.disk.free_bytes", |bytes| bytes.as_u64() > Some(0)),
            ("data.settings.secret", |secret| *secret == "…"),
            ("data.settings.hook", |hook| *hook == "…"),
            ("data.settings.max_streams", |max| *max == 1000),
            ("data.settings.sessions_keep", |days| *days == 30),
        ],
    );
    // openssl reads the same expiry from the certificate that the gateway shows to browsers.
    let cert = gateway.data().join("cert.pem");
    let mut command = std::process::Command::new("openssl");
    let read =
        command.args(["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in"]).arg(&cert).output();
    let read = String::from_utf8(read.expect("openssl is installed").stdout).expect("text");
    let date = read.trim().trim_start_matches("notAfter=").trim_end_matches('Z').to_owned();
    let mut command = std::process::Command::new("date");
    let seconds = command.args(["-u", "+%s", "-d"]).arg(format!("{date} UTC")).output().expect("date runs");
    let seconds: u64 = String::from_utf8_lossy(&seconds.stdout).trim().parse().expect("a number");
    assert_eq!(server["data"]["certificate"]["expires_ms"], seconds * 1000);
    let days = server["data"]["certificate"]["days_left"].as_i64().expect("a number");
    assert!(days > 0 && days < 4000, "{days}");
    let metrics = gateway.get("/metrics").text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("lianmai_certificate_expires_seconds "));
    assert_eq!(line.and_then(|text| text.parse::<f64>().ok()), Some(seconds as f64));
    let none = Gateway::start(&["--https", ""]);
    let answer = none.get(&none.operator("/api/v1/server"));
    let server: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert!(server["data"]["certificate"].is_null(), "{server}");
}
