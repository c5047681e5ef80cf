//! Sessions that were answered and have not connected yet.
//!
//! Anyone who may play can ask for sessions and never connect. Such sessions have places of their own, so
//! that they take none of `max_connections`, and no client can take the places of the others.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::web::problem::Problem;

/// Sessions that wait at once.
pub(super) const MAX_SESSIONS: usize = 1024;
/// Sessions that wait at once from one address (IPv6: one /64 network).
pub(super) const MAX_SESSIONS_PER_ADDRESS: usize = 512;
/// What a session costs before it connects, beside what it keeps of the offer. Measured: 70 to 100 KB.
pub(super) const SESSION_BYTES: usize = 96 << 10;
/// Memory of all sessions that wait.
pub(super) const MAX_BYTES: usize = 104 << 20;
/// Memory of those from one address.
pub(super) const MAX_BYTES_PER_ADDRESS: usize = MAX_BYTES / 2;
/// A session that has waited for so long may have to make room: clients connect within a second.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// All that wait. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    addresses: HashMap<IpAddr, VecDeque<Entry>>,
    sessions: usize,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    bytes: usize,
    since: Instant,
    displaced: CancellationToken,
}

/// Why nobody may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// That address has its share.
    Address,
    /// All places are taken, and not by a few.
    All,
}

impl Waiting {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a session of a client at `address` that keeps `kept` bytes of the offer.
    ///
    /// When all places are taken, the address that has most of them loses its oldest session.
    ///
    /// # Errors
    /// When there is no place.
    pub(super) fn enter(&self, address: IpAddr, kept: usize, now: Instant) -> Result<Place, Full> {
        let address = network(address);
        let bytes = SESSION_BYTES + kept;
        let mut state = self.state();
        let own = state.addresses.get(&address);
        let (count, sum) = own.map_or((0, 0), |own| (own.len(), own.iter().map(|entry| entry.bytes).sum()));
        if count >= MAX_SESSIONS_PER_ADDRESS || sum + bytes > MAX_BYTES_PER_ADDRESS {
            return Err(Full::Address);
        }
        while state.sessions >= MAX_SESSIONS || state.bytes + bytes > MAX_BYTES {
            state.displace(count, now).ok_or(Full::All)?;
        }
        let (id, displaced) = (state.next, CancellationToken::new());
        state.next += 1;
        state.sessions += 1;
        state.bytes += bytes;
        let entry = Entry { id, bytes, since: now, displaced: displaced.clone() };
        state.addresses.entry(address).or_default().push_back(entry);
        Ok(Place { waiting: self.clone(), address, id, displaced })
    }

    /// Sessions that wait now.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.state().sessions
    }
}

impl State {
    /// Takes a place from the address that has most, if that is more than `count` by two, or from the session
    /// that has waited longest, if that is long.
    fn displace(&mut self, count: usize, now: Instant) -> Option<()> {
        let greedy = self.addresses.iter().max_by_key(|(_, entries)| entries.len());
        let greedy = greedy.filter(|(_, entries)| entries.len() >= count + 2).map(|(address, _)| *address);
        let oldest = || {
            let first =
                self.addresses.iter().filter_map(|(address, all)| Some((*address, all.front()?.since)));
            let oldest = first.min_by_key(|(_, since)| *since);
            oldest.filter(|(_, since)| now.saturating_duration_since(*since) >= GRACE)
        };
        let address = greedy.or_else(|| oldest().map(|(address, _)| address))?;
        let id = self.addresses.get(&address)?.front()?.id;
        self.remove(address, id)?.displaced.cancel();
        Some(())
    }

    fn remove(&mut self, address: IpAddr, id: u64) -> Option<Entry> {
        let entries = self.addresses.get_mut(&address)?;
        let at = entries.iter().position(|entry| entry.id == id)?;
        let entry = entries.remove(at)?;
        if entries.is_empty() {
            self.addresses.remove(&address);
        }
        self.sessions -= 1;
        self.bytes -= entry.bytes;
        Some(entry)
    }
}

