//! Tracks whether anybody watches: expensive work is only done for viewers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A stream counts as unwatched if its playlist was not requested for this long.
const IDLE: Duration = Duration::from_secs(60);

/// The time of the last playlist request.
#[derive(Debug, Default)]
pub(super) struct Demand {
    last: Mutex<Option<Instant>>,
    asked: Notify,
}

impl Demand {
    /// Records a request.
    pub(super) fn ask(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.asked.notify_waiters();
    }

    /// Returns whether there was a request within the last minute.
    pub(super) fn lately(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last.elapsed() < IDLE)
    }

    /// Resolves at the next request.
    pub(super) fn asked(&self) -> tokio::sync::futures::Notified<'_> {
        self.asked.notified()
    }
}
