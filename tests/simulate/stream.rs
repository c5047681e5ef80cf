//! One stream: its owner, and the relays of the nodes that watch it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use gateway::cluster::NodeName;
use gateway::cluster::protocol::Owner;
use gateway::cluster::registry::Absent;
use gateway::cluster::relay::{Action, Follow, Found, Source, choose};
use gateway::core::hub::StreamName;

use super::plan::{JOINED, Loss, Plan, Random};
use super::report::Report;

/// Nodes that pull a stream from one node.
const FANOUT: usize = 32;
/// Time of a question over the bus, and of news.
const BUS: Duration = Duration::from_millis(2);
/// Time until a node that hangs counts as one that does not answer: two questions of 300 ms.
const NO_ANSWER: Duration = Duration::from_millis(600);
/// Time from the request to the first byte.
const CONNECT: Duration = Duration::from_millis(5);
/// Time until a connection to a killed node breaks, and until one is refused.
const RESET: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));
/// Time for which a publisher is away whose node was lost.
const AWAY: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(2));

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The publisher connects to a node.
    Publish(u32),
    /// The nodes that are lost at this time.
    Lost,
    /// A node begins to watch, or its relay has something to do.
    Step(u32),
    /// The bus answers.
    Answer(u32),
    /// The connection of a relay, by its number, breaks or brings its first byte.
    Broken(u32, u32),
    First(u32, u32),
    End,
}

struct Relay {
    follow: Follow,
    absent: Absent,
    /// The node it is connected to.
    source: Option<u32>,
    /// Counts the connections.
    connection: u32,
    /// Since when bytes come.
    flows_since: Option<Duration>,
    /// Since when none come, and why, if a lost node is the reason.
    frozen: Option<(Duration, Loss)>,
}

/// The publisher: its node, whether it sends, and since when.
struct Publisher {
    node: Option<u32>,
    since: Duration,
    /// Since when it is away, and for how long the last time.
    away_since: Duration,
    away: Duration,
}

struct Simulation<'a> {
    plan: &'a Plan,
    report: &'a mut Report,
    random: Random,
    name: StreamName,
    now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    events: u64,
    publisher: Publisher,
    relays: BTreeMap<u32, Relay>,
}

/// Runs one stream to the end.
pub(super) fn run(plan: &Plan, stream: u32, report: &mut Report) {
    let Ok(name) = StreamName::parse(&format!("live/{stream}")) else { return };
    let mut random = plan.random(stream);
    let home = random.below(plan.nodes);
    let mut simulation = Simulation {
        plan,
        report,
        random,
        name,
        now: Duration::ZERO,
        queue: BinaryHeap::new(),
        events: 0,
        publisher: Publisher {
            node: None,
            since: Duration::ZERO,
            away_since: Duration::ZERO,
            away: Duration::ZERO,
        },
        relays: BTreeMap::new(),
    };
    simulation.at(Duration::ZERO, Event::Publish(home));
    simulation.watch(home, plan.edges(stream));
    let mut times: Vec<Duration> = plan.losses.iter().flatten().map(|(at, _)| *at).collect();
    times.sort_unstable();
    times.dedup();
    times.into_iter().for_each(|at| simulation.at(at, Event::Lost));
    simulation.at(plan.end, Event::End);
    while let Some(Reverse((at, _, event))) = simulation.queue.pop() {
        simulation.now = at;
        if event == Event::End {
            break;
        }
        simulation.happen(event);
    }
    simulation.finish();
}

