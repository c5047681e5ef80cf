//! The number of viewers of a stream, and when listeners hear of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::events::{self, Happened};
use crate::core::name::StreamName;

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

/// Counts the viewers of a stream. Events are sent inside the lock, so that they have the order of the changes.
#[derive(Debug)]
pub(super) struct ViewerCount {
    stream: StreamName,
    events: events::Sender,
    state: Mutex<State>,
}

impl ViewerCount {
    pub(super) fn new(stream: StreamName, events: events::Sender) -> Arc<Self> {
        Arc::new(Self { stream, events, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, state: &State) {
        self.events.send(&self.stream, Happened::Viewers(state.count));
    }

    /// Returns the number of viewers.
    pub(super) fn get(&self) -> usize {
        self.state().count
    }

    /// Adds or removes viewers. Reports the new count now, or at the end of the interval.
    pub(super) fn change(self: &Arc<Self>, by: isize) {
        let (mut state, now) = (self.state(), Instant::now());
        state.count = state.count.saturating_add_signed(by);
        if state.ended || state.scheduled {
            return;
        }
        let due = state.reported.map(|reported| reported + MIN_INTERVAL).filter(|due| *due > now);
        let Some(due) = due else {
            state.reported = Some(now);
            self.report(&state);
            return;
        };
        state.scheduled = true;
        drop(state);
        let count = Arc::downgrade(self);
        self.events.schedule(due, move || {
            if let Some(count) = count.upgrade() {
                count.report_scheduled();
            }
        });
    }

    /// Reports the newest count if that is scheduled.
    fn report_scheduled(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.scheduled) {
            state.reported = Some(Instant::now());
            self.report(&state);
        }
    }

    /// Reports a count that is due, and none after that.
    pub(super) fn end(&self) {
        self.report_scheduled();
        self.state().ended = true;
    }
}
