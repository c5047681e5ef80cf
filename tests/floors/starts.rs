//! Finds tests that start the gateway's binary without the harness, which chooses the ports.

use std::path::Path;

/// The only files that may name the binary: one for Rust, one for JavaScript.
const HARNESS: [&str; 2] = ["src/gateway.rs", "browser/harness.mjs"];

/// Spellings of the variable that names the binary, and the folders where it is built.
const NAMES: [&str; 5] =
    ["process.env.LIANMAI ", "var_os(\"LIANMAI\")", "var(\"LIANMAI\")", "debug/lianmai", "release/lianmai"];

/// Returns the files below `tests` that start a gateway and are not the harness.
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
