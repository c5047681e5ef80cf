//! Wrong secrets, and files with secrets that others can read.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use lianmai_tests::gateway::{self, temp_dir};
use lianmai_tests::{Gateway, http, rtmp};

#[test]
fn guesses_at_every_door_are_counted_and_slowed_together() {
    let gateway = Gateway::start(&["--public", "--secret", "s3cret", "--play-secret", "watch"]);
    let doors = [
        ("GET", "/api/v1/versions"),
        ("GET", "/api/v1/clients"),
        ("GET", "/api/v1/streams"),
        ("GET", "/metrics"),
        ("GET", "/live/x/viewers"),
        ("GET", "/live/x.m3u8"),
        ("GET", "/live/x.flv"),
        ("HEAD", "/live/x.flv"),
        ("POST", "/live/x.flv"),
        ("POST", "/live/x/whip"),
        ("POST", "/live/x/whep"),
    ];
    let start = Instant::now();
    let mut looked_at = 0;
    for n in 0..20 {
        for (method, path) in doors {
            let answer = http::request(gateway.http(), method, &format!("{path}?secret=guess{n}"), &[]);
            if answer.status == 429 {
                assert!(
                    answer.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()),
                    "{path}"
                );
            } else {
                looked_at += 1;
            }
        }
    }
    // Of one address five at once, and then one per pause of two seconds and more. One secret at several
    // doors is one guess.
    let most = 5 * doors.len() + start.elapsed().as_secs() as usize;
    assert!(looked_at <= most, "{looked_at} of 220 were looked at");
    assert!(looked_at >= 5);
    // RTMP hears it, too; right or wrong is not said. Without a secret nothing is slowed.
    assert!(rtmp::Client::publish(gateway.rtmp(), "x?secret=s3cret").is_err());
    assert_eq!(gateway.get("/healthz").status, 200);
    let other = ["X-Forwarded-For: 192.0.2.1"];
    let metrics = http::request(gateway.http(), "GET", "/metrics?secret=s3cret", &other);
    assert_eq!(metrics.status, 200, "an address behind a proxy waits for itself alone");
    assert!(metrics.text().contains("lianmai_wrong_secrets_total{"), "{}", metrics.text());
    assert!(gateway.process.stderr().contains("wrong secret"), "{}", gateway.process.stderr());
}

/// What a gateway with this data folder says when it does not start.
fn refusal(data: &Path, flags: &[&str]) -> String {
    let mut command = Command::new(gateway::binary());
    command.arg("serve").arg("--data").arg(data).args(flags);
    for flag in ["--rtmp", "--http", "--https", "--webrtc"] {
        command.args([flag, "127.0.0.1:0"]);
    }
    let output = command.output().expect("it runs");
    assert!(!output.status.success(), "it started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn secrets_that_others_can_read_are_refused_with_the_cure() {
    let data = temp_dir("wide").join("data");
    drop(Gateway::start(&["--data", data.to_str().expect("text"), "--public"]));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    assert_eq!((mode(&data), mode(&data.join("publish-secret"))), (0o700, 0o600));
    for name in ["publish-secret", "key.pem"] {
        let path = data.join(name);
        for wide in [0o644, 0o666, 0o640] {
            set(&path, wide);
            let words = refusal(&data, &["--public"]);
            assert!(words.contains(&format!("chmod 600 {}", path.display())), "{words}");
        }
        set(&path, 0o600);
    }
    set(&data, 0o777);
    let words = refusal(&data, &["--public"]);
    assert!(words.contains("chmod o-w"), "{words}");
    set(&data, 0o755);
    fs::remove_file(data.join("publish-secret")).expect("ours");
    symlink("/nowhere/at/all", data.join("publish-secret")).expect("a link");
    let words = refusal(&data, &["--public"]);
    assert!(words.contains("publish-secret") && words.contains("link"), "{words}");
}

#[test]
fn the_ready_file_follows_no_link_and_the_umask_opens_nothing() {
    let dir = temp_dir("umask");
    let (victim, ready) = (dir.join("victim"), dir.join("ready.json"));
    fs::write(&victim, "precious").expect("ours");
    symlink(&victim, dir.join("ready.json.part")).expect("a link");
    let script = format!(
        "umask 0; exec {} serve --data {} --rtmp 127.0.0.1:0 --http 127.0.0.1:0 --https 127.0.0.1:0 --webrtc 127.0.0.1:0 --ready-file {}",
        gateway::binary().display(),
        dir.join("data").display(),
        ready.display()
    );
    let mut process = lianmai_tests::Process::start(Command::new("sh").args(["-c", &script]));
    lianmai_tests::wait::until_true("the ready file", crate::LIMIT, || {
        assert!(process.ended().is_none(), "{}", process.stderr());
        ready.exists()
    });
    assert_eq!(fs::read_to_string(&victim).expect("ours"), "precious");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(&ready), 0o644);
    assert_eq!(mode(&dir.join("data")), 0o700);
    for name in ["operator-secret", "key.pem"] {
        assert_eq!(mode(&dir.join("data").join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_settings_file_that_was_found_is_named_in_the_log() {
    let dir = temp_dir("found");
    fs::write(dir.join("lianmai.toml"), "open = true\nhttp = [\"127.0.0.1:0\"]\n").expect("ours");
    let mut command = Command::new(gateway::binary());
    command.current_dir(&dir).arg("serve").args(["--data", "data"]);
    for flag in ["--rtmp", "--https", "--webrtc"] {
        command.args([flag, "127.0.0.1:0"]);
    }
    let process = lianmai_tests::Process::start(&mut command);
    let path = dir.join("lianmai.toml").display().to_string();
    lianmai_tests::wait::until_true("the file's name in the log", crate::LIMIT, || {
        process.stderr().lines().any(|line| line.contains(&path) && line.contains("open=true"))
    });
}
