//! The log: one line per event. Text from the network cannot begin a new line or send control characters to
//! the terminal, and no field is long.
//!
//! Every field of every event passes through [`Fields`], so log statements may contain any text.

mod json;

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

/// The default filter. The DTLS library warns about every extension that it does not know.
const FILTER: &str = "info,rtc_dtls=error";

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
    tracing_subscriber::registry().with(filter).with(layer).init();
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
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Memory {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Returns the log output of `write`.
    fn logged(say: impl FnOnce()) -> String {
        let memory = Memory::default();
        let log = tracing_subscriber::fmt().with_writer(memory.clone()).with_ansi(true).without_time();
        let log = log.fmt_fields(Fields).finish();
        tracing::subscriber::with_default(log, say);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    const HOSTILE: [&str; 9] = [
        "a\nERROR forged",
        "a\r\nERROR forged",
        "\x1b]0;PWNED\x07\x1b[2J",
        "\u{9b}2J",
        "a\u{2028}b\u{2029}c\u{85}d",
        "\u{202e}txt.exe\u{202c}\u{2066}x",
        "\u{feff}\u{200b}\u{ad}\u{e0041}",
        "\0\x08\x7f",
        "\u{e000}\u{10fffd}",
    ];

    #[test]
    fn text_from_the_network_stays_within_its_line_by_every_way_into_the_log() {
        for text in HOSTILE {
            let error = io::Error::other(text);
            let all = logged(|| {
                let span = tracing::info_span!("span", host = %text, agent = text, debug = ?text, %error);
                let _entered = span.enter();
                tracing::info!(host = %text, agent = text, debug = ?text, %error, "words");
                tracing::info!("{text}");
                span.in_scope(|| tracing::warn!(error = &error as &dyn std::error::Error, "words {text}"));
            });
            assert_eq!(all.lines().count(), 3, "{all:?}");
            // Only the log itself may write colours of levels and dim text.
            let plain = all.replace("\x1b[", "");
            assert!(!plain.chars().any(|c| c != '\n' && is_hidden(c)), "{text:?}: {all:?}");
            assert!(
                !all.contains("[2J") || all.contains("\\u{1b}[2J") || all.contains("\\u{9b}2J"),
                "{all:?}"
            );
        }
    }

    #[test]
    fn json_is_one_object_a_line_with_the_same_escapes_and_lengths() {
        let memory = Memory::default();
        let log = tracing_subscriber::fmt().with_writer(memory.clone()).with_ansi(false);
        let log = log.fmt_fields(json::JsonFields).event_format(json::JsonEvents).finish();
        tracing::subscriber::with_default(log, || {
            for text in HOSTILE {
                let span = tracing::info_span!("publisher", peer = %text, late = tracing::field::Empty);
                let _entered = span.enter();
                span.record("late", 7);
                tracing::warn!(agent = text, debug = ?text, count = 5_u64, on = true, "a \"word\"");
            }
            tracing::info!(why = %"é".repeat(8000));
        });
        let all = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = all
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect();
        assert_eq!(lines.len(), HOSTILE.len() + 1);
        for line in &lines[..HOSTILE.len()] {
            assert_eq!((&line["level"], &line["message"]), (&"WARN".into(), &"a \"word\"".into()), "{line}");
            assert_eq!((&line["count"], &line["on"]), (&5.into(), &true.into()));
            let span = &line["spans"][0];
            assert_eq!((&span["name"], &span["late"]), (&"publisher".into(), &7.into()), "{line}");
            // Programs decode the text and show it: the escapes of JSON are not enough.
            for text in [&line["agent"], &line["debug"], &span["peer"]] {
                assert!(!text.as_str().unwrap().chars().any(is_hidden), "{text}");
            }
            assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
        }
        let long = lines[HOSTILE.len()]["why"].as_str().unwrap();
        assert!(long.ends_with("… (15400 bytes more)") && long.len() < 2 * MAX_FIELD + 50, "{long}");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        let text = "连麦 café हिन्दी עברית 🎥 C:\\x";
        assert!(logged(|| tracing::info!(name = %text, "a")).contains(text));
    }

    #[test]
    fn a_filter_with_a_mistake_is_not_read_as_something_else() {
        for good in ["", "debug", FILTER, "warn,gateway::edges::rtmp=trace", "OFF", "info, rtc_dtls=error"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["debg", "debug,,=x", "info,gateway::edges", "gateway=loud"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn long_fields_are_cut() {
        let long = "é".repeat(8000);
        let all = logged(|| tracing::info!(why = %long, other = 7, "words"));
        assert!(all.len() < 2 * MAX_FIELD + 200, "{} bytes", all.len());
        assert!(all.contains("é… (15400 bytes more) other=7"), "{all}");
    }
}
