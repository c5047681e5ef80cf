//! The newest warnings and errors of this process, for the operator's console.
//!
//! The log belongs to the process, as the subscriber of [`tracing`] does, so the lines are in one place for all who
//! ask. A line holds what the log shows, escaped and shortened, and secrets are never logged.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::shortened;

/// Maximum number of lines that are kept.
pub const MAX_LINES: usize = 200;
/// Maximum number of fields of a line; further ones are left out.
const MAX_FIELDS: usize = 16;

/// The lines of this process.
static RECENT: Mutex<Lines> = Mutex::new(Lines { lines: VecDeque::new(), last: 0 });

/// A warning or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Number of the line, from 1 in each run.
    pub number: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// `warn` or `error`.
    pub level: &'static str,
    /// The message, which is the same for every line of this kind.
    pub message: String,
    /// The other fields, as `name=value`.
    pub fields: String,
}

/// The newest lines.
#[derive(Debug)]
struct Lines {
    lines: VecDeque<LogLine>,
    last: u64,
}

impl Lines {
    fn push(&mut self, line: LogLine) {
        self.last += 1;
        if self.lines.len() >= MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(LogLine { number: self.last, ..line });
    }
}

fn recent() -> MutexGuard<'static, Lines> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the newest warnings and errors, oldest first.
pub fn lines() -> Vec<LogLine> {
    recent().lines.iter().cloned().collect()
}

/// Keeps warnings and errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecentLayer;

impl<S: Subscriber> Layer<S> for RecentLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= Level::WARN {
            recent().push(line(event));
        }
    }
}

fn line(event: &Event<'_>) -> LogLine {
    let mut found = Found::default();
    event.record(&mut found);
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let level = if *event.metadata().level() == Level::ERROR { "error" } else { "warn" };
    LogLine { number: 0, at_ms: at.as_millis() as u64, level, message: found.message, fields: found.fields }
}

/// The fields of an event.
#[derive(Default)]
struct Found {
    message: String,
    fields: String,
    count: usize,
}

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let value = shortened(format_args!("{value:?}"));
        if field.name() == "message" {
            self.message = value;
            return;
        }
        if self.count == MAX_FIELDS {
            return;
        }
        self.count += 1;
        let space = if self.fields.is_empty() { "" } else { " " };
        // A text written to a String does not fail.
        let _ = write!(self.fields, "{space}{}={value}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn warnings_are_kept_escaped_and_bounded() {
        let log = tracing_subscriber::registry().with(RecentLayer);
        tracing::subscriber::with_default(log, || {
            tracing::info!("recent test: not kept");
            for n in 0..=MAX_LINES {
                tracing::warn!(n, agent = "a\nb", long = "é".repeat(1000), "recent test");
            }
            tracing::error!(error = %std::io::Error::other("x"), "recent test: error");
        });
        let lines = lines();
        assert_eq!(lines.len(), MAX_LINES);
        let newest = lines.last().unwrap();
        assert_eq!((newest.level, newest.message.as_str()), ("error", "recent test: error"));
        assert_eq!(newest.fields, "error=x");
        let warning = &lines[lines.len() - 2];
        assert_eq!((warning.level, warning.message.as_str()), ("warn", "recent test"));
        assert!(warning.fields.starts_with("n=200 agent=\"a\\nb\" long=\"éé"), "{}", warning.fields);
        assert!(warning.fields.chars().count() < 400, "{}", warning.fields);
        assert!(lines.iter().all(|line| !line.message.contains("not kept")));
        assert!(lines.is_sorted_by_key(|line| line.number));
    }
}
