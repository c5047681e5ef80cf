//! Hooks in the form of SRS, with a back end that is a process of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::process::Process;
use lianmai_tests::{Clip, Gateway, http, publisher, rtmp, wait};
use serde_json::Value;

use crate::{LIMIT, publish};

/// A secret in the form of Standard Webhooks.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA";

/// The operator's back end.
struct Backend {
    process: Option<Process>,
    port: u16,
    dir: PathBuf,
}

impl Backend {
    #[track_caller]
    fn start() -> Self {
        let mut backend = Self { process: None, port: 0, dir: temp_dir("hooks") };
        fs::write(backend.dir.join("secret"), SECRET).expect("written");
        backend.answer("0");
        backend.run();
        backend
    }

    /// Starts the process, on the same port as before.
    #[track_caller]
    fn run(&mut self) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/operation/programs/hook_backend.py");
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(program)
            .arg(self.port.to_string())
            .args(["mode", "secret"].map(|name| self.dir.join(name)));
        let process = Process::start(&mut command);
        self.port =
            wait::until("the back end's port", LIMIT, || process.stdout().lines().next()?.parse().ok());
        self.process = Some(process);
    }

    fn kill(&mut self) {
        self.process = None;
    }

    /// Answers in this way from now on.
    fn answer(&self, mode: &str) {
        let path = self.dir.join("mode.new");
        fs::write(&path, mode).expect("written");
        fs::rename(path, self.dir.join("mode")).expect("renamed");
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the requests to the running process.
    fn requests(&self) -> Vec<Value> {
        let out = self.process.as_ref().map(Process::stdout).unwrap_or_default();
        // The last line may be incomplete.
        out.lines().skip(1).filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns the bodies about a stream, or those of an action.
    fn bodies(&self, key: &str, value: &str) -> Vec<Value> {
        let bodies = self.requests().into_iter().map(|request| request["body"].clone());
        bodies.filter(|body| body[key] == value).collect()
    }

    /// Waits for a body with this action about a stream.
    #[track_caller]
    fn wait(&self, action: &str, stream: &str) -> Value {
        wait::until(&format!("{action} of {stream}"), LIMIT, || {
            self.bodies("action", action).into_iter().find(|body| body["stream"] == stream)
        })
    }

    /// Returns the actions about a stream, in order of arrival.
    fn actions(&self, stream: &str) -> Vec<String> {
        let bodies = self.bodies("stream", stream);
        bodies.iter().map(|body| body["action"].as_str().expect("a text").to_owned()).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Returns the state of the first hook.
#[track_caller]
fn state(gateway: &Gateway) -> Value {
    let answer = gateway.get(&gateway.operator("/api/v1/hooks"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice::<Value>(&answer.body).expect("JSON")["hooks"][0].clone()
}

#[test]
fn a_back_end_of_srs_hears_who_comes_and_goes() {
    let backend = Backend::start();
    // As in SRS's example: one path for each kind.
    let hooks = [
        ("on_connect+on_close", "/api/v1/clients"),
        ("on_publish+on_unpublish", "/api/v1/streams"),
        ("on_play+on_stop", "/api/v1/sessions?key=hidden"),
        ("on_hls+on_dvr", "/api/v1/hls"),
    ]
    .map(|(actions, path)| format!("{actions}={}", backend.url(path)))
    .join(",");
    let gateway = Gateway::start(&[
        "--hook",
        &hooks,
        "--hook-secret",
        SECRET,
        "--record",
        "live/x",
        "--reconnect",
        "1",
    ]);
    let mut encoder = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x?token=abc&salt=y"));
    let published = backend.wait("on_publish", "x");
    gateway.wait_published("x");
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv?from=page");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    viewer.leave();
    let stopped = backend.wait("on_stop", "x");
    let segment = backend.wait("on_hls", "x");
    encoder.signal("INT");
    encoder.wait(LIMIT);
    let unpublished = backend.wait("on_unpublish", "x");
    wait::until_true("two on_close", LIMIT, || backend.bodies("action", "on_close").len() == 2);
    let recorded = backend.wait("on_dvr", "x");
    let file = recorded["file"].as_str().expect("a text");
    let path = PathBuf::from(recorded["cwd"].as_str().expect("a text")).join(file);
    assert!(file.ends_with(".mp4") && path.is_file(), "{recorded}");

    let clients = gateway.json("/api/v1/versions");
    for body in [&published, &unpublished] {
        assert_eq!(
            (&body["app"], &body["stream"], &body["param"]),
            (&"live".into(), &"x".into(), &"?token=abc&salt=y".into())
        );
        assert_eq!(
            (&body["vhost"], &body["ip"], &body["stream_url"]),
            (&"__defaultVhost__".into(), &"127.0.0.1".into(), &"/live/x".into())
        );
        assert_eq!((&body["server_id"], &body["service_id"]), (&clients["server"], &clients["service"]));
        let tc_url = body["tcUrl"].as_str().expect("a text");
        assert!(tc_url.starts_with("rtmp://127.0.0.1:") && tc_url.ends_with("/live"), "{body}");
        assert_eq!(body["protocol"], "rtmp");
        assert!(body["client_id"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
    }
    assert_eq!(published["client_id"], unpublished["client_id"]);
    assert!(
        unpublished["recv_bytes"].as_u64() > Some(10_000) && unpublished["duration"].as_f64() > Some(0.1)
    );
    assert!(unpublished["stream_id"].is_string() && unpublished["agent"].is_string(), "{unpublished}");
    let played = backend.wait("on_play", "x");
    assert_eq!((&played["client_id"], &played["param"]), (&stopped["client_id"], &"?from=page".into()));
    assert!(stopped["send_bytes"].as_u64() > Some(1000) && stopped["protocol"] == "http-flv", "{stopped}");
    assert!(segment["duration"].as_f64() > Some(0.0) && segment["seq_no"].is_u64(), "{segment}");
    assert!(segment["url"].as_str().is_some_and(|url| url.starts_with("live/x-") && url.ends_with(".ts")));

    let requests = backend.requests();
    assert!(
        requests.iter().all(|request| request["signed"] == true && request["type"] == "application/json")
    );
    let path = |action: &str| {
        let request = requests.iter().find(|request| request["body"]["action"] == action);
        request.map(|request| request["path"].clone()).expect("it was sent")
    };
    assert_eq!(
        (path("on_connect"), path("on_publish")),
        ("/api/v1/clients".into(), "/api/v1/streams".into())
    );
    assert_eq!(
        (path("on_play"), path("on_hls")),
        ("/api/v1/sessions?key=hidden".into(), "/api/v1/hls".into())
    );
    let mut connections: Vec<_> = requests.iter().map(|request| request["connection"].to_string()).collect();
    connections.sort();
    connections.dedup();
    assert!(connections.len() < requests.len(), "connections are used again");

    // The operator sees the last request; nobody else does, and secrets are hidden.
    assert_eq!(gateway.get("/api/v1/hooks").status, 401);
    let answer = gateway.get(&gateway.operator("/api/v1/hooks")).text();
    assert!(answer.contains("?…") && !answer.contains("hidden") && !answer.contains("abc"), "{answer}");
    let log = gateway.process.stderr();
    assert!(!log.contains("hidden") && !log.contains("token=abc"), "{log}");
}

#[test]
fn whoever_the_back_end_does_not_let_in_is_refused_in_words() {
    let backend = Backend::start();
    let gateway = Gateway::start(&["--hook", &backend.url("/"), "--hook-secret", SECRET]);
    for mode in ["1", "denied", "500", "garbage", "redirect"] {
        backend.answer(mode);
        let refused = rtmp::Client::publish(gateway.rtmp(), &format!("no-{mode}")).expect_err(mode);
        assert_eq!(refused.to_string(), "NetStream.Publish.Denied", "{mode}");
    }
    backend.answer("denied");
    let answer = gateway.get("/live/x.flv");
    assert!(answer.status == 403 && answer.text().contains("(play)"), "{}", answer.text());
    assert_eq!(gateway.get("/live/x.m3u8").status, 403);
    for mode in ["close", "huge"] {
        backend.answer(mode);
        let answer = gateway.get("/live/x.flv");
        assert!(
            answer.status == 503 && answer.text().contains("operator's server"),
            "{mode}: {}",
            answer.text()
        );
    }
    assert!(
        backend.requests().iter().all(|request| request["path"] != "/elsewhere"),
        "redirects are not followed"
    );
    wait::until_true("the reason in the log", LIMIT, || {
        gateway.process.stderr().contains("the operator's server has refused this (publish)")
    });
    // The operator tries the address out, and sees request and answer.
    let test = |id: &str| {
        let path = gateway.operator(&format!("/api/v1/hooks/{id}/test"));
        let answer = http::request(gateway.http(), "POST", &path, &[]);
        (answer.status, serde_json::from_slice::<Value>(&answer.body).expect("JSON"))
    };
    backend.answer("500");
    assert_eq!(http::request(gateway.http(), "POST", "/api/v1/hooks/0/test", &[]).status, 401);
    let (status, tested) = test("0");
    let last = &tested["hook"]["last"];
    assert_eq!((status, &last["action"], &last["status"]), (200, &"on_test".into(), &500.into()), "{tested}");
    assert_eq!(last["request"]["stream"], "test");
    assert_eq!(backend.bodies("action", "on_test").len(), 1);
    assert_eq!(test("1").0, 404);
    assert_eq!(test("x").0, 404);
    // A refused client is not told to have left.
    assert!(
        backend.actions("no-1").iter().all(|action| action == "on_connect"),
        "{:?}",
        backend.actions("no-1")
    );
    let state = state(&gateway);
    assert!(state["refused"].as_u64() >= Some(7) && state["failed"].as_u64() >= Some(2), "{state}");
    backend.answer("object");
    drop(rtmp::Client::publish(gateway.rtmp(), "yes").expect("the object lets in"));
    backend.wait("on_close", "yes");
}

#[test]
fn a_back_end_says_where_a_stream_is_sent_on_to() {
    let (backend, target) = (Backend::start(), Gateway::start(&[]));
    let asks = format!("on_forward={}", backend.url("/api/v1/forward"));
    let gateway = Gateway::start(&["--hook", &asks, "--hook-secret", SECRET, "--reconnect", "1"]);
    let to = |name: &str| format!("rtmp://{}/live/{name}?note=geheim", target.rtmp());
    backend.answer(&format!("forward {} {} rtmp://h/geheim", to("copy1"), to("copy2")));
    let forwards = || {
        let answer = gateway.get(&gateway.operator("/api/v1/forwards"));
        let list = serde_json::from_slice::<Value>(&answer.body).expect("JSON")["forwards"].clone();
        list.as_array().cloned().unwrap_or_default()
    };
    let publisher = publish(&gateway, "x", Clip::Av);
    wait::until_true("two forwards that send", LIMIT, || {
        let sends = |forward: &Value| forward["targets"][0]["state"] == "sending";
        forwards().len() == 2 && forwards().iter().all(sends)
    });
    for name in ["copy1", "copy2"] {
        let viewer = FlvViewer::http(target.http(), &format!("/live/{name}.flv"));
        viewer.wait_frames(VIDEO, 5, LIMIT);
    }
    let asked = backend.wait("on_forward", "x");
    assert_eq!((&asked["app"], &asked["vhost"]), (&"live".into(), &"__defaultVhost__".into()), "{asked}");
    assert!(forwards().iter().all(|forward| forward["once"] == true && forward["origin"] == "hook"));
    // The keys of the addresses are shown nowhere.
    let seen = [state(&gateway).to_string(), forwards()[0].to_string(), gateway.process.stderr()];
    assert!(seen.iter().all(|text| !text.contains("geheim")), "{seen:?}");
    assert!(seen[2].contains("forward of a hook not started"), "{}", seen[2]);
    // They end with the stream.
    drop(publisher);
    wait::until_true("the end of the forwards", LIMIT, || forwards().is_empty());
    // A back end that fails refuses nothing.
    for mode in ["500", "denied", "garbage", "close"] {
        backend.answer(mode);
        let name = format!("fails-{mode}");
        drop(rtmp::Client::publish(gateway.rtmp(), &name).expect("published"));
        backend.wait("on_forward", &name);
    }
    wait::until_true("the reasons in the log", LIMIT, || {
        gateway.process.stderr().matches("hook gives no forwards").count() == 4
    });
    assert!(forwards().is_empty());
}

#[test]
fn a_back_end_that_never_answers_holds_up_nobody_else() {
    let backend = Backend::start();
    let asks = format!("on_publish={}", backend.url("/"));
    let gateway = Gateway::start(&["--hook", &asks, "--hook-secret", SECRET]);
    let live = publish(&gateway, "live", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/live.flv");
    viewer.wait_frames(VIDEO, 1, LIMIT);
    backend.answer("never");
    let seen = viewer.frames(VIDEO).len();
    let begun = Instant::now();
    let refused = rtmp::Client::publish(gateway.rtmp(), "late").expect_err("refused");
    assert_eq!(refused.to_string(), "NetStream.Publish.Denied");
    assert!(begun.elapsed().as_secs_f64() >= 2.9, "the back end has three seconds");
    assert!(viewer.wait_frames(VIDEO, seen + 20, LIMIT).len() > seen && !live.ended());
    // As soon as it answers again, publishers come in.
    backend.answer("0");
    drop(rtmp::Client::publish(gateway.rtmp(), "late").expect("let in"));
}

#[test]
fn a_back_end_that_was_down_hears_everything_in_order_afterwards() {
    let mut backend = Backend::start();
    let tells = format!("on_unpublish+on_close={}", backend.url("/"));
    let gateway = Gateway::start(&["--hook", &tells, "--hook-secret", SECRET]);
    backend.kill();
    for stream in ["a", "b"] {
        for _ in 0..3 {
            let mut client = rtmp::Client::publish(gateway.rtmp(), stream).expect("published");
            client.send_tag(&Clip::Av.tags().1[0]).expect("sent");
            drop(client);
            // A publisher that finds the name taken is refused, and causes events of its own.
            wait::until_true("the publisher's end", LIMIT, || {
                gateway.stream(stream).is_none_or(|found| found["publish"]["active"] == false)
            });
        }
    }
    wait::until_true("twelve events that wait, and a try that has failed", LIMIT, || {
        let state = state(&gateway);
        state["waiting"] == 12 && state["failed"].as_u64() > Some(0)
    });
    let health = http::get(gateway.http(), "/healthz");
    assert_eq!(health.status, 200);
    backend.run();
    wait::until_true("all events", LIMIT, || backend.requests().len() == 12);
    for stream in ["a", "b"] {
        let bodies = backend.bodies("stream", stream);
        let order: Vec<(u64, &str)> = bodies
            .iter()
            .map(|body| {
                let id = body["client_id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
                (id, body["action"].as_str().expect("a text"))
            })
            .collect();
        assert!(order.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{order:?}");
        assert!(
            order.chunks(2).all(|pair| [pair[0].1, pair[1].1] == ["on_unpublish", "on_close"]),
            "{order:?}"
        );
    }
    wait::until_true("an empty queue", LIMIT, || state(&gateway)["waiting"] == 0);
    assert!(gateway.process.stderr().contains("hook works again"), "{}", gateway.process.stderr());
}

#[test]
fn an_hls_viewer_is_asked_about_once_and_leaves_once() {
    let backend = Backend::start();
    let plays = format!("on_play+on_stop={}", backend.url("/"));
    let gateway = Gateway::start(&["--hook", &plays, "--hook-secret", SECRET]);
    let _live = publish(&gateway, "x", Clip::Av);
    // A player is sent to the address with its pass.
    let list = |path: &str| {
        wait::until("a playlist with a segment", LIMIT, || {
            let sent = gateway.get(path);
            let to = format!("/{}", sent.header("location")?.trim_start_matches("../"));
            let answer = gateway.get(&to);
            let segment = answer.text().lines().find(|line| line.ends_with(".ts")).map(str::to_owned);
            let (folder, _) = to.rsplit_once('/')?;
            segment.filter(|_| answer.status == 200).map(|segment| (format!("{folder}/{segment}"), segment))
        })
    };
    let (segment, bare) = list("/live/x.m3u8");
    for _ in 0..3 {
        list("/live/x.m3u8");
        assert_eq!(gateway.get(&segment).status, 200);
    }
    assert_eq!(backend.bodies("action", "on_play").len(), 1);
    // Without its pass, a segment cannot be read.
    assert_eq!(gateway.get(&format!("/live/{bare}")).status, 401);
    assert_eq!(backend.wait("on_play", "x")["protocol"], "hls");
    let stopped = backend.wait("on_stop", "x");
    assert!(stopped["send_bytes"].as_u64() > Some(1000), "{stopped}");
    backend.answer("1");
    assert_eq!(gateway.get("/live/x.m3u8?another").status, 403);
}

#[test]
fn hooks_change_by_sighup_and_wrong_ones_do_not_start() {
    let backend = Backend::start();
    let dir = temp_dir("hook-config");
    let config = dir.join("lianmai.toml");
    let write = |hook: &str| fs::write(&config, format!("hook = [{hook}]\n")).expect("written");
    write("");
    let gateway = Gateway::start(&["--config", config.to_str().expect("a text")]);
    drop(rtmp::Client::publish(gateway.rtmp(), "x").expect("nobody is asked"));
    assert!(!gateway.data().join("hook-secret").exists());
    write(&format!("\"{}\"", backend.url("/")));
    gateway.process.signal("HUP");
    wait::until_true("a hook", LIMIT, || state(&gateway)["address"].is_string());
    // The secret is made with the first hook, and only its owner can read it.
    let secret = fs::read_to_string(gateway.data().join("hook-secret")).expect("kept");
    fs::write(backend.dir.join("secret"), &secret).expect("written");
    assert!(secret.starts_with("whsec_") && !gateway.process.stderr().contains(secret.trim()));
    backend.answer("1");
    assert!(rtmp::Client::publish(gateway.rtmp(), "y").is_err());
    assert!(
        !backend.requests().is_empty() && backend.requests().iter().all(|request| request["signed"] == true)
    );
    write("\"on_everything=http://127.0.0.1:1/\"");
    gateway.process.signal("HUP");
    wait::until_true("a warning", LIMIT, || gateway.process.stderr().contains("settings not reloaded"));
    assert!(rtmp::Client::publish(gateway.rtmp(), "z").is_err(), "the hook of before stays");
    write("");
    gateway.process.signal("HUP");
    wait::until_true("no hook", LIMIT, || state(&gateway).is_null());
    drop(rtmp::Client::publish(gateway.rtmp(), "z").expect("nobody is asked"));
    let _ = fs::remove_dir_all(dir);
}
