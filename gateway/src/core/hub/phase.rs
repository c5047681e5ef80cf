//! Finds out which tracks the current publisher of a stream sends.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Viewers are refused after a publisher has sent only unreadable media for this long.
const UNREADABLE: Duration = Duration::from_secs(3);

/// Time to wait for a second track.
const SETTLE: Duration = Duration::from_secs(1);

/// Progress in finding out which tracks the current publisher sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No frame yet.
    Empty,
    /// No frame yet. The publisher has sent unreadable media since this time.
    Unreadable(Instant),
    /// One track has been seen, at this time; the other may follow.
    Partial(Instant),
    /// The tracks are known.
    Settled,
}

/// The phase of the current publisher, with those who wait for another phase.
#[derive(Debug)]
pub(super) struct PublisherPhase(watch::Sender<Phase>);

impl Default for PublisherPhase {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Empty))
    }
}

impl PublisherPhase {
    fn get(&self) -> Phase {
        *self.0.borrow()
    }

    /// Starts again for a new publisher.
    pub(super) fn reset(&self) {
        self.0.send_replace(Phase::Empty);
    }

    /// Records that the publisher has sent unreadable media.
    pub(super) fn set_unreadable(&self) {
        if self.get() == Phase::Empty {
            self.0.send_replace(Phase::Unreadable(Instant::now()));
        }
    }

    /// Returns whether the publisher has sent unreadable media and no frame.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.get(), Phase::Unreadable(_))
    }

    /// Records that a frame has come, and that `seen` of `expected` tracks have sent one.
    pub(super) fn frame_came(&self, seen: usize, expected: usize) {
        match self.get() {
            Phase::Settled => {}
            _ if seen >= expected => {
                self.0.send_replace(Phase::Settled);
            }
            Phase::Empty | Phase::Unreadable(_) => {
                self.0.send_replace(Phase::Partial(Instant::now()));
            }
            Phase::Partial(_) => {}
        }
    }

    /// Resolves when the tracks are known: all expected tracks have sent a frame, or [`SETTLE`] has passed since the
    /// first frame.
    pub(super) async fn settled(&self) {
        let mut phase = self.0.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            let changed = match now {
                Phase::Settled => return,
                Phase::Empty | Phase::Unreadable(_) => phase.changed().await,
                Phase::Partial(since) => match timeout_at(since + SETTLE, phase.changed()).await {
                    Ok(changed) => changed,
                    Err(_) => return,
                },
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Resolves when the publisher has sent only unreadable media for [`UNREADABLE`].
    pub(super) async fn stays_unreadable(&self) {
        let mut phase = self.0.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            let changed = match now {
                Phase::Unreadable(since) => match timeout_at(since + UNREADABLE, phase.changed()).await {
                    Ok(changed) => changed,
                    Err(_) => return,
                },
                _ => phase.changed().await,
            };
            if changed.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
