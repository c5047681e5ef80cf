//! Whether anybody asks: what costs something is done for viewers only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Nobody watches who has not asked for the playlist for this long.
const IDLE: Duration = Duration::from_secs(60);

/// When the playlist was asked for last.
#[derive(Debug, Default)]
pub(super) struct Demand {
    last: Mutex<Option<Instant>>,
    asked: Notify,
}

impl Demand {
    /// Somebody asks.
    pub(super) fn ask(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.asked.notify_waiters();
    }

    /// Whether somebody has asked lately.
    pub(super) fn lately(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last.elapsed() < IDLE)
    }

    /// Resolves at the next asking.
    pub(super) fn asked(&self) -> tokio::sync::futures::Notified<'_> {
        self.asked.notified()
    }
}
