//! The log of ended sessions.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, publisher, rtmp, wait};
use serde_json::Value;

use crate::{LIMIT, publish};

/// Returns the answer of the API with this query.
#[track_caller]
fn sessions(gateway: &Gateway, query: &str) -> Value {
    let answer = gateway.get(&gateway.operator(&format!("/api/v1/sessions{query}")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn list(gateway: &Gateway, query: &str) -> Vec<Value> {
    sessions(gateway, query)["sessions"].as_array().cloned().unwrap_or_default()
}

fn millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

/// Returns the lines of all log files.
fn lines(data: &Path) -> Vec<Value> {
    let files = fs::read_dir(data.join("sessions")).into_iter().flatten().filter_map(Result::ok);
    let logs = files.filter(|file| file.path().extension().is_some_and(|ext| ext == "jsonl"));
    let texts = logs.map(|file| fs::read_to_string(file.path()).expect("text"));
    texts
        .flat_map(|text| {
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_session_leaves_a_line_that_the_operator_can_read() {
    let mut gateway = Gateway::start(&["--secret", "geheim"]);
    let before = millis();
    let mut encoder = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x?secret=geheim"));
    gateway.wait_published("x");
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    viewer.leave();
    let viewed =
        wait::until("the viewer's line", LIMIT, || list(&gateway, "?stream=live/x").into_iter().next());
    assert_eq!(
        (&viewed["act"], &viewed["protocol"], &viewed["reason"]),
        (&"play".into(), &"http-flv".into(), &"left".into())
    );
    assert!(viewed["sent_bytes"].as_u64() > Some(1000) && viewed["ip"] == "127.0.0.1", "{viewed}");
    encoder.signal("INT");
    encoder.wait(LIMIT);
    wait::until_true("the publisher's line", LIMIT, || list(&gateway, "?stream=live/x").len() == 2);
    let all = list(&gateway, "?stream=live/x");
    let published = &all[0];
    assert_eq!((&published["act"], &published["protocol"]), (&"publish".into(), &"rtmp".into()));
    assert!(published["received_bytes"].as_u64() > Some(10_000), "{published}");
    let time = |name: &str| published[name].as_u64().expect("a number");
    assert!(before <= time("from_ms") && time("from_ms") < time("to_ms") && time("to_ms") <= millis());
    assert_eq!(list(&gateway, "?limit=1").len(), 1);
    assert!(list(&gateway, "?stream=live/y").is_empty());
    assert!(list(&gateway, &format!("?from={}", millis() + 1000)).is_empty());
    for bad in ["?limit=0", "?limit=1001", "?limit=x", "?from=yesterday"] {
        assert_eq!(gateway.get(&gateway.operator(&format!("/api/v1/sessions{bad}"))).status, 400, "{bad}");
    }
    assert_eq!(gateway.get("/api/v1/sessions").status, 401);
    // Only the gateway's user reads addresses of people.
    let folder = gateway.data().join("sessions");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let file = fs::read_dir(&folder).expect("readable").map(|file| file.expect("an entry").path());
    file.filter(|path| path.is_file()).for_each(|path| assert_eq!(mode(&path), 0o600, "{path:?}"));
    assert!(lines(gateway.data()).iter().all(|line| !line.to_string().contains("geheim")));
    // Sessions that the end of the gateway ends are there as well.
    let live = rtmp::Client::publish(gateway.rtmp(), "z?secret=geheim").expect("published");
    assert_eq!(gateway.stop().code(), Some(0));
    drop(live);
    let data = gateway.data().to_owned();
    let last = lines(&data).into_iter().find(|line| line["stream"] == "live/z").expect("a line");
    assert_eq!(last["reason"], "shutdown");
    assert!(!data.join("sessions/running").exists());
}

#[test]
fn a_killed_gateway_loses_no_session_of_its_last_checkpoint() {
    let dir = temp_dir("killed");
    let data = dir.join("data");
    let flags = ["--data", data.to_str().expect("text")];
    let gateway = Gateway::start(&flags);
    let short = rtmp::Client::publish(gateway.rtmp(), "short").expect("published");
    let _live = publish(&gateway, "long", Clip::Av);
    let running = data.join("sessions/running");
    let saved = || fs::read_to_string(&running).unwrap_or_default();
    wait::until_true("a checkpoint", LIMIT, || {
        saved().contains("live/long") && saved().contains("live/short")
    });
    // This session ends after the checkpoint: it must not be counted twice.
    drop(short);
    wait::until_true("its line", LIMIT, || !list(&gateway, "?stream=live/short").is_empty());
    gateway.process.signal("KILL");
    drop(gateway);
    let again = Gateway::start(&flags);
    let long =
        wait::until("the recovered session", LIMIT, || list(&again, "?stream=live/long").into_iter().next());
    assert_eq!((&long["reason"], &long["act"]), (&"killed".into(), &"publish".into()));
    assert!(long["received_bytes"].as_u64() > Some(1000), "{long}");
    assert_eq!(list(&again, "?stream=live/short").len(), 1);
    let short = &list(&again, "?stream=live/short")[0];
    assert_eq!(short["reason"], "left");
    drop(again);
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn a_folder_that_cannot_be_written_stops_no_stream_and_is_told_once() {
    let dir = temp_dir("unwritable");
    let data = dir.join("data");
    fs::create_dir(&data).expect("made");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("set");
    // Even root cannot make a folder where a file is.
    fs::write(data.join("sessions"), "in the way").expect("written");
    let gateway = Gateway::start(&["--data", data.to_str().expect("text")]);
    for n in 0..3 {
        drop(rtmp::Client::publish(gateway.rtmp(), &format!("x{n}")).expect("published"));
    }
    wait::until_true("three lost lines", LIMIT, || sessions(&gateway, "")["lost"] == 3);
    assert!(sessions(&gateway, "")["fault"].is_string());
    let metrics = gateway.get("/metrics").text();
    assert!(metrics.contains("lianmai_session_lines_lost_total 3"), "{metrics}");
    let log = gateway.process.stderr();
    let told = ["sessions not logged", "running sessions not saved"].map(|text| log.matches(text).count());
    assert_eq!(told.iter().sum::<usize>(), 1, "{log}");
    // As soon as the folder can be made, sessions are logged again.
    fs::remove_file(data.join("sessions")).expect("removed");
    drop(rtmp::Client::publish(gateway.rtmp(), "y").expect("published"));
    wait::until_true("a line", LIMIT, || list(&gateway, "").len() == 1);
    assert!(sessions(&gateway, "")["fault"].is_null());
    drop(gateway);
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn old_logs_are_removed_and_a_full_disk_tears_no_line() {
    let dir = temp_dir("old");
    let folder = dir.join("data/sessions");
    fs::create_dir_all(&folder).expect("made");
    fs::set_permissions(dir.join("data"), fs::Permissions::from_mode(0o700)).expect("set");
    for name in ["2020-01-01.jsonl", "2020-01-01.txt", "mine.jsonl"] {
        fs::write(folder.join(name), "{}\n").expect("written");
    }
    let data = dir.join("data");
    let gateway = Gateway::start(&["--data", data.to_str().expect("text"), "--sessions-keep", "2"]);
    wait::until_true("the old log to go", LIMIT, || !folder.join("2020-01-01.jsonl").exists());
    assert!(folder.join("2020-01-01.txt").exists() && folder.join("mine.jsonl").exists());
    drop(rtmp::Client::publish(gateway.rtmp(), "a").expect("published"));
    wait::until_true("a line", LIMIT, || list(&gateway, "").len() == 1);
    drop(gateway);
    // A write to a full disk may leave half a line; the next one starts on a line of its own.
    let log = fs::read_dir(&folder).expect("readable").map(|file| file.expect("an entry").path());
    let log = log
        .into_iter()
        .find(|path| {
            path.file_name().is_some_and(|name| {
                name.to_string_lossy().starts_with("20") && name.to_string_lossy().ends_with(".jsonl")
            })
        })
        .expect("a log");
    let text = fs::read_to_string(&log).expect("text");
    fs::write(&log, &text[..text.len() - 9]).expect("written");
    let again = Gateway::start(&["--data", data.to_str().expect("text")]);
    drop(rtmp::Client::publish(again.rtmp(), "b").expect("published"));
    wait::until_true("the next line", LIMIT, || {
        list(&again, "").iter().any(|line| line["stream"] == "live/b")
    });
    let off = Gateway::start(&["--sessions-keep", "0"]);
    drop(rtmp::Client::publish(off.rtmp(), "a").expect("published"));
    assert!(list(&off, "").is_empty() && !off.data().join("sessions").exists());
    drop(again);
    let _ = fs::remove_dir_all(dir);
}
