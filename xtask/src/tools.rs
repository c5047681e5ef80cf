//! The programs that tests need beside Rust.

use crate::sh::{Result, command, output, run, which};

struct Tool {
    program: &'static str,
    /// Debian's package.
    package: &'static str,
    what_for: &'static str,
}

const TOOLS: [Tool; 9] = [
    Tool { program: "ffmpeg", package: "ffmpeg", what_for: "publishers and players" },
    Tool { program: "ffprobe", package: "ffmpeg", what_for: "looking at streams" },
    Tool { program: "pebble", package: "pebble", what_for: "getting certificates by ACME" },
    Tool { program: "wasm-opt", package: "binaryen", what_for: "the player's size" },
    Tool { program: "brotli", package: "brotli", what_for: "the player's files as they are served" },
    Tool { program: "chromium", package: "chromium", what_for: "browser tests" },
    Tool { program: "node", package: "nodejs", what_for: "browser tests (20 or later)" },
    Tool { program: "xgettext", package: "gettext", what_for: "the plugin's translations" },
    Tool { program: "npm", package: "npm", what_for: "browser tests" },
];

/// Sees to it that every tool is there: by apt where that is ours to use, else by saying what is missing.
pub(crate) fn install() -> Result {
    let missing = || TOOLS.iter().filter(|tool| which(tool.program).is_none()).collect::<Vec<_>>();
    let mut wanted: Vec<&str> = missing().iter().map(|tool| tool.package).collect();
    wanted.dedup();
    if wanted.is_empty() {
        return node_is_new_enough();
    }
    if which("apt-get").is_some() && output(command("id").arg("-u")).is_ok_and(|id| id == "0") {
        // A page without any font has no size to look at.
        wanted.push("fonts-dejavu-core");
        let apt = |args: &[&str]| run(command("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(args));
        let all = [&["install", "--yes", "--no-install-recommends"], wanted.as_slice()].concat();
        // A mirror may fail once.
        for _ in 0..2 {
            if apt(&["update"]).and_then(|()| apt(&all)).is_ok() {
                break;
            }
        }
    }
    let still = missing();
    if still.is_empty() {
        return node_is_new_enough();
    }
    let lines = still.iter().map(|tool| {
        format!("\n  {:<9} for {} (Debian's package `{}`)", tool.program, tool.what_for, tool.package)
    });
    Err(format!("these programs are missing:{}", lines.collect::<String>()))
}

fn node_is_new_enough() -> Result {
    let version = output(command("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        return Ok(());
    }
    Err(format!("node 20 or later is needed, this is {version}"))
}
