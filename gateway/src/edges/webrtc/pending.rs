//! Limits sessions that were answered and have not connected yet.
//!
//! Anyone who may play can ask for sessions and never connect. Such sessions are counted on their own, so that they
//! use none of `max_connections`, and shared out by address, so that no client can use the places of the others.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::web::problem::Problem;

/// Pending sessions.
pub(super) const MAX_SESSIONS: usize = 1024;
/// Pending sessions of one address (IPv6: of one /64 network).
pub(super) const MAX_SESSIONS_PER_ADDRESS: usize = 512;
/// The memory of a pending session, beside what it keeps of the offer. Measured: 70 to 100 KB.
pub(super) const SESSION_BYTES: usize = 96 << 10;
/// The memory of all pending sessions.
pub(super) const MAX_BYTES: usize = 104 << 20;
/// The memory of the pending sessions of one address.
pub(super) const MAX_BYTES_PER_ADDRESS: usize = MAX_BYTES / 2;
/// A session that is pending for this long may be displaced: clients connect within a second.
pub(super) const GRACE_TIME: Duration = Duration::from_secs(3);

/// All pending sessions. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct PendingSessions(Arc<Mutex<PendingTable>>);

/// The content of [`PendingSessions`].
#[derive(Debug, Default)]
struct PendingTable {
    /// The sessions of each address, the oldest first.
    addresses: HashMap<IpAddr, VecDeque<PendingSession>>,
    sessions: usize,
    bytes: usize,
    next_id: u64,
}

#[derive(Debug)]
struct PendingSession {
    id: u64,
    bytes: usize,
    since: Instant,
    displaced: CancellationToken,
}

/// Why there is no place for another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitReached {
    /// The client's address has its share.
    Address,
    /// All places are taken, and by many addresses.
    All,
}

impl PendingSessions {
    fn table(&self) -> MutexGuard<'_, PendingTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a place for a session of a client at `address` that keeps `kept` bytes of the offer.
    ///
    /// When all places are taken, the address with the most sessions loses its oldest.
    ///
    /// # Errors
    /// When there is no place.
    pub(super) fn reserve(
        &self,
        address: IpAddr,
        kept: usize,
        now: Instant,
    ) -> Result<Reservation, LimitReached> {
        let address = counted_address(address);
        let bytes = SESSION_BYTES + kept;
        let mut table = self.table();
        let own = table.addresses.get(&address);
        let (count, sum) =
            own.map_or((0, 0), |own| (own.len(), own.iter().map(|session| session.bytes).sum()));
        if count >= MAX_SESSIONS_PER_ADDRESS || sum + bytes > MAX_BYTES_PER_ADDRESS {
            return Err(LimitReached::Address);
        }
        while table.sessions >= MAX_SESSIONS || table.bytes + bytes > MAX_BYTES {
            table.displace_one(count, now).ok_or(LimitReached::All)?;
        }
        let (id, displaced) = (table.next_id, CancellationToken::new());
        table.next_id += 1;
        table.sessions += 1;
        table.bytes += bytes;
        let session = PendingSession { id, bytes, since: now, displaced: displaced.clone() };
        table.addresses.entry(address).or_default().push_back(session);
        Ok(Reservation { pending: self.clone(), address, id, displaced })
    }

    /// The number of pending sessions.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().sessions
    }
}

impl PendingTable {
    /// Displaces the oldest session of the address with the most, if that has at least two more than `count`; else
    /// the oldest session of all, if it is older than [`GRACE_TIME`].
    fn displace_one(&mut self, count: usize, now: Instant) -> Option<()> {
        let greedy = self.addresses.iter().max_by_key(|(_, sessions)| sessions.len());
        let greedy = greedy.filter(|(_, sessions)| sessions.len() >= count + 2).map(|(address, _)| *address);
        let oldest = || {
            let first =
                self.addresses.iter().filter_map(|(address, all)| Some((*address, all.front()?.since)));
            let oldest = first.min_by_key(|(_, since)| *since);
            oldest.filter(|(_, since)| now.saturating_duration_since(*since) >= GRACE_TIME)
        };
        let address = greedy.or_else(|| oldest().map(|(address, _)| address))?;
        let id = self.addresses.get(&address)?.front()?.id;
        self.remove(address, id)?.displaced.cancel();
        Some(())
    }

