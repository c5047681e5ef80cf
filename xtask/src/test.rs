//! `cargo xtask test [PART [FILTER…]]`: all checks and tests, as CI runs them, or one part of them.

use crate::parts::{self, PARTS, Part};
use crate::sh::{Result, root};
use crate::steps::Steps;
use crate::tools::{self, Use};

/// Folders of crates with their own tests. Each is also a part.
const CRATES: [&str; 6] = ["media", "pixels", "gateway", "player-wasm", "examples", "xtask"];

/// Runs everything, or the part in `args`. Only a complete run installs programs.
pub(crate) fn run(args: &[String]) -> Result {
    match args {
        [] => everything(),
        [help] if ["help", "--help", "-h"].contains(&help.as_str()) => {
            print!("{}", usage());
            Ok(())
        }
        [part, filter @ ..] => one(part, filter),
    }
}

/// Runs all parts. A part also runs after a failed one, unless it needs that one, so that one run shows all
/// failures.
fn everything() -> Result {
    let mut steps = Steps::new("cargo xtask test", PARTS.len() + 1);
    // If a program is still missing, the parts that use it fail.
    steps.run("tools", &[], tools::install);
    for part in &PARTS {
        step(&mut steps, part, &[]);
    }
    steps.finish()
}

fn step(steps: &mut Steps, part: &Part, filter: &[String]) {
    steps.run(part.name, part.needs, || {
        tools::require(part.uses)?;
        (part.run)(filter)
    });
}

/// Runs one part after the parts that it needs.
fn one(name: &str, filter: &[String]) -> Result {
    if filter.iter().any(|word| word.starts_with('-')) {
        return Err(format!("{} is no FILTER\n\n{}", filter.join(" "), usage()));
    }
    if let Some(part) = PARTS.iter().find(|part| part.name == name) {
        if part.filter.is_empty() && !filter.is_empty() {
            return Err(format!("`{name}` takes no FILTER\n\n{}", usage()));
        }
        let needed = parts::with_needs(name);
        let mut steps = Steps::new(&format!("cargo xtask test {name}"), needed.len());
        for needed in needed {
            step(&mut steps, needed, if needed.name == name { filter } else { &[] });
        }
        return steps.finish();
    }
    if CRATES.contains(&name) {
        let uses: &[Use] = if name == "gateway" { &[Use::Streams] } else { &[] };
        tools::require(uses)?;
        let package = if name == "examples" { "lianmai-examples" } else { name };
        return parts::unit(package, filter);
    }
    if protocol_files().iter().any(|file| file == name) {
        let uses: &[Use] = match name {
            "floors" => &[],
            "rtc" | "rooms" => &[Use::Streams, Use::Rtc],
            "cluster" => &[Use::Streams, Use::Rtc, Use::Operation],
            "operation" => &[Use::Streams, Use::Operation],
            "packages" => &[Use::Operation],
            _ => &[Use::Streams],
        };
        tools::require(uses)?;
        return parts::protocol(&["--test", name], filter);
    }
    Err(format!("there is no part `{name}`\n\n{}", usage()))
}

/// Returns the names of `tests/*.rs`.
fn protocol_files() -> Vec<String> {
    let mut names: Vec<String> = root()
        .join("tests")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn usage() -> String {
    let line = |name: &str, what: &str| format!("  {name:<20} {what}\n");
    let parts: String = PARTS
        .iter()
        .map(|part| line(&format!("{} {}", part.name, optional(part.filter)), part.what))
        .collect();
    let crates: String =
        CRATES.iter().map(|name| line(&format!("{name} [TEST]"), "tests of this crate")).collect();
    let files: String = protocol_files()
        .iter()
        .map(|name| line(&format!("{name} [TEST]"), &format!("tests of tests/{name}.rs")))
        .collect();
    format!("usage: cargo xtask test [PART [FILTER…]]\n\nPARTs:\n{parts}{crates}{files}")
}

fn optional(filter: &str) -> String {
    if filter.is_empty() { String::new() } else { format!("[{filter}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_by_its_crate_or_file() {
        assert!(protocol_files().contains(&"rtc".to_owned()));
        let error = one("nonsense", &[]).unwrap_err();
        for word in ["no part `nonsense`", "browser [FILE]", "media [TEST]", "operation"] {
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[test]
    fn a_filter_where_none_is_taken_is_an_error() {
        assert!(one("format", &["x".to_owned()]).unwrap_err().contains("`format` takes no FILTER"));
        assert!(one("rtc", &["--ignored".to_owned()]).unwrap_err().contains("--ignored"));
    }
}
