//! The log: one line per event. Text from the network cannot begin a new line or send control characters to
//! the terminal, and no field is long.
//!
//! Every field of every event passes through [`Fields`], so log statements may contain any text.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// The default filter. The DTLS library warns about every extension that it does not know.
const FILTER: &str = "info,rtc_dtls=error";

/// Maximum number of characters of a field; the log states how many more there were.
pub const MAX_FIELD: usize = 300;

/// Logs to standard error, filtered by `LIANMAI_LOG`.
pub fn install() {
    let filter = EnvFilter::try_from_env("LIANMAI_LOG").unwrap_or_else(|_| EnvFilter::new(FILTER));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).fmt_fields(Fields).init();
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
        let mut shown = Escaped { to: &mut self.writer, left: MAX_FIELD, cut: 0 };
        write!(shown, "{value:?}")?;
        match shown.cut {
            0 => Ok(()),
            cut => write!(self.writer, "… ({cut} bytes more)"),
        }
    }
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
    fn what_people_write_stays_as_it_is() {
        let text = "连麦 café हिन्दी עברית 🎥 C:\\x";
        assert!(logged(|| tracing::info!(name = %text, "a")).contains(text));
    }

    #[test]
    fn long_fields_are_cut() {
        let long = "é".repeat(8000);
        let all = logged(|| tracing::info!(why = %long, other = 7, "words"));
        assert!(all.len() < 2 * MAX_FIELD + 200, "{} bytes", all.len());
        assert!(all.contains("é… (15400 bytes more) other=7"), "{all}");
    }
}