    fn remove(&mut self, address: IpAddr, id: u64) -> Option<PendingSession> {
        let sessions = self.addresses.get_mut(&address)?;
        let at = sessions.iter().position(|session| session.id == id)?;
        let session = sessions.remove(at)?;
        if sessions.is_empty() {
            self.addresses.remove(&address);
        }
        self.sessions -= 1;
        self.bytes -= session.bytes;
        Some(session)
    }
}

/// The address that a client counts for. An IPv6 host chooses its addresses in a /64 network itself (RFC 4862), so
/// the network counts.
fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The place of one pending session. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Reservation {
    pending: PendingSessions,
    address: IpAddr,
    id: u64,
    displaced: CancellationToken,
}

impl Reservation {
    /// Resolves when another session needs the place.
    pub(super) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.pending.table().remove(self.address, self.id);
    }
}

impl From<LimitReached> for Problem {
    fn from(limit: LimitReached) -> Self {
        let (status, words) = match limit {
            LimitReached::Address => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many sessions from this address have not connected yet: try again in a moment",
            ),
            LimitReached::All => (
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

    fn is_displaced(reservation: &Reservation) -> bool {
        reservation.displaced().now_or_never().is_some()
    }

    #[test]
    fn one_address_has_a_limited_share() {
        let (pending, now) = (PendingSessions::default(), Instant::now());
        let mut reservations: Vec<_> =
            (0..MAX_SESSIONS_PER_ADDRESS).map(|_| pending.reserve(address(1), 0, now).unwrap()).collect();
        assert_eq!(pending.reserve(address(1), 0, now).unwrap_err(), LimitReached::Address);
        assert!(pending.reserve(address(2), 0, now).is_ok());
        reservations.pop();
        assert!(pending.reserve(address(1), 0, now).is_ok());
        // Large offers use up more of the share.
        drop(reservations);
        assert_eq!(pending.len(), 0);
        let large = MAX_BYTES_PER_ADDRESS / 3;
        let _reservations: Vec<_> =
            (0..2).map(|_| pending.reserve(address(1), large, now).unwrap()).collect();
        assert_eq!(pending.reserve(address(1), large, now).unwrap_err(), LimitReached::Address);
    }

    #[test]
    fn the_address_with_the_most_sessions_makes_room_for_others() {
        let (pending, now) = (PendingSessions::default(), Instant::now());
        let hosts = (MAX_SESSIONS / MAX_SESSIONS_PER_ADDRESS) as u32;
        let greedy: Vec<_> =
            (0..MAX_SESSIONS as u32).map(|n| pending.reserve(address(n % hosts), 0, now).unwrap()).collect();
        let others: Vec<_> = (0..100).map(|n| pending.reserve(address(100 + n), 0, now).unwrap()).collect();
        assert_eq!(pending.len(), MAX_SESSIONS);
        assert_eq!(greedy.iter().filter(|reservation| is_displaced(reservation)).count(), 100);
        assert!(greedy[..50].iter().all(is_displaced), "the oldest are displaced first");
        assert!(!others.iter().any(is_displaced));
        // The displaced sessions have lost their places already: dropping them frees nothing twice.
        drop(greedy);
        assert_eq!(pending.len(), 100);
    }

    #[test]
    fn a_crowd_is_not_displaced_before_it_had_time_to_connect() {
        let (pending, now) = (PendingSessions::default(), Instant::now());
        let crowd: Vec<_> =
            (0..MAX_SESSIONS as u32).map(|n| pending.reserve(address(n), 0, now).unwrap()).collect();
        let new = address(u32::from(u16::MAX));
        assert_eq!(pending.reserve(new, 0, now).unwrap_err(), LimitReached::All);
        assert!(!crowd.iter().any(is_displaced));
        let _reservation = pending.reserve(new, 0, now + GRACE_TIME).unwrap();
        assert_eq!(crowd.iter().filter(|reservation| is_displaced(reservation)).count(), 1);
    }

    #[test]
    fn all_bytes_are_bounded() {
        let (pending, now) = (PendingSessions::default(), Instant::now());
        let large = MAX_BYTES / 16;
        let count = MAX_BYTES / (large + SESSION_BYTES);
        let reservations: Vec<_> =
            (0..count as u32).map(|n| pending.reserve(address(n), large, now).unwrap()).collect();
        assert_eq!(pending.reserve(address(1000), large, now).unwrap_err(), LimitReached::All);
        drop(reservations);
        assert!(pending.reserve(address(1000), large, now).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| counted_address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
