//! The registry of all publishers and viewers, for the API, the metrics and closing clients.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use media::time::Micros;
use tracing::Span;

use super::client_table::{ClientGroup, ClientTable};
use super::meter::Meter;
use super::stream::{Hold, Stream};
use crate::core::admission::grant::{Grant, disconnected};
use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::close::{CloseReason, Revocation};
use crate::core::facts::{Fact, Facts};
use crate::core::session::{ClientSession, Observers, SessionCounts, SessionEnd};
use crate::limits::ClientLimits;

/// One connected client.
#[derive(Debug)]
pub struct Client {
    /// Unique within this run.
    pub id: u64,
    /// Whether it publishes or plays.
    pub act: Act,
    /// Its connection.
    pub info: ClientInfo,
    /// Its identity.
    pub identity: Identity,
    /// Its address: its own, or the one that a nearby proxy reports.
    pub from: IpAddr,
    /// The stream that it publishes or plays.
    pub stream: Arc<Stream>,
    /// Time when it connected.
    pub since: SystemTime,
    /// Bytes sent to it.
    pub sent: Meter,
    /// Bytes received from it.
    pub received: Meter,
    /// Number of items it missed because it was too slow.
    pub skipped: AtomicU64,
    /// Its position in the stream's time; `i64::MIN` before its first item.
    position: AtomicI64,
    /// Number of a publisher's unreadable frames; set when it disconnects.
    bad_frames: AtomicU64,
    session: Arc<ClientSession>,
    revocation: Revocation,
    limits: ClientLimits,
    /// In bits per second; 0 while not known.
    estimate: AtomicU64,
}

impl Client {
    /// Returns the client's session.
    pub const fn session(&self) -> &Arc<ClientSession> {
        &self.session
    }

    /// Returns whether this is a viewer: it plays, and is not the relay of another node of the cluster, which has the
    /// viewers and counts them.
    pub fn is_viewer(&self) -> bool {
        self.act == Act::Play && !matches!(self.identity, Identity::Node(_))
    }

    /// Returns the counts up to now.
    pub fn counts(&self) -> SessionCounts {
        SessionCounts {
            received: self.received.total(),
            sent: self.sent.total(),
            skipped: self.skipped.load(Ordering::Relaxed),
            bad_frames: self.bad_frames.load(Ordering::Relaxed),
        }
    }

    /// Returns the estimated bandwidth to it in bits per second, if it is estimated.
    pub fn estimate(&self) -> Option<u64> {
        Some(self.estimate.load(Ordering::Relaxed)).filter(|bits| *bits > 0)
    }

    /// Returns how far it is behind the newest published frame; `None` if that is not known.
    pub fn lag(&self) -> Option<Micros> {
        let position = Some(self.position.load(Ordering::Relaxed)).filter(|at| *at != Micros::MIN)?;
        Some((self.stream.newest()? - position).max(0))
    }
}

/// The content of [`Clients`].
#[derive(Debug, Default)]
struct Inner {
    clients: Mutex<ClientTable>,
    skipped: AtomicU64,
    facts: Facts,
}

/// The registry of all clients. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Clients(Arc<Inner>);

impl Clients {
    /// Creates an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty registry that makes known when publishers come and leave.
    pub fn with_facts(facts: &Facts) -> Self {
        Self(Arc::new(Inner { facts: facts.clone(), ..Inner::default() }))
    }

    /// Makes known that a publisher has come or left.
    fn tell(&self, what: &'static str, client: &Client, reason: String) {
        // A job of the gateway has no address.
        let ip = Some(client.from).filter(|ip| !ip.is_unspecified());
        let name = client.identity.name().unwrap_or(&client.info.agent).to_owned();
        let (stream, protocol) = (client.stream.name().to_string(), client.info.protocol);
        self.0.facts.push(Fact { what, stream, protocol, ip, name, reason, ..Fact::default() });
    }