impl Simulation<'_> {
    fn at(&mut self, at: Duration, event: Event) {
        self.events += 1;
        self.queue.push(Reverse((at, self.events, event)));
    }

    /// Lets some other nodes begin to watch.
    fn watch(&mut self, home: u32, edges: u32) {
        let mut nodes: Vec<u32> = (0..self.plan.nodes).filter(|node| *node != home).collect();
        for n in 0..edges {
            let other = n + self.random.below(nodes.len() as u32 - n);
            nodes.swap(n as usize, other as usize);
            let Some(node) = nodes.get(n as usize).copied() else { return };
            let at = self.random.between(Duration::from_millis(1), JOINED);
            self.at(at, Event::Step(node));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Publish(node) => self.publish(node),
            Event::Lost => self.lose(),
            Event::Step(node) => self.step(node),
            Event::Answer(node) => self.answer(node),
            Event::Broken(node, connection) => self.broken(node, connection),
            Event::First(node, connection) => {
                if self.relays.get(&node).is_some_and(|relay| relay.connection == connection) {
                    self.flow(node);
                }
            }
            Event::End => {}
        }
    }

    /// The publisher connects, and all relays hear of it.
    fn publish(&mut self, node: u32) {
        let now = self.now;
        self.publisher.away = now - self.publisher.away_since;
        (self.publisher.node, self.publisher.since) = (Some(node), now);
        let nodes: Vec<u32> = self.relays.keys().copied().collect();
        // The node that relayed the stream serves the publisher itself now.
        if self.relays.contains_key(&node) {
            self.flow(node);
            self.relays.remove(&node);
        }
        for node in nodes {
            if let Some(relay) = self.relays.get_mut(&node) {
                relay.absent.remove(&self.name);
                relay.follow.appeared(now + BUS);
                self.at(now + BUS, Event::Step(node));
            }
        }
    }

    fn lose(&mut self) {
        let lost = |node: u32| {
            let (at, loss) = self.plan.losses.get(node as usize).copied().flatten()?;
            (at == self.now).then_some(loss)
        };
        let mut gone: Vec<(u32, Loss)> = self
            .relays
            .keys()
            .chain(&self.publisher.node)
            .filter_map(|node| Some((*node, lost(*node)?)))
            .collect();
        gone.dedup();
        for (node, loss) in gone {
            if self.publisher.node == Some(node) {
                (self.publisher.node, self.publisher.away_since) = (None, self.now);
                let back = self.random.between(self.now + AWAY.0, self.now + AWAY.1);
                let to = self.plan.some_node(&mut self.random, back);
                self.at(back, Event::Publish(to));
            }
            self.count_flow(node);
            self.relays.remove(&node);
            self.dry(node, loss);
            if loss == Loss::Killed {
                self.reset(node);
            }
        }
    }

    /// The connections to a node break in a moment.
    fn reset(&mut self, node: u32) {
        let children: Vec<(u32, u32)> =
            self.children(node).map(|(child, relay)| (child, relay.connection)).collect();
        for (child, connection) in children {
            let at = self.random.between(self.now + RESET.0, self.now + RESET.1);
            self.at(at, Event::Broken(child, connection));
        }
    }

    fn children(&self, node: u32) -> impl Iterator<Item = (u32, &Relay)> {
        self.relays
            .iter()
            .filter(move |(_, relay)| relay.source == Some(node))
            .map(|(child, relay)| (*child, relay))
    }

    /// Bytes do not come from a node any more, so all below it get none.
    fn dry(&mut self, node: u32, loss: Loss) {
        let children: Vec<u32> = self.children(node).map(|(child, _)| child).collect();
        for child in children {
            self.count_flow(child);
            let Some(relay) = self.relays.get_mut(&child) else { continue };
            if relay.flows_since.take().is_some() {
                relay.follow.bytes(self.now);
                relay.frozen = Some((self.now, loss));
                self.at(self.now, Event::Step(child));
                self.dry(child, loss);
            }
        }
    }

    /// Bytes come to a node again.
    fn flow(&mut self, node: u32) {
        let now = self.now;
        let Some(relay) = self.relays.get_mut(&node) else { return };
        relay.follow.bytes(now);
        if relay.flows_since.is_some() {
            return;
        }
        relay.flows_since = Some(now);
        if let Some((since, loss)) = relay.frozen.take() {
            let away = if self.publisher.away_since >= since { self.publisher.away } else { Duration::ZERO };
            self.report.freeze(loss, now - since, away);
        }
        let children: Vec<u32> = self.children(node).map(|(child, _)| child).collect();
        children.into_iter().for_each(|child| self.flow(child));
    }

    fn broken(&mut self, node: u32, connection: u32) {
        if self.relays.get(&node).is_none_or(|relay| relay.connection != connection) {
            return;
        }
        self.count_flow(node);
        let (now, loss) = (self.now, self.plan.last_loss(self.now));
        let Some(relay) = self.relays.get_mut(&node) else { return };
        relay.source = None;
        let flowed = relay.flows_since.take().is_some();
        if flowed {
            relay.follow.bytes(now);
            relay.frozen = loss.map(|loss| (now, loss));
        }
        relay.follow.broken(now);
        if let (true, Some(loss)) = (flowed, loss) {
            self.dry(node, loss);
        }
        self.step(node);
    }

    /// Does what the relay of a node wants to do now.
    fn step(&mut self, node: u32) {
        if !self.plan.works(node, self.now) || self.publisher.node == Some(node) {
            return;
        }
        let now = self.now;
        let relay = self.relays.entry(node).or_insert_with(|| Relay {
            follow: Follow::new(now),
            absent: Absent::default(),
            source: None,
            connection: 0,
            flows_since: None,
            frozen: None,
        });
        if relay.flows_since.is_some() {
            relay.follow.bytes(now);
        }
        match relay.follow.next(now) {
            Action::Ask => {
                let after = if relay.absent.has(&self.name, now) {
                    self.report.remembered += 1;
                    Duration::ZERO
                } else {
                    self.report.lookup(now);
                    // The bus keeps the entry of an owner that hangs, until another node has the stream.
                    let hangs = self.publisher.node.is_none() && self.hangs(node);
                    if hangs { NO_ANSWER } else { BUS }
                };
                self.at(now + after, Event::Answer(node));
            }
            Action::Connect(source) => self.connect(node, &source),
            // Bytes that come make the step needless, and are not simulated one by one.
            Action::Wait(until) if relay.flows_since.is_none() => self.at(until.max(now), Event::Step(node)),
            Action::Wait(_) => {}
        }
    }

    /// Returns whether the relay's owner hangs.
    fn hangs(&self, node: u32) -> bool {
        let frozen = self.relays.get(&node).and_then(|relay| relay.frozen);
        frozen.is_some_and(|(_, loss)| loss == Loss::Hangs)
    }

    fn answer(&mut self, node: u32) {
        let found = self.found();
        let (now, turn) = (self.now, self.random.next());
        let Some(relay) = self.relays.get_mut(&node) else { return };
        if found == Found::Nobody {
            relay.absent.add(&self.name, now);
        }
        if relay.flows_since.is_some() {
            relay.follow.bytes(now);
        }
        let Some(me) = node_name(node) else { return };
        relay.follow.found(now, found, |owner, avoid| choose(owner, &me, avoid, turn));
        self.step(node);
    }

    fn found(&self) -> Found {
        let Some((home, node)) = self.publisher.node.and_then(|home| Some((home, node_name(home)?))) else {
            return Found::Nobody;
        };
        let parents: Vec<NodeName> = self.children(home).filter_map(|(child, _)| node_name(child)).collect();
        let is_full = parents.len() >= FANOUT;
        Found::Owner(Box::new(Owner {
            node,
            url: String::new(),
            region: String::new(),
            since: self.publisher.since.as_micros() as u64,
            silence_ms: 0,
            parents: if is_full { parents } else { Vec::new() },
            is_full,
            key_on_request: true,
        }))
    }

    /// Connects the relay of a node to its new source.
    fn connect(&mut self, node: u32, source: &Source) {
        self.count_flow(node);
        let home = number(&source.owner.node);
        let from = source.via.as_ref().map_or(home, number);
        let (direct, now) = (source.via.is_none(), self.now);
        // One that pulls from another relay serves nobody any more.
        if !direct {
            self.reset(node);
        }
        let works = from.is_some_and(|from| self.plan.works(from, now));
        let serves = if direct {
            self.publisher.node == from && from.is_some_and(|from| self.children(from).count() < FANOUT)
        } else {
            let parent = from.and_then(|from| self.relays.get(&from));
            parent.is_some_and(|parent| parent.source.is_some() && parent.source == home)
                && from.is_some_and(|from| self.children(from).count() < FANOUT)
        };
        let Some(relay) = self.relays.get_mut(&node) else { return };
        relay.connection += 1;
        relay.source = None;
        let connection = relay.connection;
        if works && !serves {
            self.at(now + RESET.0, Event::Broken(node, connection));
        } else if works {
            relay.source = from;
            let flows = direct
                || from
                    .and_then(|from| self.relays.get(&from))
                    .is_some_and(|parent| parent.flows_since.is_some());
            if flows {
                self.at(now + CONNECT, Event::First(node, connection));
            }
            let count = from.map_or(0, |from| self.children(from).count());
            self.report.most = self.report.most.max(count);
        } else if from
            .and_then(|from| self.plan.losses.get(from as usize).copied().flatten())
            .is_some_and(|(_, loss)| loss == Loss::Killed)
        {
            self.at(now + RESET.0, Event::Broken(node, connection));
        }
        self.step(node);
    }

    /// Adds what the source of a relay has sent it.
    fn count_flow(&mut self, node: u32) {
        let now = self.now;
        if let Some(relay) = self.relays.get_mut(&node)
            && let (Some(since), Some(source)) = (&mut relay.flows_since, relay.source)
        {
            self.report.sent(source, now - *since);
            *since = now;
        }
    }

    fn finish(&mut self) {
        let nodes: Vec<u32> = self.relays.keys().copied().collect();
        for node in nodes {
            self.count_flow(node);
            let Some(relay) = self.relays.get(&node) else { continue };
            self.report.dark += u64::from(relay.flows_since.is_none());
            if let Some(source) = relay.source {
                self.report.depth[usize::from(self.publisher.node != Some(source))] += 1;
            }
        }
    }
}

fn node_name(node: u32) -> Option<NodeName> {
    NodeName::parse(&format!("n{node}")).ok()
}

/// Returns the number of a node.
fn number(name: &NodeName) -> Option<u32> {
    name.as_str().strip_prefix('n')?.parse().ok()
}
