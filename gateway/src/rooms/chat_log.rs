//! Writes the chat of rooms to files: JSON lines, one file per room and day (UTC).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::message::ChatMessage;
use crate::core::date::Date;

/// Maximum number of messages that wait to be written. Further messages are dropped and counted.
const MAX_WAITING: usize = 1_000;

/// The chat log of all rooms. A separate thread writes the files, so that a slow disk does not block the rooms.
#[derive(Debug)]
pub(super) struct ChatLog(mpsc::Sender<(String, ChatMessage)>);

impl ChatLog {
    /// Creates the log in the folder `chat` of the data folder.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("chat");
        Self::with(move |room, message| {
            let written = append(&folder, room, message);
            written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
        })
    }

    /// Creates a log that `append` writes.
    fn with(mut append: impl FnMut(&str, &ChatMessage) -> io::Result<()> + Send + 'static) -> Self {
        let (sender, mut lines) = mpsc::channel::<(String, ChatMessage)>(MAX_WAITING);
        tokio::task::spawn_blocking(move || {
            let mut failed = false;
            while let Some((room, message)) = lines.blocking_recv() {
                let written = append(&room, &message);
                if let (Err(error), false) = (&written, failed) {
                    tracing::warn!(%error, "chat message not logged");
                }
                failed = written.is_err();
            }
        });
        Self(sender)
    }

    /// Queues a message of a room for writing. Returns false, and counts the message as lost, if the queue is full.
    pub(super) fn write(&self, room: &str, message: &ChatMessage) -> bool {
        let queued = self.0.try_send((room.to_owned(), message.clone())).is_ok();
        if !queued {
            metrics::counter!("lianmai_chat_log_lost_total").increment(1);
        }
        queued
    }
}

fn append(folder: &Path, room: &str, message: &ChatMessage) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    OpenOptions::new().create(true).append(true).open(file(folder, room, message.at))?.write_all(&line)
}

/// Returns the path of the file for a room and a day. The segments of a room's name contain no `%` and no leading
/// dot, so every room has its own file, and the file is in `folder`.
fn file(folder: &Path, room: &str, at: u64) -> PathBuf {
    let room = room.replace('/', "%2F");
    folder.join(format!("{room}-{}.jsonl", Date::of_millis(at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::role::Role;

    #[test]
    fn a_day_has_its_file() {
        for (at, name) in [
            (0, "show-1970-01-01.jsonl"),
            (951_782_400_000, "show-2000-02-29.jsonl"),
            (1_735_689_599_999, "show-2024-12-31.jsonl"),
            (4_107_542_400_000, "show-2100-03-01.jsonl"),
        ] {
            assert_eq!(file(Path::new("f"), "show", at), Path::new("f").join(name));
        }
        assert_eq!(file(Path::new("f"), "site/show", 0), Path::new("f/site%2Fshow-1970-01-01.jsonl"));
    }

    fn message(seq: u64) -> ChatMessage {
        ChatMessage {
            seq,
            at: 0,
            id: "anna".into(),
            name: "A\nB".to_owned(),
            role: Role::Host,
            text: "hi".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_slow_disk_loses_messages_and_keeps_the_order_of_the_others() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (turn, turns) = std::sync::mpsc::channel::<()>();
        let log = ChatLog::with(move |_, message| {
            begun.send(message.seq).map_err(io::Error::other)?;
            // The disk is ready once the test says so, and always after the test.
            let _ = turns.recv();
            Ok(())
        });
        assert!(log.write("show", &message(0)));
        assert_eq!(begins.recv().await, Some(0), "the disk works on the first message");
        let waiting = u64::try_from(MAX_WAITING).unwrap();
        assert!((1..=waiting).all(|seq| log.write("show", &message(seq))));
        assert!((0..10).all(|_| !log.write("show", &message(9_999))), "the queue is full");
        turn.send(()).unwrap();
        assert_eq!(begins.recv().await, Some(1));
        assert!(log.write("show", &message(waiting + 1)), "there is room for one");
        drop((turn, log));
        let mut rest = Vec::new();
        while let Some(seq) = begins.recv().await {
            rest.push(seq);
        }
        assert_eq!(rest, (2..=waiting + 1).collect::<Vec<_>>());
    }

    #[test]
    fn messages_are_appended_as_lines() {
        let folder = std::env::temp_dir().join(format!("lianmai-chat-{}", std::process::id()));
        let message = message(1);
        append(&folder, "show", &message).unwrap();
        append(&folder, "show", &ChatMessage { seq: 2, ..message }).unwrap();
        let text = fs::read_to_string(folder.join("show-1970-01-01.jsonl")).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with(r#"{"seq":1,"at":0,"id":"anna","name":"A\nB","role":"host","text":"hi"}"#));
        fs::remove_dir_all(&folder).unwrap();
    }
}
