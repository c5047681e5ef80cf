//! Addresses of the host names that the operator named: those of `--candidate`, and the domains of `--acme`.
//!
//! No other name is ever looked up. A request's Host is the client's word: it counts when it is one of these
//! names, so that no stranger can make the gateway ask for a name, or learn what a name inside of its network
//! stands for.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// Names that are looked up; further ones are left out with a warning.
const MAX_NAMES: usize = 16;
/// Addresses of one name.
const MAX_ADDRESSES: usize = 8;
/// A name is looked up again after so long, to notice that its address has changed.
const REFRESH: Duration = Duration::from_secs(30);
/// And after so long when that failed.
const RETRY: Duration = Duration::from_secs(5);
/// The first offers wait so long for the first addresses.
const FIRST: Duration = Duration::from_secs(2);

/// The names and what they stand for. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    known: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
    /// Names that were not looked up yet.
    missing: Arc<watch::Sender<usize>>,
    started: Instant,
}

impl Names {
    /// These names, without their addresses.
    pub(super) fn new(names: impl Iterator<Item = String>) -> Self {
        let mut known = HashMap::new();
        for name in names {
            if known.len() >= MAX_NAMES && !known.contains_key(&name) {
                tracing::warn!(name, limit = MAX_NAMES, "too many names: this one is not looked up");
                continue;
            }
            known.insert(name, Vec::new());
        }
        let missing = Arc::new(watch::Sender::new(known.len()));
        Self { known: Arc::new(Mutex::new(known)), missing, started: Instant::now() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a name (in lower case); none of one that the operator did not name.
    pub(super) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        self.known().get(name).cloned().unwrap_or_default()
    }

    /// Resolves when every name was looked up once, or soon after the start.
    pub(super) async fn ready(&self) {
        let mut missing = self.missing.subscribe();
        let _ = timeout_at(self.started + FIRST, missing.wait_for(|count| *count == 0)).await;
    }

    /// Looks every name up, again and again, each in a task of its own: a slow answer delays no other name.
    pub(super) fn watch<L, F>(&self, lookup: L, stop: &CancellationToken)
    where
        L: Fn(String) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send,
    {
        let names: Vec<String> = self.known().keys().cloned().collect();
        for name in names {
            let (all, lookup, stop) = (self.clone(), lookup.clone(), stop.clone());
            tokio::spawn(async move {
                let follow = all.follow(&name, lookup);
                stop.run_until_cancelled(follow).await;
            });
        }
    }

    async fn follow<L, F>(&self, name: &str, lookup: L)
    where
        L: Fn(String) -> F + Sync,
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send,
    {
        let (mut first, mut failed) = (true, false);
        loop {
            // Without a timeout: the system's resolver has one, and blocks a thread until then.
            let found = lookup(name.to_owned()).await;
            let pause = match found {
                Ok(addresses) if !addresses.is_empty() => {
                    self.learn(name, addresses);
                    failed = false;
                    REFRESH
                }
                found => {
                    // The last addresses stay.
                    if !std::mem::replace(&mut failed, true) {
                        let error = found.err().map(|error| error.to_string());
                        tracing::warn!(name, error, "a candidate's name cannot be looked up");
                    }
                    RETRY
                }
            };
            if std::mem::replace(&mut first, false) {
                self.missing.send_modify(|count| *count -= 1);
            }
            sleep(pause).await;
        }
    }

    fn learn(&self, name: &str, mut addresses: Vec<IpAddr>) {
        addresses.iter_mut().for_each(|ip| *ip = ip.to_canonical());
        addresses.sort_by_key(|ip| (ip.is_ipv6(), *ip));
        addresses.dedup();
        addresses.truncate(MAX_ADDRESSES);
        let mut known = self.known();
        let Some(present) = known.get_mut(name) else { return };
        if *present != addresses {
            tracing::info!(name, ?addresses, "candidate looked up");
            *present = addresses;
        }
    }
}

/// Asks the system's resolver, on a thread where waiting delays nobody.
pub(super) async fn lookup(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|addr| addr.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn ip(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_followed_when_its_address_changes_and_kept_when_nobody_answers() {
        let names = Names::new(["a".to_owned()].into_iter());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let stop = CancellationToken::new();
        names.watch(
            move |_| {
                let turn = count.fetch_add(1, Ordering::Relaxed);
                async move {
                    match turn {
                        0 => Ok(vec![ip(2), ip(1), ip(2)]),
                        1 => Err(io::Error::other("nobody answers")),
                        2 => Ok(Vec::new()),
                        _ => Ok(vec![ip(3)]),
                    }
                }
            },
            &stop,
        );
        names.ready().await;
        assert_eq!(names.addresses("a"), [ip(1), ip(2)]);
        sleep(REFRESH + RETRY + RETRY / 2).await;
        assert_eq!((names.addresses("a"), asked.load(Ordering::Relaxed)), (vec![ip(1), ip(2)], 3));
        sleep(RETRY).await;
        assert_eq!(names.addresses("a"), [ip(3)]);
        // A name that nobody configured is none.
        assert!(names.addresses("b").is_empty());
        stop.cancel();
        sleep(REFRESH * 10).await;
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_hangs_delays_offers_shortly_and_no_other_name() {
        let names = Names::new(["slow".to_owned(), "a".to_owned()].into_iter());
        let lookup = |name: String| async move {
            if name == "slow" {
                sleep(Duration::from_secs(3600)).await;
            }
            Ok((1..=20).map(ip).collect())
        };
        names.watch(lookup, &CancellationToken::new());
        let start = Instant::now();
        names.ready().await;
        assert_eq!(start.elapsed(), FIRST);
        names.ready().await;
        assert_eq!((start.elapsed(), names.addresses("a").len()), (FIRST, MAX_ADDRESSES));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_names_are_looked_up() {
        let names = Names::new((0..MAX_NAMES + 5).map(|n| n.to_string()));
        assert_eq!(names.known().len(), MAX_NAMES);
        Names::new(std::iter::empty()).ready().await;
    }

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        assert!(lookup("localhost".to_owned()).await.unwrap().iter().all(IpAddr::is_loopback));
    }
}
