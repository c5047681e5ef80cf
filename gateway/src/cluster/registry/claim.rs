//! Enters a claim to a stream, and gives it up.
//!
//! A node first asks whether another one has the stream. Then it subscribes to the subject of the stream, and asks
//! again until its own question comes back: from then on it hears of every other claim. If two nodes do this at the same
//! time, at least one hears the other, and `rank` decides for both in the same way.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{Claim, ClaimState, Rank, Registry, micros};
use crate::cluster::node::NodeName;
use crate::cluster::protocol::{self, Appeared, OriginAnswer, OriginAsk};
use crate::core::bus::NoAnswer;
use crate::core::close::CloseReason;
use crate::core::hub::StreamName;

/// Timeouts of the questions to an owner before a claim. One that answers none is dead. The first is short: the bus may
/// know a node that has just died for a moment.
const ASK_TIMEOUTS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
/// Timeout of the node's question to itself, and how often it is asked. A claim without an answer is valid, too: the
/// bus is away or slow, and the claim is checked later.
const ECHO_TIMEOUT: Duration = Duration::from_millis(100);
const ECHO_TIMES: usize = 5;
/// Time after which a claim is checked again: the servers of a bus may know the subscriptions of each other late.
const CHECK_AFTER: Duration = Duration::from_millis(100);

/// Why a stream cannot be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimError {
    /// The publisher of this node has it.
    Taken(NodeName),
    /// The node has as many claims as allowed.
    TooMany,
}

impl Registry {
    /// Claims a stream for a publisher of this node, until [`Registry::release`] with the same `holder`. A stream that
    /// this node has already is left to its hub.
    ///
    /// # Errors
    /// Another node has the stream, or there are too many claims.
    pub async fn claim(&self, name: &StreamName, holder: u64) -> Result<(), ClaimError> {
        let mut state = self.enter(name, holder).ok_or(ClaimError::TooMany)?;
        // A client that gives up while this waits must not keep the claim.
        let mut held = ReleaseOnDrop { registry: self, name, holder, armed: true };
        let ended = state.wait_for(|state| *state != ClaimState::Asking).await;
        let ended = ended.map_or(ClaimState::Held, |state| state.clone());
        match ended {
            ClaimState::Lost(node) => Err(ClaimError::Taken(node)),
            ClaimState::Held | ClaimState::Asking => {
                held.armed = false;
                Ok(())
            }
        }
    }

    /// Adds a holder, and begins to claim the stream if this node does not have it. `None` if there are too many claims.
    fn enter(&self, name: &StreamName, holder: u64) -> Option<watch::Receiver<ClaimState>> {
        let mut claims = self.claims();
        if let Some(claim) = claims.get_mut(name) {
            claim.holders.insert(holder);
            return Some(claim.state.subscribe());
        }
        if claims.len() >= self.0.max {
            return None;
        }
        let (state, receiver) = watch::channel(ClaimState::Asking);
        let rank = Rank { since: micros(), node: self.0.me.node.clone() };
        let begun = Instant::now();
        let claim = Claim {
            rank: rank.clone(),
            begun,
            holders: [holder].into(),
            state,
            subscription: None,
            confirmed: false,
            checked: begun,
        };
        claims.insert(name.clone(), claim);
        drop(claims);
        let (registry, name) = (self.clone(), name.clone());
        self.0.runtime.spawn(async move { registry.ask(&name, &rank).await });
        Some(receiver)
    }

    async fn ask(&self, name: &StreamName, rank: &Rank) {
        if let Some(node) = self.other(name, rank).await {
            return self.lose(name, rank, node);
        }
        if !self.subscribe(name, rank) {
            return;
        }
        for _ in 0..ECHO_TIMES {
            let asked = self.0.bus.request(&protocol::origin(name), question(rank, true), ECHO_TIMEOUT).await;
            match asked.as_deref().map(protocol::read) {
                Ok(Some(OriginAnswer::Taken { node })) if node != rank.node => {
                    return self.lose(name, rank, node);
                }
                Err(NoAnswer::Away) => break,
                _ => {}
            }
            if self.with(name, rank, |claim| claim.confirmed) != Some(false) {
                break;
            }
        }
        let entered = self.with(name, rank, |claim| drop(claim.state.send_replace(ClaimState::Held)));
        if entered.is_none() {
            return;
        }
        self.absent().remove(name);
        let appeared = Appeared { node: rank.node.clone() };
        self.0.bus.publish(&protocol::on(name), protocol::write(&appeared));
        sleep(CHECK_AFTER).await;
        self.check(name, rank);
    }

