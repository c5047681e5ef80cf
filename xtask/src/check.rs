//! `cargo xtask check` and `fix`: static checks of the code.

use crate::parts::{self, PARTS};
use crate::sh::{Result, cargo, command, root, run as sh, which};
use crate::steps::Steps;
use crate::tools;

/// Checks formatting, lints, house rules, types and PHP style. Parts whose programs are missing are listed
/// and skipped.
pub(crate) fn run() -> Result {
    const CHECKS: [&str; 6] = ["format", "lints", "player", "npm", "types", "php-style"];
    let mut steps = Steps::new("cargo xtask check", CHECKS.len() + 1);
    for part in PARTS.iter().filter(|part| CHECKS.contains(&part.name)) {
        match tools::require(part.uses) {
            Ok(()) => steps.run(part.name, part.needs, || (part.run)(&[])),
            Err(why) => steps.skip(part.name, &why.replace('\n', "")),
        }
    }
    steps.run("floors", &[], || parts::protocol(&["--test", "floors"], &[]));
    steps.finish()
}

/// Fixes everything that rustfmt, clippy and PHP_CodeSniffer can fix; `check` reports the rest.
pub(crate) fn fix() -> Result {
    let mut steps = Steps::new("cargo xtask fix", 4);
    if which("node").is_some() {
        steps.run("attributes", &[], || sh(command("node").arg(root().join("player-wasm/attributes.mjs"))));
    } else {
        steps.skip("attributes", "node is missing (Debian's package `nodejs`)");
    }
    steps.run("lints", &[], || {
        sh(cargo()
            .args(["clippy", "--fix", "--allow-dirty", "--allow-staged", "--workspace", "--all-targets"])
            .args(["--features", "xtask/bindgen,xtask/bundler,fuzz/targets"]))
    });
    // After clippy, whose corrections are not formatted.
    steps.run("format", &[], || sh(cargo().args(["fmt", "--all"])));
    if which("phpcbf").is_some() {
        steps.run("php-style", &[], php_style);
    } else {
        steps.skip("php-style", "phpcbf is missing (Debian's package `php-codesniffer`)");
    }
    steps.finish()
}

fn php_style() -> Result {
    let mut fix = command("phpcbf");
    fix.args(["-q", "--standard=tests/wordpress/phpcs.xml"]);
    // 1: all findings were fixed.
    match fix.status().map(|status| status.code()) {
        Ok(Some(0 | 1)) => Ok(()),
        Ok(_) => Err("phpcbf left errors; `cargo xtask check` names them".to_owned()),
        Err(error) => Err(format!("cannot start phpcbf: {error}")),
    }
}
