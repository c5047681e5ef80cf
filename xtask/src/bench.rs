//! `cargo xtask bench [PART…]`: the figures that README and notes quote.

use crate::package;
use crate::sh::{Result, cargo, command, root, run as sh, target, which};

/// Measures the server (cpu, latency, join, stalled, rtp, transcode, https, whep), then the player in Chromium (browser);
/// all of them, or those named.
pub(crate) fn run(parts: &[String]) -> Result {
    let browser = parts.is_empty() || parts.iter().any(|part| part == "browser");
    let server: Vec<&String> = parts.iter().filter(|part| *part != "browser").collect();
    sh(cargo().args(["build", "--release", "--package", "gateway"]))?;
    if parts.is_empty() || !server.is_empty() {
        sh(cargo()
            .args(["run", "--quiet", "--release", "--package", "lianmai-tests", "--bin", "bench", "--"])
            .args(server))?;
    }
    let tests = root().join("tests");
    let measure = tests.join("browser/measure.mjs");
    if browser && measure.is_file() {
        if which("node").is_none() || which("chromium").is_none() {
            return Err(
                "the browser's part needs node and chromium: `cargo xtask tools` installs them".into()
            );
        }
        package::build()?;
        if !tests.join("node_modules/playwright-core").is_dir() {
            sh(command("npm").current_dir(&tests).args(["ci", "--no-audit", "--no-fund"]))?;
        }
        let gateway = target().join("release/lianmai");
        for script in [measure, tests.join("browser/measure-rtc.mjs")] {
            sh(command("node").current_dir(&tests).env("LIANMAI", &gateway).arg(script))?;
        }
    }
    Ok(())
}
