//! The right to publish or play one stream.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;

use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::close::{CloseReason, Revocation};
use crate::core::name::StreamName;
use crate::core::session::{ClientSession, Observers, next_id};
use crate::limits::ClientLimits;

/// A right, with the client that holds it. Only [`super::Admission`] creates grants for clients.
#[derive(Debug)]
pub struct Grant {
    session: Arc<ClientSession>,
    span: Span,
    revocation: Revocation,
    limits: ClientLimits,
    observers: Observers,
    /// Whether the client has connected.
    connected: AtomicBool,
}

/// The session of an admitted client, its limits, and those that hear of its session.
pub(super) struct Admitted {
    pub(super) session: ClientSession,
    pub(super) limits: ClientLimits,
    pub(super) observers: Observers,
}

/// The right to publish a stream.
#[derive(Debug)]
pub struct PublishGrant(Box<Grant>);

/// The right to play a stream. Cloning shares it: HLS keeps it between requests.
#[derive(Debug, Clone)]
pub struct PlayGrant(Arc<Grant>);

impl Grant {
    fn new(admitted: Admitted) -> Self {
        let Admitted { session, limits, observers } = admitted;
        let ClientInfo { peer, protocol, .. } = session.client;
        let span = match session.act {
            Act::Publish => tracing::info_span!("publisher", %peer, stream = %session.stream, protocol),
            Act::Play => tracing::info_span!("viewer", %peer, stream = %session.stream, protocol),
        };
        let (session, revocation) = (Arc::new(session), Revocation::new());
        Self { session, span, revocation, limits, observers, connected: AtomicBool::new(false) }
    }

    fn job(act: Act, name: &StreamName, job: &'static str) -> Self {
        Self::without_address(act, name, job, Identity::Job(job))
    }

    fn without_address(act: Act, name: &StreamName, protocol: &'static str, identity: Identity) -> Self {
        let peer = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let client = ClientInfo { protocol, peer, url: String::new(), agent: String::new() };
        let session = ClientSession {
            id: next_id(),
            act,
            stream: name.clone(),
            client,
            identity,
            from: peer.ip(),
            query: String::new(),
            page: String::new(),
        };
        let (limits, observers) = (ClientLimits::default(), Observers::default());
        Self::new(Admitted { session, limits, observers })
    }

    /// Returns the act that the grant allows.
    pub fn act(&self) -> Act {
        self.session.act
    }

    /// Returns the stream's name.
    pub fn name(&self) -> &StreamName {
        &self.session.stream
    }

    /// Returns the client.
    pub fn client(&self) -> &ClientInfo {
        &self.session.client
    }

    /// Returns the client's identity.
    pub fn identity(&self) -> &Identity {
        &self.session.identity
    }

    /// Returns the client's address: its own, or the one that a nearby proxy reports.
    pub fn from(&self) -> IpAddr {
        self.session.from
    }

    /// Returns the client's session.
    pub const fn session(&self) -> &Arc<ClientSession> {
        &self.session
    }

    /// Records that the client has connected, and tells the observers, which are returned.
    pub(in crate::core) fn connect(&self) -> Observers {
        let again = self.connected.swap(true, Ordering::Relaxed);
        self.observers.tell(|observer| observer.began(&self.session, again));
        self.observers.clone()
    }

    /// Returns the client's log span: its address, stream and protocol.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// The client's limits.
    pub const fn limits(&self) -> &ClientLimits {
        &self.limits
    }

    /// Returns the handle to close the client from outside.
    pub const fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Logs and counts a client that was admitted but closed before it published or played.
    pub fn abandoned(&self, reason: &CloseReason) {
        disconnected(self.act(), self.client().protocol, reason, &self.span, [0; 4]);
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if !*self.connected.get_mut() {
            self.observers.tell(|observer| observer.abandoned(&self.session));
        }
    }
}

/// Logs and counts a disconnected client. The numbers are bytes received, bytes sent, items skipped and bad
/// frames.
pub(in crate::core) fn disconnected(
    act: Act,
    protocol: &'static str,
    reason: &CloseReason,
    span: &Span,
    [received_bytes, sent_bytes, skipped, bad_frames]: [u64; 4],
) {
    metrics::counter!(
        "lianmai_closed_total", "kind" => act.role(), "protocol" => protocol, "reason" => reason.label()
    )
    .increment(1);
    let _entered = span.enter();
    let reason = reason.to_string();
    match act {
        Act::Publish => tracing::info!(reason, received_bytes, bad_frames, "publisher disconnected"),
        Act::Play => tracing::info!(reason, sent_bytes, skipped, "viewer disconnected"),
    }
}

impl PublishGrant {
    pub(super) fn new(admitted: Admitted) -> Self {
        Self(Box::new(Grant::new(admitted)))
    }

    /// Creates a grant for a job of the gateway, without a client.
    pub fn for_job(name: &StreamName, job: &'static str) -> Self {
        Self(Box::new(Grant::job(Act::Publish, name, job)))
    }
}

impl PlayGrant {
    pub(super) fn new(admitted: Admitted) -> Self {
        Self(Arc::new(Grant::new(admitted)))
    }

    /// Creates a grant for a job of the gateway, without a client.
    pub fn for_job(name: &StreamName, job: &'static str) -> Self {
        Self(Arc::new(Grant::job(Act::Play, name, job)))
    }

    /// Creates a grant for a client with this identity.
    #[cfg(test)]
    pub(crate) fn of_identity(name: &StreamName, identity: Identity) -> Self {
        Self(Arc::new(Grant::without_address(Act::Play, name, "test", identity)))
    }
}

impl Deref for PublishGrant {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0
    }
}

impl Deref for PlayGrant {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0
    }
}
