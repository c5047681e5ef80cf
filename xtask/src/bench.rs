//! `cargo xtask bench [PART…]`: measures the figures in the README.

use crate::package;
use crate::sh::{Result, cargo, command, root, run as sh, target, which};

/// The parts that need Chromium, and their scripts. The part `mix` is one of the server's, too.
const BROWSER: [(&str, &[&str]); 5] = [
    ("mix", &["measure-mix.mjs"]),
    ("browser", &["measure.mjs", "measure-rtc.mjs"]),
    ("loss", &["measure-loss.mjs"]),
    ("rooms-browser", &["measure-rooms.mjs"]),
    ("console", &["measure-console.mjs"]),
];

/// Measures the server (cpu, latency, join, stalled, rtp, transcode, compose, https, whep, rooms, mix, forward, record,
/// cluster, claims), then a mix from glass to glass (mix), the player in Chromium (browser), on a bad network (loss), a room of
/// ten hosts (rooms-browser), and the console's list of 200 streams (console); all of them, or the named ones.
pub(crate) fn run(parts: &[String]) -> Result {
    let named = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    let scripts: Vec<_> =
        BROWSER.iter().filter(|(part, _)| named(part)).flat_map(|(_, scripts)| *scripts).collect();
    let of_browser = |part: &&String| *part != "mix" && BROWSER.iter().any(|(name, _)| name == part);
    let server: Vec<&String> = parts.iter().filter(|part| !of_browser(part)).collect();
    sh(cargo().args(["build", "--release", "--package", "gateway"]))?;
    if parts.is_empty() || !server.is_empty() {
        sh(cargo()
            .args(["run", "--quiet", "--release", "--package", "lianmai-tests", "--bin", "bench", "--"])
            .args(server))?;
    }
    let tests = root().join("tests");
    if !scripts.is_empty() {
        if which("node").is_none() || which("chromium").is_none() {
            return Err(
                "the browser's part needs node and chromium: `cargo xtask tools` installs them".into()
            );
        }
        package::build()?;
        sh(cargo().args(["build", "--release", "--package", "lianmai-tests", "--bin", "hosts"]))?;
        if !tests.join("node_modules/playwright-core").is_dir() {
            sh(command("npm").current_dir(&tests).args(["ci", "--no-audit", "--no-fund"]))?;
        }
        let gateway = target().join("release/lianmai");
        for script in scripts {
            sh(command("node")
                .current_dir(&tests)
                .env("LIANMAI", &gateway)
                .env("LIANMAI_HOSTS", target().join("release/hosts"))
                .arg(format!("browser/{script}")))?;
        }
    }
    Ok(())
}

/// Runs the simulation of a cluster.
pub(crate) fn simulate(sizes: &[String]) -> Result {
    sh(cargo()
        .args(["run", "--quiet", "--release", "--package", "lianmai-tests", "--bin", "simulate", "--"])
        .args(sizes))
}
