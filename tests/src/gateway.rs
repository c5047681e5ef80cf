//! The real server, as a process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::http;
use crate::process::Process;
use crate::wait;

/// A running `lianmai serve` on its own ports.
#[derive(Debug)]
pub struct Gateway {
    /// The server's process.
    pub process: Process,
    /// The content of its ready file.
    pub ready: Value,
    dir: PathBuf,
    data: PathBuf,
    /// The value of `--operator-secret`.
    operator: Option<String>,
}

impl Gateway {
    /// Starts a gateway with the defaults of `lianmai serve` and these `flags`.
    #[track_caller]
    pub fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[])
    }

    /// The same with these environment variables.
    #[track_caller]
    pub fn start_with(flags: &[&str], variables: &[(&str, String)]) -> Self {
        let dir = temp_dir("gateway");
        let ready_file = dir.join("ready.json");
        let mut command = serve(flags);
        command.arg("--ready-file").arg(&ready_file);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let data = dir.join("data");
        if !flags.contains(&"--data") {
            command.arg("--data").arg(&data);
        }
        let mut process = Process::start(&mut command);
        let ready = wait::until("the gateway's ready file", Duration::from_secs(60), || {
            if let Some(status) = process.ended() {
                panic!("lianmai {flags:?} ended with {status} instead of listening");
            }
            // The file is renamed into place; an incomplete one is not JSON.
            serde_json::from_slice(&fs::read(&ready_file).ok()?).ok()
        });
        let told = |name| flags.iter().position(|flag| *flag == name).and_then(|at| flags.get(at + 1));
        let data = told("--data").map_or(data, PathBuf::from);
        let operator = told("--operator-secret").map(|secret| (*secret).to_owned());
        Self { process, ready, dir, data, operator }
    }

    /// Returns the RTMP listener's address.
    #[track_caller]
    pub fn rtmp(&self) -> SocketAddr {
        address(&self.ready["rtmp"])
    }

    /// Returns the first HTTP listener's address.
    #[track_caller]
    pub fn http(&self) -> SocketAddr {
        address(&self.ready["http"][0])
    }

    /// Returns the HTTPS listener's address.
    #[track_caller]
    pub fn https(&self) -> SocketAddr {
        address(&self.ready["https"])
    }

    /// Returns the address for WebRTC media, over UDP and TCP.
    #[track_caller]
    pub fn webrtc(&self) -> SocketAddr {
        address(&self.ready["webrtc"])
    }

    /// Returns `rtmp://…/live/NAME`; `name` may include a query.
    pub fn rtmp_url(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.rtmp())
    }

    /// Returns `http://…/live/NAME`; `name` includes its extension and may include a query.
    pub fn http_url(&self, name: &str) -> String {
        format!("http://{}/live/{name}", self.http())
    }

    /// Returns the WebSocket address to publish `live/NAME`.
    pub fn ws_publish_url(&self, name: &str) -> String {
        format!("ws://{}/live/{name}.flv?action=publish", self.http())
    }

    /// Returns `ws://…/live/NAME`.
    pub fn ws_url(&self, name: &str) -> String {
        format!("ws://{}/live/{name}", self.http())
    }

    /// Returns its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Requests `GET path`.
    #[track_caller]
    pub fn get(&self, path: &str) -> http::Response {
        http::get(self.http(), path)
    }

    /// Requests `path`, and follows one redirection on this gateway. Returns the path that answered, and the answer.
    pub fn follow(&self, path: &str) -> (String, http::Response) {
        let answer = self.get(path);
        let Some(to) = answer.header("location").filter(|_| answer.status == 302) else {
            return (path.to_owned(), answer);
        };
        // Relative to the folder of `path`.
        let mut folder =
            path.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let mut rest = to;
        while let Some(up) = rest.strip_prefix("../") {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            rest = up;
        }
        let to = if rest.starts_with('/') { rest.to_owned() } else { format!("{folder}/{rest}") };
        let answer = self.get(&to);
        (to, answer)
    }

    /// Returns `path` with the operator's secret.
    pub fn operator(&self, path: &str) -> String {
        let kept = || fs::read_to_string(self.data.join("operator-secret")).ok();
        let Some(secret) = self.operator.clone().or_else(kept) else { return path.to_owned() };
        let escaped: String = secret.trim().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}secret={escaped}")
    }

    /// Requests `GET path` as JSON, as the operator where that is needed.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let operators = ["/api/v1/clients", "/api/v1/streams", "/api/v1/summaries"];
        let is_operators = operators.iter().any(|start| path.starts_with(start));
        let asked = if is_operators { &self.operator(path) } else { path };
        let response = self.get(asked);
        assert_eq!(response.status, 200, "GET {path}: {}", response.text());
        serde_json::from_slice(&response.body).unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// Returns the stream `live/NAME` from `/api/v1/streams`, if it exists.
    #[track_caller]
    pub fn stream(&self, name: &str) -> Option<Value> {
        let streams = self.json("/api/v1/streams?count=1000");
        streams["streams"].as_array()?.iter().find(|s| s["name"] == name && s["app"] == "live").cloned()
    }

    /// Waits until `live/NAME` has a publisher.
    #[track_caller]
    pub fn wait_published(&self, name: &str) {
        wait::until_true(&format!("live/{name} to be published"), Duration::from_secs(60), || {
            self.stream(name).is_some_and(|stream| stream["publish"]["active"] == true)
        });
    }

    /// Returns the number of established TCP connections to its listeners.
    pub fn connections(&self) -> usize {
        // IPv4 connections of a socket for both families are in the second table.
        let table = |name| fs::read_to_string(format!("/proc/{}/net/{name}", self.process.pid()));
        let table = ["tcp", "tcp6"].map(|name| table(name).unwrap_or_default()).concat();
        let ports =
            [self.rtmp().port(), self.http().port(), self.https().port()].map(|port| format!(":{port:04X}"));
        let established = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            matches!(fields[..], [_, local, _, "01", ..] if ports.iter().any(|port| local.ends_with(port)))
        };
        table.lines().filter(established).count()
    }

    /// Returns resident memory in bytes.
    pub fn rss(&self) -> u64 {
        rss(self.process.pid())
    }

    /// Stops it by SIGTERM and returns its exit status.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.wait(Duration::from_secs(60))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[track_caller]
