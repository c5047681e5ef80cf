//! The test programs of the workspace: built in one go, and run side by side.
//!
//! Most tests wait for clips in real time or for a timeout. A second program uses the processor meanwhile.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::sh::{Result, command, target, workspace};

/// The package with the tests of the whole product.
pub(crate) const PRODUCT: &str = "lianmai-tests";
/// Programs that run at the same time.
const LANES: usize = 2;
/// Programs that run alone: they compare clocks, or encode in real time.
const ALONE: [&str; 2] = ["matrix", "mix"];

/// A test program that cargo has built.
#[derive(Debug, PartialEq, Eq)]
struct Suite {
    package: String,
    name: String,
    program: PathBuf,
    /// The folder of the package, where cargo runs its tests.
    folder: PathBuf,
}

/// Builds the test programs of all packages, with one choice of features: each library is compiled once.
fn build() -> Result<Vec<Suite>> {
    let mut cargo = workspace("test");
    cargo.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let suites: Vec<Suite> = crate::sh::output(&mut cargo)?.lines().filter_map(suite).collect();
    if suites.is_empty() { Err("cargo has built no tests".to_owned()) } else { Ok(suites) }
}

/// Reads a line of cargo's messages. `None` if it tells of something else than a test program.
fn suite(message: &str) -> Option<Suite> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let program = PathBuf::from(message["executable"].as_str()?);
    let package = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let package = package.lines().find_map(|line| line.strip_prefix("name = "))?.trim_matches('"').to_owned();
    Some(Suite { package, name: message["target"]["name"].as_str()?.to_owned(), program, folder })
}

/// Builds all tests and runs their programs, each with `args`.
///
/// # Errors
///
/// Names the programs whose tests failed; all others have run as well.
pub(crate) fn run(args: &[String]) -> Result {
    let mut suites = build()?;
    suites.sort_by_key(|suite| std::cmp::Reverse(last_duration(suite)));
    let (alone, others) = suites.into_iter().partition(|suite| ALONE.contains(&suite.name.as_str()));
    let failed = [run_in(LANES, others, args), run_in(1, alone, args)].concat();
    if failed.is_empty() { Ok(()) } else { Err(format!("tests failed in {}", failed.join(", "))) }
}

/// Runs programs, `lanes` at a time. Returns the names of those that failed.
fn run_in(lanes: usize, suites: Vec<Suite>, args: &[String]) -> Vec<String> {
    let waiting = Mutex::new(VecDeque::from(suites));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(suite) = next(&waiting) {
                    if let Err(why) = run_one(&suite, args) {
                        eprintln!("{why}");
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(suite.name);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn next(waiting: &Mutex<VecDeque<Suite>>) -> Option<Suite> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Runs a program and prints its output in one piece at its end, so that two programs do not mix theirs.
fn run_one(suite: &Suite, args: &[String]) -> Result {
    let begin = Instant::now();
    let output = command(&suite.program)
        .current_dir(&suite.folder)
        .args(args)
        // Otherwise each program asks cargo whether this one is up to date.
        .env("LIANMAI", target().join("debug/lianmai"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start the tests of {}: {error}", suite.name))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("\n{} {}:\n{}{}", suite.package, suite.name, out.trim_end(), indent(err.trim_end()));
    if !output.status.success() {
        return Err(format!("{} {} ended with {}", suite.package, suite.name, output.status));
    }
    // Only the order depends on the file: an error while writing is ignored.
    let _ = std::fs::create_dir_all(durations());
    let _ = std::fs::write(durations().join(file(suite)), begin.elapsed().as_secs().to_string());
    Ok(())
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("\n  {line}")).collect()
}

/// The folder with the last durations in seconds.
fn durations() -> PathBuf {
    target().join("suites")
}

fn file(suite: &Suite) -> String {
    format!("{}-{}", suite.package, suite.name)
}

/// The longest program first: a long one that starts last would run alone. The size stands in for a duration that is
/// not known yet.
fn last_duration(suite: &Suite) -> (u64, u64) {
    let seconds =
        std::fs::read_to_string(durations().join(file(suite))).ok().and_then(|text| text.parse().ok());
    let size = suite.program.metadata().map_or(0, |data| data.len());
    (seconds.unwrap_or(0), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_read_from_the_messages_of_cargo() {
        let manifest = crate::sh::root().join("media/Cargo.toml");
        let message = |test: bool, executable: Value| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": manifest, "executable": executable,
                "target": { "name": "media" }, "profile": { "test": test },
            })
            .to_string()
        };
        let found = suite(&message(true, "/t/media-1".into())).expect("a program");
        assert_eq!((found.package.as_str(), found.name.as_str()), ("media", "media"));
        assert_eq!((found.program, found.folder), ("/t/media-1".into(), crate::sh::root().join("media")));
        assert_eq!(suite(&message(false, "/t/media-1".into())), None, "not a test");
        assert_eq!(suite(&message(true, Value::Null)), None, "a library");
        assert_eq!(suite("not JSON"), None);
    }
}
