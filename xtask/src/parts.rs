//! The parts of `cargo xtask test`: the tests of each part, its requirements and its filter.

use std::path::{Path, PathBuf};

use crate::sh::{Result, cargo, command, newest, program, root, run as sh, target, workspace};
use crate::tools::Use;
use crate::{dist, node, package, suites};

/// A part. `cargo xtask test` runs all parts in this order.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// The meaning of FILTER in `cargo xtask test PART FILTER`; empty if the part has no filter.
    pub(crate) filter: &'static str,
    /// Parts that must have passed before.
    pub(crate) needs: &'static [&'static str],
    /// The uses of the programs that this part needs.
    pub(crate) uses: &'static [Use],
    pub(crate) run: fn(&[String]) -> Result,
}

/// Programs for parts that start a gateway and media tools.
const STREAMS: &[Use] = &[Use::Streams, Use::Rtc, Use::Operation];
const BROWSER: &[Use] = &[Use::Streams, Use::Size, Use::Browser, Use::Node];
const WORDPRESS: &[Use] = &[Use::Streams, Use::Size, Use::Browser, Use::Node, Use::WordPress];

pub(crate) const PARTS: [Part; 15] = [
    Part { run: format, ..part("format", "rustfmt --check") },
    Part { run: lints, ..part("lints", "clippy on everything; warnings are errors") },
    Part { run: |_| package::build().map(|_| ()), ..part("player", "builds the browser package") },
    Part { run: gateway_binary, ..part("binary", "builds the gateway that the tests start") },
    Part { run: hosts_binary, ..part("hosts", "builds the hosts of rooms that browser tests start") },
    Part {
        filter: "TEST",
        needs: &["binary"],
        uses: STREAMS,
        run: programs,
        ..part(
            "programs",
            "unit tests of all crates, and tests/*.rs: the gateway among real publishers and players",
        )
    },
    Part { uses: &[Use::Node], run: npm, ..part("npm", "installs the npm packages of the tests") },
    Part {
        needs: &["npm", "player"],
        uses: &[Use::Node],
        run: types,
        ..part("types", "tsc on all JavaScript")
    },
    Part {
        filter: "FILE",
        needs: &["player"],
        uses: &[Use::Node],
        run: node::scripts,
        ..part("scripts", "the tests beside the scripts, which need no browser")
    },
    Part {
        filter: "FILE",
        needs: &["npm", "player", "binary", "hosts"],
        uses: BROWSER,
        run: |filter| node::browser_tests("browser", filter),
        ..part("browser", "player and publisher in Chromium and Firefox")
    },
    Part { uses: &[Use::PhpStyle], run: php_style, ..part("php-style", "PHP_CodeSniffer on the plugin") },
    Part {
        needs: &["player"],
        uses: &[Use::WordPress],
        run: |_| dist::build_plugin().map(|_| ()),
        ..part("plugin", "builds the WordPress plugin's zip")
    },
    Part {
        needs: &["npm"],
        uses: &[Use::Node],
        run: php_versions,
        ..part("php-versions", "the plugin read by PHP 7.4 and 8.5")
    },
    Part {
        filter: "TEST",
        needs: &["npm", "plugin"],
        uses: WORDPRESS,
        run: phpunit,
        ..part("phpunit", "the plugin's PHP classes inside real WordPresses")
    },
    Part {
        filter: "FILE",
        needs: &["npm", "player", "binary", "plugin"],
        uses: WORDPRESS,
        run: |filter| node::browser_tests("wordpress", filter),
        ..part("wordpress", "the plugin's pages in Chromium")
    },
];

/// The common fields of most parts.
const fn part(name: &'static str, what: &'static str) -> Part {
    Part { name, what, filter: "", needs: &[], uses: &[], run: |_| Ok(()) }
}

/// Returns the parts that `name` needs, followed by the part itself, each once.
pub(crate) fn with_needs(name: &str) -> Vec<&'static Part> {
    let mut wanted = vec![name];
    let mut at = 0;
    while let Some(&name) = wanted.get(at) {
        let needs = PARTS.iter().find(|part| part.name == name).map_or(&[][..], |part| part.needs);
        wanted.extend(needs.iter().filter(|need| !wanted.contains(need)).copied().collect::<Vec<_>>());
        at += 1;
    }
    PARTS.iter().filter(|part| wanted.contains(&part.name)).collect()
}

