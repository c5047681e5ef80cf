//! A bounded ring of items that one writer fills and any number of cursors read.
//!
//! Readers cost the writer nothing and each other nothing: a cursor is a number. One that falls
//! behind what the ring still holds jumps to the newest key item and counts what it missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::time::Micros;

use super::keys::Hope;
use crate::net::wake::{Slot, Wake};

/// What a ring can hold: cheap to clone, its bytes shared.
pub trait Item: Clone {
    /// Whether a reader may start here.
    fn key(&self) -> bool;
    /// Bytes it keeps in memory.
    fn size(&self) -> usize;
    /// Its time on the stream's clock.
    fn time(&self) -> Micros;
}

/// Where a cursor starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the newest cached key item, or the next one where none is cached.
    Key,
    /// At the next key item to come.
    Live,
    /// At the next item to come, key or not.
    Next,
    /// At the oldest item that is held, key or not.
    Oldest,
}

/// How much a ring keeps.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items at most.
    pub items: usize,
    /// Bytes at most.
    pub bytes: usize,
    /// How far before the newest item a cursor may be, where the newest key item lies later.
    pub span: Micros,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// The number of the front item.
    first: u64,
    bytes: usize,
    /// The number of the newest key item that is still held.
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

/// The ring; see the module.
#[derive(Debug)]
pub struct Ring<T> {
    state: Mutex<State<T>>,
    limits: Limits,
    wake: Wake,
}

impl<T: Item> Ring<T> {
    /// An empty ring.
    pub fn new(limits: Limits) -> Arc<Self> {
        let state = State { items: VecDeque::new(), first: 0, bytes: 0, newest_key: None, closed: false };
        Arc::new(Self { state: Mutex::new(state), limits, wake: Wake::default() })
    }

    /// How much it keeps.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an item, drops what no longer fits and wakes the readers.
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

    /// Ends the ring: cursors read what is left and then see the end.
    pub fn close(&self) {
        self.state().closed = true;
        self.wake.wake();
    }

    /// Whether [`Ring::close`] was called.
    pub fn closed(&self) -> bool {
        self.state().closed
    }

    /// The time of the newest item.
    pub fn newest(&self) -> Option<Micros> {
        self.state().items.back().map(Item::time)
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// A new reader.
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
        Cursor { ring: self.clone(), next, key, hope: None, skipped: 0, jumped: false, slot: None }
    }
}

/// One reader of a ring.
#[derive(Debug)]
pub struct Cursor<T> {
    ring: Arc<Ring<T>>,
    next: u64,
    /// Whether it must find a key item first.
    key: bool,
    /// Why it waits for one to come; when that is over it begins at the newest that is held.
    hope: Option<Hope>,
    skipped: u64,
    jumped: bool,
    slot: Option<Arc<Slot>>,
}

enum Step<T> {
    Item(T),
    Empty,
    Closed,
}

impl<T: Item> Cursor<T> {
    /// The cursor waits for a key item to come only while there is hope.
    pub(super) fn hoping(self, hope: Hope) -> Self {
        Self { hope: Some(hope), ..self }
    }

    fn step(&mut self) -> Step<T> {
        let state = self.ring.state();
        if !self.key {
            self.hope = None;
        } else if self.hope.as_ref().is_some_and(Hope::is_over)
            && let Some(key) = state.newest_key
        {
            (self.next, self.key, self.hope) = (key, false, None);
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

    /// The next item, if it is there already.
    pub fn try_next(&mut self) -> Option<T> {
        match self.step() {
            Step::Item(item) => Some(item),
            Step::Empty | Step::Closed => None,
        }
    }

    /// The next item; `None` when the stream is over. May be dropped and called again.
    pub async fn next(&mut self) -> Option<T> {
        match self.step() {
            Step::Item(item) => return Some(item),
            Step::Closed => return None,
            Step::Empty => {}
        }
        let slot = self.slot.get_or_insert_with(|| self.ring.wake.slot()).clone();
        loop {
            let mut notified = std::pin::pin!(slot.notified());
            notified.as_mut().enable();
            match self.step() {
                Step::Item(item) => return Some(item),
                Step::Closed => return None,
                Step::Empty => notified.await,
            }
        }
    }

    /// Items missed so far because the reader was too slow.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether items were missed since the last call.
    pub fn take_skip(&mut self) -> bool {
        std::mem::take(&mut self.jumped)
    }

    /// How far the reader is behind the newest item.
    pub fn lag(&self) -> Micros {
        let state = self.ring.state();
        let at = state.items.get(self.next.saturating_sub(state.first) as usize);
        match (at, state.items.back()) {
            (Some(at), Some(newest)) => newest.time() - at.time(),
            _ => 0,
        }
    }
}
