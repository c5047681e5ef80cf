//! UDP: receiving in bulk, and sending several datagrams by one system call where the kernel can.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Type};
use str0m::net::Protocol;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::{Datagram, Port};

/// What the kernel should hold for us; it may grant less.
const BUFFER: usize = 4 << 20;
/// As much as one receive takes: a run of datagrams that the kernel joined (GRO).
const RECEIVE: usize = 64 << 10;
/// The kernel's limit for one send, less than any path's headers.
const SEND: usize = 60_000;

#[derive(Debug)]
pub(super) struct Socket {
    /// Registered for reading only: what is sent from other threads would wake the one that receives.
    socket: AsyncFd<UdpSocket>,
    state: UdpSocketState,
}

impl Socket {
    pub(super) fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket =
            socket2::Socket::new(Domain::for_address(addr), Type::DGRAM, Some(socket2::Protocol::UDP))?;
        if addr.is_ipv6() {
            // `[::]` means both families; a system without IPv4 mapping says no.
            let _ = socket.set_only_v6(false);
        }
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // More is better, less still works.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), BUFFER);
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), BUFFER);
        #[expect(deprecated, reason = "its successor is unsafe for whoever owns no file; a socket owns one")]
        let socket = AsyncFd::with_interest(UdpSocket::from(socket), Interest::READABLE)?;
        Ok(Self { socket, state })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }
}

/// Receives until `stop`, and hands each datagram to its peer.
pub(in crate::edges::webrtc) async fn receive(port: Arc<Port>, stop: CancellationToken) {
    let mut storage = vec![vec![0; RECEIVE]; BATCH_SIZE];
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    loop {
        let Socket { socket, state } = &port.udp;
        let mut ready = tokio::select! {
            ready = socket.readable() => match ready {
                Ok(ready) => ready,
                Err(_) => return,
            },
            () = stop.cancelled() => return,
        };
        let mut slices: Vec<IoSliceMut<'_>> = storage.iter_mut().map(|part| IoSliceMut::new(part)).collect();
        let received =
            ready.try_io(|socket| state.recv(UdpSockRef::from(socket.get_ref()), &mut slices, &mut metas));
        // An error here is of a datagram sent before (ICMP), or none to read: neither is of the socket.
        let Ok(Ok(count)) = received else { continue };
        let at = Instant::now();
        for (part, meta) in storage.iter().zip(&metas).take(count) {
            let Some(bytes) = part.get(..meta.len) else { continue };
            let bytes = Bytes::copy_from_slice(bytes);
            let stride = meta.stride.max(1);
            for start in (0..bytes.len()).step_by(stride) {
                let datagram = Datagram {
                    protocol: Protocol::Udp,
                    source: canonical(meta.addr),
                    local: meta.dst_ip.map(|ip| ip.to_canonical()),
                    at,
                    bytes: bytes.slice(start..bytes.len().min(start + stride)),
                };
                port.routes.deliver(datagram);
            }
        }
    }
}

/// IPv4 stays IPv4 on a socket for both.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// Datagrams that are about to go out by the port.
#[derive(Debug, Default)]
pub(in crate::edges::webrtc) struct Outbox {
    bytes: BytesMut,
    /// One datagram after the other: its size and way.
    parts: Vec<(usize, Way)>,
    tcp: Vec<(SocketAddr, Bytes)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    to: SocketAddr,
    from: Option<IpAddr>,
}

impl Outbox {
    /// Puts a datagram in; `from` is the address of ours it has to come from, where we have several.
    pub(in crate::edges::webrtc) fn push(
        &mut self,
        protocol: Protocol,
        to: SocketAddr,
        from: Option<IpAddr>,
        datagram: &[u8],
    ) {
        if protocol == Protocol::Udp {
            self.bytes.extend_from_slice(datagram);
            self.parts.push((datagram.len(), Way { to, from }));
        } else {
            self.tcp.push((to, super::tcp::framed(datagram)));
        }
    }

    /// Whether there is as much in it as should go out at once.
    pub(in crate::edges::webrtc) fn full(&self) -> bool {
        self.bytes.len() >= SEND
    }

    /// Sends all. What the kernel does not take now is lost, as on any network.
    pub(in crate::edges::webrtc) fn flush(&mut self, port: &Port) {
        for (to, framed) in self.tcp.drain(..) {
            let taken =
                port.routes.connection(to).is_some_and(|connection| connection.try_send(framed).is_ok());
            count_lost(!taken, 1);
        }
        let most = port.udp.state.max_gso_segments().max(1);
        let (mut start, mut offset) = (0, 0);
        while let Some(&(size, way)) = self.parts.get(start) {
            // Equal sizes, of which the last may be smaller, go out together.
            let (mut end, mut bytes) = (start + 1, size);
            while let Some(&(next, next_way)) = self.parts.get(end) {
                let same = self.parts[end - 1].0 == size && next <= size && next_way == way;
                if !same || end - start >= most || bytes + next > SEND {
                    break;
                }
                bytes += next;
                end += 1;
            }
            let transmit = Transmit {
                destination: way.to,
                ecn: None,
                contents: &self.bytes[offset..offset + bytes],
                segment_size: (end - start > 1).then_some(size),
                src_ip: way.from,
            };
            let sent = port.udp.state.try_send(UdpSockRef::from(port.udp.socket.get_ref()), &transmit);
            count_lost(sent.is_err(), (end - start) as u64);
            start = end;
            offset += bytes;
        }
        self.bytes.clear();
        self.parts.clear();
    }
}

fn count_lost(lost: bool, datagrams: u64) {
    if lost {
        metrics::counter!("lianmai_webrtc_unsent_datagrams_total").increment(datagrams);
    }
}