    /// Asks whether another node has the stream. Returns that node.
    async fn other(&self, name: &StreamName, rank: &Rank) -> Option<NodeName> {
        for wait in ASK_TIMEOUTS {
            let asked = self.0.bus.request(&protocol::origin(name), question(rank, false), wait).await;
            match asked {
                Ok(answer) => match protocol::read(&answer) {
                    Some(OriginAnswer::Taken { node }) if node != rank.node => return Some(node),
                    _ => return None,
                },
                Err(NoAnswer::Nobody | NoAnswer::Away) => return None,
                Err(NoAnswer::Silent) => {}
            }
        }
        None
    }

    /// Subscribes to the questions about a stream. Returns false if the claim was given up.
    fn subscribe(&self, name: &StreamName, rank: &Rank) -> bool {
        let (registry, stream, own) = (self.clone(), name.clone(), rank.clone());
        let handler = move |message| registry.answer(&stream, &own, message);
        let subscription = self.0.bus.subscribe(protocol::origin(name), std::sync::Arc::new(handler));
        self.with(name, rank, |claim| claim.subscription = Some(subscription)).is_some()
    }

    /// Asks the other claims of a stream, if there are any, whether they are older. Two nodes that could not hear each
    /// other find out in this way.
    pub(super) fn check(&self, name: &StreamName, rank: &Rank) {
        if self.with(name, rank, |claim| claim.checked = Instant::now()).is_some() {
            self.0.bus.publish(&protocol::origin(name), question(rank, true));
        }
    }

    /// Calls `act` with a claim, unless it was given up or lost.
    pub(super) fn with<T>(
        &self,
        name: &StreamName,
        rank: &Rank,
        act: impl FnOnce(&mut Claim) -> T,
    ) -> Option<T> {
        self.claims().get_mut(name).filter(|claim| claim.rank == *rank).map(act)
    }

    /// Gives a claim up because another node has the stream, and closes the publisher.
    pub(super) fn lose(&self, name: &StreamName, rank: &Rank, to: NodeName) {
        let lost = {
            let mut claims = self.claims();
            if claims.get(name).is_none_or(|claim| claim.rank != *rank) {
                return;
            }
            claims.remove(name)
        };
        let Some(claim) = lost else { return };
        let was_held = *claim.state.borrow() == ClaimState::Held;
        if was_held {
            tracing::info!(stream = %name, node = %to, "publisher yields to another node");
        }
        claim.state.send_replace(ClaimState::Lost(to));
        // Only after the claim is gone: what hears of the end may ask for the stream.
        if was_held {
            self.0.hub.end_publisher(name, CloseReason::Replaced);
        }
    }

    /// Ends what a holder needs. The claim ends with its last holder.
    pub fn release(&self, name: &StreamName, holder: u64) {
        let mut claims = self.claims();
        let Some(claim) = claims.get_mut(name) else { return };
        claim.holders.remove(&holder);
        let ended = if claim.holders.is_empty() { claims.remove(name) } else { None };
        drop(claims);
        // The subscription ends without the lock.
        drop(ended);
    }
}

/// Releases a claim, unless it is not armed any more.
struct ReleaseOnDrop<'a> {
    registry: &'a Registry,
    name: &'a StreamName,
    holder: u64,
    armed: bool,
}

impl Drop for ReleaseOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.registry.release(self.name, self.holder);
        }
    }
}

fn question(rank: &Rank, entered: bool) -> bytes::Bytes {
    let Rank { since, node } = rank.clone();
    protocol::write(&OriginAsk::Claim { node, since, entered })
}
