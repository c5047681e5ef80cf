//! A bounded ring of items, filled by one writer and read by any number of cursors.
//!
//! Readers cost the writer and each other nothing: a cursor is only a number. A cursor that is overtaken
//! jumps to the newest key item and counts the missed items.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::time::Micros;

use super::keys::KeyFrameWait;
use crate::net::wake::{ReaderGroup, Wake};

/// An item of a ring: cheap to clone, with shared bytes.
pub trait Item: Clone {
    /// Returns whether a reader may start here.
    fn key(&self) -> bool;
    /// Returns the bytes that it keeps in memory.
    fn size(&self) -> usize;
    /// Returns its time on the stream's clock.
    fn time(&self) -> Micros;
}

/// The start position of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the newest cached key item, or at the next one if none is cached.
    Key,
    /// At the next key item to be pushed.
    Live,
    /// At the next item to be pushed, key or not.
    Next,
    /// At the oldest cached item, key or not.
    Oldest,
}

/// Size limits of a ring.
#[derive(Debug, Clone, Copy)]
pub struct RingLimits {
    /// Maximum number of items.
    pub items: usize,
    /// Maximum number of bytes.
    pub bytes: usize,
    /// Maximum distance of a cursor from the newest item, if a newer key item exists.
    pub span: Micros,
}

/// The items of a [`Ring`].
#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// The number of the front item.
    first: u64,
    bytes: usize,
    /// The number of the newest cached key item.
    newest_key: Option<u64>,
    closed: bool,
}

impl<T: Item> State<T> {
    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    fn evict(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= item.size();
            if self.newest_key == Some(self.first) {
                self.newest_key = None;
            }
            self.first += 1;
        }
    }
}

/// The ring; see the module documentation.
#[derive(Debug)]
pub struct Ring<T> {
    state: Mutex<State<T>>,
    limits: RingLimits,
    wake: Wake,
}

impl<T: Item> Ring<T> {
    /// Creates an empty ring.
    pub fn new(limits: RingLimits) -> Arc<Self> {
        let state = State { items: VecDeque::new(), first: 0, bytes: 0, newest_key: None, closed: false };
        Arc::new(Self { state: Mutex::new(state), limits, wake: Wake::default() })
    }

    /// Returns the ring's size limits.
    pub fn limits(&self) -> RingLimits {
        self.limits
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an item, drops the oldest items over the limits, and wakes the readers.
    pub fn push(&self, item: T) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        let now = item.time();
        state.bytes += item.size();
        if item.key() {
            state.newest_key = Some(state.end());
        }
        state.items.push_back(item);
        while state.items.len() > self.limits.items
            || (state.bytes > self.limits.bytes && state.items.len() > 1)
        {
            state.evict();
        }
        while state.newest_key.is_some_and(|key| key > state.first)
            && state.items.front().is_some_and(|front| now.saturating_sub(front.time()) > self.limits.span)
        {
            state.evict();
        }
        drop(state);
        self.wake.wake();
    }

    /// Ends the ring: cursors read the remaining items and then the end.
    pub fn close(&self) {
        self.state().closed = true;
        self.wake.wake();
    }

    /// Returns whether [`Ring::close`] was called.
    pub fn closed(&self) -> bool {
        self.state().closed
    }

    /// Returns the time of the newest item.
    pub fn newest(&self) -> Option<Micros> {
        self.state().items.back().map(Item::time)
    }

    /// Returns the number of cached bytes.
    pub fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Creates a reader.
    pub fn cursor(self: &Arc<Self>, start: Start) -> Cursor<T> {
        let state = self.state();
        let end = state.end();
        let (next, key) = match (start, state.newest_key) {
            (Start::Key, Some(key)) => (key, false),
            (Start::Key | Start::Live, _) => (end, true),
            (Start::Next, _) => (end, false),
            (Start::Oldest, _) => (state.first, false),
        };
        drop(state);
        Cursor { ring: self.clone(), next, key, key_frame_wait: None, skipped: 0, jumped: false, group: None }
    }
}

/// A reader of a ring.
#[derive(Debug)]
pub struct Cursor<T> {
    ring: Arc<Ring<T>>,
    next: u64,
    /// Whether it must find a key item first.
    key: bool,
    /// Why it waits for a new key item. Without a reason it starts at the newest cached one.
    key_frame_wait: Option<KeyFrameWait>,
    skipped: u64,
    jumped: bool,
    group: Option<Arc<ReaderGroup>>,
}

enum Step<T> {
    Item(T),
    Empty,
    Closed,
}

impl<T: Item> Cursor<T> {
    /// Makes the cursor wait for a new key item only while `wait` lasts.
    pub(super) fn waiting_for_key_frame(self, wait: KeyFrameWait) -> Self {
        Self { key_frame_wait: Some(wait), ..self }
    }

    fn step(&mut self) -> Step<T> {
        let state = self.ring.state();
        if !self.key {
            self.key_frame_wait = None;
        } else if self.key_frame_wait.as_ref().is_some_and(KeyFrameWait::is_over)
            && let Some(key) = state.newest_key
        {
            (self.next, self.key, self.key_frame_wait) = (key, false, None);
        }
        if self.next < state.first {
            let to = state.newest_key.unwrap_or(state.end());
            if !self.key {
                self.skipped += to - self.next;
                self.jumped = true;
            }
            self.key = state.newest_key.is_none();
            self.next = to;
        }
        while self.key && self.next < state.end() {
            match state.items.get((self.next - state.first) as usize) {
                Some(item) if item.key() => self.key = false,
                _ => {
                    self.next += 1;
                    self.skipped += u64::from(self.jumped);
                }
            }
        }
        match state.items.get((self.next - state.first) as usize) {
            Some(item) => {
                self.next += 1;
                Step::Item(item.clone())
            }
            None if state.closed => Step::Closed,
            None => Step::Empty,
        }
    }

    /// Returns the next item, if it is available.
    pub fn try_next(&mut self) -> Option<T> {
        match self.step() {
            Step::Item(item) => Some(item),
            Step::Empty | Step::Closed => None,
        }
    }

    /// Waits for the next item; `None` when the ring has ended. Safe to cancel and call again.
    pub async fn next(&mut self) -> Option<T> {
        match self.step() {
            Step::Item(item) => return Some(item),
            Step::Closed => return None,
            Step::Empty => {}
        }
        let group = self.group.get_or_insert_with(|| self.ring.wake.group()).clone();
        loop {
            let mut notified = std::pin::pin!(group.notified());
            notified.as_mut().enable();
            match self.step() {
                Step::Item(item) => return Some(item),
                Step::Closed => return None,
                Step::Empty => notified.await,
            }
        }
    }

    /// Returns the number of items missed so far because the reader was too slow.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Returns whether items were missed since the last call.
    pub fn take_skip(&mut self) -> bool {
        std::mem::take(&mut self.jumped)
    }

    /// Returns how far the reader is behind the newest item.
    pub fn lag(&self) -> Micros {
        let state = self.ring.state();
        let at = state.items.get(self.next.saturating_sub(state.first) as usize);
        match (at, state.items.back()) {
            (Some(at), Some(newest)) => newest.time() - at.time(),
            _ => 0,
        }
    }
}
