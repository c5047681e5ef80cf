//! The WebRTC edge: browsers, OBS and other servers publish and play streams over WebRTC.
//!
//! # Reading order
//!
//! 1. [`signal`] answers HTTP requests: WHIP (RFC 9725), WHEP and SRS's JSON calls. It asks admission and hands the
//!    offer to [`offer`].
//! 2. [`offer`] turns an offer into a session: [`sdp`] reads the client's text and writes the answer, [`rtc`] configures
//!    str0m, [`candidates`] and [`host_names`] find the gateway's addresses, [`pending`] and [`session_permit`] limit sessions.
//! 3. [`session`] is the task of one session. It moves datagrams between the port and the peer.
//! 4. [`peer`] is the state machine of one client, without I/O and clock: str0m, with [`liveness`] (timeouts), [`paths`]
//!    (changes of address), [`ssrcs`] (forged packets), [`srtp`] and [`crate::rtc::dtls`] (cryptography) around it.
//! 5. A peer has one of two roles: [`publish`] (with [`layers`] for simulcast) or [`play`] (with [`packets`],
//!    [`track_sender`], [`catch_up`] and [`resends`]).
//! 6. [`port`] owns the sockets: one port, over UDP and TCP, for all peers.
//! 7. [`service`] starts all of it, with [`settings`].
//!
//! # The path of a packet
//!
//! From a publisher to the hub:
//!
//! ```text
//! socket > port::udp > port::routes (which peer?) > mailbox > session > peer > str0m (decrypts, repairs, assembles)
//!        > publish (rtp::RtpClock: timestamp, rtp::VideoFramer: frame) > hub
//! ```
//!
//! From the hub to a viewer:
//!
//! ```text
//! hub > packets (RTP payloads, once for all viewers) > play > track_sender (sequence numbers) > str0m (encrypts)
//!     > peer (route) > session > port::udp (several datagrams in one send) > socket
//! ```
//!
//! A viewer's RTCP takes the publisher's path as far as str0m. On its way, [`srtp`] shows it to [`resends`], which
//! removes requests for packets that should not be sent again.

mod candidates;
mod catch_up;
mod cname;
mod host_names;
mod layers;
mod liveness;
mod offer;
mod packets;
mod paths;
mod peer;
mod pending;
mod play;
mod port;
mod public_host;
mod publish;
mod resends;
mod rtc;
mod sdp;
mod service;
mod session;
mod session_permit;
mod settings;
mod signal;
mod srtp;
mod ssrcs;
mod track_sender;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use str0m::config::DtlsCert;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use port::Port;
pub use service::WebRtcService;
pub use settings::WebRtcSettings;
pub use signal::{is_endpoint, router, serve};

use crate::context::Context;
use crate::net::worker::{Connection, Gate, Workers, accept};
use crate::service::Gateway;
use host_names::HostNames;
use pending::PendingSessions;
use public_host::PublicHost;
use session::Command;

/// The WebRTC edge. Cloning shares it.
#[derive(Clone)]
pub struct WebRtc(Arc<EdgeState>);

struct EdgeState {
    context: Context,
    settings: WebRtcSettings,
    port: Arc<Port>,
    workers: Workers,
    gate: Gate,
    stop: CancellationToken,
    certificate: DtlsCert,
    /// The running sessions by their identifiers.
    sessions: Mutex<HashMap<String, SessionHandle>>,
    pending: PendingSessions,
    host_names: HostNames,
}

/// A running session, for requests about it.
#[derive(Clone)]
struct SessionHandle {
    commands: mpsc::Sender<Command>,
    /// The entity tag of the current ICE session (RFC 9725 4.3.1).
    etag: String,
}

impl WebRtc {
    /// Makes an edge without sessions on this port. `domains` are the host names of the gateway's certificate. Returns
    /// none when no DTLS certificate can be made.
    pub fn new(
        gateway: &Gateway,
        port: Arc<Port>,
        settings: WebRtcSettings,
        domains: &[String],
    ) -> Option<Self> {
        let Gateway { context, workers, gate, stop, .. } = gateway.clone();
        let certificate = rtc::certificate()?;
        let (sessions, pending) = Default::default();
        let configured = settings.candidate.iter().filter_map(|candidate| match candidate {
            PublicHost::Name(name) => Some(name.clone()),
            PublicHost::Ip(_) => None,
        });
        // A request's Host matters only where the port is not bound to one address.
        let domains = domains.iter().filter(|_| port.addr().ip().is_unspecified());
        let domains = domains.map(|domain| domain.to_ascii_lowercase());
        let host_names = HostNames::new(configured.chain(domains.filter(|domain| !domain.is_empty())));
        Some(Self(Arc::new(EdgeState {
            context,
            settings,
            port,
            workers,
            gate,
            stop,
            certificate,
            sessions,
            pending,
            host_names,
        })))
    }

    /// Starts to receive datagrams and to accept connections, until the gateway stops.
    pub fn listen(&self, tcp: TcpListener) {
        let EdgeState { context, port, workers, gate, stop, host_names, .. } = &*self.0;
        host_names.watch(host_names::lookup, stop);
        let (udp, stopped) = (port.clone(), stop.clone());
        // The socket is registered with the runtime in which it was made, so it must be read there.
        tokio::spawn(port::receive(udp, stopped));
        let (port, limits) = (port.clone(), context.limits.clone());
        let serve = move |connection: Connection| {
            let (port, limits) = (port.clone(), limits.clone());
            async move { port::serve_tcp(port, connection, &limits.get()).await }
        };
        tokio::spawn(accept(tcp, workers.clone(), gate.clone(), stop.clone(), b"", serve));
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, SessionHandle>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WebRtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebRtc").field("port", &self.0.port.addr()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
