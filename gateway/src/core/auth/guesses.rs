//! Wrong secrets: who guesses is made to wait.
//!
//! An address that shows several different wrong secrets has to pause before the next one is looked at,
//! each time for longer. An encoder that repeats one wrong secret for hours guesses nothing and is not
//! counted again, so that it does not lock out others at its address.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong secrets of one address that are looked at without a pause.
const FREE: u32 = 5;
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// An address that shows nothing wrong for this long is forgotten.
const MEMORY: Duration = Duration::from_secs(600);
/// Addresses that are remembered; the one that was quiet longest makes room.
const MAX: usize = 4096;
/// Wrong secrets of one address that are known again.
const KNOWN: usize = 8;

#[derive(Debug)]
struct Entry {
    wrong: u32,
    until: Instant,
    last: Instant,
    /// Hashes of the last ones.
    known: [u64; KNOWN],
}

#[derive(Debug, Default)]
struct Inner {
    hasher: RandomState,
    entries: Mutex<HashMap<IpAddr, Entry>>,
}

/// The addresses that showed wrong secrets. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Guesses(Arc<Inner>);

impl Guesses {
    fn entries(&self) -> MutexGuard<'_, HashMap<IpAddr, Entry>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this address has to wait before a secret of it is looked at.
    pub(super) fn pause(&self, ip: IpAddr) -> Option<Duration> {
        let left = self.entries().get(&ip)?.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Counts a wrong secret; whether it is another one than before.
    pub(super) fn wrong(&self, ip: IpAddr, secret: &str) -> bool {
        // 0 stands for none.
        let hash = self.0.hasher.hash_one(secret).max(1);
        let now = Instant::now();
        let mut entries = self.entries();
        if entries.len() >= MAX && !entries.contains_key(&ip) {
            entries.retain(|_, entry| entry.last + MEMORY > now);
            if entries.len() >= MAX
                && let Some(quiet) = entries.iter().min_by_key(|(_, entry)| entry.last).map(|(ip, _)| *ip)
            {
                entries.remove(&quiet);
            }
        }
        let entry = entries.entry(ip).or_insert(Entry { wrong: 0, until: now, last: now, known: [0; KNOWN] });
        if entry.last + MEMORY <= now {
            (entry.wrong, entry.known) = (0, [0; KNOWN]);
        }
        entry.last = now;
        if entry.known.contains(&hash) {
            return false;
        }
        entry.known[entry.wrong as usize % KNOWN] = hash;
        entry.wrong = entry.wrong.saturating_add(1);
        if let Some(over) = entry.wrong.checked_sub(FREE) {
            entry.until = now + LONGEST.min(Duration::from_secs(1 << over.min(8)));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ip(n: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + n).into()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_guesses_waits_longer_and_longer_and_no_other_does() {
        let guesses = Guesses::default();
        let mut looked_at = 0;
        for n in 0..3600 * 10 {
            if guesses.pause(ip(1)).is_none() {
                assert!(guesses.wrong(ip(1), &format!("guess {n}")));
                looked_at += 1;
            }
            tokio::time::advance(Duration::from_millis(100)).await;
            assert_eq!(guesses.pause(ip(2)), None);
        }
        // Two a minute.
        assert!((100..130).contains(&looked_at), "{looked_at} guesses in an hour");
        tokio::time::advance(MEMORY).await;
        assert_eq!(guesses.pause(ip(1)), None);
        guesses.wrong(ip(1), "after a while");
        assert_eq!(guesses.pause(ip(1)), None, "it begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn one_wrong_secret_again_and_again_is_no_guess() {
        let guesses = Guesses::default();
        let counted = (0..1000).filter(|n| guesses.wrong(ip(1), if n % 2 == 0 { "old" } else { "older" }));
        assert_eq!(counted.count(), 2);
        assert_eq!(guesses.pause(ip(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded() {
        let guesses = Guesses::default();
        for n in 0..2 * MAX as u32 {
            guesses.wrong(ip(n), "x");
        }
        assert_eq!(guesses.entries().len(), MAX);
    }
}
