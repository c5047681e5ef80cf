//! Runs programs and finds files, relative to the workspace root.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// The error is a sentence for the person at the terminal.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// Returns the workspace root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Returns cargo's target folder.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Returns the cargo that runs this program.
pub(crate) fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns cargo's `action` (`build`, `test`) for the workspace, with the features of all its programs.
///
/// Every build names the same packages and features: with another choice cargo would compile the shared libraries
/// again, with fewer features.
pub(crate) fn workspace(action: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([action, "--workspace", "--features", "xtask/bindgen,xtask/bundler"]);
    cargo
}

/// Builds a program of the workspace for development. Returns its path.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    run(workspace("build").args(["--bin", name]))?;
    Ok(target().join("debug").join(name))
}

/// Returns a command for `program` in the workspace root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Prints and runs `command`; its output is not captured.
pub(crate) fn run(command: &mut Command) -> Result {
    let line = line(command);
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` ended with {status}")),
        Err(error) => Err(format!("cannot start `{line}`: {error}")),
    }
}

/// Returns the output of `command` if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}` ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

/// Returns the path of the program `name`, if it is installed.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Returns the newest modification time of `path`; for a folder, of its content.
pub(crate) fn newest(path: &Path) -> Option<SystemTime> {
    let own = path.metadata().ok()?.modified().ok()?;
    let inside = path.read_dir().ok().and_then(|dir| dir.flatten().filter_map(|e| newest(&e.path())).max());
    Some(inside.map_or(own, |time| time.max(own)))
}

/// Adds the attempted action to an I/O error.
pub(crate) fn at<T>(what: impl std::fmt::Display, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{what}: {error}"))
}