/// Whom an address counts for: an IPv6 host chooses its addresses in a /64 network itself (RFC 4862).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A session's place among those that wait; dropping it makes room.
#[derive(Debug)]
pub(super) struct Place {
    waiting: Waiting,
    address: IpAddr,
    id: u64,
    displaced: CancellationToken,
}

impl Place {
    /// Resolves when another session needs the place.
    pub(super) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.state().remove(self.address, self.id);
    }
}

impl From<Full> for Problem {
    fn from(full: Full) -> Self {
        let (status, words) = match full {
            Full::Address => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many sessions from this address have not connected yet: try again in a moment",
            ),
            Full::All => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many sessions have not connected yet: try again in a moment",
            ),
        };
        Self::new(status, words)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    fn is_displaced(place: &Place) -> bool {
        place.displaced().now_or_never().is_some()
    }

    #[test]
    fn one_address_has_a_share_and_no_more() {
        let (waiting, now) = (Waiting::default(), Instant::now());
        let mut places: Vec<_> =
            (0..MAX_SESSIONS_PER_ADDRESS).map(|_| waiting.enter(address(1), 0, now).unwrap()).collect();
        assert_eq!(waiting.enter(address(1), 0, now).unwrap_err(), Full::Address);
        assert!(waiting.enter(address(2), 0, now).is_ok());
        places.pop();
        assert!(waiting.enter(address(1), 0, now).is_ok());
        // Large offers count for more.
        drop(places);
        assert_eq!(waiting.len(), 0);
        let large = MAX_BYTES_PER_ADDRESS / 3;
        let _places: Vec<_> = (0..2).map(|_| waiting.enter(address(1), large, now).unwrap()).collect();
        assert_eq!(waiting.enter(address(1), large, now).unwrap_err(), Full::Address);
    }

    #[test]
    fn who_has_most_makes_room_for_others() {
        let (waiting, now) = (Waiting::default(), Instant::now());
        let hosts = (MAX_SESSIONS / MAX_SESSIONS_PER_ADDRESS) as u32;
        let greedy: Vec<_> =
            (0..MAX_SESSIONS as u32).map(|n| waiting.enter(address(n % hosts), 0, now).unwrap()).collect();
        let others: Vec<_> = (0..100).map(|n| waiting.enter(address(100 + n), 0, now).unwrap()).collect();
        assert_eq!(waiting.len(), MAX_SESSIONS);
        assert_eq!(greedy.iter().filter(|place| is_displaced(place)).count(), 100);
        assert!(greedy[..50].iter().all(is_displaced), "the oldest go first");
        assert!(!others.iter().any(is_displaced));
        // The places of those that were displaced were given away; dropping them frees nothing twice.
        drop(greedy);
        assert_eq!(waiting.len(), 100);
    }

    #[test]
    fn a_crowd_is_not_displaced_before_it_had_time_to_connect() {
        let (waiting, now) = (Waiting::default(), Instant::now());
        let crowd: Vec<_> =
            (0..MAX_SESSIONS as u32).map(|n| waiting.enter(address(n), 0, now).unwrap()).collect();
        let new = address(u32::from(u16::MAX));
        assert_eq!(waiting.enter(new, 0, now).unwrap_err(), Full::All);
        assert!(!crowd.iter().any(is_displaced));
        let _place = waiting.enter(new, 0, now + GRACE).unwrap();
        assert_eq!(crowd.iter().filter(|place| is_displaced(place)).count(), 1);
    }

    #[test]
    fn all_bytes_are_bounded() {
        let (waiting, now) = (Waiting::default(), Instant::now());
        let large = MAX_BYTES / 16;
        let count = MAX_BYTES / (large + SESSION_BYTES);
        let places: Vec<_> =
            (0..count as u32).map(|n| waiting.enter(address(n), large, now).unwrap()).collect();
        assert_eq!(waiting.enter(address(1000), large, now).unwrap_err(), Full::All);
        drop(places);
        assert!(waiting.enter(address(1000), large, now).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
