//! The number of viewers of a stream, and when listeners hear of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Minimum interval of the events about one stream. A client that connects and disconnects all the time must not push
/// the events of other streams out of the queue.
const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// The content of a [`ViewerCount`].
#[derive(Debug, Default)]
struct State {
    count: usize,
    /// Time of the last event.
    reported: Option<Instant>,
    /// Whether an event is due at the end of the interval.
    scheduled: bool,
    /// Whether the stream has ended: no events follow.
    ended: bool,
}

/// Counts the viewers of a stream. The `report` functions send an event with the count; they run inside the lock, so
/// that the events have the order of the changes.
#[derive(Debug, Default)]
pub(super) struct ViewerCount(Mutex<State>);

impl ViewerCount {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of viewers.
    pub(super) fn get(&self) -> usize {
        self.state().count
    }

    /// Adds or removes viewers. Reports the new count, or returns the time at which to call
    /// [`ViewerCount::report_scheduled`].
    pub(super) fn change(&self, by: isize, report: impl FnOnce(usize)) -> Option<Instant> {
        let (mut state, now) = (self.state(), Instant::now());
        state.count = state.count.saturating_add_signed(by);
        if state.ended || state.scheduled {
            return None;
        }
        let due = state.reported.map(|reported| reported + MIN_INTERVAL).filter(|due| *due > now);
        match due {
            Some(_) => state.scheduled = true,
            None => {
                state.reported = Some(now);
                report(state.count);
            }
        }
        due
    }

    /// Reports the newest count at the end of the interval, unless the stream has ended.
    pub(super) fn report_scheduled(&self, report: impl FnOnce(usize)) {
        let mut state = self.state();
        if std::mem::take(&mut state.scheduled) {
            state.reported = Some(Instant::now());
            report(state.count);
        }
    }

    /// Reports a count that is due, and none after that.
    pub(super) fn end(&self, report: impl FnOnce(usize)) {
        self.report_scheduled(report);
        self.state().ended = true;
    }
}
