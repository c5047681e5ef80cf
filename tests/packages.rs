//! What users install: the Debian package, the tarball, and the container image's steps.

#[path = "packages/deb.rs"]
mod deb;
#[path = "packages/image.rs"]
mod image;
#[path = "packages/tarball.rs"]
mod tarball;
#[path = "packages/unit.rs"]
mod unit;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use lianmai_tests::gateway::temp_dir;

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(120);

/// The workspace root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}

/// Returns the folder with the packages of the program that the tests start, made once.
#[track_caller]
fn dist() -> &'static Path {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(|| {
        let dist = temp_dir("dist");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut xtask = Command::new(cargo);
        xtask.current_dir(root()).args(["run", "--quiet", "--package", "xtask", "--", "dist", "server"]);
        let made = xtask.arg(lianmai_tests::gateway::program()).arg(&dist).output().expect("cargo runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        dist
    })
}

/// Returns the only file in the folder of packages with this ending.
#[track_caller]
fn package(ending: &str) -> PathBuf {
    let entries = dist().read_dir().expect("the folder was made");
    let mut found = entries.map(|entry| entry.expect("an entry").path());
    found.find(|path| path.to_string_lossy().ends_with(ending)).expect("the package was made")
}

/// Runs a command and returns its output.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}");
    text
}
