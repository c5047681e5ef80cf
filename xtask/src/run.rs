//! `cargo xtask run`: everything built, the gateway started with its demo stream.

use crate::package;
use crate::sh::{Result, cargo, run as sh};
use crate::steps::Steps;

/// Builds the player, then the gateway, and runs it; `flags` go to `lianmai serve`.
pub(crate) fn run(flags: &[String]) -> Result {
    let flags = flags.strip_prefix(&["--".to_owned()]).unwrap_or(flags);
    eprintln!("The first build takes some minutes, later ones seconds.");
    let mut steps = Steps::new("cargo xtask run", 3);
    steps.must("build the player", package::build)?;
    steps.must("build the gateway", || sh(cargo().args(["build", "--release", "--package", "gateway"])))?;
    eprintln!("\n== [3/3] start the gateway; Ctrl+C ends it ==");
    // Its first lines are the addresses.
    sh(cargo()
        .args(["run", "--quiet", "--release", "--package", "gateway", "--", "serve", "--demo"])
        .args(flags))
}
