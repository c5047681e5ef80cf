//! The log: one line per event. Text from the network cannot begin a new line or send control characters to
//! the terminal, and no field is long.
//!
//! Every field of every event passes through [`Fields`], so log statements may contain any text.

mod json;
pub mod recent;

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, reload};

use crate::flags;

/// The default filter. The DTLS library warns about every extension that it does not know. That of NATS repeats at each
/// try what the cluster says once.
const FILTER: &str = "info,rtc_dtls=error,async_nats=off";

/// Maximum number of characters of a field; the log states how many more there were.
pub const MAX_FIELD: usize = 300;

/// Settings of the log.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct LogSettings {
    /// Least important level that is logged: error, warn, info, debug or trace; also for parts, as in
    /// info,gateway::edges::rtmp=debug
    #[arg(id = "log", long = "log", env = "LIANMAI_LOG", value_name = "FILTER", default_value = FILTER)]
    #[serde(rename = "log")]
    pub filter: String,

    /// Form of the log: text, or json with one object a line
    #[arg(
        id = "log_format",
        long = "log-format",
        env = "LIANMAI_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    #[serde(rename = "log_format")]
    pub format: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line of text for people.
    Text,
    /// A JSON object for programs.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// The running log. Its filter can change.
pub struct Log(Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>);

impl Log {
    /// Replaces the filter.
    ///
    /// # Errors
    /// A text: it is not a filter.
    pub fn set(&self, filter: &str) -> Result<(), String> {
        (self.0)(parse(filter)?)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Logs to standard error. A filter that cannot be read is replaced by the default, and the log says so: a spelling
/// mistake must not keep the gateway from starting.
pub fn install(settings: &LogSettings) -> Log {
    let (filter, mistake) = match parse(&settings.filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(FILTER), Some(error)),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match settings.format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).fmt_fields(Fields).boxed(),
        LogFormat::Json => {
            layer.with_ansi(false).fmt_fields(json::JsonFields).event_format(json::JsonEvents).boxed()
        }
    };
    tracing_subscriber::registry().with(filter).with(layer).with(recent::RecentLayer).init();
    if let Some(error) = mistake {
        tracing::warn!(error, used = FILTER, "the setting log cannot be read");
    }
    Log(Box::new(move |filter| handle.reload(filter).map_err(|error| error.to_string())))
}

/// Parses a filter; the empty text is the default. The library takes a single word that is no level for the name of a
/// part: then nothing else would be logged.
fn parse(filter: &str) -> Result<EnvFilter, String> {
    let filter = if filter.trim().is_empty() { FILTER } else { filter };
    let words: Vec<&str> = filter.split(',').map(str::trim).collect();
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    if let Some(word) = words.iter().find(|word| !word.contains(['=', '[']) && !is_level(word)) {
        return Err(format!("{word:?} is not a level: use error, warn, info, debug or trace, or PART=LEVEL"));
    }
    EnvFilter::try_new(words.join(",")).map_err(|error| error.to_string())
}

/// Writes the fields of events and spans, each escaped and shortened.
#[derive(Debug, Clone, Copy)]
pub struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn put(&mut self, name: &str, value: &dyn fmt::Debug) -> fmt::Result {
        if !std::mem::take(&mut self.first) {
            self.writer.write_char(' ')?;
        }
        if name != "message" {
            write!(self.writer, "{name}=")?;
        }
        shorten(&mut self.writer, format_args!("{value:?}"))
    }
}

/// Writes a field's value, escaped and shortened.
fn shorten(to: &mut impl fmt::Write, value: fmt::Arguments<'_>) -> fmt::Result {
    let mut shown = Escaped { to, left: MAX_FIELD, cut: 0 };
    shown.write_fmt(value)?;
    match shown.cut {
        0 => Ok(()),
        cut => write!(shown.to, "… ({cut} bytes more)"),
    }
}

/// Returns a field's value, escaped and shortened.
fn shortened(value: fmt::Arguments<'_>) -> String {
    let mut out = String::new();
    // A text written to a String does not fail.
    let _ = shorten(&mut out, value);
    out
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.result.is_ok() {
            self.result = self.put(field.name(), value);
        }
    }
}

/// Writes text, escaped, up to a maximum length.
struct Escaped<'a, W> {
    to: &'a mut W,
    left: usize,
    cut: usize,
}

impl<W: fmt::Write> fmt::Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if self.left == 0 {
                self.cut += char.len_utf8();
            } else if is_hidden(char) {
                self.left -= 1;
                write!(self.to, "{}", char.escape_default())?;
            } else {
                self.left -= 1;
                self.to.write_char(char)?;
            }
        }
        Ok(())
    }
}

/// Returns whether a character is invisible or controls a terminal.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero width, line and paragraph separators, directions.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Private use, tags and variation selectors.
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests;
