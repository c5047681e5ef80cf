//! Limits how many secrets can be guessed, without locking out who knows the right one.
//!
//! Right secrets are let in at once, wrong ones are answered late. A guess is only worth something if
//! many can be tried, so each wrong secret takes one of the few places of its address until its answer
//! is due, whether its sender waits for the answer or not. Who tries one secret after another therefore
//! never fills the places, and everybody else at the address gets in. Who tries many at once fills them:
//! then secrets are not compared until a place is free, except where that gives nothing to a guesser
//! (a secret too long to be guessed) or punishes the wrong one (an address that knew the secret lately).
//!
//! A wrong secret that comes again is no guess. An encoder may repeat one for hours.

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
use table::{Key, Table};

/// Answers to wrong secrets that wait at once, in all. Beyond, answers are prompt, and only the places
/// of each address limit the guesses.
const MAX_HELD: usize = 512;
/// Length of a secret that cannot be guessed over a network, however many guesses are compared.
const LONG: usize = 16;
/// Different characters that it has at least.
const VARIED: usize = 8;

/// Where a secret comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    ip: IpAddr,
    /// Addresses that one client may choose from: all that a proxy names, or an IPv6 site's /48.
    group: Option<IpAddr>,
}

impl Source {
    /// The source of a request from `ip`, which came over a connection from `peer`.
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
pub(super) enum Verdict {
    /// One of them is right.
    Right,
    /// None is; so many of them are new, and the answer is due after `wait`.
    Wrong { new: usize, wait: Duration },
    /// They were not compared. A place is free after this time.
    Paused(Duration),
}

#[derive(Debug)]
struct Shared {
    hasher: RandomState,
    table: Mutex<Table>,
    held: Semaphore,
}

/// The wrong secrets of late, by address. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Guesses(Arc<Shared>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Arc::new(Shared {
            hasher: RandomState::new(),
            table: Mutex::default(),
            held: Semaphore::new(MAX_HELD),
        }))
    }
}

impl Guesses {
    /// Compares the secrets that a request gives with those that open `door`.
    pub(super) fn judge(
        &self,
        source: Source,
        door: &'static str,
        given: &[Cow<'_, str>],
        secrets: &[&str],
    ) -> Verdict {
        // All of them are compared, so that the time tells nothing.
        let (mut right, mut long) = (false, false);
        for (given, secret) in given.iter().flat_map(|given| secrets.iter().map(move |s| (given, s))) {
            let same = is_secret(given, secret);
            right |= same;
            long |= same & is_long(secret);
        }
        let now = Instant::now();
        let mut table = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        if right && long {
            return Verdict::Right;
        }
        let known = table.has_shown_right(source.ip, door, now);
        let one = Key::Address { ip: source.ip, known };
        let group = source.group.map(Key::Group);
        // What an address that is known does is not the fault of the others in its group.
        let keys = [Some(one), group.filter(|_| !known)];
        let pause = keys.into_iter().flatten().filter_map(|key| table.pause(key, now)).max();
        if right {
            return pause.map_or_else(
                || {
                    table.shown_right(source.ip, door, now);
                    Verdict::Right
                },
                Verdict::Paused,
            );
        }
        let hashes = given.iter().map(|given| self.0.hasher.hash_one(given.as_ref()));
        let new: Vec<u64> = hashes.filter(|hash| !table.is_repeated(one, *hash, now)).collect();
        match pause {
            _ if new.is_empty() => Verdict::Wrong { new: 0, wait: Duration::ZERO },
            Some(pause) => Verdict::Paused(pause),
            None => {
                let keys = [Some(one), group].into_iter().flatten();
                let waits = keys.flat_map(|key| new.iter().map(move |hash| (key, *hash)));
                let wait = waits.map(|(key, hash)| table.wrong(key, hash, now)).max();
                Verdict::Wrong { new: new.len(), wait: wait.unwrap_or_default() }
            }
        }
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

/// Whether a secret is so long that guessing it over a network is hopeless.
fn is_long(secret: &str) -> bool {
    let mut chars: Vec<char> = secret.chars().collect();
    let length = chars.len();
    chars.sort_unstable();
    chars.dedup();
    length >= LONG && chars.len() >= VARIED
}

#[cfg(test)]
mod tests;
