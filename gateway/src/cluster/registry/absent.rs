//! Remembers for a moment which streams nobody publishes, so that many viewers of one name ask the bus once.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::core::name::StreamName;

/// Time for which a node remembers that a stream has no publisher.
pub(super) const REMEMBERED: Duration = Duration::from_secs(1);
/// Maximum number of names that are remembered. Beyond it, the oldest are forgotten: viewers choose the names.
pub(super) const MAX_ABSENT: usize = 10_000;

/// The names. Pure: the time is an argument, since any start that stays the same.
#[derive(Debug, Default)]
pub struct Absent {
    names: HashSet<StreamName>,
    /// Oldest first. A name that was forgotten early may still be here.
    order: VecDeque<(Duration, StreamName)>,
}

impl Absent {
    /// Remembers at `now` that a stream has no publisher.
    pub fn add(&mut self, name: &StreamName, now: Duration) {
        self.expire(now);
        if self.order.len() >= MAX_ABSENT
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        if self.names.insert(name.clone()) {
            self.order.push_back((now, name.clone()));
        }
    }

    /// Forgets a name: somebody publishes it.
    pub fn remove(&mut self, name: &StreamName) {
        if self.names.remove(name) {
            self.order.retain(|(_, known)| known != name);
        }
    }

    /// Returns whether it is known at `now` that nobody publishes a stream.
    pub fn has(&mut self, name: &StreamName, now: Duration) -> bool {
        self.expire(now);
        self.names.contains(name)
    }

    fn expire(&mut self, now: Duration) {
        while let Some((at, _)) = self.order.front()
            && *at + REMEMBERED <= now
            && let Some((_, name)) = self.order.pop_front()
        {
            self.names.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> StreamName {
        StreamName::parse(&format!("live/{n}")).unwrap()
    }

    #[test]
    fn a_name_is_remembered_for_a_second_or_until_it_appears() {
        let (mut absent, second) = (Absent::default(), Duration::from_secs(1));
        absent.add(&name(1), second);
        absent.add(&name(2), second);
        assert!(absent.has(&name(1), second * 2 - Duration::from_millis(1)) && !absent.has(&name(3), second));
        absent.remove(&name(1));
        assert!(!absent.has(&name(1), second) && absent.has(&name(2), second));
        assert!(!absent.has(&name(2), second * 2));
        assert!(absent.order.is_empty() && absent.names.is_empty());
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        let mut absent = Absent::default();
        (0..=MAX_ABSENT).for_each(|n| absent.add(&name(n), Duration::ZERO));
        assert_eq!((absent.names.len(), absent.order.len()), (MAX_ABSENT, MAX_ABSENT));
        assert!(!absent.has(&name(0), Duration::ZERO) && absent.has(&name(1), Duration::ZERO));
    }
}
