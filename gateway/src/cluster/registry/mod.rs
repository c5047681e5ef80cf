//! The registry: which node publishes a stream.
//!
//! There is no table. The owner of a stream subscribes to its subject, and whoever wants the stream asks there: if
//! nobody has subscribed, nobody publishes it. `claim` enters a claim, `answer` answers questions about it, `follow`
//! claims the streams of jobs and checks all claims from time to time, `find` finds the owner. The rules are pure:
//! `rank` decides between two claims, `absent` remembers for a second that nobody has a stream.

mod absent;
mod answer;
mod children;
mod claim;
mod find;
mod follow;
mod rank;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

pub use absent::Absent;
pub use children::Children;
pub use claim::ClaimError;
pub use rank::{Rank, Step, Verdict, judge};

use super::node::NodeName;
use crate::core::bus::{Bus, Subscription};
use crate::core::hub::{Hub, PublisherKind, StreamName};

/// Maximum number of claims of a node: streams that it publishes, and publishers that are about to connect.
pub const MAX_CLAIMS: usize = 20_000;
/// The holder of the claim of a job. Sessions have other numbers.
const JOB: u64 = 0;

/// What the node tells others about itself.
#[derive(Debug, Clone)]
pub struct Me {
    /// Its name.
    pub node: NodeName,
    /// Its region; may be empty.
    pub region: String,
    /// The address of its HTTP, once it is known.
    pub url: Arc<OnceLock<String>>,
}

impl Me {
    /// Returns the address of its HTTP; empty before it is known.
    pub fn url(&self) -> String {
        self.url.get().cloned().unwrap_or_default()
    }
}

/// The state of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ClaimState {
    /// Other nodes are being asked.
    Asking,
    /// This node has the stream.
    Held,
    /// That node has it.
    Lost(NodeName),
}

/// A claim to a stream.
#[derive(Debug)]
struct Claim {
    rank: Rank,
    begun: Instant,
    /// The publishers that need it. While one replaces another, there are two.
    holders: BTreeSet<u64>,
    state: watch::Sender<ClaimState>,
    subscription: Option<Subscription>,
    /// Whether a question of this node came back to it: from then on, all others come, too.
    confirmed: bool,
    /// When it was entered or checked.
    checked: Instant,
}

/// The content of [`Registry`].
struct Inner {
    bus: Arc<dyn Bus>,
    me: Me,
    hub: Hub,
    children: Children,
    fanout: usize,
    max: usize,
    runtime: Handle,
    started: Instant,
    claims: Mutex<HashMap<StreamName, Claim>>,
    absent: Mutex<Absent>,
}

/// The registry, as one node sees it. Cloning shares it.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("me", &self.0.me).finish_non_exhaustive()
    }
}

impl Registry {
    /// Creates the registry of a node with these streams. Its tasks run on `runtime`.
    pub fn new(bus: Arc<dyn Bus>, me: Me, hub: Hub, fanout: usize, runtime: Handle) -> Self {
        Self::with_max(bus, me, hub, (fanout, MAX_CLAIMS), runtime)
    }

    fn with_max(bus: Arc<dyn Bus>, me: Me, hub: Hub, (fanout, max): (usize, usize), runtime: Handle) -> Self {
        Self(Arc::new(Inner {
            bus,
            me,
            hub,
            children: Children::default(),
            fanout,
            max,
            runtime,
            started: Instant::now(),
            claims: Mutex::default(),
            absent: Mutex::default(),
        }))
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<StreamName, Claim>> {
        self.0.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn absent(&self) -> MutexGuard<'_, Absent> {
        self.0.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the node tells about itself.
    pub fn me(&self) -> &Me {
        &self.0.me
    }

    /// Returns the nodes that pull streams from this one.
    pub fn children(&self) -> &Children {
        &self.0.children
    }

    /// Returns the largest number of nodes that this one serves with a stream.
    pub fn fanout(&self) -> usize {
        self.0.fanout
    }

    /// Returns the bus.
    pub fn bus(&self) -> &Arc<dyn Bus> {
        &self.0.bus
    }

    /// Returns the number of claims.
    pub fn count(&self) -> usize {
        self.claims().len()
    }

    /// Returns whether this node has, or is about to have, the publisher of a stream.
    pub fn owns(&self, name: &StreamName) -> bool {
        self.claims().contains_key(name)
    }

    /// Returns whether a holder has a claim to a stream.
    pub fn holds(&self, name: &StreamName, holder: u64) -> bool {
        self.claims().get(name).is_some_and(|claim| claim.holders.contains(&holder))
    }

    /// Returns the time since the publisher of a claim last sent something, or since the begin of the claim if it has
    /// not connected.
    fn silence(&self, name: &StreamName, begun: Instant) -> Duration {
        match self.0.hub.stream(name) {
            Some(stream) if stream.kind() == PublisherKind::Own && stream.publishing().is_some() => {
                stream.silence()
            }
            _ => begun.elapsed(),
        }
    }
}

/// Returns the time in microseconds since 1970.
fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}
