//! Sums up the sessions of each stream, protocol and kind of client. Pure: the time is an argument.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use super::record::MeterKey;

/// Maximum number of streams, protocols and kinds of clients that are summed up at a time. Sessions beyond it are not
/// metered, and counted.
pub const MAX_TOTALS: usize = 20_000;
/// Number of times that the last sums of a period are told. Each message may be lost.
pub const LAST_WORDS: u32 = 3;

/// The sums of one session or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Number of sessions.
    pub sessions: u64,
    /// Duration in milliseconds.
    pub session_ms: u64,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.session_ms += other.session_ms;
        self.received += other.received;
        self.sent += other.sent;
    }
}

impl Sums {
    /// Returns the larger one of each sum.
    fn max(self, other: Self) -> Self {
        Self {
            sessions: self.sessions.max(other.sessions),
            session_ms: self.session_ms.max(other.session_ms),
            received: self.received.max(other.received),
            sent: self.sent.max(other.sent),
        }
    }
}

/// A session as the sums need it.
#[derive(Debug, Clone)]
pub struct Metered {
    /// The sums to which it belongs.
    pub key: MeterKey,
    /// Its number.
    pub id: u64,
    /// Its begin, in milliseconds since 1970.
    pub since_ms: u64,
    /// Its own sums.
    pub sums: Sums,
}

/// The content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: MeterKey,
    /// The begin of the period.
    pub from_ms: u64,
    /// Number of sessions that run.
    pub running: u64,
    /// The sums of the period.
    pub sums: Sums,
}

#[derive(Debug)]
struct Total {
    from_ms: u64,
    ended: Sums,
    told: Sums,
    /// Number of times that the sums were told since the last session ended.
    last_words: u32,
}

/// The sums of all keys.
#[derive(Debug, Default)]
pub struct Totals {
    totals: HashMap<MeterKey, Total>,
    /// The sessions that have ended between [`Totals::begin`] and [`Totals::tell`]: the list of running sessions may still
    /// contain them. `None` at other times, so the set has at most as many sessions as end while a list is made.
    just_ended: Option<HashSet<u64>>,
}

impl Totals {
    /// Returns the sums of a key; `None` if there are too many.
    fn entry(&mut self, key: &MeterKey, since_ms: u64) -> Option<&mut Total> {
        if !self.totals.contains_key(key) {
            if self.totals.len() >= MAX_TOTALS {
                return None;
            }
            let (ended, told) = (Sums::default(), Sums::default());
            let total = Total { from_ms: since_ms, ended, told, last_words: 0 };
            self.totals.insert(key.clone(), total);
        }
        self.totals.get_mut(key)
    }

    /// Adds a session that has ended. Returns false if there are too many keys.
    pub fn ended(&mut self, session: &Metered) -> bool {
        if let Some(just_ended) = &mut self.just_ended {
            just_ended.insert(session.id);
        }
        let Some(total) = self.entry(&session.key, session.since_ms) else { return false };
        total.ended += session.sums;
        total.last_words = 0;
        true
    }

    /// Prepares [`Totals::tell`]; call it before the running sessions are listed.
    pub fn begin(&mut self) {
        self.just_ended = Some(HashSet::new());
    }

