//! Receives and sends UDP datagrams, several by one system call where the kernel supports it (GRO, GSO).

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

/// The size of the kernel's buffers in each direction; the kernel may grant less.
const SOCKET_BUFFER: usize = 4 << 20;
/// The size of one receive: datagrams that the kernel has joined (GRO).
const RECEIVE_BUFFER: usize = 64 << 10;
/// The largest number of bytes in one send: the kernel's limit, less room for headers.
const MAX_SEND: usize = 60_000;

#[derive(Debug)]
pub(super) struct Socket {
    /// Registered for reading only: sends from other threads would wake the thread that receives.
    socket: AsyncFd<UdpSocket>,
    state: UdpSocketState,
}

impl Socket {
    pub(super) fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket =
            socket2::Socket::new(Domain::for_address(addr), Type::DGRAM, Some(socket2::Protocol::UDP))?;
        if addr.is_ipv6() {
            // `[::]` means both families. A system without IPv4 mapping refuses this, and IPv6 works alone.
            let _ = socket.set_only_v6(false);
        }
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Small buffers only lose more datagrams under load.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        #[expect(
            deprecated,
            reason = "its successor is unsafe; a socket owns its file descriptor, so this is sound"
        )]
        let socket = AsyncFd::with_interest(UdpSocket::from(socket), Interest::READABLE)?;
        Ok(Self { socket, state })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }
}

/// Receives until `stop`, and hands each datagram to its peer.
pub(in crate::edges::webrtc) async fn receive(port: Arc<Port>, stop: CancellationToken) {
    let mut storage = vec![vec![0; RECEIVE_BUFFER]; BATCH_SIZE];
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
        // An error means that an earlier datagram could not be delivered (ICMP), or that there is nothing to read.
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

/// Turns IPv4-mapped IPv6 addresses, which a socket for both families reports, into IPv4 addresses.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// Datagrams that will be sent together.
#[derive(Debug, Default)]
pub(in crate::edges::webrtc) struct Outbox {
    bytes: BytesMut,
    /// The size and destination of each UDP datagram in `bytes`.
    parts: Vec<(usize, Destination)>,
    tcp: Vec<(SocketAddr, Bytes)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Destination {
    to: SocketAddr,
    from: Option<IpAddr>,
}

impl Outbox {
    /// Adds a datagram. `from` is the gateway's address from which it must come, if the gateway has several.
    pub(in crate::edges::webrtc) fn push(
        &mut self,
        protocol: Protocol,
        to: SocketAddr,
        from: Option<IpAddr>,
        datagram: &[u8],
    ) {
        if protocol == Protocol::Udp {
            self.bytes.extend_from_slice(datagram);
            self.parts.push((datagram.len(), Destination { to, from }));
        } else {
            self.tcp.push((to, super::tcp::framed(datagram)));
        }
    }

    /// Whether it holds as much as one send may have.
    pub(in crate::edges::webrtc) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_SEND
    }

    /// Sends all datagrams. Those that the kernel does not accept now are lost, as on any network.
    pub(in crate::edges::webrtc) fn flush(&mut self, port: &Port) {
        for (to, framed) in self.tcp.drain(..) {
            let sent =
                port.routes.connection(to).is_some_and(|connection| connection.try_send(framed).is_ok());
            count_unsent(!sent, 1);
        }
        let max_segments = port.udp.state.max_gso_segments().max(1);
        let (mut start, mut offset) = (0, 0);
        while let Some(&(size, destination)) = self.parts.get(start) {
            // One send carries datagrams of equal size to one destination; the last may be smaller.
            let (mut end, mut bytes) = (start + 1, size);
            while let Some(&(next, next_destination)) = self.parts.get(end) {
                let same = self.parts[end - 1].0 == size && next <= size && next_destination == destination;
                if !same || end - start >= max_segments || bytes + next > MAX_SEND {
                    break;
                }
                bytes += next;
                end += 1;
            }
            let transmit = Transmit {
                destination: destination.to,
                ecn: None,
                contents: &self.bytes[offset..offset + bytes],
                segment_size: (end - start > 1).then_some(size),
                src_ip: destination.from,
            };
            let sent = port.udp.state.try_send(UdpSockRef::from(port.udp.socket.get_ref()), &transmit);
            count_unsent(sent.is_err(), (end - start) as u64);
            start = end;
            offset += bytes;
        }
        self.bytes.clear();
        self.parts.clear();
    }
}

fn count_unsent(failed: bool, datagrams: u64) {
    if failed {
        metrics::counter!("lianmai_webrtc_unsent_datagrams_total").increment(datagrams);
    }
}
