//! WebRTC: peers of browsers, OBS and other servers, each of which publishes or plays one stream.
//!
//! Signalling is WHIP (RFC 9725), WHEP and SRS's JSON calls ([`router`]); media go by one port
//! ([`Port`]) for all peers. A peer is an str0m `Rtc` in a task on the worker that got it.

mod candidates;
mod cname;
mod codecs;
mod dtls;
mod layers;
mod names;
mod offer;
mod packets;
mod paths;
mod peer;
mod play;
mod port;
mod public_host;
mod publish;
mod resends;
mod rtc;
mod sdp;
mod service;
mod session;
mod settings;
mod signal;
mod slot;
mod srtp;
mod ssrcs;
mod waiting;

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
use names::Names;
use public_host::PublicHost;
use session::Command;
use waiting::Waiting;

/// The WebRTC edge. Cloning shares it.
#[derive(Clone)]
pub struct WebRtc(Arc<Inner>);

struct Inner {
    context: Context,
    settings: WebRtcSettings,
    port: Arc<Port>,
    workers: Workers,
    gate: Gate,
    stop: CancellationToken,
    certificate: DtlsCert,
    sessions: Mutex<HashMap<String, Known>>,
    waiting: Waiting,
    names: Names,
}

/// A session as requests find it.
#[derive(Clone)]
struct Known {
    commands: mpsc::Sender<Command>,
    /// Of the present ICE session (RFC 9725 4.3.1).
    etag: String,
}

impl WebRtc {
    /// An edge without peers, on this port. `domains` are the host names of its certificate. None when no DTLS
    /// certificate can be made.
    pub fn new(
        gateway: &Gateway,
        port: Arc<Port>,
        settings: WebRtcSettings,
        domains: &[String],
    ) -> Option<Self> {
        let Gateway { context, workers, gate, stop, .. } = gateway.clone();
        let certificate = rtc::certificate()?;
        let (sessions, waiting) = Default::default();
        let named = settings.candidate.iter().filter_map(|candidate| match candidate {
            PublicHost::Name(name) => Some(name.clone()),
            PublicHost::Ip(_) => None,
        });
        // A request's Host matters only where the port is not bound to one address.
        let domains = domains.iter().filter(|_| port.addr().ip().is_unspecified());
        let domains = domains.map(|domain| domain.to_ascii_lowercase());
        let names = Names::new(named.chain(domains.filter(|domain| !domain.is_empty())));
        Some(Self(Arc::new(Inner {
            context,
            settings,
            port,
            workers,
            gate,
            stop,
            certificate,
            sessions,
            waiting,
            names,
        })))
    }

    /// Receives datagrams and takes connections in, until it is stopped.
    pub fn listen(&self, tcp: TcpListener) {
        let Inner { context, port, workers, gate, stop, names, .. } = &*self.0;
        names.watch(names::lookup, stop);
        let (udp, stopped) = (port.clone(), stop.clone());
        // The socket is registered with the runtime it was made in.
        tokio::spawn(port::receive(udp, stopped));
        let (port, limits) = (port.clone(), context.limits.clone());
        let serve = move |connection: Connection| {
            let (port, limits) = (port.clone(), limits.clone());
            async move { port::serve_tcp(port, connection, &limits).await }
        };
        tokio::spawn(accept(tcp, workers.clone(), gate.clone(), stop.clone(), b"", serve));
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Known>> {
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
