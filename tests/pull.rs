//! Pulls: streams from other servers, which are real ones: a second gateway and its HLS, FLV and RTMP.

#[path = "pull/whep.rs"]
mod whep;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::relay::{self, LIMIT, publish, sources};
use lianmai_tests::{Clip, Gateway, Process, gateway, wait};
use serde_json::Value;

/// Returns the first source of the first pull.
#[track_caller]
fn source(gateway: &Gateway) -> Value {
    sources(gateway).into_iter().next().unwrap_or_default()
}

#[track_caller]
fn wait_state(gateway: &Gateway, state: &str) -> Value {
    relay::wait_state(state, || sources(gateway))
}

/// A viewer that waits for its stream: it asks again until the stream is there.
#[track_caller]
fn view(gateway: &Gateway, name: &str) -> FlvViewer {
    FlvViewer::http(gateway.http(), &format!("/live/{name}.flv"))
}

#[test]
fn the_first_viewer_starts_a_pull_and_the_last_one_ends_it() {
    let origin = Gateway::start(&[]);
    let _publisher = publish(&origin, "x", Clip::Av);
    let (rtmp, http) = (origin.rtmp(), origin.http());
    let secure = format!("rtmps://localhost:{}/live/{{stream}}", rtmp.port());
    let ca = origin.data().join("cert.pem");
    for from in [
        format!("rtmp://{rtmp}/{{app}}/{{stream}}"),
        secure,
        format!("http://{http}/live/{{stream}}.flv"),
        format!("http://{http}/live/{{stream}}.m3u8"),
    ] {
        let flags = ["--pull", &format!("live/*={from}"), "--pull-linger", "1", "--reconnect", "1"];
        let edge =
            Gateway::start(&[&flags[..], &["--remote-ca", ca.to_str().expect("a path of text")]].concat());
        assert!(edge.stream("x").is_none(), "nobody wants it yet");
        let mut viewers = [view(&edge, "x"), view(&edge, "x")].map(Some);
        for viewer in viewers.iter().flatten() {
            let video = viewer.wait_frames(VIDEO, 60, LIMIT);
            assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "{from}");
        }
        let state = wait_state(&edge, "receiving");
        assert_eq!((&state["stream"], &state["tries"]), (&"live/x".into(), &1.into()), "{from}");
        if from.starts_with("rtmp://") {
            let clients = origin.json("/api/v1/clients");
            let players = clients["clients"].as_array().into_iter().flatten();
            assert_eq!(
                players.filter(|client| client["publish"] == false).count(),
                1,
                "one for both viewers"
            );
        }
        viewers.iter_mut().for_each(|viewer| drop(viewer.take()));
        drop(edge);
    }
}

#[test]
fn a_pull_ends_after_its_last_viewer_and_begins_again_with_the_next() {
    let origin = Gateway::start(&[]);
    let _publisher = publish(&origin, "x", Clip::Av);
    let rule = format!("live/*=rtmp://{}/live/{{stream}}", origin.rtmp());
    let edge = Gateway::start(&["--pull", &rule, "--pull-linger", "1", "--reconnect", "1"]);
    for _ in 0..2 {
        // A player that ends: FlvViewer reads for ever.
        let url = edge.http_url("x.flv");
        let mut player = std::process::Command::new("ffmpeg");
        player.args(["-v", "error", "-i", &url, "-t", "1", "-c", "copy", "-f", "null", "-"]);
        let mut player = Process::start(&mut player);
        assert!(player.wait(LIMIT).success(), "{}", player.stderr());
        wait::until_true("the pull to end", LIMIT, || source(&edge).is_null() && edge.stream("x").is_none());
        wait::until_true("the origin to lose its viewer", LIMIT, || {
            let clients = origin.json("/api/v1/clients");
            clients["clients"].as_array().into_iter().flatten().all(|client| client["publish"] == true)
        });
    }
}

