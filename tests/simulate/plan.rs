//! Who publishes, who watches, and which nodes are lost.

use std::time::Duration;

/// A source of random numbers that gives the same ones in each run (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end.max(1))) as u32
    }

    /// Returns a time between two times.
    pub(super) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_micros() as u64;
        from + Duration::from_micros(self.next() % span.max(1))
    }
}

/// How a node is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Its process ends: its connections are reset.
    Killed,
    /// It stops, and its connections stay open: nobody is told.
    Hangs,
}

/// The whole run. Times are since its begin.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) nodes: u32,
    pub(super) streams: u32,
    /// How each node is lost, and when.
    pub(super) losses: Vec<Option<(Duration, Loss)>>,
    pub(super) end: Duration,
}

/// Viewers come until then.
pub(super) const JOINED: Duration = Duration::from_secs(10);
/// One node of a hundred is killed at this time, and another one hangs from the other time on.
const KILLED_AT: Duration = Duration::from_secs(20);
const HANGS_AT: Duration = Duration::from_secs(40);
const END: Duration = Duration::from_secs(60);

impl Plan {
    pub(super) fn new(nodes: u32, streams: u32) -> Self {
        let lost = (nodes / 100).max(1);
        let loss = |node| {
            if node < lost {
                Some((KILLED_AT, Loss::Killed))
            } else if node < 2 * lost {
                Some((HANGS_AT, Loss::Hangs))
            } else {
                None
            }
        };
        Self { nodes, streams, losses: (0..nodes).map(loss).collect(), end: END }
    }

    /// Returns the random numbers of a stream.
    pub(super) fn random(&self, stream: u32) -> Random {
        Random::new(0x1234_5678 ^ (u64::from(stream) << 20))
    }

    /// Returns on how many nodes besides its own a stream is watched: on all of them the first one, and fewer and fewer
    /// by a power law; most streams are watched where they are published.
    pub(super) fn edges(&self, stream: u32) -> u32 {
        let share = f64::from(stream + 1).powf(-0.7);
        ((f64::from(self.nodes - 1) * share) as u32).min(self.nodes - 1)
    }

    /// Returns whether a node works at a time.
    pub(super) fn works(&self, node: u32, at: Duration) -> bool {
        self.losses.get(node as usize).copied().flatten().is_none_or(|(lost, _)| at < lost)
    }

    /// Returns how the last nodes were lost before a time.
    pub(super) fn last_loss(&self, at: Duration) -> Option<Loss> {
        let before = self.losses.iter().flatten().filter(|(lost, _)| *lost <= at);
        before.max_by_key(|(lost, _)| *lost).map(|(_, loss)| *loss)
    }

    /// Returns a node that works at a time.
    pub(super) fn some_node(&self, random: &mut Random, at: Duration) -> u32 {
        loop {
            let node = random.below(self.nodes);
            if self.works(node, at) {
                return node;
            }
        }
    }
}
