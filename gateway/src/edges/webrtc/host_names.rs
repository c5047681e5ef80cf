//! Looks up the host names that the operator has configured: those of `--candidate`, and the domains of `--acme`.
//!
//! No other name is ever looked up. A request's Host is chosen by the client, so it counts only if it is one
//! of these names. Otherwise strangers could make the gateway look up names, and learn the addresses of names
//! inside its network.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// Names that are looked up. Further ones are ignored with a warning.
const MAX_NAMES: usize = 16;
/// Addresses that are kept for one name.
const MAX_ADDRESSES: usize = 8;
/// The time until a name is looked up again, to notice that its address has changed.
const REFRESH: Duration = Duration::from_secs(30);
/// The time until a name is looked up again after a failure.
const RETRY: Duration = Duration::from_secs(5);
/// Maximum time that the first offers wait for the first addresses.
const FIRST_LOOKUP_WAIT: Duration = Duration::from_secs(2);

/// The configured names and their addresses. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct HostNames {
    known: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
    /// The number of names that were not looked up yet.
    missing: Arc<watch::Sender<usize>>,
    started: Instant,
}

impl HostNames {
    /// Keeps these names, without their addresses.
    pub(super) fn new(names: impl Iterator<Item = String>) -> Self {
        let mut known = HashMap::new();
        for name in names {
            if known.len() >= MAX_NAMES && !known.contains_key(&name) {
                tracing::warn!(
                    name,
                    limit = MAX_NAMES,
                    "candidate's name ignored: too many names are being looked up"
                );
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

    /// The addresses of a name in lower case; none if the name is not configured.
    pub(super) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        self.known().get(name).cloned().unwrap_or_default()
    }

    /// Resolves when every name was looked up once, or when the gateway has run for a short time.
    pub(super) async fn ready(&self) {
        let mut missing = self.missing.subscribe();
        let _ = timeout_at(self.started + FIRST_LOOKUP_WAIT, missing.wait_for(|count| *count == 0)).await;
    }

    /// Looks up every name repeatedly, each in its own task, so that a slow answer delays no other name.
    pub(super) fn watch<L, F>(&self, lookup: L, stop: &CancellationToken)
    where
        L: Fn(String) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send,
    {
        let names: Vec<String> = self.known().keys().cloned().collect();
        for name in names {
            let (all, lookup, stop) = (self.clone(), lookup.clone(), stop.clone());
            tokio::spawn(async move {
                let refresh = all.refresh(&name, lookup);
                stop.run_until_cancelled(refresh).await;
            });
        }
    }

    /// Looks up one name repeatedly.
    async fn refresh<L, F>(&self, name: &str, lookup: L)
    where
        L: Fn(String) -> F + Sync,
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send,
    {
        let (mut first, mut failed) = (true, false);
        loop {
            // No timeout here: the system's resolver has one, and blocks a thread until then.
            let found = lookup(name.to_owned()).await;
            let pause = match found {
                Ok(addresses) if !addresses.is_empty() => {
                    self.update(name, addresses);
                    failed = false;
                    REFRESH
                }
                found => {
                    // The last known addresses stay valid.
                    if !std::mem::replace(&mut failed, true) {
                        let error = found.err().map(|error| error.to_string());
                        tracing::warn!(name, error, "candidate's name not found");
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

    fn update(&self, name: &str, mut addresses: Vec<IpAddr>) {
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

/// Asks the system's resolver, on a thread that may block.
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
    async fn a_changed_address_is_noticed_and_the_last_one_kept_when_a_lookup_fails() {
        let names = HostNames::new(["a".to_owned()].into_iter());
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
        // A name that is not configured has no addresses.
        assert!(names.addresses("b").is_empty());
        stop.cancel();
        sleep(REFRESH * 10).await;
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_lookup_delays_offers_for_a_short_time_and_no_other_name() {
        let names = HostNames::new(["slow".to_owned(), "a".to_owned()].into_iter());
        let lookup = |name: String| async move {
            if name == "slow" {
                sleep(Duration::from_secs(3600)).await;
            }
            Ok((1..=20).map(ip).collect())
        };
        names.watch(lookup, &CancellationToken::new());
        let start = Instant::now();
        names.ready().await;
        assert_eq!(start.elapsed(), FIRST_LOOKUP_WAIT);
        names.ready().await;
        assert_eq!((start.elapsed(), names.addresses("a").len()), (FIRST_LOOKUP_WAIT, MAX_ADDRESSES));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_names_is_limited() {
        let names = HostNames::new((0..MAX_NAMES + 5).map(|n| n.to_string()));
        assert_eq!(names.known().len(), MAX_NAMES);
        HostNames::new(std::iter::empty()).ready().await;
    }

    #[tokio::test]
    async fn the_systems_resolver_knows_localhost() {
        assert!(lookup("localhost".to_owned()).await.unwrap().iter().all(IpAddr::is_loopback));
    }
}
