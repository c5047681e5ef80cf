//! `cargo xtask test`: every check and test, as CI runs them. Stops at the first step that fails.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::dist;
use crate::package;
use crate::sh::{Result, cargo, command, root, run as sh, target};
use crate::tools;

type Step = (&'static str, fn() -> Result);

const STEPS: [Step; 13] = [
    ("tools", tools::install),
    ("format", || sh(cargo().args(["fmt", "--all", "--check"]))),
    ("lints", lints),
    ("browser package", || package::build().map(|_| ())),
    ("Rust tests", rust_tests),
    ("npm packages", npm),
    ("types", types),
    ("script tests", script_tests),
    ("browser tests", || node_tests("browser")),
    ("WordPress plugin", || dist::build().map(|_| ())),
    ("PHP 7.4 and 8.5", php_versions),
    ("PHPUnit", phpunit),
    ("WordPress tests", || node_tests("wordpress")),
];

/// Runs the steps and says how long each took.
pub(crate) fn run() -> Result {
    let mut summary = String::from("\nxtask test:\n");
    for (name, step) in STEPS {
        eprintln!("\n== {name} ==");
        let start = Instant::now();
        let result = step();
        let seconds = start.elapsed().as_secs();
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        summary += &format!("  {name:<16} {word:<6} {seconds:>5} s\n");
        if let Err(why) = result {
            eprint!("{summary}");
            return Err(format!("{name}: {why}"));
        }
    }
    eprint!("{summary}");
    Ok(())
}

fn lints() -> Result {
    sh(cargo()
        .args(["clippy", "--workspace", "--all-targets", "--features", "xtask/bindgen"])
        .args(["--", "--deny", "warnings"]))
}

fn rust_tests() -> Result {
    // The tests start this binary; built first, its time does not count as theirs.
    sh(cargo().args(["build", "--package", "gateway"]))?;
    sh(cargo().args(["test", "--workspace", "--exclude", "lianmai-tests", "--no-fail-fast"]))?;
    // These mostly wait for clips that are published in real time.
    sh(cargo().args(["test", "--package", "lianmai-tests", "--no-fail-fast", "--", "--test-threads=4"]))
}

fn npm() -> Result {
    let install =
        || sh(command("npm").current_dir(root().join("tests")).args(["ci", "--no-audit", "--no-fund"]));
    // The registry may fail once.
    install().or_else(|_| install())
}

fn types() -> Result {
    let tests = root().join("tests");
    sh(command(tests.join("node_modules/.bin/tsc")).current_dir(&tests).args(["--project", "tsconfig.json"]))
}

/// The oldest and the newest PHP read the plugin.
fn php_versions() -> Result {
    sh(command("node").current_dir(root().join("tests")).arg("wordpress/php-versions.mjs"))
}

/// The plugin's own tests, inside every WordPress that it is tested with.
fn phpunit() -> Result {
    let tests = root().join("tests");
    sh(command("node").current_dir(&tests).env("PLUGIN_ZIP", zip()).arg("wordpress/phpunit.mjs"))
}

/// What `cargo xtask dist` makes.
fn zip() -> PathBuf {
    target().join("dist/lianmai.zip")
}

/// The `*.test.mjs` beside the scripts: they need no browser and no gateway.
fn script_tests() -> Result {
    let mut files = Vec::new();
    for folder in ["player-wasm/js", "demo"] {
        find(&root().join(folder), &mut files);
    }
    files.sort();
    if files.is_empty() {
        return Err("no *.test.mjs beside the scripts".into());
    }
    sh(command("node").current_dir(root()).args(["--test", "--test-reporter=spec"]).args(files))
}

/// The `*.test.mjs` in a folder of the tests.
fn node_tests(folder: &str) -> Result {
    let tests = root().join("tests");
    let mut files = Vec::new();
    find(&tests.join(folder), &mut files);
    files.sort();
    if files.is_empty() {
        return Err(format!("no *.test.mjs in tests/{folder}"));
    }
    // One file after the other: two browsers at once on two cores disturb each other's clocks.
    sh(command("node")
        .current_dir(&tests)
        .env("LIANMAI", target().join("debug/lianmai"))
        .env("PLUGIN_ZIP", zip())
        .env("XTASK", std::env::current_exe().unwrap_or_default())
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(files))
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            find(&path, files);
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
}
