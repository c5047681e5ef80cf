//! Runs named steps one after the other and shows the progress.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::sh::{Result, target};

/// The result of a step.
enum Outcome {
    Passed,
    Failed(String),
    /// Not run, for this reason.
    Skipped(String),
}

/// The texts that were passed to [`remark`].
static REMARKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Adds a line below the table of results.
pub(crate) fn remark(text: String) {
    REMARKS.lock().unwrap_or_else(PoisonError::into_inner).push(text);
}

/// A list of steps, which run one at a time.
///
/// Each step is announced with its number, the total number and its last duration.
pub(crate) struct Steps {
    command: String,
    total: usize,
    done: Vec<(&'static str, Outcome, u64)>,
    /// Durations in seconds of the steps in earlier runs, and the file that stores them.
    earlier: BTreeMap<String, u64>,
    file: PathBuf,
}

impl Steps {
    /// `command` is the typed command, `total` the number of steps that will follow.
    pub(crate) fn new(command: &str, total: usize) -> Self {
        Self::with_file(command, total, target().join("xtask-durations.txt"))
    }

    fn with_file(command: &str, total: usize, file: PathBuf) -> Self {
        Self { command: command.to_owned(), total, done: Vec::new(), earlier: read_durations(&file), file }
    }

    /// Runs a step; its failure ends the command.
    pub(crate) fn must<T>(&mut self, name: &'static str, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let (result, seconds) = self.timed(name, run);
        if result.is_ok() {
            self.done.push((name, Outcome::Passed, seconds));
        }
        result
    }

    /// Runs a step, or skips it if one of the steps that it `needs` did not pass. The next step runs in any
    /// case.
    pub(crate) fn run(&mut self, name: &'static str, needs: &[&str], run: impl FnOnce() -> Result) {
        let missing = needs.iter().find(|need| {
            self.done.iter().any(|(done, how, _)| done == *need && !matches!(how, Outcome::Passed))
        });
        if let Some(need) = missing {
            return self.skip(name, &format!("needs `{need}`"));
        }
        let (result, seconds) = self.timed(name, run);
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(why) => {
                eprintln!("\n{name} FAILED: {why}");
                Outcome::Failed(why)
            }
        };
        self.done.push((name, outcome, seconds));
    }

    /// Records a step that cannot run here.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        eprintln!("\n== [{}/{}] {name}: not run, {why} ==", self.done.len() + 1, self.total);
        self.done.push((name, Outcome::Skipped(why.to_owned()), 0));
    }

    fn timed<T>(&mut self, name: &'static str, run: impl FnOnce() -> Result<T>) -> (Result<T>, u64) {
        let key = format!("{} {name}", self.command);
        let hint = self.earlier.get(&key).map_or_else(
            || "first run here, its duration is not known".to_owned(),
            |&seconds| format!("took {} the last time", spoken(seconds)),
        );
        eprintln!("\n== [{}/{}] {name} ({hint}) ==", self.done.len() + 1, self.total);
        let start = Instant::now();
        let result = run();
        let seconds = start.elapsed().as_secs();
        if result.is_ok() {
            self.earlier.insert(key, seconds);
            write_durations(&self.file, &self.earlier);
        }
        (result, seconds)
    }

    /// Prints the result of each step. Fails if one failed.
    pub(crate) fn finish(self) -> Result {
        let (table, failed) = self.table();
        eprint!("\n{}:\n{table}", self.command);
        for remark in REMARKS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            eprintln!("  {remark}");
        }
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }

    fn table(&self) -> (String, Vec<&'static str>) {
        let (mut table, mut failed) = (String::new(), Vec::new());
        for (name, outcome, seconds) in &self.done {
            let line = match outcome {
                Outcome::Passed => format!("passed   {seconds:>5} s"),
                Outcome::Failed(why) => {
                    failed.push(*name);
                    format!("FAILED   {seconds:>5} s  {}", why.lines().next().unwrap_or_default())
                }
                Outcome::Skipped(why) => {
                    format!("not run           {}", why.lines().next().unwrap_or_default())
                }
            };
            let _ = writeln!(table, "  {name:<12} {line}");
        }
        (table, failed)
    }
}

/// Formats a duration: `90` is `1 min 30 s`.
fn spoken(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn read_durations(file: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line =
        |line: &str| line.split_once('\t').and_then(|(s, name)| Some((name.to_owned(), s.parse().ok()?)));
    text.lines().filter_map(line).collect()
}

/// The durations are only a hint: an error while writing is ignored.
fn write_durations(file: &Path, durations: &BTreeMap<String, u64>) {
    let text: String = durations.iter().map(|(name, seconds)| format!("{seconds}\t{name}\n")).collect();
    let _ = fs::write(file, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(test: &str) -> Steps {
        let file = std::env::temp_dir().join(format!("lianmai-steps-{test}-{}", std::process::id()));
        Steps::with_file("test of xtask", 4, file)
    }

    #[test]
    fn steps_after_a_failed_one_run_unless_they_need_it() {
        let mut steps = steps("after");
        let mut ran = Vec::new();
        steps.run("a", &[], || Err("no luck\nat all".to_owned()));
        steps.run("b", &["a"], || panic!("b needs a"));
        steps.run("c", &["b"], || panic!("c needs b, which did not run"));
        steps.run("d", &["x"], || {
            ran.push("d");
            Ok(())
        });
        assert_eq!(ran, ["d"]);
        let (table, failed) = steps.table();
        assert_eq!(failed, ["a"]);
        let words: Vec<&str> = table.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
        assert_eq!(words, ["FAILED", "not", "not", "passed"], "{table}");
        assert!(table.contains("no luck") && !table.contains("at all"), "{table}");
        fs::remove_file(&steps.file).unwrap();
        assert!(steps.finish().unwrap_err().contains('a'));
    }

    #[test]
    fn a_step_that_must_pass_ends_the_command() {
        let mut steps = steps("must");
        let file = steps.file.clone();
        assert_eq!(steps.must("a", || Ok(3)), Ok(3));
        assert_eq!(steps.must("b", || Err::<(), _>("no".to_owned())), Err("no".to_owned()));
        // The next run knows the duration of the step.
        let durations = read_durations(&file);
        fs::remove_file(file).unwrap();
        assert_eq!(durations.keys().collect::<Vec<_>>(), ["test of xtask a"]);
    }

    #[test]
    fn durations_are_spoken() {
        assert_eq!([spoken(0), spoken(59), spoken(90)], ["0 s", "59 s", "1 min 30 s"]);
    }
}
