//! One UDP port, and the same port over TCP, for all peers.
//!
//! Who a datagram is for is told by the ICE user name fragment in a STUN request (RFC 8445 7.2.2)
//! and, once a peer has answered there, by the address it comes from.

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

pub(super) use routes::{Place, Routes};
pub(super) use tcp::serve as serve_tcp;
pub(super) use udp::{Outbox, receive};

/// Datagrams that wait for one peer at most; more are dropped, as any network does.
const WAITING: usize = 512;

/// What came from the network for a peer.
#[derive(Debug)]
pub(super) struct Datagram {
    /// UDP, or TCP with the framing of RFC 4571 taken off.
    pub(super) protocol: Protocol,
    pub(super) source: SocketAddr,
    /// The address of ours it was sent to, where that is known.
    pub(super) local: Option<IpAddr>,
    pub(super) at: Instant,
    pub(super) bytes: Bytes,
}

/// Where a peer's datagrams are put.
pub(super) type Mailbox = mpsc::Sender<Datagram>;

/// A mailbox and its other end.
pub(super) fn mailbox() -> (Mailbox, mpsc::Receiver<Datagram>) {
    mpsc::channel(WAITING)
}

/// The sockets of the WebRTC port.
#[derive(Debug)]
pub struct Port {
    udp: udp::Socket,
    pub(super) routes: Routes,
    addr: SocketAddr,
}

impl Port {
    /// Listens on `addr` for datagrams and for connections. Inside a tokio runtime, which receives.
    ///
    /// # Errors
    /// When the port is in use for either, or the address is not ours.
    pub fn bind(addr: SocketAddr) -> io::Result<(Arc<Self>, TcpListener)> {
        // A free UDP port may be taken over TCP.
        let mut tries = if addr.port() == 0 { 16 } else { 1 };
        loop {
            tries -= 1;
            let udp = udp::Socket::bind(addr)?;
            let addr = udp.local_addr()?;
            match crate::net::worker::bind(addr) {
                Ok(tcp) => return Ok((Arc::new(Self { udp, routes: Routes::default(), addr }), tcp)),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}
