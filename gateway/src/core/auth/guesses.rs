//! Limits how many secrets can be guessed, without locking out clients that know the right one.
//!
//! A right secret is answered immediately, a wrong one with a delay. An attacker needs many tries, so each
//! wrong secret occupies one of the few slots of its address until its answer is due, even if the client does
//! not wait for it. A client that tries one secret after another never fills the slots, so other clients at
//! the address are not affected. A client that tries many secrets at once fills them. Then secrets are not
//! compared until a slot is free, with two exceptions: a secret that is too long to be guessed, and an
//! address that recently showed the right secret.
//!
//! A repeated wrong secret is not a guess: an encoder may repeat one for hours.

mod table;

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::request::is_secret;
use crate::net::worker::counted_as;
use table::{GuessTable, Key};

/// Maximum number of delayed answers, in total. Beyond it answers are immediate, and only the slots of each
/// address limit the guesses.
const MAX_HELD: usize = 512;
/// Minimum length of a secret that cannot be guessed over a network, however many guesses are compared.
const LONG: usize = 16;
/// Minimum number of different characters in such a secret.
const VARIED: usize = 8;

/// The origin of a secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecretOrigin {
    ip: IpAddr,
    /// The addresses that one client can choose from: all addresses that a proxy reports, or an IPv6 site's
    /// /48.
    group: Option<IpAddr>,
}

impl SecretOrigin {
    /// Returns the origin of a request from `ip` over a connection from `peer`.
    pub(super) fn new(ip: IpAddr, peer: IpAddr) -> Self {
        let (ip, peer) = (ip.to_canonical(), peer.to_canonical());
        let group = match ip {
            _ if ip != peer => Some(peer),
            IpAddr::V6(ip) if !ip.is_loopback() => Some(Ipv6Addr::from(u128::from(ip) >> 80 << 80).into()),
            _ => None,
        };
        Self { ip: counted_as(ip), group }
    }
}

/// The result of comparing the secrets of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretCheck {
    /// One of the secrets is right.
    Right,
    /// All secrets are wrong. `new` of them are new guesses; answer after `wait`.
    Wrong { new: usize, wait: Duration },
    /// The secrets were not compared. The address may try again after this time.
    Paused(Duration),
}

/// The content of [`Guesses`].
#[derive(Debug)]
struct Inner {
    hasher: RandomState,
    table: Mutex<GuessTable>,
    /// Wrong credentials that nobody can guess. In a table of their own they never pause a secret.
    forged: Mutex<GuessTable>,
    held: Semaphore,
}

/// Recent wrong secrets by address. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Guesses(Arc<Inner>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Arc::new(Inner {
            hasher: RandomState::new(),
            table: Mutex::default(),
            forged: Mutex::default(),
            held: Semaphore::new(MAX_HELD),
        }))
    }
}

impl Guesses {
    /// Compares the secrets of a request with those that open `door`.
    pub(super) fn judge(
        &self,
        origin: SecretOrigin,
        door: &'static str,
        given: &[Cow<'_, str>],
        secrets: &[&str],
    ) -> SecretCheck {
        // All secrets are compared, so that the duration reveals nothing.
        let (mut right, mut long) = (false, false);
        for (given, secret) in given.iter().flat_map(|given| secrets.iter().map(move |s| (given, s))) {
            let same = is_secret(given, secret);
            right |= same;
            long |= same & is_long(secret);
        }
        let now = Instant::now();
        let mut table = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        if right && long {
            return SecretCheck::Right;
        }
        let known = table.has_shown_right(origin.ip, door, now);
        let one = Key::Address { ip: origin.ip, known };
        let group = origin.group.map(Key::Group);
        // Wrong secrets of a known address do not count for the other addresses in its group.
        let keys = [Some(one), group.filter(|_| !known)];
        let pause = keys.into_iter().flatten().filter_map(|key| table.pause(key, now)).max();
        if right {
            return pause.map_or_else(
                || {
                    table.shown_right(origin.ip, door, now);
                    SecretCheck::Right
                },
                SecretCheck::Paused,
            );
        }
        let hashes = given.iter().map(|given| self.0.hasher.hash_one(given.as_ref()));
        let new: Vec<u64> = hashes.filter(|hash| !table.is_repeated(one, *hash, now)).collect();
        match pause {
            _ if new.is_empty() => SecretCheck::Wrong { new: 0, wait: Duration::ZERO },
            Some(pause) => SecretCheck::Paused(pause),
            None => {
                let keys = [Some(one), group].into_iter().flatten();
                let waits = keys.flat_map(|key| new.iter().map(move |hash| (key, *hash)));
                let wait = waits.map(|(key, hash)| table.wrong(key, hash, now)).max();
                SecretCheck::Wrong { new: new.len(), wait: wait.unwrap_or_default() }
            }
        }
    }

    /// Counts a wrong credential that nobody can guess.
    pub(super) fn judge_forged(&self, origin: SecretOrigin, shown: &str) -> SecretCheck {
        let one = Key::Address { ip: origin.ip, known: false };
        let keys = [Some(one), origin.group.map(Key::Group)];
        let (hash, now) = (self.0.hasher.hash_one(shown), Instant::now());
        let mut table = self.0.forged.lock().unwrap_or_else(PoisonError::into_inner);
        if table.is_repeated(one, hash, now) {
            return SecretCheck::Wrong { new: 0, wait: Duration::ZERO };
        }
        if let Some(pause) = keys.into_iter().flatten().filter_map(|key| table.pause(key, now)).max() {
            return SecretCheck::Paused(pause);
        }
        let wait = keys.into_iter().flatten().map(|key| table.wrong(key, hash, now)).max();
        SecretCheck::Wrong { new: 1, wait: wait.unwrap_or_default() }
    }

    /// Returns the number of addresses with wrong credentials that nobody can guess.
    #[cfg(test)]
    pub(super) fn forged_addresses(&self) -> usize {
        self.0.forged.lock().unwrap_or_else(PoisonError::into_inner).sizes()[0]
    }

    /// Waits until the answer to a wrong secret is due.
    pub(super) async fn hold(&self, wait: Duration) {
        if !wait.is_zero()
            && let Ok(_held) = self.0.held.try_acquire()
        {
            sleep(wait).await;
        }
    }
}

/// Returns whether a secret is too long to be guessed over a network.
fn is_long(secret: &str) -> bool {
    let mut chars: Vec<char> = secret.chars().collect();
    let length = chars.len();
    chars.sort_unstable();
    chars.dedup();
    length >= LONG && chars.len() >= VARIED
}

#[cfg(test)]
mod tests;
