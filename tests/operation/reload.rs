//! Settings that change while the gateway runs, and rules of the API that survive a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::relay::{LIMIT, call, list, publish};
use lianmai_tests::{Clip, Gateway, http, rtmp, wait};
use serde_json::{Value, json};

/// Waits until the forward at this place of the list sends. Returns the forward.
#[track_caller]
fn wait_sending(gateway: &Gateway, index: usize) -> Value {
    wait::until(&format!("forward {index} that sends"), LIMIT, || {
        let forward = list(gateway, "forwards").get(index).cloned()?;
        (forward["targets"][0]["state"] == "sending").then_some(forward)
    })
}

/// Waits until viewers of `live/NAME` get video.
#[track_caller]
fn watch(gateway: &Gateway, name: &str) -> FlvViewer {
    let viewer = FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"));
    viewer.wait_frames(VIDEO, 5, LIMIT);
    viewer
}

#[test]
fn a_reload_changes_jobs_and_limits_and_what_stays_keeps_running() {
    let dir = temp_dir("reload-jobs");
    let file = dir.join("lianmai.toml");
    let write = |text: &str| fs::write(&file, text).expect("a writable folder");
    let target = Gateway::start(&[]);
    let to = target.rtmp();
    let forward =
        |n: u8| format!("[[forward]]\nstream = \"live/x\"\nto = \"rtmp://{to}/live/copy{n}?note=geheim\"\n");
    write(&format!("forward_max = 1\n{}", forward(1)));
    let mut gateway = Gateway::start(&["--config", file.to_str().expect("text")]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = watch(&gateway, "x");
    let first = wait_sending(&gateway, 0);

    // Another forward, a pull, a recording and a limit; what was there stays.
    let (image, origin) = (dir.join("soon.png"), Gateway::start(&[]));
    let _remote = publish(&origin, "far", Clip::Av);
    fs::write(&image, "not read before a publisher has sent frames").expect("a writable folder");
    let more = format!(
        "record = [\"live/x\"]\nmax_streams = 3\npull_max = 5\npull_linger = 1\ndeny_ip = [\"192.0.2.0/24\"]\n{}{}\
         [[pull]]\nstream = \"live/far\"\nfrom = \"rtmp://{}/live/far\"\nalways = true\n\
         [[slate]]\nstream = \"slated/*\"\npath = \"{}\"\n",
        forward(1),
        forward(2),
        origin.rtmp(),
        image.display()
    );
    write(&more);
    let (status, answer) = call(&gateway, "POST", "/api/v1/reload", "");
    let changed =
        json!(["deny_ip", "forward", "forward_max", "max_streams", "pull", "pull_max", "record", "slate"]);
    let data = &answer["data"];
    assert_eq!((status, &data["changed"], &data["failed"]), (200, &changed, &json!([])), "{answer}");
    assert_eq!(data["needs_restart"], json!(["pull_linger"]), "{answer}");
    // The second connection needs the new `forward_max`.
    let second = wait_sending(&gateway, 1);
    let kept = wait_sending(&gateway, 0);
    assert_eq!((&kept["id"], &kept["targets"][0]["tries"]), (&first["id"], &json!(1)), "{kept}");
    watch(&target, "copy2");
    watch(&gateway, "far");
    wait::until_true("a recording", LIMIT, || {
        let (_, records) = call(&gateway, "GET", "/api/v1/records", "");
        records["streams"][0]["file"].is_string()
    });
    // Two streams are there, and the third is the last one.
    let _third = rtmp::Client::publish(gateway.rtmp(), "third").expect("room for one");
    assert!(rtmp::Client::publish(gateway.rtmp(), "fourth").is_err(), "the limit counts at once");
    let kinds: Vec<Value> = list(&gateway, "jobs").iter().map(|job| job["kind"].clone()).collect();
    assert!(kinds.contains(&json!("slate")) && kinds.contains(&json!("record")), "{kinds:?}");
    let shown = call(&gateway, "GET", "/api/v1/server", "").1;
    assert_eq!(shown["data"]["settings"]["max_streams"], 3);

    // What is gone ends, and the rest goes on. SIGHUP does the same.
    write(&forward(2));
    gateway.process.signal("HUP");
    wait::until_true("the end of the first forward", LIMIT, || list(&gateway, "forwards").len() == 1);
    let rest = wait_sending(&gateway, 0);
    assert_eq!((&rest["id"], &rest["targets"][0]["tries"]), (&second["id"], &json!(1)), "{rest}");
    wait::until_true("the end of the rest", LIMIT, || {
        list(&gateway, "pulls").is_empty()
            && call(&gateway, "GET", "/api/v1/records", "").1["streams"] == json!([])
    });
    assert!(!list(&gateway, "jobs").iter().any(|job| job["kind"] == "slate"));

    // Settings that are not valid change nothing, and the answer does not repeat the key.
    for bad in [
        "[[forward]]\nstream = \"live/x\"\nto = \"rtmp://h/geheim\"\n",
        "hook = [\"geheim\"]\n",
        "max_streams = \"geheim\"\n",
    ] {
        write(bad);
        let (status, answer) = call(&gateway, "POST", "/api/v1/reload", "");
        let words = answer["message"].as_str().unwrap_or_default();
        assert!(status == 422 && words.contains("nothing has changed"), "{bad}: {answer}");
        assert!(bad.contains("hook") || bad.contains("max") || !words.contains("geheim"), "{words}");
    }
    assert_eq!(list(&gateway, "forwards")[0]["id"], second["id"]);
    let open = http::request(gateway.http(), "POST", "/api/v1/reload", &[]);
    assert_eq!(open.status, 401);
    let seen = viewer.frames(VIDEO).len();
    viewer.wait_frames(VIDEO, seen + 10, LIMIT);
    assert_eq!(gateway.stop().code(), Some(0));
    let _ = fs::remove_dir_all(dir);
}

/// Returns the mode of a file, and whether it holds `text`.
fn file(path: &Path, text: &str) -> (u32, bool) {
    let content = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mode = fs::metadata(path).expect("it was read").permissions().mode();
    (mode & 0o777, content.contains(text))
}

#[test]
fn forwards_pulls_and_recordings_of_the_api_survive_a_restart() {
    let dir = temp_dir("kept-rules");
    let data = dir.join("data");
    let flags = ["--data", data.to_str().expect("text")];
    let (target, origin) = (Gateway::start(&[]), Gateway::start(&[]));
    let _remote = publish(&origin, "far", Clip::Av);
    let mut gateway = Gateway::start(&flags);
    let to = |n: u8| json!({"stream": "live/x", "to": format!("rtmp://{}/live/copy{n}?note=geheim", target.rtmp())});
    let from = json!({"stream": "live/far", "from": format!("rtmp://{}/live/far?note=geheim", origin.rtmp()), "always": true});
    assert_eq!(call(&gateway, "POST", "/api/v1/forwards", &to(1).to_string()).0, 201);
    let (_, second) = call(&gateway, "POST", "/api/v1/forwards", &to(2).to_string());
    let (status, pull) = call(&gateway, "POST", "/api/v1/pulls", &from.to_string());
    assert_eq!((status, &pull["pull"]["origin"]), (201, &json!("api")), "{pull}");
    assert_eq!(call(&gateway, "POST", "/api/v1/pulls", &from.to_string()).0, 409);
    let refused = call(&gateway, "POST", "/api/v1/pulls", r#"{"stream":"live/y","from":"rtmp://h/geheim"}"#);
    assert!(refused.0 == 400 && !refused.1.to_string().contains("geheim"), "{}", refused.1);
    for name in ["live/x", "live/y"] {
        assert_eq!(call(&gateway, "POST", "/api/v1/records", &json!({"stream": name}).to_string()).0, 200);
    }
    assert_eq!(call(&gateway, "DELETE", "/api/v1/records/live/y", "").0, 200);
    watch(&gateway, "far");
    let id = second["forward"]["id"].as_str().expect("an id");
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/forwards/{id}"), "").0, 200);
    for name in ["forwards.json", "pulls.json"] {
        assert_eq!(file(&data.join(name), "geheim"), (0o600, true), "{name}");
    }
    assert_eq!(file(&data.join("recorded-streams.json"), "live/x"), (0o600, true));
    assert_eq!(gateway.stop().code(), Some(0));

    let mut gateway = Gateway::start(&flags);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let forward = wait_sending(&gateway, 0);
    assert_eq!((list(&gateway, "forwards").len(), &forward["origin"]), (1, &json!("api")));
    assert!(!forward.to_string().contains("geheim"), "{forward}");
    watch(&target, "copy1");
    watch(&gateway, "far");
    wait::until_true("the recording", LIMIT, || {
        let (_, records) = call(&gateway, "GET", "/api/v1/records", "");
        let streams = records["streams"].as_array().cloned().unwrap_or_default();
        streams.len() == 1 && streams[0]["stream"] == "live/x" && streams[0]["file"].is_string()
    });
    // The end of a job is the end of its rule.
    let id = forward["id"].as_str().expect("an id");
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/jobs/{id}"), "").0, 200);
    assert!(list(&gateway, "forwards").is_empty());
    let id = list(&gateway, "pulls")[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/pulls/{id}"), "").0, 200);
    assert_eq!(call(&gateway, "DELETE", &format!("/api/v1/pulls/{id}"), "").0, 404);

    // A list that cannot be stored changes nothing.
    fs::remove_file(data.join("forwards.json")).expect("it is there");
    fs::create_dir_all(data.join("forwards.json/full")).expect("a folder");
    let (status, words) = call(&gateway, "POST", "/api/v1/forwards", &to(1).to_string());
    assert!(
        status == 503 && words["message"].as_str().is_some_and(|words| words.contains("cannot be stored")),
        "{words}"
    );
    assert!(list(&gateway, "forwards").is_empty());
    assert!(!gateway.process.stderr().contains("geheim"));
    assert_eq!(gateway.stop().code(), Some(0));
    let _ = fs::remove_dir_all(dir);
}
