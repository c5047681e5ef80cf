//! Tests that run in node. A browser test file that fails is run a second time and reported.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sh::{Result, at, command, root, run as sh, target};
use crate::steps::remark;

/// Maximum number of failed files that are run again. More failures are not caused by a busy machine.
const MOST_AGAIN: usize = 2;

/// Files of `tests/browser` that measure no times of media. Two of them run at once; of the others each runs alone, because
/// two browsers on two cores disturb each other's clocks.
const PAIRED: [&str; 13] = [
    "back", "bundlers", "chat", "console", "embed", "https", "names", "npm", "pages", "placed", "refused",
    "states", "token",
];
/// Files that run at once where that disturbs none. Those of `tests/wordpress` wait for PHP most of the time.
const LANES: usize = 2;

/// Runs the tests beside the scripts, which need no browser.
pub(crate) fn scripts(filter: &[String]) -> Result {
    let files = test_files(&["player-wasm", "demo"], filter)?;
    sh(command("node").current_dir(root()).args(["--test", "--test-reporter=spec"]).args(files))
}

/// Runs the browser tests of `tests/FOLDER`.
///
/// Browsers with simulated cameras and sound cards sometimes fail on a busy machine without a fault of this
/// project. A rare fault of this project, on the other hand, would block everybody's work. So up to
/// [`MOST_AGAIN`] failed files are run again. The last lines of `cargo xtask test` list them, so that
/// they are investigated.
pub(crate) fn browser_tests(folder: &str, filter: &[String]) -> Result {
    let files = test_files(&[&format!("tests/{folder}")], filter)?;
    let list = target().join(format!("failed-{folder}.txt"));
    let is_paired = |file: &PathBuf| PAIRED.iter().any(|paired| name(file) == format!("{paired}.test.mjs"));
    let (paired, alone): (Vec<_>, Vec<_>) =
        if folder == "browser" { files.into_iter().partition(is_paired) } else { (files, Vec::new()) };
    let (mut first, mut failed) = (Ok(()), Vec::new());
    for (files, lanes) in [(paired, LANES), (alone, 1)] {
        if !files.is_empty() {
            first = first.and(run(&files, lanes, &list));
            failed.extend(failed_files(&list));
            let _ = fs::remove_file(&list);
        }
    }
    let Err(why) = first else { return Ok(()) };
    // With a filter, the caller wants to see the failures.
    if !filter.is_empty() || failed.is_empty() || failed.len() > MOST_AGAIN {
        return Err(why);
    }
    let names = failed.iter().map(|file| name(file)).collect::<Vec<_>>().join(", ");
    eprintln!("\n{names}: failed, and run again");
    let second = run(&failed, 1, &list);
    let _ = fs::remove_file(&list);
    second?;
    remark(format!("UNSTABLE: {names} failed at first and passed when run again (see above)"));
    Ok(())
}

/// Runs `files`, `lanes` at a time, and writes the paths of those that fail to `list`.
fn run(files: &[PathBuf], lanes: usize, list: &Path) -> Result {
    let tests = root().join("tests");
    at("the list of failed files", fs::create_dir_all(target()))?;
    let reporter = tests.join("failed-files.mjs");
    sh(command("node")
        .current_dir(&tests)
        .env("LIANMAI", target().join("debug/lianmai"))
        .env("LIANMAI_HOSTS", target().join("debug/hosts"))
        .env("PLUGIN_ZIP", target().join("dist/lianmai.zip"))
        .env("XTASK", std::env::current_exe().unwrap_or_default())
        .args(["--test".to_owned(), format!("--test-concurrency={lanes}")])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg(format!("--test-reporter={}", reporter.display()))
        .arg(format!("--test-reporter-destination={}", list.display()))
        .args(files))
}

fn failed_files(list: &Path) -> Vec<PathBuf> {
    fs::read_to_string(list).unwrap_or_default().lines().map(PathBuf::from).collect()
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Returns the `*.test.mjs` files in these folders, filtered by the beginning of their names.
fn test_files(folders: &[&str], filter: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in folders {
        find(&root().join(folder), &mut files);
    }
    files.retain(|file| filter.is_empty() || filter.iter().any(|word| name(file).starts_with(word)));
    files.sort();
    if files.is_empty() {
        return Err(format!("no {}*.test.mjs in {}", filter.join("|"), folders.join(", ")));
    }
    Ok(files)
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            find(&path, files);
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_files_are_read_from_the_reporters_list() {
        let list = std::env::temp_dir().join(format!("lianmai-failed-{}", std::process::id()));
        fs::write(&list, "/a/b.test.mjs\n/a/c.test.mjs\n").unwrap();
        let failed = failed_files(&list);
        fs::remove_file(&list).unwrap();
        assert_eq!(failed.iter().map(|file| name(file)).collect::<Vec<_>>(), ["b.test.mjs", "c.test.mjs"]);
        assert!(failed_files(&list).is_empty());
    }

    #[test]
    fn a_filter_narrows_the_files() {
        let files = test_files(&["tests/browser"], &["rtc-play".to_owned()]).unwrap();
        assert_eq!(files.iter().map(|file| name(file)).collect::<Vec<_>>(), ["rtc-play.test.mjs"]);
        assert!(test_files(&["tests/browser"], &["nonsense".to_owned()]).unwrap_err().contains("nonsense"));
    }
}
