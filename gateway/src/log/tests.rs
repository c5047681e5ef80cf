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
        assert!(!all.contains("[2J") || all.contains("\\u{1b}[2J") || all.contains("\\u{9b}2J"), "{all:?}");
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
