//! Reads the log for the API.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::Value;

use super::line::Line;
use super::writer::ENDING;
use crate::core::date::Date;

/// Maximum number of sessions in one answer.
pub const MAX_LIMIT: usize = 1000;
/// Maximum length of a line that is read, in bytes.
const MAX_LINE: u64 = 64 << 10;

/// The sessions to read.
#[derive(Debug, Clone, Default)]
pub struct SessionQuery {
    /// Only those of this stream.
    pub stream: Option<String>,
    /// Only those that ended at this time or later, in milliseconds since 1970.
    pub from: u64,
    /// At most this many.
    pub limit: usize,
}

/// Returns the names of the log files, oldest first.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}

/// Returns whether a file has the name of a day.
fn is_name(name: &str) -> bool {
    let is_date = |date: &str| {
        date.len() == 10
            && date.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    name.strip_suffix(ENDING).is_some_and(is_date)
}

/// Returns the lines that match, newest first.
pub(super) fn read(folder: &Path, query: &SessionQuery) -> Vec<Value> {
    let first = format!("{}{ENDING}", Date::of_millis(query.from));
    let mut found = Vec::new();
    for name in names(folder).into_iter().rev().take_while(|name| *name >= first) {
        let left = query.limit.min(MAX_LIMIT) - found.len();
        if left == 0 {
            break;
        }
        found.extend(newest(&folder.join(name), query, left).into_iter().rev());
    }
    found
}

/// Returns the last `count` matching lines of a file, oldest first.
fn newest(path: &Path, query: &SessionQuery, count: usize) -> VecDeque<Value> {
    let mut newest = VecDeque::new();
    let Ok(file) = File::open(path) else { return newest };
    let (mut file, mut line) = (BufReader::new(file), Vec::new());
    loop {
        line.clear();
        match file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            _ => return newest,
        }
        let Ok(session) = serde_json::from_slice::<Line>(&line) else { continue };
        if session.to_ms < query.from || query.stream.as_ref().is_some_and(|name| *name != session.stream) {
            continue;
        }
        if newest.len() == count {
            newest.pop_front();
        }
        newest.extend(serde_json::to_value(session).ok());
    }
}
