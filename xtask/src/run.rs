//! `cargo xtask run`: everything built, the gateway started with its demo stream.

use crate::package;
use crate::sh::{Result, cargo, run as sh};

/// Builds the player, then the gateway, and runs it; `flags` go to `lianmai serve`.
pub(crate) fn run(flags: &[String]) -> Result {
    let flags = flags.strip_prefix(&["--".to_owned()]).unwrap_or(flags);
    eprintln!("Building the player and the gateway. The first time takes some minutes.");
    package::build()?;
    sh(cargo().args(["build", "--release", "--package", "gateway"]))?;
    // Its first lines are the addresses.
    sh(cargo()
        .args(["run", "--quiet", "--release", "--package", "gateway", "--", "serve", "--demo"])
        .args(flags))
}
