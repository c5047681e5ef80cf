//! Waits for a condition, with a timeout.

use std::time::{Duration, Instant};

/// Calls `ready` repeatedly until it returns `Some`; panics with `what` after `limit`.
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

/// The same as [`until`] for a boolean.
#[track_caller]
pub fn until_true(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    until(what, limit, || ready().then_some(()));
}
