//! `cargo xtask run`: builds everything and starts the gateway with its demo stream.

use crate::nodes;
use crate::package::{self, Purpose};
use crate::sh::{Result, cargo, run as sh, target};
use crate::steps::Steps;

/// Builds the player and the gateway, and runs it. `args` are `--dev` and, after `--`, flags of `lianmai serve`, or
/// `--nodes N` for a cluster of N gateways.
pub(crate) fn run(args: &[String]) -> Result {
    let dev = args.first().is_some_and(|arg| arg == "--dev");
    let flags = &args[usize::from(dev)..];
    let flags = flags.strip_prefix(&["--".to_owned()]).unwrap_or(flags);
    let mut flags = flags.to_vec();
    let nodes = nodes::of_flags(&mut flags)?;
    // A debug build reads the scripts from the source tree each time that a page asks for them.
    let (purpose, profile) =
        if dev { (Purpose::Development, "--profile=dev") } else { (Purpose::Release, "--profile=release") };
    eprintln!("The first build takes some minutes, later ones seconds.");
    let mut steps = Steps::new("cargo xtask run", 3);
    steps.must("build the player", || package::build_for(purpose))?;
    steps.must("build the gateway", || sh(cargo().args(["build", profile, "--package", "gateway"])))?;
    eprintln!("\n== [3/3] start the gateway; Ctrl+C ends it ==");
    if let Some(nodes) = nodes {
        let folder = if dev { "debug" } else { "release" };
        return nodes::run(&target().join(folder).join("lianmai"), nodes, &flags);
    }
    // The first lines of the gateway are its addresses.
    sh(cargo().args(["run", "--quiet", profile, "--package", "gateway", "--", "serve", "--demo"]).args(flags))
}
