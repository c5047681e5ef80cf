//! Limits the number of connections, in total and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::net::proxies::Proxies;

/// The content of the lock: the current connections.
#[derive(Debug, Default)]
struct State {
    total: usize,
    per_ip: HashMap<IpAddr, usize>,
    refused: u64,
    max: usize,
    /// Maximum number of connections of one address; 0 is no limit.
    max_per_ip: usize,
}

/// The content of a [`Gate`].
#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Whether the per-address limit also applies to this machine's addresses.
    local_too: bool,
    /// Proxies, whose own addresses have no limit: each stands for many clients.
    proxies: Arc<Proxies>,
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
        Self::with(max, max_per_ip, true, Arc::default())
    }

    /// The same as [`Gate::new`], with trusted proxies.
    pub fn behind(proxies: Arc<Proxies>, max: usize, max_per_ip: usize) -> Self {
        Self::with(max, max_per_ip, true, proxies)
    }

    fn with(max: usize, max_per_ip: usize, local_too: bool, proxies: Arc<Proxies>) -> Self {
        let state = Mutex::new(State { max, max_per_ip, ..State::default() });
        Self(Arc::new(Inner { state, local_too, proxies, empty: Notify::new() }))
    }

    /// Returns the trusted proxies.
    pub fn proxies(&self) -> &Proxies {
        &self.0.proxies
    }

    /// Creates a gate for connections that are not admitted yet. Loopback addresses have no limit per
    /// address, because all clients behind a local forwarder share one.
    pub fn pending(proxies: Arc<Proxies>, max: usize, max_per_ip: usize) -> Self {
        Self::with(max, max_per_ip, false, proxies)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the limits. Connections that are there stay.
    pub fn set_max(&self, max: usize, max_per_ip: usize) {
        let mut state = self.state();
        (state.max, state.max_per_ip) = (max, max_per_ip);
    }

    /// Returns a permit for a connection, or counts it as refused.
    pub fn enter(&self, ip: IpAddr) -> Option<Permit> {
        let mut state = self.state();
        if state.total >= state.max || !self.count(&mut state, ip) {
            state.refused += 1;
            return None;
        }
        state.total += 1;
        Some(Permit { gate: self.clone(), ip: Mutex::new(ip) })
    }

    /// Counts a connection of an address. Returns false if it has too many.
    fn count(&self, state: &mut State, ip: IpAddr) -> bool {
        let shared = ip.to_canonical().is_loopback() && !self.0.local_too || self.0.proxies.has(ip);
        if shared {
            return true;
        }
        // Counted without a limit, too: it may get one.
        let from_ip = state.per_ip.entry(counted_as(ip)).or_insert(0);
        let has_room = state.max_per_ip == 0 || *from_ip < state.max_per_ip;
        *from_ip += usize::from(has_room);
        has_room
    }

    /// Returns whether a connection from `ip` would be accepted now. Does not count it.
    pub fn has_room(&self, ip: IpAddr) -> bool {
        let state = self.state();
        // Addresses without a limit are not in the table.
        let from_ip = state.per_ip.get(&counted_as(ip)).copied().unwrap_or(0);
        state.total < state.max && (state.max_per_ip == 0 || from_ip < state.max_per_ip)
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
    ip: Mutex<IpAddr>,
}

impl Permit {
    /// Counts the connection for another address from now on: a proxy has said who the client is. Returns false if
    /// that address has too many connections; then it stays with the one before.
    pub fn move_to(&self, ip: IpAddr) -> bool {
        let mut current = self.ip.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == ip {
            return true;
        }
        let mut state = self.gate.state();
        if !self.gate.count(&mut state, ip) {
            state.refused += 1;
            return false;
        }
        state.remove(*current);
        *current = ip;
        true
    }
}

impl State {
    /// Ends the count of a connection. Addresses without a limit are not counted.
    fn remove(&mut self, ip: IpAddr) {
        let ip = counted_as(ip);
        if let Some(count) = self.per_ip.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.per_ip.remove(&ip);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let ip = *self.ip.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.gate.state();
        state.total -= 1;
        state.remove(ip);
        if state.total == 0 {
            self.gate.0.empty.notify_waiters();
        }
    }
}
