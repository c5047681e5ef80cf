//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Asks `ready` again and again until it answers `Some`; panics with `what` after `limit`.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// [`until`] for a yes or no.
#[track_caller]
pub fn until_true(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    until(what, limit, || ready().then_some(()));
}
