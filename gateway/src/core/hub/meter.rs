//! Counts bytes and measures the rate over the last half minute.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(30);

/// A byte counter.
#[derive(Debug)]
pub struct Meter {
    total: AtomicU64,
    /// Time and total at the start of each second of the window, oldest first.
    marks: Mutex<VecDeque<(Instant, u64)>>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { total: AtomicU64::new(0), marks: Mutex::new(VecDeque::from([(Instant::now(), 0)])) }
    }
}

impl Meter {
    /// Adds `bytes`.
    pub fn add(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the number of bytes so far.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Returns the rate in kbit/s over the last 30 s, or since the start if that is shorter.
    ///
    /// This call also stores the marks, at most one per second, so it must be called regularly.
    pub fn kbps(&self) -> u64 {
        let (now, total) = (Instant::now(), self.total());
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.back().is_none_or(|(at, _)| now.duration_since(*at) >= Duration::from_secs(1)) {
            marks.push_back((now, total));
        }
        while marks.len() > 2 && marks.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            marks.pop_front();
        }
        let Some((at, then)) = marks.front() else { return 0 };
        let millis = now.duration_since(*at).as_millis().max(1) as u64;
        (total - then) * 8 / millis
    }
}
