//! Remembers used tokens: each `jti` is accepted once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::token::TokenError;

/// Maximum number of remembered tokens, about 200 bytes each. Only tokens with a trusted signature are
/// remembered, so strangers cannot fill the memory.
const MAX: usize = 100_000;
/// Seconds between two removals of expired entries.
const SWEEP: i64 = 5;

/// The signing key, and the `jti`.
type Id = ([u8; 32], String);

/// The content of [`UsedTokens`].
#[derive(Debug, Default)]
struct State {
    /// Time until which each token has to be remembered.
    until: HashMap<Id, i64>,
    swept: i64,
}

/// The used `jti`s that are still valid. Each signing key has its own.
#[derive(Debug)]
pub(super) struct UsedTokens {
    state: Mutex<State>,
    max: usize,
}

impl Default for UsedTokens {
    fn default() -> Self {
        Self::new(MAX)
    }
}

impl UsedTokens {
    fn new(max: usize) -> Self {
        Self { state: Mutex::default(), max }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the token was used.
    pub(super) fn has(&self, key: [u8; 32], jti: &str) -> bool {
        self.state().until.contains_key(&(key, jti.to_owned()))
    }

    /// Marks the token as used, unless it was used before. Of several concurrent calls exactly one succeeds.
    pub(super) fn mark_used(&self, key: [u8; 32], jti: &str, until: i64, now: i64) -> Result<(), TokenError> {
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
        let used = UsedTokens::new(10);
        assert_eq!(used.mark_used(KEY, "a", 100, 50), Ok(()));
        assert_eq!(used.mark_used(KEY, "a", 100, 50), Err(TokenError::Used));
        assert_eq!(used.mark_used(KEY, "a", 100, 99), Err(TokenError::Used));
        assert!(used.has(KEY, "a") && !used.has(KEY, "b"));
        assert_eq!(used.mark_used([2; 32], "a", 100, 99), Ok(()));
        assert_eq!(used.mark_used(KEY, "a", 200, 105), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_full_one_lets_nobody_in() {
        let used = UsedTokens::new(10);
        for n in 0..10 {
            assert_eq!(used.mark_used(KEY, &n.to_string(), 100, 50), Ok(()));
        }
        assert_eq!(used.mark_used(KEY, "more", 100, 50), Err(TokenError::Busy));
        assert_eq!(used.mark_used(KEY, "0", 100, 50), Err(TokenError::Used));
        assert_eq!(used.mark_used(KEY, "more", 200, 101), Ok(()));
        assert_eq!(used.state().until.len(), 1);
    }

    #[test]
    fn of_two_at_once_exactly_one_wins() {
        let used = UsedTokens::default();
        let start = Barrier::new(2);
        for n in 0..500 {
            let jti = n.to_string();
            let go = || {
                start.wait();
                used.mark_used(KEY, &jti, 100, 50).is_ok()
            };
            let won = std::thread::scope(|scope| {
                let other = scope.spawn(go);
                [go(), other.join().unwrap()]
            });
            assert_ne!(won[0], won[1], "{jti}");
        }
    }
}
