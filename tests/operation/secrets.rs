//! Wrong secrets, and files with secrets that other users can read.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use lianmai_tests::gateway::{self, temp_dir};
use lianmai_tests::{Gateway, http, rtmp, ws};

/// Attackers who try one secret after another with all protocols, until they are stopped.
struct Strangers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<usize>>,
    since: Instant,
}

impl Strangers {
    fn start(gateway: &Gateway, count: usize) -> Self {
        const DOORS: [(&str, &str); 13] = [
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
            ("RTMP", "publish"),
            ("RTMP", "play"),
        ];
        let (http, rtmp) = (gateway.http(), gateway.rtmp());
        let stop = Arc::new(AtomicBool::new(false));
        let stranger = |id: usize| {
            let stop = stop.clone();
            thread::spawn(move || {
                let doors = DOORS.into_iter().cycle().skip(id).enumerate();
                let tried =
                    doors.take_while(|_| !stop.load(Ordering::Relaxed)).filter(|(n, (method, path))| {
                        let secret = format!("secret=guess-{id}-{n}");
                        match (*method, *path) {
                            ("RTMP", "publish") => {
                                rtmp::Client::publish(rtmp, &format!("x?{secret}")).expect_err("a guess");
                                true
                            }
                            ("RTMP", _) => {
                                rtmp::Client::play(rtmp, &format!("x?{secret}")).expect_err("a guess");
                                true
                            }
                            _ => {
                                let answer = http::request(http, method, &format!("{path}?{secret}"), &[]);
                                answer.status != 429
                            }
                        }
                    });
                tried.count()
            })
        };
        Self { threads: (0..count).map(stranger).collect(), stop: stop.clone(), since: Instant::now() }
    }

    /// Stops them. Returns the number of tried secrets, and the seconds.
    fn stop(self) -> (usize, f64) {
        self.stop.store(true, Ordering::Relaxed);
        let tried = self.threads.into_iter().map(|thread| thread.join().expect("a stranger")).sum();
        (tried, self.since.elapsed().as_secs_f64())
    }
}

fn count(gateway: &Gateway, metric: &str) -> u64 {
    let text = gateway.get("/metrics?secret=s3cret").text();
    let lines = text.lines().filter(|line| line.starts_with(metric));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

#[test]
fn strangers_at_every_door_are_slow_and_delay_nobody_who_knows_the_secret() {
    let flags = [
        "--public",
        "--secret",
        "s3cret",
        "--play-secret",
        "watch",
        "--operator-secret",
        "0perate",
        "--play-wait",
        "1",
    ];
    let gateway = Gateway::start(&flags);
    let strangers = Strangers::start(&gateway, 12);
    let wrong = || count(&gateway, "lianmai_wrong_secrets_total");
    lianmai_tests::wait::until_true("guesses that are answered late", crate::LIMIT, || wrong() >= 20);
    // No client of this address has shown the right secret to the other protocols so far. All are admitted.
    let publisher = rtmp::Client::publish(gateway.rtmp(), "by-rtmp?secret=s3cret").expect("a publisher");
    let url = |query: &str| format!("ws://{}/live/by-ws.flv?{query}", gateway.http());
    let socket = ws::connect(&url("action=publish&secret=s3cret")).expect("a publisher");
    // Admitted: the publisher sends nothing that could be played.
    let refused = rtmp::Client::play(gateway.rtmp(), "by-rtmp?secret=watch").expect_err("no media");
    assert!(refused.to_string().contains("StreamNotFound"), "{refused}");
    for (method, path, wanted) in [
        ("GET", "/api/v1/clients?secret=0perate", 200),
        ("GET", "/api/v1/streams?secret=watch", 200),
        ("GET", "/live/x/viewers?secret=watch", 200),
        // Admitted: there is no stream, and an empty body is not an offer.
        ("HEAD", "/live/x.flv?secret=watch", 404),
        ("POST", "/live/x/whip?secret=s3cret", 400),
        ("POST", "/live/x/whep?secret=watch", 400),
    ] {
        let answer = http::request(gateway.http(), method, path, &[]);
        assert_eq!(answer.status, wanted, "{method} {path}: {}", answer.text());
    }
    assert!(gateway.get("/api/v1/versions?secret=s3cret").text().contains("\"may_publish\":true"));
    drop((publisher, socket));
    let (tried, seconds) = strangers.stop();
    // Twelve wait for an answer each, of at least 1 s after the first ones.
    assert!(tried as f64 <= 5.0 + 12.0 * (seconds + 1.0), "{tried} in {seconds} s");
    assert!(gateway.process.stderr().contains("wrong secret"), "{}", gateway.process.stderr());
}

/// Sends a request without waiting for its response.
fn ask(gateway: &Gateway, path: &str, lines: &str) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.http()).expect("the gateway listens");
    socket.set_read_timeout(Some(crate::LIMIT)).expect("a timeout can be set");
    let head = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}\r\n");
    socket.write_all(head.as_bytes()).expect("a request");
    socket
}