fn format(_: &[String]) -> Result {
    sh(cargo().args(["fmt", "--all", "--check"]))
}

fn lints(_: &[String]) -> Result {
    sh(cargo()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "xtask/bindgen,xtask/bundler,fuzz/targets",
        ])
        .args(["--", "--deny", "warnings"]))
}

/// Builds the gateway before the tests that start it, so that the build does not count as their time.
fn gateway_binary(_: &[String]) -> Result {
    program("lianmai").map(|_| ())
}

/// Publishers of rooms that need less CPU time than browsers.
fn hosts_binary(_: &[String]) -> Result {
    program("hosts").map(|_| ())
}

/// Each program is built once, and two run at the same time.
fn programs(filter: &[String]) -> Result {
    let programs = suites::run(&[&[THREADS.to_owned()], filter].concat());
    let examples = sh(workspace("test").args(["--doc", "--no-fail-fast", "--"]).args(filter));
    programs.and(examples)
}

/// Most tests wait for clips that are published in real time, or for a timeout.
const THREADS: &str = "--test-threads=4";

/// Tests of one crate: `cargo xtask test media [FILTER]`.
pub(crate) fn unit(krate: &str, filter: &[String]) -> Result {
    let features = if krate == "xtask" { &["--features", "bundler"][..] } else { &[] };
    sh(cargo().args(["test", "--package", krate, "--no-fail-fast"]).args(features).arg("--").args(filter))
}

/// `selection` are cargo's options to select tests, such as `--test rtc`.
pub(crate) fn protocol(selection: &[&str], filter: &[String]) -> Result {
    sh(cargo()
        .args(["test", "--package", suites::PRODUCT, "--no-fail-fast"])
        .args(selection)
        .args(["--", THREADS])
        .args(filter))
}

/// Installs the packages, unless they match the lock file already.
fn npm(_: &[String]) -> Result {
    let tests = root().join("tests");
    let made = newest_file(&tests.join("node_modules/.package-lock.json"));
    if made.is_some() && made >= newest_file(&tests.join("package-lock.json")) {
        return Ok(());
    }
    let install = || sh(command("npm").current_dir(&tests).args(["ci", "--no-audit", "--no-fund"]));
    // The registry may fail once.
    install().or_else(|_| install())
}

fn newest_file(path: &Path) -> Option<std::time::SystemTime> {
    path.is_file().then(|| newest(path)).flatten()
}

fn types(_: &[String]) -> Result {
    let tests = root().join("tests");
    sh(command(tests.join("node_modules/.bin/tsc")).current_dir(&tests).args(["--project", "tsconfig.json"]))
}

/// The rules are in `tests/wordpress/phpcs.xml`, which explains why they differ from WordPress's own.
fn php_style(_: &[String]) -> Result {
    sh(command("phpcs").args(["-q", "-s", "--standard=tests/wordpress/phpcs.xml"]))
}

fn php_versions(_: &[String]) -> Result {
    sh(command("node").current_dir(root().join("tests")).arg("wordpress/php-versions.mjs"))
}

fn phpunit(filter: &[String]) -> Result {
    let tests = root().join("tests");
    let filter = filter.first().map(|filter| format!("--filter={filter}"));
    sh(command("node").current_dir(&tests).env("PLUGIN_ZIP", zip()).arg("wordpress/phpunit.mjs").args(filter))
}

/// Returns the path of the zip from `cargo xtask dist`.
fn zip() -> PathBuf {
    target().join("dist/lianmai.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parts: &[&Part]) -> Vec<&'static str> {
        parts.iter().map(|part| part.name).collect()
    }

    #[test]
    fn a_part_brings_what_it_needs_in_order() {
        assert_eq!(names(&with_needs("format")), ["format"]);
        assert_eq!(names(&with_needs("phpunit")), ["player", "npm", "plugin", "phpunit"]);
    }

    #[test]
    fn what_a_part_needs_stands_before_it() {
        for (at, part) in PARTS.iter().enumerate() {
            for need in part.needs {
                assert!(PARTS[..at].iter().any(|before| before.name == *need), "{} needs {need}", part.name);
            }
        }
    }
}
