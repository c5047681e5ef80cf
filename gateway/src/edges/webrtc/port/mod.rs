//! The one port of all peers, over UDP and TCP: receives datagrams, finds their peers ([`routes`]), and sends datagrams
//! in batches ([`udp`], [`tcp`]).

mod routes;
mod stun;
mod tcp;
mod udp;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use str0m::net::Protocol;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub(super) use routes::{PeerRoutes, RoutingTable};
pub(super) use tcp::serve as serve_tcp;
pub(super) use udp::{Outbox, receive};

/// Datagrams that may wait for one peer; more are dropped, as any network does.
const MAX_QUEUED_DATAGRAMS: usize = 512;

/// A datagram that came from the network.
#[derive(Debug)]
pub(super) struct Datagram {
    /// UDP, or TCP. The framing of RFC 4571 is removed.
    pub(super) protocol: Protocol,
    pub(super) source: SocketAddr,
    /// The gateway's address to which it was sent, if known.
    pub(super) local: Option<IpAddr>,
    pub(super) at: Instant,
    pub(super) bytes: Bytes,
}

/// The queue for one peer's datagrams.
pub(super) type Mailbox = mpsc::Sender<Datagram>;

/// Makes a mailbox; returns it and its receiving end.
pub(super) fn mailbox() -> (Mailbox, mpsc::Receiver<Datagram>) {
    mpsc::channel(MAX_QUEUED_DATAGRAMS)
}

/// The sockets of the WebRTC port.
#[derive(Debug)]
pub struct Port {
    udp: udp::Socket,
    pub(super) routes: RoutingTable,
    addr: SocketAddr,
}

impl Port {
    /// Listens on `addr` for datagrams and connections. Must be called inside the tokio runtime that will receive.
    ///
    /// # Errors
    /// When the port is in use for either, or the address is not one of this machine.
    pub fn bind(addr: SocketAddr) -> io::Result<(Arc<Self>, TcpListener)> {
        // A UDP port that the system chose may be in use over TCP.
        let mut tries = if addr.port() == 0 { 16 } else { 1 };
        loop {
            tries -= 1;
            let udp = udp::Socket::bind(addr)?;
            let addr = udp.local_addr()?;
            match crate::net::worker::bind(addr) {
                Ok(tcp) => return Ok((Arc::new(Self { udp, routes: RoutingTable::default(), addr }), tcp)),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The address on which the port listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}