    fn clients(&self) -> MutexGuard<'_, ClientTable> {
        self.0.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a client until the handle is dropped. Logs the connection and its end.
    pub fn add(&self, grant: &Grant, stream: &Arc<Stream>) -> ClientHandle {
        let client = Arc::new(Client {
            id: grant.session().id,
            act: grant.act(),
            info: grant.client().clone(),
            identity: grant.identity().clone(),
            from: grant.from(),
            stream: stream.clone(),
            since: SystemTime::now(),
            sent: Meter::default(),
            received: Meter::default(),
            skipped: AtomicU64::new(0),
            position: AtomicI64::new(i64::MIN),
            bad_frames: AtomicU64::new(0),
            session: grant.session().clone(),
            revocation: grant.revocation().clone(),
            limits: *grant.limits(),
            estimate: AtomicU64::new(0),
        });
        let is_viewer = client.is_viewer();
        if is_viewer {
            stream.viewer_came();
        }
        // A relay needs the stream, and its own viewers are counted at the other node.
        let hold = (client.act == Act::Play && !is_viewer).then(|| stream.hold());
        self.clients().insert(&client);
        if client.act == Act::Publish {
            self.tell("publisher_came", &client, String::new());
        }
        let (id, agent, identity) = (client.id, &client.info.agent, &client.identity);
        grant.span().in_scope(|| match client.act {
            Act::Publish => tracing::info!(id, agent, %identity, "publisher connected"),
            Act::Play => tracing::info!(id, agent, %identity, "viewer connected"),
        });
        let observers = grant.connect();
        let (registry, span) = (self.clone(), grant.span().clone());
        ClientHandle { registry, client, span, reason: OnceLock::new(), observers, _hold: hold }
    }

    /// Returns all clients, oldest first.
    pub fn list(&self) -> Vec<Arc<Client>> {
        self.clients().all()
    }

    /// Returns one client.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.clients().get(id).cloned()
    }

    /// Closes a client from outside. Returns false if it does not exist or was closed before.
    pub fn close(&self, id: u64, reason: CloseReason) -> bool {
        self.get(id).is_some_and(|client| client.revocation.revoke(reason))
    }

    /// Closes the clients of a group from outside. The number of all other clients does not matter.
    pub fn close_group(&self, group: &ClientGroup, reason: &CloseReason) {
        // The lock is not held while clients are closed.
        let clients = self.clients().group(group);
        for client in clients {
            client.revocation.revoke(reason.clone());
        }
    }

    /// Returns the number of groups that have clients.
    #[cfg(test)]
    pub(crate) fn groups(&self) -> usize {
        self.clients().groups()
    }

    /// Returns the number of items that all clients, including past ones, missed because they were too slow.
    pub fn skipped(&self) -> u64 {
        self.0.skipped.load(Ordering::Relaxed)
    }
}

/// A client's registration. Dropping it removes the client.
#[derive(Debug)]
pub struct ClientHandle {
    registry: Clients,
    client: Arc<Client>,
    span: Span,
    reason: OnceLock<CloseReason>,
    observers: Observers,
    /// The need of a relay of another node.
    _hold: Option<Hold>,
}

impl ClientHandle {
    /// Returns the client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The client's limits.
    pub fn limits(&self) -> &ClientLimits {
        &self.client.limits
    }

    /// Counts bytes sent to it, also for the stream.
    pub fn sent(&self, bytes: usize) {
        self.client.sent.add(bytes as u64);
        self.client.stream.count_sent(bytes as u64);
    }

    /// Counts bytes received from it.
    pub fn received(&self, bytes: usize) {
        self.client.received.add(bytes as u64);
    }

    /// Records its position in the stream's time.
    pub fn reached(&self, time: Micros) {
        self.client.position.store(time, Ordering::Relaxed);
    }

    /// Records the estimated bandwidth to it in bits per second.
    pub fn estimated(&self, bits: u64) {
        self.client.estimate.store(bits, Ordering::Relaxed);
    }

    /// Counts items it missed.
    pub fn skipped(&self, items: u64) {
        self.client.skipped.fetch_add(items, Ordering::Relaxed);
        self.registry.0.skipped.fetch_add(items, Ordering::Relaxed);
    }

    /// Records the number of the publisher's unreadable frames.
    pub fn bad_frames(&self, count: u64) {
        self.client.bad_frames.store(count, Ordering::Relaxed);
    }

    /// Returns the handle to close the client from outside.
    pub fn revocation(&self) -> &Revocation {
        &self.client.revocation
    }

    /// Returns the client's log span.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// Records why the client disconnects, for the log and the metrics. Only the first reason counts.
    pub fn close(&self, reason: CloseReason) {
        let _ = self.reason.set(reason);
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        let client = &self.client;
        if client.is_viewer() {
            client.stream.viewer_left();
        }
        self.registry.clients().remove(client.id);
        let reason = self.reason.take().or_else(|| client.revocation.reason()).unwrap_or(CloseReason::Left);
        if client.act == Act::Publish {
            self.registry.tell("publisher_left", client, reason.to_string());
        }
        let counts = client.counts();
        let SessionCounts { received, sent, skipped, bad_frames } = counts;
        disconnected(
            client.act,
            client.info.protocol,
            &reason,
            &self.span,
            [received, sent, skipped, bad_frames],
        );
        let end = SessionEnd { stream_id: client.stream.id(), since: client.since, counts, reason: &reason };
        self.observers.tell(|observer| observer.ended(&client.session, &end));
    }
}