    /// Returns the sums up to now, including these running sessions, and the number of sessions that are not in them
    /// because there are too many keys. `heard` says whether what is told now can be heard.
    pub fn tell(&mut self, running: &[Metered], heard: bool) -> (Vec<Told>, u64) {
        let mut now: HashMap<&MeterKey, (u64, Sums)> = HashMap::new();
        let mut lost = 0;
        let ended = self.just_ended.take().unwrap_or_default();
        for session in running.iter().filter(|session| !ended.contains(&session.id)) {
            if self.entry(&session.key, session.since_ms).is_none() {
                lost += 1;
                continue;
            }
            let (count, sums) = now.entry(&session.key).or_default();
            *count += 1;
            *sums += session.sums;
        }
        let mut told = Vec::new();
        self.totals.retain(|key, total| {
            let (running, mut sums) = now.get(key).copied().unwrap_or_default();
            sums += total.ended;
            // A session that ends now may be in neither part for a moment.
            total.told = sums.max(total.told);
            if running > 0 {
                total.last_words = 0;
            } else if total.last_words >= LAST_WORDS {
                return false;
            } else {
                total.last_words += u32::from(heard);
            }
            told.push(Told { key: key.clone(), from_ms: total.from_ms, running, sums: total.told });
            true
        });
        (told, lost)
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::meter::record::MeterAct;
    use crate::core::hub::StreamName;

    fn session(stream: &str, id: u64, sent: u64) -> Metered {
        let stream = StreamName::parse(stream).unwrap();
        let sums = Sums { sessions: 1, session_ms: 10, received: 0, sent };
        Metered {
            key: MeterKey { stream, protocol: "http-flv", act: MeterAct::Play },
            id,
            since_ms: 1_000,
            sums,
        }
    }

    /// Tells, and returns (begin of the period, running sessions, sessions, bytes sent) of the only key.
    fn tell(totals: &mut Totals, running: &[Metered]) -> Option<(u64, u64, u64, u64)> {
        totals.begin();
        let (told, lost) = totals.tell(running, true);
        assert!(told.len() <= 1 && lost == 0);
        told.first().map(|told| (told.from_ms, told.running, told.sums.sessions, told.sums.sent))
    }

    #[test]
    fn sums_grow_over_running_and_ended_sessions_until_a_period_is_over() {
        let mut totals = Totals::default();
        assert_eq!(tell(&mut totals, &[]), None);
        assert_eq!(
            tell(&mut totals, &[session("live/x", 1, 5), session("live/x", 2, 7)]),
            Some((1_000, 2, 2, 12))
        );
        assert!(totals.ended(&session("live/x", 1, 9)));
        assert_eq!(tell(&mut totals, &[session("live/x", 2, 8)]), Some((1_000, 1, 2, 17)));
        assert!(totals.ended(&session("live/x", 2, 8)));
        for _ in 0..LAST_WORDS {
            assert_eq!(tell(&mut totals, &[]), Some((1_000, 0, 2, 17)));
        }
        assert_eq!(tell(&mut totals, &[]), None);
        let later = Metered { since_ms: 2_000, ..session("live/x", 3, 1) };
        assert_eq!(tell(&mut totals, &[later]), Some((2_000, 1, 1, 1)), "a new period");
    }

    #[test]
    fn a_session_that_ends_while_sums_are_made_is_neither_lost_nor_counted_twice() {
        let mut totals = Totals::default();
        let last = session("live/x", 1, 9);
        assert_eq!(tell(&mut totals, &[session("live/x", 1, 8)]), Some((1_000, 1, 1, 8)));
        // The session is removed from the list, and ends after that.
        assert_eq!(tell(&mut totals, &[]), Some((1_000, 0, 1, 8)));
        totals.begin();
        // The session is listed, and ends before the sums are made.
        totals.ended(&last);
        let (told, _) = totals.tell(&[last], true);
        assert_eq!((told[0].sums.sessions, told[0].sums.sent), (1, 9));
        // No list is made: the session need not be remembered.
        totals.ended(&session("live/x", 2, 1));
        assert!(totals.just_ended.is_none());
    }

    #[test]
    fn last_sums_are_kept_until_they_can_be_heard() {
        let mut totals = Totals::default();
        totals.ended(&session("live/x", 1, 9));
        for _ in 0..10 {
            assert_eq!(totals.tell(&[], false).0.len(), 1);
        }
        for _ in 0..LAST_WORDS {
            assert_eq!(totals.tell(&[], true).0.len(), 1);
        }
        assert!(totals.tell(&[], true).0.is_empty() && totals.is_empty());
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut totals = Totals::default();
        for n in 0..MAX_TOTALS {
            assert!(totals.ended(&session(&format!("live/{n}"), n as u64, 1)));
        }
        let more = session("live/more", 1 << 40, 1);
        assert!(!totals.ended(&more));
        totals.begin();
        assert_eq!(totals.tell(&[more], true).1, 1);
        assert_eq!(totals.len(), MAX_TOTALS);
    }
}
