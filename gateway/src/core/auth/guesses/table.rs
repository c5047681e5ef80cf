//! The recent history of addresses that showed secrets.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// An address that shows no wrong secret for this long is removed.
const MEMORY: Duration = Duration::from_secs(600);
/// An address that showed the right secret counts as known for this long.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
/// Maximum entries per table; the entry that was unused longest is replaced.
pub(super) const MAX: usize = 4096;
/// Number of wrong secrets of one address, and of one group, that are answered immediately.
pub(super) const FREE: [u32; 2] = [5, 40];
/// Number of wrong secrets of one address, of a known address, and of a group, that may wait for their answer
/// at the same time.
pub(super) const PLACES: [usize; 3] = [16, 64, 64];
/// Number of wrong secrets of one address, and of one group, that are recognised as repeated.
const REPEATED: [usize; 2] = [8, 64];
/// Maximum delay of an answer.
pub(super) const LONGEST: Duration = Duration::from_secs(4);

/// The address or group for which wrong secrets are counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// One address, and whether it recently showed the right secret.
    Address { ip: IpAddr, known: bool },
    /// A group of addresses.
    Group(IpAddr),
}

impl Key {
    const fn is_group(self) -> bool {
        matches!(self, Self::Group(_))
    }

    const fn id(self) -> (bool, IpAddr) {
        match self {
            Self::Address { ip, .. } | Self::Group(ip) => (self.is_group(), ip),
        }
    }

    const fn places(self) -> usize {
        match self {
            Self::Address { known: false, .. } => PLACES[0],
            Self::Address { known: true, .. } => PLACES[1],
            Self::Group(_) => PLACES[2],
        }
    }

    /// Returns the delay of the answer to the `n`th wrong secret.
    fn wait(self, n: u32) -> Duration {
        let over = n.saturating_sub(FREE[usize::from(self.is_group())]);
        match over {
            0 => Duration::ZERO,
            _ if self.is_group() => LONGEST,
            1..=15 => LONGEST / 4,
            16..=95 => LONGEST / 2,
            _ => LONGEST,
        }
    }
}

/// The wrong secrets of one address or group.
#[derive(Debug)]
struct WrongSecrets {
    wrong: u32,
    last: Instant,
    /// Hashes of the last wrong secrets.
    repeated: Vec<u64>,
    /// Due times of the waiting answers.
    due: Vec<Instant>,
}

/// The addresses that recently showed wrong or right secrets.
#[derive(Debug, Default)]
pub(super) struct GuessTable {
    wrong: HashMap<(bool, IpAddr), WrongSecrets>,
    right: HashMap<(IpAddr, &'static str), Instant>,
}

impl GuessTable {
    /// Returns the time until a secret may be compared; `None` if it may be compared now.
    pub(super) fn pause(&mut self, key: Key, now: Instant) -> Option<Duration> {
        let entry = self.wrong.get_mut(&key.id())?;
        entry.due.retain(|due| *due > now);
        let over = entry.due.len().checked_sub(key.places())?;
        entry.due.sort_unstable();
        Some(entry.due.get(over)?.saturating_duration_since(now))
    }

    /// Returns whether this wrong secret was counted before.
    pub(super) fn is_repeated(&self, key: Key, hash: u64, now: Instant) -> bool {
        let entry = self.wrong.get(&key.id()).filter(|entry| entry.last + MEMORY > now);
        entry.is_some_and(|entry| entry.repeated.contains(&hash))
    }

    /// Counts a wrong secret; returns the delay of its answer.
    pub(super) fn wrong(&mut self, key: Key, hash: u64, now: Instant) -> Duration {
        if self.is_repeated(key, hash, now) {
            return Duration::ZERO;
        }
        make_room(&mut self.wrong, &key.id(), |entry| entry.last);
        let new = WrongSecrets { wrong: 0, last: now, repeated: Vec::new(), due: Vec::new() };
        let entry = self.wrong.entry(key.id()).or_insert(new);
        if entry.last + MEMORY <= now {
            (entry.wrong, entry.repeated) = (0, Vec::new());
        }
        entry.last = now;
        let kept = REPEATED[usize::from(key.is_group())];
        match entry.repeated.get_mut(entry.wrong as usize % kept) {
            Some(oldest) => *oldest = hash,
            None => entry.repeated.push(hash),
        }
        entry.wrong = entry.wrong.saturating_add(1);
        let wait = key.wait(entry.wrong);
        if !wait.is_zero() {
            entry.due.push(now + wait);
        }
        wait
    }

    /// Records that an address showed the right secret at a door.
    pub(super) fn shown_right(&mut self, ip: IpAddr, door: &'static str, now: Instant) {
        make_room(&mut self.right, &(ip, door), |last| *last);
        self.right.insert((ip, door), now);
    }

    /// Returns whether an address recently showed the right secret at this door.
    pub(super) fn has_shown_right(&self, ip: IpAddr, door: &'static str, now: Instant) -> bool {
        self.right.get(&(ip, door)).is_some_and(|last| *last + KNOWN_FOR > now)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 3] {
        let due = self.wrong.values().map(|entry| entry.due.len()).max();
        [self.wrong.len(), self.right.len(), due.unwrap_or(0)]
    }
}

/// Removes the entry that was unused longest, if a new one would exceed the limit.
fn make_room<K: Hash + Eq + Copy, V>(map: &mut HashMap<K, V>, key: &K, last: impl Fn(&V) -> Instant) {
    if map.len() >= MAX
        && !map.contains_key(key)
        && let Some(quiet) = map.iter().min_by_key(|(_, value)| last(value)).map(|(key, _)| *key)
    {
        map.remove(&quiet);
    }
}