fn address(value: &Value) -> SocketAddr {
    let text = value.as_str().expect("the ready file has this address");
    let addr: SocketAddr = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    // A public gateway listens everywhere; it is reached here.
    if addr.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, addr.port()).into() } else { addr }
}

/// Returns resident memory of process `pid` in bytes.
pub fn rss(pid: u32) -> u64 {
    memory(pid, "VmRSS:")
}

/// Returns resident memory of process `pid` in bytes, without the pages of its program and libraries.
pub fn anonymous_memory(pid: u32) -> u64 {
    memory(pid, "RssAnon:")
}

fn memory(pid: u32, kind: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find(|line| line.starts_with(kind)).expect("status has this line");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("memory is a number");
    kib * 1024
}

/// Returns cargo's folder for this profile: `target/debug` or `target/release`.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("this program has a path");
    // target/PROFILE/deps/test-hash, or target/PROFILE/name.
    let dir = exe.parent().expect("a program is in a folder");
    if dir.ends_with("deps") { dir.parent().unwrap_or(dir).to_owned() } else { dir.to_owned() }
}

/// Creates a folder below cargo's target folder.
pub fn temp_dir(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = cache_dir().join(format!("{name}-{}-{n}", std::process::id()));
    fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

/// Returns the folder for files that later runs may reuse.
pub fn cache_dir() -> PathBuf {
    let target = profile_dir().parent().expect("target/PROFILE has a parent").to_owned();
    let dir = target.join("tmp/lianmai");
    fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

/// The settings of `lianmai serve` with a listener's address. Their defaults are fixed ports.
pub const LISTENERS: [&str; 4] = ["--rtmp", "--http", "--https", "--webrtc"];

/// The system assigns ports from here on; the defaults of the settings are below.
const FIRST_FREE_PORT: u16 = 10_000;

/// Returns the command `lianmai serve FLAGS…`. Listeners that `flags` do not name get port 0.
///
/// # Panics
///
/// If a flag names a fixed port: a gateway of the person who runs the tests may use it.
#[track_caller]
pub fn serve(flags: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("serve").args(flags);
    for listener in LISTENERS {
        let Some(at) = flags.iter().position(|flag| *flag == listener) else {
            command.args([listener, "127.0.0.1:0"]);
            continue;
        };
        let addresses = flags.get(at + 1).into_iter().flat_map(|value| value.split(','));
        for address in addresses.filter(|address| !address.is_empty()) {
            let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(1);
            assert!(
                port == 0 || port >= FIRST_FREE_PORT,
                "{listener} {address}: tests listen on port 0, or where one of their listeners was"
            );
        }
    }
    command
}

/// Returns the command `lianmai SUBCOMMAND …`, which does not listen.
#[track_caller]
pub fn subcommand(name: &str) -> Command {
    assert_ne!(name, "serve", "gateway::serve chooses the ports");
    let mut command = Command::new(binary());
    command.arg(name);
    command
}

/// Returns the server's program file, to be packed. Tests start it with [`serve`].
pub fn program() -> &'static Path {
    binary()
}

/// Returns the server's binary: the value of `LIANMAI`, or else this profile's, built if it is not up to
/// date.
///
/// Private, so that every test that starts a gateway uses [`serve`].
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("LIANMAI") {
            return given.into();
        }
        let dir = profile_dir();
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--package", "gateway", "--bin", "lianmai"]);
        build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        if dir.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().is_ok_and(|status| status.success()), "the gateway does not build");
        dir.join("lianmai")
    })
}

#[cfg(test)]
mod tests;
