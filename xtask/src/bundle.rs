//! Starts the bundler, a separate program (`xtask/src/bundler`). Its first build takes a minute.

use std::path::Path;

use crate::sh::{Result, command, program, run};

/// Writes the scripts of the browser package into `dist`: those in `sources`, and wasm-bindgen's scripts in
/// `generated`. With `dev` they are readable and have source maps.
pub(crate) fn package(sources: &Path, generated: &Path, dist: &Path, dev: bool) -> Result {
    let mut command = bundler()?;
    command.arg("package").args([sources, generated, dist]);
    run(command.args(dev.then_some("--dev")))
}

/// Minifies a classic script.
pub(crate) fn script(from: &Path, to: &Path) -> Result {
    run(bundler()?.arg("script").args([from, to]))
}

fn bundler() -> Result<std::process::Command> {
    Ok(command(program("bundler")?))
}
