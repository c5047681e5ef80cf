//! What is remembered of addresses that showed secrets.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// An address that shows nothing wrong for this long is forgotten.
const MEMORY: Duration = Duration::from_secs(600);
/// An address that showed the right secret is known for this long.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
/// Entries of each table; the one that was quiet longest makes room.
pub(super) const MAX: usize = 4096;
/// Wrong secrets of one address, and of one group, that are answered at once.
pub(super) const FREE: [u32; 2] = [5, 40];
/// Wrong secrets of one address, of a known address, and of a group, that wait for their answer at once.
pub(super) const PLACES: [usize; 3] = [16, 64, 64];
/// Wrong secrets of one address, and of one group, that are recognised when they come again.
const REPEATED: [usize; 2] = [8, 64];
/// The longest wait for an answer.
pub(super) const LONGEST: Duration = Duration::from_secs(4);

/// Whose wrong secrets are counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// Those of one address, and whether it showed the right one lately.
    Address { ip: IpAddr, known: bool },
    /// Those of many addresses.
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

    /// How long the answer to the `n`th wrong secret takes.
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

#[derive(Debug)]
struct Entry {
    wrong: u32,
    last: Instant,
    /// Hashes of the last ones.
    repeated: Vec<u64>,
    /// When the answers that are waited for are due.
    due: Vec<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    wrong: HashMap<(bool, IpAddr), Entry>,
    right: HashMap<(IpAddr, &'static str), Instant>,
}

impl Table {
    /// How long until a secret may be compared; none if it may now.
    pub(super) fn pause(&mut self, key: Key, now: Instant) -> Option<Duration> {
        let entry = self.wrong.get_mut(&key.id())?;
        entry.due.retain(|due| *due > now);
        let over = entry.due.len().checked_sub(key.places())?;
        entry.due.sort_unstable();
        Some(entry.due.get(over)?.saturating_duration_since(now))
    }

    /// Whether this wrong secret was counted before.
    pub(super) fn is_repeated(&self, key: Key, hash: u64, now: Instant) -> bool {
        let entry = self.wrong.get(&key.id()).filter(|entry| entry.last + MEMORY > now);
        entry.is_some_and(|entry| entry.repeated.contains(&hash))
    }

    /// Counts a wrong secret; how long its answer takes.
    pub(super) fn wrong(&mut self, key: Key, hash: u64, now: Instant) -> Duration {
        if self.is_repeated(key, hash, now) {
            return Duration::ZERO;
        }
        make_room(&mut self.wrong, &key.id(), |entry| entry.last);
        let new = Entry { wrong: 0, last: now, repeated: Vec::new(), due: Vec::new() };
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

    /// Remembers that an address showed the right secret at a door.
    pub(super) fn shown_right(&mut self, ip: IpAddr, door: &'static str, now: Instant) {
        make_room(&mut self.right, &(ip, door), |last| *last);
        self.right.insert((ip, door), now);
    }

    /// Whether an address showed the right secret at this door lately.
    pub(super) fn has_shown_right(&self, ip: IpAddr, door: &'static str, now: Instant) -> bool {
        self.right.get(&(ip, door)).is_some_and(|last| *last + KNOWN_FOR > now)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 3] {
        let due = self.wrong.values().map(|entry| entry.due.len()).max();
        [self.wrong.len(), self.right.len(), due.unwrap_or(0)]
    }
}

/// Removes the entry that was quiet longest where a new one would be too many.
fn make_room<K: Hash + Eq + Copy, V>(map: &mut HashMap<K, V>, key: &K, last: impl Fn(&V) -> Instant) {
    if map.len() >= MAX
        && !map.contains_key(key)
        && let Some(quiet) = map.iter().min_by_key(|(_, value)| last(value)).map(|(key, _)| *key)
    {
        map.remove(&quiet);
    }
}
