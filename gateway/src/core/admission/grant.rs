//! The right to publish or play one stream.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use tracing::Span;

use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::close::{CloseReason, Revocation};
use crate::core::name::StreamName;
use crate::limits::ClientLimits;

/// A right, with the client that holds it. Only [`super::Admission`] creates grants for clients.
#[derive(Debug)]
pub struct Grant {
    act: Act,
    name: StreamName,
    client: ClientInfo,
    identity: Identity,
    from: IpAddr,
    span: Span,
    revocation: Revocation,
    limits: ClientLimits,
}

/// The identity of an admitted client, its limits and its address.
pub(super) struct Admitted {
    pub(super) identity: Identity,
    pub(super) limits: ClientLimits,
    /// The address of the client, even behind a proxy that reports it.
    pub(super) from: IpAddr,
}

/// The right to publish a stream.
#[derive(Debug)]
pub struct PublishGrant(Box<Grant>);

/// The right to play a stream. Cloning shares it: HLS keeps it between requests.
#[derive(Debug, Clone)]
pub struct PlayGrant(Arc<Grant>);

impl Grant {
    fn new(act: Act, name: &StreamName, client: ClientInfo, admitted: Admitted) -> Self {
        let Admitted { identity, limits, from } = admitted;
        let (peer, protocol) = (client.peer, client.protocol);
        let span = match act {
            Act::Publish => tracing::info_span!("publisher", %peer, stream = %name, protocol),
            Act::Play => tracing::info_span!("viewer", %peer, stream = %name, protocol),
        };
        Self { act, name: name.clone(), client, identity, from, span, revocation: Revocation::new(), limits }
    }

    fn job(act: Act, name: &StreamName, job: &'static str) -> Self {
        let peer = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let client = ClientInfo { protocol: job, peer, url: String::new(), agent: String::new() };
        let (identity, limits) = (Identity::Job(job), ClientLimits::default());
        Self::new(act, name, client, Admitted { identity, limits, from: peer.ip() })
    }

    /// Returns the act that the grant allows.
    pub const fn act(&self) -> Act {
        self.act
    }

    /// Returns the stream's name.
    pub const fn name(&self) -> &StreamName {
        &self.name
    }

    /// Returns the client.
    pub const fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// Returns the client's identity.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the client's address: its own, or the one that a nearby proxy reports.
    pub const fn from(&self) -> IpAddr {
        self.from
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
        disconnected(self.act, self.client.protocol, reason, &self.span, [0; 4]);
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
    pub(super) fn new(name: &StreamName, client: ClientInfo, admitted: Admitted) -> Self {
        Self(Box::new(Grant::new(Act::Publish, name, client, admitted)))
    }

    /// Creates a grant for a job of the gateway, without a client.
    pub fn for_job(name: &StreamName, job: &'static str) -> Self {
        Self(Box::new(Grant::job(Act::Publish, name, job)))
    }
}

impl PlayGrant {
    pub(super) fn new(name: &StreamName, client: ClientInfo, admitted: Admitted) -> Self {
        Self(Arc::new(Grant::new(Act::Play, name, client, admitted)))
    }

    /// Creates a grant for a job of the gateway, without a client.
    pub fn for_job(name: &StreamName, job: &'static str) -> Self {
        Self(Arc::new(Grant::job(Act::Play, name, job)))
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
