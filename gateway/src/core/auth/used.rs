//! Which tokens were used: each `jti` lets somebody in once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::token::TokenError;

/// Tokens that are remembered at once, about 200 bytes each. Who is let in by one must have had it signed:
/// strangers don't fill this.
const MAX: usize = 100_000;
/// Seconds between two looks for what can be forgotten.
const SWEEP: i64 = 5;

/// The key that signed, and the name it gave.
type Id = ([u8; 32], String);

#[derive(Debug, Default)]
struct State {
    /// Until when each has to be remembered.
    until: HashMap<Id, i64>,
    swept: i64,
}

/// The `jti`s that were used and that could be shown again. Two signers don't get in each other's way.
#[derive(Debug)]
pub(super) struct Used {
    state: Mutex<State>,
    max: usize,
}

impl Default for Used {
    fn default() -> Self {
        Self::of(MAX)
    }
}

impl Used {
    fn of(max: usize) -> Self {
        Self { state: Mutex::default(), max }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was used.
    pub(super) fn has(&self, key: [u8; 32], jti: &str) -> bool {
        self.state().until.contains_key(&(key, jti.to_owned()))
    }

    /// Uses it, if it was not used: of several at once exactly one succeeds.
    pub(super) fn take(&self, key: [u8; 32], jti: &str, until: i64, now: i64) -> Result<(), TokenError> {
        let mut state = self.state();
        if now.saturating_sub(state.swept) >= SWEEP || now < state.swept {
            state.until.retain(|_, until| *until > now);
            state.swept = now;
        }
        let full = state.until.len() >= self.max;
        match state.until.entry((key, jti.to_owned())) {
            Entry::Occupied(_) => Err(TokenError::Used),
            Entry::Vacant(_) if full => Err(TokenError::Busy),
            Entry::Vacant(free) => {
                free.insert(until);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const KEY: [u8; 32] = [1; 32];

    #[test]
    fn it_is_used_once_until_it_is_over() {
        let used = Used::of(10);
        assert_eq!(used.take(KEY, "a", 100, 50), Ok(()));
        assert_eq!(used.take(KEY, "a", 100, 50), Err(TokenError::Used));
        assert_eq!(used.take(KEY, "a", 100, 99), Err(TokenError::Used));
        assert!(used.has(KEY, "a") && !used.has(KEY, "b"));
        assert_eq!(used.take([2; 32], "a", 100, 99), Ok(()));
        assert_eq!(used.take(KEY, "a", 200, 105), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_full_one_lets_nobody_in() {
        let used = Used::of(10);
        for n in 0..10 {
            assert_eq!(used.take(KEY, &n.to_string(), 100, 50), Ok(()));
        }
        assert_eq!(used.take(KEY, "more", 100, 50), Err(TokenError::Busy));
        assert_eq!(used.take(KEY, "0", 100, 50), Err(TokenError::Used));
        assert_eq!(used.take(KEY, "more", 200, 101), Ok(()));
        assert_eq!(used.state().until.len(), 1);
    }

    #[test]
    fn of_two_at_once_exactly_one_wins() {
        let used = Used::default();
        let start = Barrier::new(2);
        for n in 0..500 {
            let jti = n.to_string();
            let go = || {
                start.wait();
                used.take(KEY, &jti, 100, 50).is_ok()
            };
            let won = std::thread::scope(|scope| {
                let other = scope.spawn(go);
                [go(), other.join().unwrap()]
            });
            assert_ne!(won[0], won[1], "{jti}");
        }
    }
}
