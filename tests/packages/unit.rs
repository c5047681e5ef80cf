//! Runs the command line of the service file as a service manager does.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use lianmai_tests::Process;
use lianmai_tests::gateway::LISTENERS;
use serde_json::Value;

use crate::{LIMIT, root, run};

/// A user without an account, as a service with `DynamicUser` has.
pub(crate) const USER: u32 = 61_234;

/// Whether this test may become another user.
pub(crate) fn is_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

/// A started service below a folder that stands for `/`.
pub(crate) struct Unit {
    pub(crate) process: Process,
    pub(crate) ready: Value,
    pub(crate) data: PathBuf,
    manager: UnixDatagram,
}

impl Unit {
    /// Starts the installed service: its `ExecStart` with its `Environment`, and free ports.
    #[track_caller]
    pub(crate) fn start(base: &Path) -> Self {
        let file = base.join("usr/lib/systemd/system/lianmai.service");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(value("Type"), ["notify"]);
        assert_eq!(value("DynamicUser"), ["yes"]);
        let state = base.join("var/lib");
        let data = state.join(&value("StateDirectory")[0]);
        fs::create_dir_all(&data).expect("a folder for the data");
        let run_folder = base.join("run");
        fs::create_dir_all(&run_folder).expect("a folder");
        if is_root() {
            for folder in [&data, &run_folder] {
                std::os::unix::fs::chown(folder, Some(USER), Some(USER)).expect("root may");
            }
        }
        let socket = run_folder.join("notify");
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        manager.set_read_timeout(Some(LIMIT)).expect("a timeout");
        fs::set_permissions(&socket, std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("ours");

        let line = value("ExecStart").concat();
        let words: Vec<String> = line.split(' ').map(|word| below(base, word)).collect();
        let mut command = as_user(&words[0]);
        command.args(&words[1..]).env_clear().current_dir("/");
        for pair in value("Environment") {
            let (name, value) = pair.split_once('=').expect("NAME=VALUE");
            command.env(name, value.replace("%S", &state.to_string_lossy()));
        }
        // The ports of the settings may be in use here.
        for listener in LISTENERS {
            let name = format!("LIANMAI_{}", listener.trim_start_matches('-').to_uppercase());
            command.env(name, "127.0.0.1:0");
        }
        let ready_file = run_folder.join("ready.json");
        command.env("LIANMAI_READY_FILE", &ready_file).env("NOTIFY_SOCKET", &socket);
        let process = Process::start(&mut command);
        let mut unit = Self { process, ready: Value::Null, data, manager };
        assert_eq!(unit.told(), "READY=1");
        let ready = fs::read(&ready_file).expect("a gateway that is ready has written it");
        unit.ready = serde_json::from_slice(&ready).expect("JSON");
        unit
    }

    /// The next state that the service manager is told.
    #[track_caller]
    pub(crate) fn told(&self) -> String {
        let mut bytes = [0; 64];
        let length =
            self.manager.recv(&mut bytes).unwrap_or_else(|e| panic!("{e}: {}", self.process.stderr()));
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// An address of the ready file, on this machine.
    pub(crate) fn address(&self, pointer: &str) -> String {
        let text = self.ready.pointer(pointer).and_then(Value::as_str).expect("the service listens");
        text.replace("[::]", "127.0.0.1").replace("0.0.0.0", "127.0.0.1")
    }
}

/// A command as a user without an account, if this test may become one.
pub(crate) fn as_user(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={USER}"), format!("--regid={USER}")]);
    command.args(["--clear-groups", "--no-new-privs", program]);
    command
}

/// A path of the system, below `base`.
fn below(base: &Path, word: &str) -> String {
    word.strip_prefix('/')
        .map_or_else(|| word.to_owned(), |path| base.join(path).to_string_lossy().into_owned())
}

#[test]
fn the_service_file_is_correct_and_hardened() {
    let file = root().join("packaging/lianmai.service");
    let folder = lianmai_tests::gateway::temp_dir("unit");
    // The linter wants the program of `ExecStart` to exist.
    let text = fs::read_to_string(&file).expect("the service file").replace("/usr/bin/lianmai", "/bin/true");
    let copy = folder.join("lianmai.service");
    fs::write(&copy, text).expect("ours");
    run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy));
    // 0 is the safest; a service without any protection has 9.6.
    let offline = ["security", "--offline=true", "--no-pager", "--threshold=25"];
    run(Command::new("systemd-analyze").args(offline).arg(&copy));
    let _ = fs::remove_dir_all(folder);
}
