//! When uploads and deletions in the store are tried.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::core::hub::StreamName;

/// Identifies a recording: its stream, and the name of its file without the ending.
pub(in crate::jobs::record) type FileId = (StreamName, String);

/// Number of refusals by the store after which an upload is given up.
const MAX_REFUSALS: u32 = 4;
/// Time without success after which an upload is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// First and longest pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The failures of one upload.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    refusals: u32,
    since: Instant,
    next: Instant,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs::record) enum Next {
    /// It is tried again after this time.
    Again(Duration),
    /// It is given up.
    GiveUp,
}

/// The content of [`UploadQueue`].
#[derive(Debug, Default)]
struct State {
    /// Only recordings of the catalog are here.
    failures: BTreeMap<FileId, Failures>,
    /// Recordings to delete in the store. There are at most as many as the catalog had.
    gone: VecDeque<FileId>,
}

/// Failed uploads, and recordings to delete in the store.
#[derive(Debug, Default)]
pub(in crate::jobs::record) struct UploadQueue {
    state: Mutex<State>,
    changed: Notify,
}

impl UploadQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the uploader: there may be something to do.
    pub(in crate::jobs::record) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until the uploader is woken, up to `time`.
    pub(in crate::jobs::record) async fn wait(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.changed.notified()).await;
    }

    /// Returns whether an upload may be tried now.
    pub(in crate::jobs::record) fn is_due(&self, id: &FileId) -> bool {
        self.state().failures.get(id).is_none_or(|failures| failures.next <= Instant::now())
    }

    /// Records a failure.
    pub(in crate::jobs::record) fn failed(&self, id: &FileId, refused: bool) -> Next {
        let now = Instant::now();
        let mut state = self.state();
        let failures = state.failures.entry(id.clone()).or_insert(Failures {
            count: 0,
            refusals: 0,
            since: now,
            next: now,
        });
        failures.count += 1;
        failures.refusals = if refused { failures.refusals + 1 } else { 0 };
        if failures.refusals >= MAX_REFUSALS || now >= failures.since + GIVE_UP_AFTER {
            state.failures.remove(id);
            return Next::GiveUp;
        }
        let pause = pause(failures.count);
        failures.next = now + pause;
        Next::Again(pause)
    }

    /// Forgets the failures of an upload: it is done, deleted, or shall be tried at once.
    pub(in crate::jobs::record) fn forget(&self, id: &FileId) {
        self.state().failures.remove(id);
    }

    /// Adds a recording that is to be deleted in the store.
    pub(in crate::jobs::record) fn delete(&self, id: FileId) {
        let mut state = self.state();
        state.failures.remove(&id);
        if !state.gone.contains(&id) {
            state.gone.push_back(id);
        }
        drop(state);
        self.wake();
    }

    /// Returns the next recording to delete in the store.
    pub(in crate::jobs::record) fn next_gone(&self) -> Option<FileId> {
        self.state().gone.pop_front()
    }

    /// Puts a recording back that could not be deleted in the store.
    pub(in crate::jobs::record) fn not_deleted(&self, id: FileId) {
        self.state().gone.push_back(id);
    }
}

/// Returns the pause after so many failures.
pub(in crate::jobs::record) fn pause(count: u32) -> Duration {
    let factor = 1_u32 << count.saturating_sub(1).min(16);
    (FIRST_PAUSE * factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> FileId {
        (StreamName::parse("live/x").unwrap(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_end_soon_and_outages_after_a_day() {
        let queue = UploadQueue::default();
        for seconds in [1, 2, 4] {
            assert_eq!(queue.failed(&id("a"), true), Next::Again(Duration::from_secs(seconds)));
            assert!(!queue.is_due(&id("a")) && queue.is_due(&id("b")));
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert!(queue.is_due(&id("a")));
        }
        assert_eq!(queue.failed(&id("a"), true), Next::GiveUp);
        assert!(queue.is_due(&id("a")), "it begins anew");

        let begin = Instant::now();
        let mut longest = Duration::ZERO;
        while let Next::Again(pause) = queue.failed(&id("b"), false) {
            longest = longest.max(pause);
            tokio::time::advance(pause).await;
        }
        assert_eq!(longest, LONGEST_PAUSE);
        let took = begin.elapsed();
        assert!((GIVE_UP_AFTER..GIVE_UP_AFTER + LONGEST_PAUSE).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn deletions_are_in_the_queue_once() {
        let queue = UploadQueue::default();
        queue.delete(id("a"));
        queue.delete(id("a"));
        queue.delete(id("b"));
        assert_eq!(queue.next_gone(), Some(id("a")));
        queue.not_deleted(id("a"));
        assert_eq!(
            (queue.next_gone(), queue.next_gone(), queue.next_gone()),
            (Some(id("b")), Some(id("a")), None)
        );
    }
}
