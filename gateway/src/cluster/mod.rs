//! Clusters: several gateways that act as one.
//!
//! Any node takes a publisher, and every node plays its stream. The nodes find each other over a [`Bus`](crate::core::bus)
//! (NATS, or memory in tests), and pull streams from each other by HTTP-FLV. Nothing that runs depends on the bus.
//!
//! `registry` knows who publishes what, `relay` brings the streams of other nodes, `files` their HLS, `guard` and
//! `observer` connect both with the clients, `control` answers the other nodes, `gather` asks them all, `meter` tells sums
//! of sessions and bytes. `protocol` has the messages. Start reading at [`Cluster`] and [`ClusterService`].

pub mod bans;
mod control;
mod drain;
pub mod files;
mod gather;
mod guard;
pub mod meter;
mod nats;
mod node;
pub mod nodes;
mod observer;
pub mod protocol;
pub mod registry;
pub mod relay;
mod service;
mod settings;
pub mod ticket;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

pub use drain::Drained;
pub use gather::{Gathered, GatheredList};
use meter::Meter;
pub use nats::NatsBus;
pub use node::{BadNodeName, NodeName};
use nodes::KnownNodes;
pub use protocol::{Kicked, Listed, NodeState};
use registry::Registry;
use relay::Relays;
pub use service::ClusterService;
pub use settings::ClusterSettings;

use crate::context::Context;

/// The kind of list that a node returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListWanted {
    /// Its streams.
    Streams,
    /// Its clients, or those of one stream.
    Clients(Option<String>),
}

/// Makes a list of this node for others: the number of all entries, and at most this many of them.
type MakeList = Box<dyn Fn(&ListWanted, usize) -> (usize, Vec<Value>) + Send + Sync>;

/// The content of [`Cluster`].
struct Inner {
    registry: Registry,
    /// Set when the gateway has started.
    relays: Arc<OnceLock<Relays>>,
    context: Context,
    meter: Arc<Meter>,
    /// This run: two processes with one name have different ones.
    run: u64,
    started: Instant,
    nodes: Mutex<KnownNodes>,
    lists: OnceLock<MakeList>,
}

/// The cluster, as this node sees it. Cloning shares it.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

/// The cluster of a gateway, once it is known that it has one.
pub type LateCluster = Arc<OnceLock<Cluster>>;

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("node", self.node()).finish_non_exhaustive()
    }
}

impl Cluster {
    fn new(registry: Registry, relays: Arc<OnceLock<Relays>>, context: Context) -> Self {
        let (node, bus) = (registry.me().node.clone(), registry.bus().clone());
        let meter = Arc::new(Meter::new(node, bus, context.clients.clone()));
        Self(Arc::new(Inner {
            registry,
            relays,
            context,
            meter,
            run: rand::random(),
            started: Instant::now(),
            nodes: Mutex::default(),
            lists: OnceLock::new(),
        }))
    }

    fn nodes_known(&self) -> MutexGuard<'_, KnownNodes> {
        self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the name of this node.
    pub fn node(&self) -> &NodeName {
        &self.0.registry.me().node
    }

    /// Returns the registry.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Tells the last sums of sessions and bytes: the gateway ends, and its sessions have ended.
    pub async fn finish(&self) {
        self.0.meter.finish().await;
    }

    /// Returns the relays; `None` before the gateway has started.
    pub fn relays(&self) -> Option<&Relays> {
        self.0.relays.get()
    }

    /// Sets how the lists of this node are made. Only the first call has an effect.
    pub fn set_lists(
        &self,
        make: impl Fn(&ListWanted, usize) -> (usize, Vec<Value>) + Send + Sync + 'static,
    ) {
        let _ = self.0.lists.set(Box::new(make));
    }
}