#[test]
fn a_local_publisher_takes_the_stream_over() {
    let origin = Gateway::start(&[]);
    let _remote = publish(&origin, "x", Clip::Av);
    let dir = gateway::temp_dir("pull");
    let file = dir.join("lianmai.toml");
    let text = format!(
        "[[pull]]\nstream = \"live/x\"\nfrom = \"rtmp://{}/live/x?note=geheim\"\nalways = true\n",
        origin.rtmp()
    );
    std::fs::write(&file, text).expect("a writable folder");
    let config = file.to_str().expect("a path of text");
    let edge = Gateway::start(&["--config", config, "--reconnect", "1"]);
    wait_state(&edge, "receiving");
    let viewer = view(&edge, "x");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    let local = publish(&edge, "x", Clip::Other);
    wait_state(&edge, "yielding");
    let video = viewer.wait_frames(VIDEO, viewer.frames(VIDEO).len() + 60, LIMIT);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
    drop(local);
    wait_state(&edge, "receiving");
    // The key of the address is shown nowhere.
    for text in [
        edge.get(&edge.operator("/api/v1/pulls")).text(),
        edge.get(&edge.operator("/api/v1/jobs")).text(),
        edge.process.stderr(),
        edge.process.stdout(),
    ] {
        assert!(!text.contains("geheim"), "{text}");
    }
    let pulls = edge.json(&edge.operator("/api/v1/pulls"));
    assert_eq!(pulls["pulls"][0]["from"], format!("rtmp://{}/live/••••", origin.rtmp()));
    assert_eq!(edge.get("/api/v1/pulls").status, 401);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_source_that_comes_back_continues_the_stream() {
    let mut origin = Gateway::start(&[]);
    let addr = origin.rtmp().to_string();
    let remote = publish(&origin, "x", Clip::Av);
    let edge = Gateway::start(&["--pull", &format!("live/x=rtmp://{addr}/live/x")]);
    let viewer = view(&edge, "x");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    origin.stop();
    drop((origin, remote));
    let state = wait_state(&edge, "retrying");
    assert!(state["last_words"].is_string(), "{state}");
    let origin = Gateway::start(&["--rtmp", &addr]);
    let _remote = publish(&origin, "x", Clip::Av);
    let seen = viewer.frames(VIDEO).len();
    let video = viewer.wait_frames(VIDEO, seen + 60, LIMIT);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "time goes on");
}

#[test]
fn sources_that_are_no_use_are_told_to_the_operator() {
    // Says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = Gateway::start(&[]);
    for (from, words) in [
        (format!("rtmp://{}/live/x", silent.local_addr().expect("it listens")), "did not answer"),
        (format!("rtmps://localhost:{}/live/x", origin.rtmp().port()), "certificate"),
        (format!("http://{}/", origin.http()), "not FLV"),
        (format!("http://{}/no/such/page", origin.http()), "404"),
    ] {
        let dir = gateway::temp_dir("pull");
        let file = dir.join("lianmai.toml");
        let text = format!("[[pull]]\nstream = \"live/x\"\nfrom = \"{from}\"\nalways = true\n");
        std::fs::write(&file, text).expect("a writable folder");
        let edge = Gateway::start(&["--config", file.to_str().expect("a path of text")]);
        let state = wait_state(&edge, "retrying");
        assert!(state["last_words"].as_str().is_some_and(|said| said.contains(words)), "{from}: {state}");
        assert!(edge.stream("x").is_none());
        let _ = std::fs::remove_dir_all(dir);
    }
    for (bad, words) in [("live/*=geheim", "pull of"), ("live/*x=rtmp://h/a/geheim", "pull of")] {
        let mut process = Process::start(&mut gateway::serve(&["--pull", bad]));
        assert!(!process.wait(LIMIT).success());
        assert!(process.stderr().contains(words) && !process.stderr().contains("geheim"));
    }
}

#[test]
fn pulled_streams_are_bounded() {
    let origin = Gateway::start(&[]);
    let _publishers = ["a", "b"].map(|name| publish(&origin, name, Clip::Av));
    let rule = format!("live/*=rtmp://{}/live/{{stream}}", origin.rtmp());
    let edge = Gateway::start(&["--pull", &rule, "--pull-max", "1", "--play-wait", "3"]);
    let first = view(&edge, "a");
    first.wait_frames(VIDEO, 5, LIMIT);
    let to = edge.http();
    let second = thread::spawn(move || lianmai_tests::http::get(to, "/live/b.flv").status);
    assert_eq!(second.join().expect("an answer"), 404);
    let pulls = edge.json(&edge.operator("/api/v1/pulls"));
    let sources = pulls["pulls"][0]["sources"].as_array().cloned().unwrap_or_default();
    assert!(sources.iter().any(|source| source["stream"] == "live/b" && source["state"] == "waiting"));
}

