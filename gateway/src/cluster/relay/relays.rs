//! The relays of a node.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::run;
use crate::cluster::files::Files;
use crate::cluster::node::NodeName;
use crate::cluster::registry::Registry;
use crate::cluster::ticket::ClusterSecret;
use crate::context::Context;
use crate::core::close::CloseReason;
use crate::core::hub::{Happened, NextEvent, Origin, StreamName};
use crate::net::worker::Workers;
use crate::remote::Dialer;

/// Maximum number of streams that are relayed or looked for. Viewers choose the names; beyond it, they wait in vain.
pub const MAX_RELAYS: usize = 4096;

/// What the relays of a node share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) registry: Registry,
    pub(super) secret: ClusterSecret,
    pub(super) dialer: Dialer,
    pub(super) context: Context,
}

/// The state of a relay.
#[derive(Debug)]
pub(super) struct Status {
    /// When a viewer last wanted the stream.
    pub(super) wanted: Mutex<Instant>,
    source: Mutex<Option<(NodeName, Option<NodeName>)>>,
    pub(super) received: AtomicU64,
    /// Number of connections so far.
    pub(super) pulls: AtomicU64,
}

impl Status {
    fn new() -> Self {
        Self {
            wanted: Mutex::new(Instant::now()),
            source: Mutex::default(),
            received: AtomicU64::new(0),
            pulls: AtomicU64::new(0),
        }
    }

    /// Records from where media come: the owner, and the node between, if there is one; `None` if none come.
    pub(super) fn set_source(&self, source: Option<(NodeName, Option<NodeName>)>) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }

    fn source(&self) -> Option<(NodeName, Option<NodeName>)> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the time since a viewer last wanted the stream.
    pub(super) fn unwanted(&self) -> Duration {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A relay, as the API lists it.
#[derive(Debug, Clone)]
pub struct RelayInfo {
    /// The node that publishes it; `None` while it is looked for.
    pub owner: Option<NodeName>,
    /// The node from which it comes, if that is not the owner.
    pub via: Option<NodeName>,
    /// Bytes so far.
    pub received: u64,
    /// Number of connections so far.
    pub pulls: u64,
}

/// The content of [`Relays`].
#[derive(Debug)]
struct Inner {
    shared: Shared,
    workers: Workers,
    stop: CancellationToken,
    running: Mutex<BTreeMap<StreamName, Arc<Status>>>,
}

/// The relays of a node. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Relays(Arc<Inner>);

impl Relays {
    /// Creates the relays of a node. They run on the network threads, until `stop`.
    pub fn new(
        registry: Registry,
        secret: ClusterSecret,
        dialer: Dialer,
        (context, workers, stop): (&Context, &Workers, &CancellationToken),
    ) -> Self {
        let shared = Shared { registry, secret, dialer, context: context.clone() };
        let (workers, stop) = (workers.clone(), stop.clone());
        Self(Arc::new(Inner { shared, workers, stop, running: Mutex::default() }))
    }

    /// Returns what fetches files from other nodes.
    pub fn files(&self) -> Files {
        let Shared { registry, secret, dialer, .. } = self.0.shared.clone();
        Files::new(registry, secret, dialer)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<StreamName, Arc<Status>>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to relay a stream, or keeps its relay for longer.
    pub fn want(&self, name: &StreamName) {
        let mut running = self.running();
        if let Some(status) = running.get(name) {
            *status.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            return;
        }
        if running.len() >= MAX_RELAYS {
            metrics::counter!("lianmai_cluster_relays_refused_total").increment(1);
            return;
        }
        let status = Arc::new(Status::new());
        running.insert(name.clone(), status.clone());
        drop(running);
        let (relays, name) = (self.clone(), name.clone());
        self.0.workers.next().spawn(async move {
            // Also if the relay panics.
            let _end = EndOnDrop { relays: &relays, name: &name, status: &status };
            tokio::select! {
                () = run::run(&relays, &relays.0.shared, &name, &status) => {}
                () = relays.0.stop.cancelled() => {}
            }
        });
    }

    /// Ends a relay that nobody has wanted for `patience`. Returns false if somebody has wanted it meanwhile.
    pub(super) fn end_unwanted(&self, name: &StreamName, status: &Arc<Status>, patience: Duration) -> bool {
        let mut running = self.running();
        let ends = status.unwanted() >= patience;
        if ends && running.get(name).is_some_and(|known| Arc::ptr_eq(known, status)) {
            running.remove(name);
        }
        ends
    }

    /// Returns whether this node gets a stream from its owner directly, so that others may get it from here.
    pub fn is_direct(&self, name: &StreamName) -> bool {
        let status = self.running().get(name).cloned();
        matches!(status.and_then(|status| status.source()), Some((_, None)))
    }

    /// Returns the node from which this one gets a stream.
    pub fn source(&self, name: &StreamName) -> Option<NodeName> {
        let (owner, via) = self.running().get(name)?.source()?;
        Some(via.unwrap_or(owner))
    }

    /// Returns the number of streams that come from other nodes now.
    pub fn count(&self) -> usize {
        self.running().values().filter(|status| status.source().is_some()).count()
    }

    /// Returns the number of streams that are relayed or looked for.
    #[cfg(test)]
    pub(super) fn running_count(&self) -> usize {
        self.running().len()
    }

    /// Returns the relay of a stream.
    pub fn of(&self, name: &StreamName) -> Option<RelayInfo> {
        let status = self.running().get(name).cloned()?;
        let (owner, via) = status.source().map_or((None, None), |(owner, via)| (Some(owner), via));
        let received = status.received.load(Ordering::Relaxed);
        Some(RelayInfo { owner, via, received, pulls: status.pulls.load(Ordering::Relaxed) })
    }

    /// Closes the pulls of other nodes for a stream: this node does not get it from its owner any more.
    pub(super) fn close_children(&self, name: &StreamName) {
        let Shared { registry, context, .. } = &self.0.shared;
        for session in registry.children().sessions(name) {
            context.clients.close(session, CloseReason::StreamEnded);
        }
    }

    /// Relays streams whose publishers leave this node while viewers stay, until `stop`: the publisher may come back
    /// at another node.
    pub async fn follow(self) {
        let hub = self.0.shared.context.hub.clone();
        let mut events = hub.events();
        let want_paused = |name: &StreamName| {
            let stream = hub.stream(name).filter(|stream| stream.publishing().is_none() && !stream.remote());
            if stream.is_some_and(|stream| stream.is_needed()) {
                self.want(name);
            }
        };
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = self.0.stop.cancelled() => return,
            };
            match event {
                Some(NextEvent::Event(event)) if event.happened == Happened::Paused => {
                    want_paused(&event.stream)
                }
                Some(NextEvent::Event(_)) => {}
                Some(NextEvent::Missed(_)) => {
                    hub.streams().iter().for_each(|stream| want_paused(stream.name()))
                }
                None => return,
            }
        }
    }
}

impl Origin for Relays {
    fn wanted(&self, stream: &StreamName) -> bool {
        self.want(stream);
        true
    }

    fn wanted_for_hls(&self, _: &StreamName) -> bool {
        // Playlists and segments are fetched from the owner: see `cluster::files`.
        false
    }
}

struct EndOnDrop<'a> {
    relays: &'a Relays,
    name: &'a StreamName,
    status: &'a Arc<Status>,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        let mut running = self.relays.running();
        if running.get(self.name).is_some_and(|known| Arc::ptr_eq(known, self.status)) {
            running.remove(self.name);
        }
    }
}
