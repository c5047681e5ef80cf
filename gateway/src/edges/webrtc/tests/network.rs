//! One direction of a simulated network.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// The quality of a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// The part of all datagrams that is lost.
    pub(super) loss: f64,
    /// The part that arrives twice.
    pub(super) twice: f64,
    pub(super) delay: Duration,
    /// The largest additional delay. Each datagram has its own, so they are reordered.
    pub(super) jitter: Duration,
}

impl Weather {
    pub(super) const FINE: Self =
        Self { loss: 0.0, twice: 0.0, delay: Duration::from_millis(10), jitter: Duration::ZERO };
    /// 5 % loss and 30 ms of jitter.
    pub(super) const ROUGH: Self =
        Self { loss: 0.05, twice: 0.01, delay: Duration::from_millis(20), jitter: Duration::from_millis(30) };
    /// Every datagram is lost.
    pub(super) const OUTAGE: Self = Self { loss: 1.0, ..Self::FINE };
}

/// One direction of a network, with the datagrams on their way.
pub(super) struct Link {
    pub(super) weather: Weather,
    random: StdRng,
    under_way: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    sent: u64,
    /// The first bytes of lost datagrams: the RTP header, which is not encrypted.
    pub(super) dropped: Vec<[u8; 12]>,
    /// Whether ICE checks and their responses are lost.
    pub(super) unchecked: bool,
    /// Whether RTCP is lost.
    pub(super) unreported: bool,
    /// Whether to keep a copy of every datagram.
    pub(super) keep: bool,
    pub(super) kept: Vec<Vec<u8>>,
}

impl Link {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            weather: Weather::FINE,
            random: StdRng::seed_from_u64(seed),
            under_way: BinaryHeap::new(),
            sent: 0,
            dropped: Vec::new(),
            unchecked: false,
            unreported: false,
            keep: false,
            kept: Vec::new(),
        }
    }

    /// Changes the quality. The random numbers begin anew, so that they do not depend on what was sent before.
    pub(super) fn change(&mut self, weather: Weather, seed: u64) {
        self.weather = weather;
        self.random = StdRng::seed_from_u64(seed);
    }

    pub(super) fn send(&mut self, now: Instant, datagram: &[u8]) {
        if self.keep {
            self.kept.push(datagram.to_vec());
        }
        // The first bytes tell the protocol (RFC 7983, RFC 5761).
        let checks = datagram.first().is_some_and(|first| *first < 4);
        let reports = datagram.get(1).is_some_and(|second| (192..224).contains(second));
        if checks && self.unchecked || !checks && reports && self.unreported {
            return;
        }
        let Weather { loss, twice, delay, jitter } = self.weather;
        if self.random.random_bool(loss) {
            self.dropped.extend(datagram.first_chunk());
            return;
        }
        let copies = if self.random.random_bool(twice) { 2 } else { 1 };
        for _ in 0..copies {
            self.sent += 1;
            let at = now + delay + jitter.mul_f64(self.random.random());
            self.under_way.push(Reverse((at, self.sent, datagram.to_vec())));
        }
    }

    /// When the next datagram arrives.
    pub(super) fn next(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.next().filter(|at| *at <= now)?;
        self.under_way.pop().map(|Reverse((.., datagram))| datagram)
    }
}
