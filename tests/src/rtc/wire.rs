//! The socket of a peer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};

/// UDP, or TCP with a length before each datagram (RFC 4571).
#[derive(Debug)]
pub enum Wire {
    /// The peer's own socket.
    Udp(UdpSocket),
    /// A connection to the server's port, and the incomplete datagram so far.
    Tcp(TcpStream, Vec<u8>),
}

impl Wire {
    /// A new UDP socket.
    #[track_caller]
    pub fn udp() -> Self {
        Self::Udp(UdpSocket::bind("127.0.0.1:0").expect("a free port"))
    }

    /// A new connection to the server.
    #[track_caller]
    pub fn tcp(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the gateway listens");
        stream.set_nodelay(true).expect("an option can be set");
        Self::Tcp(stream, Vec::new())
    }

    /// Returns the transport protocol.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(..) => Protocol::Tcp,
        }
    }

    /// Returns the local address.
    #[track_caller]
    pub fn local(&self) -> SocketAddr {
        let addr = match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(stream, _) => stream.local_addr(),
        };
        addr.expect("a bound socket has an address")
    }

    /// Returns the local address as an ICE candidate.
    #[track_caller]
    pub fn candidate(&self) -> Candidate {
        let addr = self.local();
        let candidate = match self {
            Self::Udp(_) => Candidate::host(addr, Protocol::Udp),
            Self::Tcp(..) => Candidate::builder().tcp().host(addr).tcptype(TcpType::Active).build(),
        };
        candidate.expect("a candidate")
    }

    /// Sends a datagram; if sending fails, it is lost.
    pub fn send(&mut self, to: SocketAddr, datagram: &[u8]) {
        let _ = match self {
            Self::Udp(socket) => socket.send_to(datagram, to).map(drop),
            Self::Tcp(stream, _) => {
                let length = (datagram.len() as u16).to_be_bytes();
                stream.write_all(&[&length, datagram].concat())
            }
        };
    }

    /// Waits for a datagram, and returns its sender. `None` if none arrived or the server closed the
    /// connection.
    pub fn receive(&mut self, wait: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        let wait = Some(wait.max(Duration::from_millis(1)));
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(wait).expect("a timeout can be set");
                let mut buffer = [0; 2048];
                let (size, from) = socket.recv_from(&mut buffer).ok()?;
                Some((from, buffer[..size].to_vec()))
            }
            Self::Tcp(stream, pending) => {
                stream.set_read_timeout(wait).expect("a timeout can be set");
                loop {
                    if let Some(length) = pending.first_chunk::<2>() {
                        let end = 2 + usize::from(u16::from_be_bytes(*length));
                        if pending.len() >= end {
                            let datagram: Vec<u8> = pending.drain(..end).skip(2).collect();
                            return Some((stream.peer_addr().ok()?, datagram));
                        }
                    }
                    let mut buffer = [0; 16 * 1024];
                    match stream.read(&mut buffer) {
                        Ok(size @ 1..) => pending.extend_from_slice(&buffer[..size]),
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        _ => return None,
                    }
                }
            }
        }
    }
}
