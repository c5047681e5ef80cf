//! The ways to a peer, and which of them it uses now.
//!
//! A NAT that forgets a mapping, or a telephone that changes networks, moves a peer without a word: its
//! checks come from another address. ICE keeps to the address it had until that has been silent for as long
//! as a peer may be; who watches would see nothing for 15 s.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::ice::StunMessage;
use str0m::net::Protocol;

use super::port::Datagram;

/// Ways that are remembered.
const MOST: usize = 16;
/// A peer that has chosen another way, and is not heard from the one it had for so long, has moved.
const MOVED: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Path {
    remote: SocketAddr,
    protocol: Protocol,
    /// The address of ours that it writes to.
    local: Option<IpAddr>,
    heard: Instant,
}

/// Where datagrams came from, and to which address of ours.
#[derive(Debug, Default)]
pub(super) struct Paths {
    all: Vec<Path>,
    /// Who asked last to be sent to (RFC 8445 7.1.2, USE-CANDIDATE). It may be anyone.
    asked: Option<SocketAddr>,
    /// Who of those was answered last, which only the peer is, and when.
    chosen: Option<(SocketAddr, Instant)>,
}

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) protocol: Protocol,
    pub(super) to: SocketAddr,
    /// The address of ours that this peer has written to.
    pub(super) from: Option<IpAddr>,
}

impl Paths {
    /// A datagram came.
    pub(super) fn heard(&mut self, datagram: &Datagram) {
        let &Datagram { protocol, source: remote, local, at: heard, .. } = datagram;
        if nominates(&datagram.bytes) {
            self.asked = Some(remote);
        }
        let path = Path { remote, protocol, local, heard };
        if let Some(known) = self.all.iter_mut().find(|known| known.remote == remote) {
            *known = path;
            return;
        }
        if self.all.len() == MOST
            && let Some((silent, _)) = self.all.iter().enumerate().min_by_key(|(_, path)| path.heard)
        {
            self.all.swap_remove(silent);
        }
        self.all.push(path);
    }

    /// Where a datagram goes that ICE sends to `to`.
    pub(super) fn way(&mut self, protocol: Protocol, to: SocketAddr, bytes: &[u8], now: Instant) -> Way {
        let path = |remote| self.all.iter().find(|path| path.remote == remote);
        let here = Way { protocol, to, from: path(to).and_then(|path| path.local) };
        if bytes.first().is_none_or(|&byte| byte < 4) {
            // A binding success (RFC 8489 5): the check was the peer's own.
            if self.asked == Some(to) && bytes.starts_with(&[1, 1]) {
                self.asked = None;
                self.chosen = Some((to, now));
            }
            return here;
        }
        let Some((chosen, at)) = self.chosen.filter(|(chosen, at)| *chosen != to && now >= *at + MOVED)
        else {
            return here;
        };
        match (path(to), path(chosen)) {
            (Some(known), _) if known.heard >= at => here,
            (_, Some(path)) => Way { protocol: path.protocol, to: path.remote, from: path.local },
            _ => here,
        }
    }
}

/// Whether this is a STUN request that asks to be sent to.
fn nominates(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 1])
        && bytes.len() >= 20
        && StunMessage::parse(bytes)
            .is_ok_and(|message| message.is_binding_request() && message.use_candidate())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: &[u8] = &[0x80, 96];
    const ANSWER: &[u8] = &[1, 1, 0, 0];

    fn addr(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn came(from: u16, at: Instant) -> Datagram {
        let bytes = bytes::Bytes::from_static(RTP);
        Datagram { protocol: Protocol::Udp, source: addr(from), local: None, at, bytes }
    }

    #[test]
    fn a_peer_that_moved_is_followed_and_one_that_only_looks_around_is_not() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut paths = Paths::default();
        paths.heard(&came(1, start));
        let to = |paths: &mut Paths, at| paths.way(Protocol::Udp, addr(1), RTP, at).to.port();
        paths.heard(&came(2, start));
        assert_eq!(to(&mut paths, after(10_000)), 1, "nobody asked for another way");
        // Somebody asks, and is not answered: it was not the peer.
        paths.asked = Some(addr(2));
        assert_eq!(to(&mut paths, after(10_000)), 1);
        paths.way(Protocol::Udp, addr(2), ANSWER, after(20_000));
        assert_eq!(to(&mut paths, after(20_100)), 1, "the old way may be as good");
        assert_eq!(to(&mut paths, after(20_600)), 2);
        // Heard from there once more, it has not moved.
        paths.heard(&came(1, after(20_700)));
        assert_eq!(to(&mut paths, after(30_000)), 1);
    }

    #[test]
    fn the_most_silent_of_many_is_forgotten() {
        let start = Instant::now();
        let mut paths = Paths::default();
        for port in 1..100 {
            paths.heard(&came(1, start + Duration::from_secs(u64::from(port))));
            paths.heard(&came(port, start));
        }
        assert_eq!(paths.all.len(), MOST);
        assert!(paths.all.iter().any(|path| path.remote == addr(1)));
    }
}
