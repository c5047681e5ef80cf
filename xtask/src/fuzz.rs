//! `cargo xtask fuzz SECONDS [TARGET…]`: the fuzz targets in tests/fuzz, one after the other.

use crate::sh::{Result, cargo, command, output, root, run as sh, which};

/// Runs every target, or those named, for the seconds in `args[0]` each.
pub(crate) fn run(args: &[String]) -> Result {
    let seconds: u32 =
        args.first().and_then(|arg| arg.parse().ok()).ok_or("usage: cargo xtask fuzz SECONDS [TARGET…]")?;
    if which("cargo-fuzz").is_none() {
        sh(cargo().args(["install", "cargo-fuzz", "--locked"]))?;
    }
    let dir = root().join("tests/fuzz");
    // The sanitizer's flags are unstable; this lets the stable compiler take them.
    let fuzz = || {
        let mut fuzz = command("cargo");
        fuzz.current_dir(&dir).env("RUSTC_BOOTSTRAP", "1").args(["fuzz"]);
        fuzz
    };
    let listed = output(fuzz().args(["list", "--fuzz-dir", "."]))?;
    let targets: Vec<&str> = match &args[1..] {
        [] => listed.lines().collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    let mut failed = Vec::new();
    for target in &targets {
        let limit = format!("-max_total_time={seconds}");
        let options = ["--", &limit, "-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1"];
        let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
        std::fs::create_dir_all(dir.join(&corpus)).map_err(|why| format!("{corpus}: {why}"))?;
        let mut run = fuzz();
        run.args(["run", "--fuzz-dir", ".", "--features", "libfuzzer", target, &corpus]);
        if dir.join(&seeds).is_dir() {
            run.arg(&seeds);
        }
        if let Err(why) = sh(run.args(options)) {
            eprintln!("{why}");
            failed.push(*target);
        }
    }
    eprintln!("\nfuzz: {} targets for {seconds} s each, {} failed", targets.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { Err(format!("these targets failed: {}", failed.join(", "))) }
}
