//! Limits the log of refusals: the first ones of a kind from an address are logged, the following ones
//! counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::net::worker::counted_as;

/// Number of refusals of one kind from one address that are logged individually per [`INTERVAL`].
pub const LOGGED: u64 = 3;
/// After this time, the counted refusals are logged as one line.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// Maximum number of separate counts by kind and address; further addresses are counted together.
const MAX: usize = 1024;
/// Interval between checks of the counts.
const SWEEP: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct RefusalCount {
    since: Instant,
    count: u64,
}

/// The recent refusals. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<Mutex<HashMap<(&'static str, IpAddr), RefusalCount>>>);

impl Refusals {
    fn counts(&self) -> MutexGuard<'_, HashMap<(&'static str, IpAddr), RefusalCount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal; returns whether to log it.
    pub fn count(&self, kind: &'static str, ip: IpAddr) -> bool {
        let mut counts = self.counts();
        let mut key = (kind, counted_as(ip));
        if counts.len() >= MAX && !counts.contains_key(&key) {
            key.1 = Ipv4Addr::UNSPECIFIED.into();
        }
        let now = Instant::now();
        let entry = counts.entry(key).or_insert(RefusalCount { since: now, count: 0 });
        entry.count += 1;
        entry.count <= LOGGED
    }

    /// Removes the counts that are older than `age`: kind, address and number of unlogged refusals.
    fn remove_older_than(&self, age: Duration) -> Vec<(&'static str, IpAddr, u64)> {
        let mut removed = Vec::new();
        self.counts().retain(|(kind, ip), refusals| {
            let old = refusals.since.elapsed() >= age;
            if old && refusals.count > LOGGED {
                removed.push((*kind, *ip, refusals.count - LOGGED));
            }
            !old
        });
        removed
    }

    /// Logs all counted refusals.
    pub fn flush(&self) {
        log(self.remove_older_than(Duration::ZERO));
    }

    /// Logs the counted refusals once per interval, forever.
    pub async fn run(self) {
        loop {
            sleep(SWEEP).await;
            log(self.remove_older_than(INTERVAL));
        }
    }
}

fn log(counts: Vec<(&'static str, IpAddr, u64)>) {
    for (kind, ip, count) in counts {
        if ip.is_unspecified() {
            tracing::info!(kind, count, "refusals repeated by many addresses");
        } else {
            tracing::info!(kind, peer = %ip, count, "refusals repeated");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + n).into()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_are_logged_and_the_rest_is_one_line_per_interval() {
        let refusals = Refusals::default();
        let logged = (0..1000).filter(|_| refusals.count("flv", ip(1))).count();
        assert_eq!(logged as u64, LOGGED);
        assert!(refusals.count("rtmp", ip(1)) && refusals.count("flv", ip(2)), "others are not hidden by it");
        assert!(refusals.remove_older_than(INTERVAL).is_empty());
        tokio::time::advance(INTERVAL).await;
        assert_eq!(refusals.remove_older_than(INTERVAL), [("flv", ip(1), 1000 - LOGGED)]);
        assert!(refusals.count("flv", ip(1)), "the next interval");
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_are_counted_together() {
        let refusals = Refusals::default();
        let logged = (0..100_000).filter(|n| refusals.count("flv", ip(*n))).count();
        assert_eq!(logged, MAX + LOGGED as usize);
        assert!(refusals.counts().len() <= MAX + 1);
        tokio::time::advance(INTERVAL).await;
        let rest = 100_000 - MAX as u64 - LOGGED;
        assert_eq!(refusals.remove_older_than(INTERVAL), [("flv", Ipv4Addr::UNSPECIFIED.into(), rest)]);
        // All IPv6 addresses of one customer count as one.
        let v6 = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        assert_eq!((0..100).filter(|n| refusals.count("flv", v6(*n))).count() as u64, LOGGED);
    }
}
