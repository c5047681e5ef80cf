//! A publisher's metadata, and messages of an application to its viewers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use media::flv::amf0::Value;
use tokio::time::Instant;

/// A publisher's own metadata: names and values.
pub type Fields = Arc<Vec<(String, Value)>>;

/// Maximum number of messages, and of their bytes, per second. Metadata count as one message without size.
const MAX_MESSAGES: usize = 32;
const MAX_BYTES: usize = 64 << 10;
const SECOND: Duration = Duration::from_secs(1);

/// New metadata or a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The metadata have changed.
    Metadata,
    /// A message, in AMF0.
    Message(Bytes),
}

/// The content of [`Notes`].
#[derive(Debug, Default)]
struct State {
    fields: Option<Fields>,
    /// The newest notes; `first` is the number of the first one.
    notes: VecDeque<Note>,
    first: u64,
    /// Start of the current rate window, with the number of notes and bytes in it.
    window: Option<(Instant, usize, usize)>,
}

/// The metadata and the recent messages of a stream.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Total number of notes: a reader that has this number has nothing new to read.
    count: AtomicU64,
    state: Mutex<State>,
}

impl Notes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resets the state for another publisher.
    pub(super) fn reset(&self) {
        self.state().fields = None;
    }

    /// Adds new metadata or a message. Returns false if the rate limit was exceeded.
    pub(super) fn push(&self, note: Note, fields: Option<Fields>) -> bool {
        let mut state = self.state();
        if fields.is_some() {
            if state.fields == fields {
                return true;
            }
            // Metadata are stored even over the rate limit, so that later viewers get the newest.
            state.fields = fields;
        }
        let now = Instant::now();
        let size = if let Note::Message(body) = &note { body.len() } else { 0 };
        let (since, count, bytes) =
            state.window.filter(|(since, ..)| now - *since < SECOND).unwrap_or((now, 0, 0));
        if count >= MAX_MESSAGES || bytes + size > MAX_BYTES {
            return false;
        }
        state.window = Some((since, count + 1, bytes + size));
        state.notes.push_back(note);
        while state.notes.len() > MAX_MESSAGES {
            state.notes.pop_front();
            state.first += 1;
        }
        self.count.store(state.first + state.notes.len() as u64, Ordering::Release);
        true
    }

    /// Returns the newest metadata.
    pub(super) fn fields(&self) -> Option<Fields> {
        self.state().fields.clone()
    }

    /// Returns the notes from number `heard` on, and advances `heard`.
    pub(super) fn since(&self, heard: &mut u64) -> Vec<Note> {
        if self.count.load(Ordering::Acquire) == *heard {
            return Vec::new();
        }
        let state = self.state();
        let from = heard.saturating_sub(state.first) as usize;
        *heard = state.first + state.notes.len() as u64;
        state.notes.iter().skip(from).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn notes_are_bounded_in_rate_and_size() {
        let notes = Notes::default();
        let (mut heard, message) = (0, |size: usize| Note::Message(vec![1; size].into()));
        assert!((0..MAX_MESSAGES).all(|_| notes.push(message(10), None)));
        assert!(!notes.push(message(1), None));
        assert_eq!(notes.since(&mut heard).len(), MAX_MESSAGES);
        tokio::time::advance(SECOND).await;
        assert!(notes.push(message(MAX_BYTES / 2), None) && notes.push(message(MAX_BYTES / 2), None));
        assert!(!notes.push(message(1), None));
        assert_eq!((notes.since(&mut heard).len(), notes.since(&mut heard).len()), (2, 0));
        // Nobody read them: only the newest are kept.
        for _ in 0..10 {
            tokio::time::advance(SECOND).await;
            assert!((0..MAX_MESSAGES).all(|_| notes.push(message(1), None)));
        }
        assert_eq!(notes.state().notes.len(), MAX_MESSAGES);
        assert_eq!(notes.since(&mut heard).len(), MAX_MESSAGES);
    }

    #[tokio::test(start_paused = true)]
    async fn metadata_are_passed_on_when_they_change() {
        let notes = Notes::default();
        let (mut heard, title) =
            (0, |text: &str| Some(Arc::new(vec![("title".to_owned(), Value::from(text))])));
        for (text, count) in [("a", 1), ("a", 0), ("b", 1)] {
            assert!(notes.push(Note::Metadata, title(text)));
            assert_eq!(notes.since(&mut heard), vec![Note::Metadata; count]);
            assert_eq!(notes.fields(), title(text));
        }
        notes.reset();
        assert_eq!(notes.fields(), None);
    }
}
