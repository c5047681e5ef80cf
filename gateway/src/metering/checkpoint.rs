//! The file with the running sessions, from which the next start learns about a run that was killed.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::line::Line;
use super::writer::ENDING;
use crate::core::date::Date;

/// The file.
const FILE: &str = "running";
/// The file while it is written.
const PART: &str = "running.part";

/// Replaces the checkpoint.
pub(super) fn write(folder: &Path, lines: impl Iterator<Item = Line>) -> io::Result<()> {
    let part = folder.join(PART);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut file =
        BufWriter::new(options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(&part)?);
    for line in lines {
        file.write_all(&line.text())?;
    }
    file.flush()?;
    fs::rename(part, folder.join(FILE))
}

/// Removes the checkpoint.
pub(super) fn remove(folder: &Path) {
    // There is none after a clean end.
    let _ = fs::remove_file(folder.join(FILE));
}

/// Returns the sessions of the checkpoint that are not in the log. Sessions that ended after the checkpoint are.
pub(super) fn recover(folder: &Path) -> Vec<Line> {
    let running = lines(&folder.join(FILE));
    let Some(first) = running.iter().map(|line| line.to_ms).min() else { return Vec::new() };
    // A checkpoint is the newest of its run, so later lines of the run are in files of its day or the next one.
    let days = [0, 1].map(|day| Date::of_millis(first + day * 86_400_000));
    let known: HashSet<_> = days
        .iter()
        .flat_map(|day| lines(&folder.join(format!("{day}{ENDING}"))))
        .map(|line| line.key())
        .collect();
    running.into_iter().filter(|line| !known.contains(&line.key())).collect()
}

fn lines(path: &Path) -> Vec<Line> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    // The last line may be incomplete.
    lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
}
