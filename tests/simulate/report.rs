//! Adds up and prints.

use std::time::Duration;

use super::plan::{Loss, Plan};

/// Bytes per second of each stream: 2.2 Mb/s.
const RATE: f64 = 275_000.0;

/// The sums of some streams.
#[derive(Debug)]
pub(super) struct Report {
    /// Questions to the bus, for each second.
    lookups: Vec<u64>,
    /// Questions that a node answered itself, because it knew that nobody has the stream.
    pub(super) remembered: u64,
    /// Bytes that each node has sent to others.
    sent: Vec<f64>,
    /// Relays by their depth when the viewers have come: from the owner, and from another node.
    pub(super) depth: [u64; 2],
    /// The most nodes that pulled one stream from one node.
    pub(super) most: usize,
    /// For how long each edge whose source was lost got nothing, and how much of this the publisher was away.
    freezes: [Vec<(Duration, Duration)>; 2],
    /// Edges that got nothing at the end.
    pub(super) dark: u64,
}

impl Report {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            lookups: vec![0; plan.end.as_secs() as usize + 1],
            remembered: 0,
            sent: vec![0.0; plan.nodes as usize],
            depth: [0; 2],
            most: 0,
            freezes: [Vec::new(), Vec::new()],
            dark: 0,
        }
    }

    /// A node has asked the bus.
    pub(super) fn lookup(&mut self, at: Duration) {
        if let Some(count) = self.lookups.get_mut(at.as_secs() as usize) {
            *count += 1;
        }
    }

    /// A node has sent a stream to another one for some time.
    pub(super) fn sent(&mut self, node: u32, time: Duration) {
        if let Some(sent) = self.sent.get_mut(node as usize) {
            *sent += time.as_secs_f64() * RATE;
        }
    }

    /// An edge got nothing for some time, because of a loss; the publisher was away for a part of it.
    pub(super) fn freeze(&mut self, loss: Loss, time: Duration, away: Duration) {
        self.freezes[usize::from(loss == Loss::Hangs)].push((time, away));
    }

    /// Adds the sums of other streams.
    pub(super) fn add(&mut self, other: Self) {
        self.lookups.iter_mut().zip(other.lookups).for_each(|(sum, more)| *sum += more);
        self.sent.iter_mut().zip(other.sent).for_each(|(sum, more)| *sum += more);
        self.depth.iter_mut().zip(other.depth).for_each(|(sum, more)| *sum += more);
        self.remembered += other.remembered;
        self.most = self.most.max(other.most);
        self.dark += other.dark;
        self.freezes.iter_mut().zip(other.freezes).for_each(|(sum, more)| sum.extend(more));
    }

    pub(super) fn print(&mut self, plan: &Plan) {
        println!("{} nodes, {} streams of 2.2 Mb/s", plan.nodes, plan.streams);
        let all: u64 = self.lookups.iter().sum();
        let (second, most) =
            self.lookups.iter().enumerate().max_by_key(|(_, count)| **count).unwrap_or((0, &0));
        println!(
            "look-ups: {all}, at most {most} a second (second {second}); {} spared: known in vain",
            self.remembered
        );
        let [direct, through] = self.depth;
        println!(
            "relays: {direct} pull from the owner, {through} from another relay; one node serves {} at most",
            self.most
        );
        let total: f64 = self.sent.iter().sum();
        let busiest = self.sent.iter().copied().fold(0.0, f64::max);
        let mbits = |bytes: f64| bytes * 8.0 / plan.end.as_secs_f64() / 1e6;
        println!(
            "between nodes: {:.1} Gb/s, {:.0} Mb/s a node on average, {:.0} Mb/s from the busiest",
            mbits(total) / 1e3,
            mbits(total) / f64::from(plan.nodes),
            mbits(busiest)
        );
        for (freezes, name) in self.freezes.iter_mut().zip(["killed", "hangs"]) {
            let share = |times: &mut Vec<Duration>, share: f64| {
                times.sort_unstable();
                let at = (times.len() as f64 * share) as usize;
                times
                    .get(at.min(times.len().saturating_sub(1)))
                    .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
            };
            let mut whole: Vec<Duration> = freezes.iter().map(|(time, _)| *time).collect();
            let mut own: Vec<Duration> =
                freezes.iter().map(|(time, away)| time.saturating_sub(*away)).collect();
            println!(
                "a node {name}: {} edges freeze, p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms; without the publisher's own absence p50 {:.0}, p95 {:.0}, max {:.0} ms",
                freezes.len(),
                share(&mut whole, 0.5),
                share(&mut whole, 0.95),
                share(&mut whole, 1.0),
                share(&mut own, 0.5),
                share(&mut own, 0.95),
                share(&mut own, 1.0)
            );
        }
        println!("edges without a picture at the end: {}", self.dark);
    }
}
