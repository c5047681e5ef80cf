//! The API and the settings of forwards.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use lianmai_tests::{Clip, Gateway, Process, gateway, http, wait};
use serde_json::Value;

use crate::{LIMIT, publish, targets, wait_frames, wait_state};

/// Adds a forward. Returns the status and the response.
#[track_caller]
fn add(gateway: &Gateway, body: &str) -> (u16, Value) {
    let path = gateway.operator("/api/v1/forwards");
    let response = http::send(gateway.http(), "POST", &path, &[], body.as_bytes());
    let json = serde_json::from_slice(&response.body);
    (response.status, json.unwrap_or_else(|error| panic!("{error}: {}", response.text())))
}

#[test]
fn forwards_are_added_listed_and_ended_by_the_operator_only() {
    let (target, source) = (Gateway::start(&[]), Gateway::start(&[]));
    let _publisher = publish(&source, "x", Clip::Av);
    let body =
        format!(r#"{{"stream":"live/*","to":"rtmp://{}/live/{{stream}}-copy?note=geheim"}}"#, target.rtmp());
    for (method, path) in
        [("GET", "/api/v1/forwards"), ("POST", "/api/v1/forwards"), ("DELETE", "/api/v1/forwards/1")]
    {
        let response = http::send(source.http(), method, path, &[], body.as_bytes());
        assert_eq!(response.status, 401, "{method} {path}");
    }
    let (status, added) = add(&source, &body);
    assert_eq!((status, &added["code"]), (201, &Value::from(0)), "{added}");
    assert_eq!(added["forward"]["to"], format!("rtmp://{}/live/••••", target.rtmp()));
    assert_eq!(add(&source, &body).0, 409);
    wait_state(&source, "sending");
    wait_frames(&target, "x-copy", 60);
    let state =
        wait::until("a rate", LIMIT, || targets(&source).into_iter().find(|t| t["kbps"].as_u64() > Some(0)));
    assert_eq!(
        (&state["stream"], &state["tries"], &state["last_words"]),
        (&"live/x".into(), &1.into(), &Value::Null)
    );

    let id = added["forward"]["id"].as_str().expect("an id");
    let path = source.operator(&format!("/api/v1/forwards/{id}"));
    assert_eq!(http::request(source.http(), "DELETE", &path, &[]).status, 200);
    wait::until_true("the copy to lose its publisher", LIMIT, || {
        target.stream("x-copy").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    assert_eq!(http::request(source.http(), "DELETE", &path, &[]).status, 404);
    let listed = source.json(&source.operator("/api/v1/forwards"));
    assert_eq!(listed["forwards"], Value::Array(Vec::new()));
}

#[test]
fn the_key_of_an_address_is_shown_nowhere() {
    let target = Gateway::start(&[]);
    // Refused once, so that the failure is logged, too.
    let to = format!("rtmp://{}/live/geheim%7?key=geheim", target.rtmp());
    let rule = format!("live/*={to}");
    let source = Gateway::start_with(&["--forward", &rule], &[("LIANMAI_LOG", "debug".to_owned())]);
    let _publisher = publish(&source, "x", Clip::Av);
    wait_state(&source, "refused");
    let seen = [
        source.get(&source.operator("/api/v1/forwards")).text(),
        source.get(&source.operator("/api/v1/jobs")).text(),
        source.get(&source.operator("/metrics")).text(),
        source.process.stderr(),
        source.process.stdout(),
        source.ready.to_string(),
        add(&source, &format!(r#"{{"stream":"live/*","to":"{to}"}}"#)).1.to_string(),
        add(&source, r#"{"stream":"live/*","to":"rtmp://h:0/live/geheim"}"#).1.to_string(),
        add(&source, r#"{"stream":"live/*","to":["geheim"]}"#).1.to_string(),
    ];
    for (index, text) in seen.iter().enumerate() {
        assert!(!text.contains("geheim"), "{index}: {text}");
    }
    assert!(seen[0].contains("••••") && seen[3].contains("••••"), "{}", seen[3]);
    let printed =
        gateway::subcommand("config").args(["--print", "--forward", &rule]).output().expect("it starts");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("forward = is set, but not shown") && !printed.contains("geheim"), "{printed}");
    // A forward that is not valid stops the start, with a sentence that does not repeat the key.
    for bad in ["live/*=rtmp://h/geheim", "live/*x=rtmp://h/live/geheim", "geheim"] {
        let mut process = Process::start(&mut gateway::serve(&["--forward", bad]));
        assert!(!process.wait(LIMIT).success());
        let said = process.stderr();
        assert!(said.contains("forward of") && !said.contains("panicked"), "{said}");
        assert!(bad == "geheim" || !said.contains("geheim"), "{said}");
    }
}

#[test]
fn the_settings_file_has_a_table_for_each() {
    let target = Gateway::start(&[]);
    let dir = gateway::temp_dir("forward");
    let file = dir.join("lianmai.toml");
    let to = target.rtmp();
    let text = format!(
        "[[forward]]\nstream = \"live/x\"\nto = \"rtmp://{to}/{{app}}/{{stream}}-1\"\n\
         [[forward]]\nstream = \"*\"\nto = \"rtmp://{to}/{{app}}/{{stream}}-2\"\n"
    );
    fs::write(&file, text).expect("a writable folder");
    let start = |mode| {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("our own file");
        Gateway::start(&["--config", file.to_str().expect("a path of text")])
    };
    let words = "all users of this machine can read the settings file";
    assert!(start(0o644).process.stderr().contains(words));
    let source = start(0o640);
    assert!(!source.process.stderr().contains(words));
    let _publisher = publish(&source, "x", Clip::Av);
    wait_frames(&target, "x-1", 5);
    wait_frames(&target, "x-2", 5);
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn forwards_and_their_connections_are_bounded() {
    let target = Gateway::start(&[]);
    let to = target.rtmp();
    let source = Gateway::start(&["--forward-max", "1"]);
    let body = |n: usize| format!(r#"{{"stream":"live/*","to":"rtmp://{to}/copy{n}/{{stream}}"}}"#);
    let _publisher = publish(&source, "x", Clip::Av);
    assert_eq!(add(&source, &body(0)).0, 201);
    wait_state(&source, "sending");
    for n in 1..64 {
        assert_eq!(add(&source, &body(n)).0, 201, "{n}");
    }
    let (status, refused) = add(&source, &body(64));
    assert_eq!(status, 503, "{refused}");
    // All but the first wait for its connection.
    let forwards = source.json(&source.operator("/api/v1/forwards"));
    let states: Vec<_> = forwards["forwards"].as_array().into_iter().flatten().collect();
    assert_eq!(states.len(), 64);
    for forward in &states[1..] {
        assert!(forward["targets"][0].is_null() || forward["targets"][0]["state"] == "waiting", "{forward}");
    }
    let path = source.operator(&format!("/api/v1/forwards/{}", states[0]["id"].as_str().expect("an id")));
    assert_eq!(http::request(source.http(), "DELETE", &path, &[]).status, 200);
    wait::until_true("one of them to be sent", LIMIT, || {
        let forwards = source.json(&source.operator("/api/v1/forwards"));
        let all = forwards["forwards"].as_array().cloned().unwrap_or_default();
        all.iter().filter(|forward| forward["targets"][0]["state"] == "sending").count() == 1
    });
}
