//! Finds tests that start the gateway's binary past the harness, which chooses its ports.

use std::path::Path;

/// The files that may name the binary: one for Rust, one for JavaScript.
const HARNESS: [&str; 2] = ["src/gateway.rs", "browser/harness.mjs"];

/// The spellings of the variable that names the binary, and the folders it is built into.
const NAMES: [&str; 5] =
    ["process.env.LIANMAI ", "var_os(\"LIANMAI\")", "var(\"LIANMAI\")", "debug/lianmai", "release/lianmai"];

/// The files below `tests` that start a gateway and are not the harness.
pub(crate) fn past_the_harness<'a>(files: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Vec<String> {
    let is_code = |path: &Path| {
        path.extension().is_some_and(|ext| ["rs", "mjs", "php"].iter().any(|code| ext == *code))
    };
    files
        .into_iter()
        .filter(|(path, _)| is_code(path) && !HARNESS.iter().any(|harness| path.ends_with(harness)))
        .filter(|(_, text)| NAMES.iter().any(|name| text.contains(name)))
        .map(|(path, _)| path.display().to_string())
        .collect()
}