#[test]
fn names_that_nobody_publishes_leave_room_for_other_jobs() {
    // Accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let rule = format!("live/*=rtmp://{}/live/{{stream}}", silent.local_addr().expect("it listens"));
    let flags = ["--pull", &rule, "--pull-max", "4", "--play-wait", "3", "--pull-linger", "1"];
    let edge = Gateway::start(&flags);
    let to = edge.http();
    let ask =
        |n: usize| thread::spawn(move || lianmai_tests::http::get(to, &format!("/live/no{n}.flv")).status);
    let viewers: Vec<_> = (0..60).map(ask).collect();
    let sources = || {
        let pulls = edge.json(&edge.operator("/api/v1/pulls"));
        pulls["pulls"][0]["sources"].as_array().map_or(0, Vec::len)
    };
    wait::until("pulls and those that wait", LIMIT, || (sources() == 4 + 16).then_some(()));
    for viewer in viewers {
        assert_ne!(viewer.join().expect("an answer"), 200);
        assert!(sources() <= 4 + 16);
    }
    assert_eq!(edge.process.stderr().matches("too many wait for room").count(), 1);
    wait::until("the end of the pulls", LIMIT, || (sources() == 0).then_some(()));
}

#[test]
fn a_gateway_does_not_pull_from_itself() {
    let addr = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let rule = format!("*=rtmp://{addr}/{{app}}/x{{stream}}");
    let edge = Gateway::start(&["--rtmp", &addr.to_string(), "--pull", &rule, "--play-wait", "3"]);
    assert_ne!(lianmai_tests::http::get(edge.http(), "/live/x.flv").status, 200);
    let warned = edge.process.stderr();
    assert!(warned.contains("pulls the stream from itself"), "{warned}");
    assert!(!warned.contains("live/xxx"), "one viewer is one pull: {warned}");
}

#[test]
fn files_are_played_in_a_loop_without_a_jump_until_somebody_publishes() {
    let dir = gateway::temp_dir("file");
    // Three short files: FLV and MPEG-TS are read by the gateway, MP4 by ffmpeg.
    let file = |name: &str| {
        let path = dir.join(name);
        let mut ffmpeg = std::process::Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-y", "-t", "2", "-i"])
            .arg(Clip::Av.file())
            .args(["-c", "copy"])
            .arg(&path);
        let made = ffmpeg.output().expect("ffmpeg starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        path.to_str().expect("a path of text").to_owned()
    };
    let rule = format!("live/loop={},{},{}", file("a.flv"), file("b.ts"), file("c.mp4"));
    let edge = Gateway::start(&["--file", &rule, "--reconnect", "1"]);
    let viewer = view(&edge, "loop");
    // More than two rounds of all three.
    let video = viewer.wait_frames(VIDEO, 400, LIMIT);
    for pair in video.windows(2) {
        let step = pair[1].tag.time - pair[0].tag.time;
        assert!((10..=100).contains(&step), "a step of {step} ms at {} ms", pair[0].tag.time);
    }
    let local = publish(&edge, "loop", Clip::Other);
    wait_state(&edge, "yielding");
    drop(local);
    wait_state(&edge, "receiving");
    for (bad, words) in [("live/x=/no/such/file", "/no/such/file"), ("x=/etc/hostname", "file of")] {
        let mut process = Process::start(&mut gateway::serve(&["--file", bad]));
        assert!(!process.wait(LIMIT).success());
        assert!(process.stderr().contains(words), "{}", process.stderr());
    }
    let _ = std::fs::remove_dir_all(dir);
}

/// A web server that gives each request the answer of `answer`, which gets the path.
fn web_server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut line = String::new();
            let Ok(_) = BufReader::new(&socket).read_line(&mut line) else { continue };
            let path = line.split(' ').nth(1).unwrap_or_default();
            let body = answer(path);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = socket.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    addr
}

#[test]
fn playlists_with_impossible_content_are_told_to_the_operator() {
    let from = web_server(|path| {
        let (sequence, link) = match path {
            "/sequence.m3u8" => (u64::MAX.to_string(), "a.ts"),
            "/file.m3u8" => ("1".to_owned(), "file:///etc/passwd"),
            "/large.m3u8" => ("1".to_owned(), "x"),
            _ => return Vec::new(),
        };
        let lines = if path == "/large.m3u8" { 200_000 } else { 1 };
        let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
        (head + &format!("#EXTINF:1,\n{link}\n").repeat(lines)).into_bytes()
    });
    for (path, words) in
        [("sequence", "no possible numbers"), ("file", "does not begin with"), ("large", "too large")]
    {
        let dir = gateway::temp_dir("pull");
        let file = dir.join("lianmai.toml");
        let text =
            format!("[[pull]]\nstream = \"live/x\"\nfrom = \"http://{from}/{path}.m3u8\"\nalways = true\n");
        std::fs::write(&file, text).expect("a writable folder");
        let edge = Gateway::start(&["--config", file.to_str().expect("a path of text")]);
        let state = wait_state(&edge, "retrying");
        assert!(state["last_words"].as_str().is_some_and(|said| said.contains(words)), "{path}: {state}");
        assert!(!edge.process.stderr().contains("panicked"));
        let _ = std::fs::remove_dir_all(dir);
    }
}
