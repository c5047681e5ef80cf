//! The gateway as a service: its files, signals, variables and settings.

use std::fs;
use std::os::unix::net::UnixDatagram;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::gateway::{serve, subcommand, temp_dir};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, Process, http, rtmp, wait};

use crate::{LIMIT, publish};

#[test]
fn a_hangup_reloads_the_secrets_and_the_log_and_ends_no_stream() {
    let dir = temp_dir("reload");
    let file = dir.join("lianmai.toml");
    let write = |text: &str| fs::write(&file, text).expect("a writable folder");
    write("public = true\nsecret = \"first-secret\"\nlog = \"warn\"\n");
    let config = file.to_str().expect("text");
    let mut gateway = Gateway::start(&["--config", config]);
    let operator = fs::read_to_string(gateway.data().join("operator-secret")).expect("it was made");
    let (flags, tags) = Clip::Av.minutes(2);
    let url = format!("{}&secret=first-secret", gateway.ws_publish_url("x"));
    let _publisher = lianmai_tests::publisher::WsPublisher::start(&url, flags, tags, 1.0);
    gateway.wait_published("x");
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);

    // The operator's secret is a file; the other one is a setting.
    fs::write(gateway.data().join("operator-secret"), "another-operator\n").expect("ours");
    write("public = true\nsecret = \"second-secret\"\nlog = \"info\"\npull_linger = 7\n");
    gateway.process.signal("HUP");
    let reloaded = |gateway: &Gateway| {
        let log = gateway.process.stderr();
        log.lines().filter(|line| line.contains("settings reloaded")).map(str::to_owned).collect::<Vec<_>>()
    };
    wait::until_true("the reload", LIMIT, || !reloaded(&gateway).is_empty());
    let line = reloaded(&gateway).concat();
    assert!(line.contains("changed=\"secret operator_secret log\""), "{line}");
    assert!(line.contains("needs_restart=\"pull_linger\""), "{line}");
    assert!(!gateway.process.stderr().contains("second-secret"), "a secret is in the log");

    let status = |secret: &str| {
        http::request(gateway.http(), "GET", &format!("/api/v1/clients?secret={secret}"), &[]).status
    };
    assert_eq!((status(operator.trim()), status("another-operator")), (403, 200));
    let try_publish = |secret: &str| rtmp::Client::publish(gateway.rtmp(), &format!("y?secret={secret}"));
    assert!(try_publish("first-secret").is_err());
    drop(try_publish("second-secret").expect("the new secret publishes"));
    // The running stream goes on.
    let seen = viewer.frames(VIDEO).len();
    viewer.wait_frames(VIDEO, seen + 10, LIMIT);

    // Settings that cannot be read change nothing.
    write("secret = 5\n");
    gateway.process.signal("HUP");
    wait::until_true("the refusal", LIMIT, || gateway.process.stderr().contains("settings not reloaded"));
    assert_eq!(status("another-operator"), 200);
    assert_eq!(gateway.stop().code(), Some(0));
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn a_service_manager_is_told_and_the_ready_file_goes_with_the_process() {
    let dir = temp_dir("manager");
    let socket = dir.join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_read_timeout(Some(LIMIT)).expect("a timeout");
    let mut told = [0; 64];
    let mut hear = || {
        let length = manager.recv(&mut told).expect("a state");
        String::from_utf8_lossy(&told[..length]).into_owned()
    };
    let ready = dir.join("ready.json");
    let mut command = serve(&["--ready-file", ready.to_str().expect("text")]);
    command.arg("--data").arg(dir.join("data"));
    let mut process = Process::start(command.env("NOTIFY_SOCKET", &socket));
    assert_eq!(hear(), "READY=1");
    assert!(ready.exists(), "{}", process.stderr());
    process.terminate();
    assert_eq!(hear(), "STOPPING=1");
    assert!(process.wait(LIMIT).success());
    assert!(!ready.exists(), "a script would believe a process that has ended");
    let log = process.stderr();
    assert!(log.contains("gateway started") && log.contains("rtmp=127.0.0.1:"), "{log}");
    assert!(log.contains("gateway stopping") && log.contains("SIGTERM"), "{log}");
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn two_gateways_do_not_share_a_data_folder() {
    let mut first = Gateway::start(&[]);
    let data = first.data().to_str().expect("text").to_owned();
    let mut second = Process::start(&mut serve(&["--data", &data]));
    assert!(!second.wait(LIMIT).success());
    let words = second.stderr();
    assert!(words.contains(&format!("(process {})", first.process.pid())), "{words}");
    assert!(words.contains("--data") && words.contains(&data), "{words}");
    assert_eq!(first.get("/healthz").status, 200);
    // After the end of the first, in whatever way, the folder is free.
    first.process.signal("KILL");
    first.process.wait(LIMIT);
    drop(Gateway::start(&["--data", &data]));
}

#[test]
fn variables_of_kubernetes_do_not_keep_it_from_starting_and_unknown_ones_are_named() {
    let variables = [
        ("LIANMAI_SERVICE_HOST", "10.0.0.1".to_owned()),
        ("LIANMAI_PORT", "tcp://10.0.0.1:1935".to_owned()),
        ("LIANMAI_PORT_1935_TCP_ADDR", "10.0.0.1".to_owned()),
        ("LIANMAI_MAX_STREAM", "5".to_owned()),
        ("LIANMAI_LOG", "debg".to_owned()),
    ];
    let gateway = Gateway::start_with(&[], &variables);
    let log = gateway.process.stderr();
    assert!(log.contains("LIANMAI_MAX_STREAM") && !log.contains("LIANMAI_PORT"), "{log}");
    assert!(log.contains("debg") && log.contains("is not a level"), "{log}");
}

#[test]
fn a_public_gateway_is_reached_over_both_families_and_protocols_can_be_turned_off() {
    let gateway = Gateway::start(&["--public", "--rtmp", "", "--webrtc", "", "--http", ":0"]);
    let port = gateway.http().port();
    for host in ["127.0.0.1", "[::1]"] {
        let to = format!("{host}:{port}").parse().expect("an address");
        assert_eq!(http::get(to, "/healthz").status, 200, "{host}");
    }
    assert!(gateway.ready.get("rtmp").is_none() && gateway.ready.get("webrtc").is_none());
    assert_eq!(gateway.json("/api/v1/versions")["data"]["rtmp_port"], 0);
    let offer = http::request(gateway.http(), "POST", "/live/x/whip", &[]);
    assert!(matches!(offer.status, 404 | 405), "{}", offer.text());
    assert!(!gateway.process.stdout().contains("rtmp://"), "{}", gateway.process.stdout());
    // IPv4 addresses are shown as such.
    let key = fs::read_to_string(gateway.data().join("publish-secret")).expect("it was made");
    let (flags, tags) = Clip::Av.minutes(1);
    let url = format!("{}&secret={}", gateway.ws_publish_url("x"), key.trim());
    let _publisher = lianmai_tests::publisher::WsPublisher::start(&url, flags, tags, 1.0);
    gateway.wait_published("x");
    assert!(gateway.process.stderr().contains("peer=127.0.0.1:"), "{}", gateway.process.stderr());
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_setting() {
    let dir = temp_dir("unusable");
    let file = dir.join("file");
    fs::write(&file, "no folder").expect("ours");
    for (flags, words) in [
        (vec!["--public", "--data", file.to_str().expect("text")], ["publish-secret", "--data"]),
        (vec!["--ready-file", "/nowhere/at/all/ready.json"], ["/nowhere/at/all/ready.json", "--ready-file"]),
    ] {
        let mut command = serve(&flags);
        if !flags.contains(&"--data") {
            command.arg("--data").arg(dir.join("data"));
        }
        let mut process = Process::start(&mut command);
        assert!(!process.wait(LIMIT).success());
        let told = process.stderr();
        assert!(words.iter().all(|word| told.contains(word)), "{flags:?}: {told}");
    }
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn a_service_that_starts_in_the_root_folder_asks_for_a_data_folder() {
    let mut process = Process::start(serve(&["--public"]).current_dir("/"));
    assert!(!process.wait(LIMIT).success());
    let words = process.stderr();
    assert!(words.contains("/lianmai-data") && words.contains("--data"), "{words}");
    assert!(!std::path::Path::new("/lianmai-data").exists());
}

#[test]
fn no_limit_is_no_limit_and_no_secret_is_printed() {
    let gateway = Gateway::start(&["--max-connections", "0", "--max-streams", "0", "--max-pending", "0"]);
    assert_eq!(gateway.get("/healthz").status, 200);
    let _publisher = publish(&gateway, "x", Clip::VideoOnly);
    let printed = subcommand("config").arg("--print").env("LIANMAI_SECRET", "geheim").output();
    let printed = String::from_utf8(printed.expect("it runs").stdout).expect("text");
    assert!(!printed.contains("geheim") && printed.contains("# secret = is set"), "{printed}");
}

#[test]
fn a_hangup_before_the_settings_are_read_does_not_end_the_gateway() {
    let dir = temp_dir("early");
    let config = dir.join("settings");
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&config).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    // The gateway waits for its settings, because nobody writes into the pipe.
    let ready = dir.join("ready.json");
    let mut command = serve(&["--config", config.to_str().expect("text")]);
    command.arg("--data").arg(dir.join("data")).arg("--ready-file").arg(&ready);
    let mut process = Process::start(&mut command);
    let status = format!("/proc/{}/status", process.pid());
    wait::until_true("a handler of SIGHUP", LIMIT, || {
        assert!(process.ended().is_none(), "it ended");
        let text = fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    });
    assert!(!ready.exists() && !process.stderr().contains("gateway started"));
    process.signal("HUP");
    fs::write(&config, "max_streams = 7\n").expect("the gateway reads");
    // The reload that the signal asks for reads the pipe again.
    wait::until_true("the ready file", LIMIT, || ready.exists());
    fs::write(&config, "max_streams = 7\n").expect("the gateway reads");
    wait::until_true("the reload", LIMIT, || process.stderr().contains("settings reloaded"));
    assert!(process.ended().is_none());
    drop(process);
    let _ = fs::remove_dir_all(dir);
}
