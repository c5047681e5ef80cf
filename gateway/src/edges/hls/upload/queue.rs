//! What waits to be uploaded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Piece;

/// Maximum number of segments of a stream that wait. One more replaces the oldest.
const MAX_WAITING: usize = 8;

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Work {
    /// The stream begins, with this epoch.
    Begin(u64),
    /// Upload a segment. It stays in the queue until [`Queue::done`]. `after_gap` says that segments before it were
    /// left out.
    Segment { piece: Piece, after_gap: bool },
    /// Write the end of the playlist.
    End,
    /// Delete everything.
    Clear,
    /// Nothing more will come.
    Close,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// Whether segments were left out before the first one that waits.
    gap: bool,
    /// The epoch of a stream that begins.
    begins: Option<u64>,
    ended: bool,
    cleared: bool,
    closed: bool,
}

/// The queue of one stream.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.changed.notify_one();
        done
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, epoch: u64) {
        // What waits belongs to the stream before.
        self.change(|state| *state = State { begins: Some(epoch), ..State::default() });
    }

    /// Adds a segment. Returns whether the oldest was left out for it.
    pub(super) fn push(&self, piece: Piece) -> bool {
        self.change(|state| {
            state.pieces.push_back(piece);
            let full = state.pieces.len() > MAX_WAITING;
            if full {
                state.pieces.pop_front();
                state.gap = true;
            }
            full
        })
    }

    pub(super) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    pub(super) fn clear(&self) {
        self.change(|state| {
            state.pieces.clear();
            (state.ended, state.cleared) = (false, true);
        });
    }

    pub(super) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Waits for the next work.
    pub(super) async fn next(&self) -> Work {
        loop {
            if let Some(work) = self.state().next() {
                return work;
            }
            self.changed.notified().await;
        }
    }

    /// Removes a segment that was uploaded, unless it was left out meanwhile.
    pub(super) fn done(&self, number: u64) {
        let mut state = self.state();
        if state.pieces.front().is_some_and(|first| first.number == number) {
            state.pieces.pop_front();
            state.gap = false;
        }
    }

    /// Returns whether nobody will add anything.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }
}

impl State {
    fn next(&mut self) -> Option<Work> {
        if let Some(epoch) = self.begins.take() {
            return Some(Work::Begin(epoch));
        }
        if let Some(piece) = self.pieces.front() {
            return Some(Work::Segment { piece: piece.clone(), after_gap: self.gap });
        }
        if std::mem::take(&mut self.ended) {
            return Some(Work::End);
        }
        if std::mem::take(&mut self.cleared) {
            return Some(Work::Clear);
        }
        self.closed.then_some(Work::Close)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn piece(number: u64) -> Piece {
        let (duration, date) = (2_000_000, 0);
        Piece { number, bytes: Bytes::new(), duration, discontinuity: false, independent: true, date }
    }

    #[tokio::test]
    async fn a_store_that_is_away_costs_eight_segments_and_the_oldest_are_left_out() {
        let queue = Queue::default();
        queue.begin(7);
        assert!(matches!(queue.next().await, Work::Begin(7)));
        let dropped = (0..20).filter(|n| queue.push(piece(*n))).count();
        assert_eq!((dropped, queue.state().pieces.len()), (20 - MAX_WAITING, MAX_WAITING));
        for number in 12..20 {
            let Work::Segment { piece, after_gap } = queue.next().await else { panic!("a segment") };
            assert_eq!((piece.number, after_gap), (number, number == 12));
            // It stays until it was uploaded, also when it is asked for twice.
            assert!(matches!(queue.next().await, Work::Segment { piece, .. } if piece.number == number));
            queue.done(number);
        }
        queue.push(piece(20));
        queue.end();
        queue.clear();
        queue.close();
        assert!(matches!(queue.next().await, Work::Clear), "what waits is deleted, too");
        assert!(matches!(queue.next().await, Work::Close));
    }

    #[tokio::test]
    async fn the_end_comes_after_the_segments() {
        let queue = Queue::default();
        queue.push(piece(1));
        queue.end();
        assert!(matches!(queue.next().await, Work::Segment { .. }));
        queue.done(1);
        assert!(matches!(queue.next().await, Work::End));
    }
}
