//! Limits the number of connections, in total and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The content of the lock: the current connections.
#[derive(Debug, Default)]
struct State {
    total: usize,
    per_ip: HashMap<IpAddr, usize>,
    refused: u64,
}

/// The content of a [`Gate`].
#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    max: usize,
    max_per_ip: usize,
    /// Whether the per-address limit also applies to this machine's addresses.
    local_too: bool,
    empty: Notify,
}

/// Returns the address that counts for the limit: for IPv6 the first 64 bits, which belong to one customer.
pub fn counted_as(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from(u128::from(ip) >> 64 << 64).into(),
        ip => ip,
    }
}

/// Counts connections and refuses those over the limits. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

impl Gate {
    /// Creates a gate for at most `max` connections, and `max_per_ip` per address (0: no limit).
    pub fn new(max: usize, max_per_ip: usize) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            max,
            max_per_ip,
            local_too: true,
            empty: Notify::new(),
        }))
    }

    /// Creates a gate for connections that are not admitted yet. Loopback addresses have no limit per
    /// address, because all clients behind a local forwarder share one.
    pub fn pending(max: usize, max_per_ip: usize) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            max,
            max_per_ip,
            local_too: false,
            empty: Notify::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a permit for a connection, or counts it as refused.
    pub fn enter(&self, ip: IpAddr) -> Option<Permit> {
        let ip = counted_as(ip);
        let limited = self.0.max_per_ip > 0 && (self.0.local_too || !ip.is_loopback());
        let mut state = self.state();
        let from_ip = state.per_ip.get(&ip).copied().unwrap_or(0);
        if state.total >= self.0.max || (limited && from_ip >= self.0.max_per_ip) {
            state.refused += 1;
            return None;
        }
        state.total += 1;
        if limited {
            state.per_ip.insert(ip, from_ip + 1);
        }
        Some(Permit { gate: self.clone(), ip })
    }

    /// Returns whether a connection from `ip` would be accepted now. Does not count it.
    pub fn has_room(&self, ip: IpAddr) -> bool {
        let state = self.state();
        // Addresses without a limit are not in the table.
        let from_ip = state.per_ip.get(&counted_as(ip)).copied().unwrap_or(0);
        state.total < self.0.max && (self.0.max_per_ip == 0 || from_ip < self.0.max_per_ip)
    }

    /// Returns the current number of connections.
    pub fn open(&self) -> usize {
        self.state().total
    }

    /// Returns the number of refused connections so far.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    /// Resolves when no connection is left.
    pub async fn empty(&self) {
        loop {
            let notified = self.0.empty.notified();
            if self.open() == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// A counted connection; dropping it makes room for another.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    ip: IpAddr,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.total -= 1;
        if let Some(count) = state.per_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                state.per_ip.remove(&self.ip);
            }
        }
        if state.total == 0 {
            self.gate.0.empty.notify_waiters();
        }
    }
}