fn status(mut socket: TcpStream) -> u16 {
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    if answer.contains(" 429 ") {
        assert!(answer.to_lowercase().contains("\r\nretry-after: "), "{answer}");
    }
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
}

#[test]
fn whatever_a_forwarder_lets_a_stranger_say_the_guesses_are_few() {
    let gateway = Gateway::start(&["--public", "--operator-secret", "s3cret"]);
    let publisher = "X-Forwarded-For: 192.0.2.1\r\n";
    let right = || status(ask(&gateway, "/api/v1/clients?secret=s3cret", publisher));
    assert_eq!(right(), 200);
    let since = Instant::now();
    let guess = |n: usize| {
        let lines = format!("X-Forwarded-For: 198.51.{}.{}\r\n", n / 200, n % 200);
        ask(&gateway, &format!("/api/v1/clients?secret=guess{n}"), &lines)
    };
    let asked: Vec<TcpStream> = (0..400).map(guess).collect();
    assert_eq!(right(), 200, "an address that knew the secret is let in");
    let compared = asked.into_iter().map(status).filter(|status| *status != 429).count();
    // 40 immediately, and 64 in each 4 s.
    let most = 40 + 64 * (1 + since.elapsed().as_secs() as usize / 4);
    assert!((40..=most).contains(&compared), "{compared} of 400 were compared");
    assert_eq!(gateway.get("/healthz").status, 200);
}

#[test]
fn a_long_secret_is_let_in_while_one_address_tries_thousands() {
    let secret = "correct-horse-battery";
    let gateway = Gateway::start(&["--public", "--secret", secret, "--operator-secret", secret]);
    let mut asked: Vec<TcpStream> =
        (0..100).map(|n| ask(&gateway, &format!("/api/v1/clients?secret=guess{n}"), "")).collect();
    // No client here has shown it before.
    let publisher =
        rtmp::Client::publish(gateway.rtmp(), &format!("x?secret={secret}")).expect("a publisher");
    assert_eq!(gateway.get(&format!("/api/v1/clients?secret={secret}")).status, 200);
    let paused = asked.drain(..).map(status).filter(|status| *status == 429).count();
    assert!(paused > 0, "no flood");
    drop(publisher);
}

/// Returns the error text of a gateway that does not start with this data folder.
fn refusal(data: &Path, flags: &[&str]) -> String {
    let output = gateway::serve(flags).arg("--data").arg(data).output().expect("it runs");
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
    for name in ["publish-secret", "operator-secret", "key.pem"] {
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
    let mut serve = gateway::serve(&[]);
    serve.arg("--data").arg(dir.join("data")).arg("--ready-file").arg(&ready);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(serve.get_program()).args(serve.get_args());
    let mut process = lianmai_tests::Process::start(&mut shell);
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
    fs::write(dir.join("lianmai.toml"), "open = true\n").expect("ours");
    let mut command = gateway::serve(&["--data", "data"]);
    let process = lianmai_tests::Process::start(command.current_dir(&dir));
    let path = dir.join("lianmai.toml").display().to_string();
    lianmai_tests::wait::until_true("the file's name in the log", crate::LIMIT, || {
        process.stderr().lines().any(|line| line.contains(&path) && line.contains("open=true"))
    });
}
