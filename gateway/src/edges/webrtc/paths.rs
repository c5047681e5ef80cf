//! The network paths to a peer, and which of them is in use.
//!
//! A peer gets another address without notice when a NAT forgets a mapping or a phone changes networks: its ICE checks
//! then come from there. str0m keeps sending to the old address until its timeout, so that a viewer would see nothing
//! for 15 s. This module notices the move earlier and redirects datagrams.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::ice::StunMessage;
use str0m::net::Protocol;

use super::port::Datagram;

/// Paths that are kept for one peer.
const MAX_PATHS: usize = 16;
/// A peer has moved when it has nominated another path and nothing comes by the old one for this long.
const MOVED_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Path {
    remote: SocketAddr,
    protocol: Protocol,
    /// The gateway's address to which the peer sends.
    local: Option<IpAddr>,
    /// When a datagram came last.
    last_datagram: Instant,
}

/// The paths by which a peer's datagrams came.
#[derive(Debug, Default)]
pub(super) struct Paths {
    all: Vec<Path>,
    /// The sender of the last nomination (RFC 8445 7.1.2, USE-CANDIDATE). It may be forged.
    asked: Option<SocketAddr>,
    /// The last nomination that str0m has answered, which proves that it was the peer's, and when.
    nominated: Option<(SocketAddr, Instant)>,
}

/// The addresses between which a datagram is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) protocol: Protocol,
    pub(super) to: SocketAddr,
    /// The gateway's address to which this peer sends, and from which it expects datagrams.
    pub(super) from: Option<IpAddr>,
}

impl Paths {
    /// Records by which path a datagram came.
    pub(super) fn record(&mut self, datagram: &Datagram) {
        let &Datagram { protocol, source: remote, local, at: last_datagram, .. } = datagram;
        if nominates(&datagram.bytes) {
            self.asked = Some(remote);
        }
        let path = Path { remote, protocol, local, last_datagram };
        if let Some(known) = self.all.iter_mut().find(|known| known.remote == remote) {
            *known = path;
            return;
        }
        if self.all.len() == MAX_PATHS
            && let Some((oldest, _)) = self.all.iter().enumerate().min_by_key(|(_, path)| path.last_datagram)
        {
            self.all.swap_remove(oldest);
        }
        self.all.push(path);
    }

    /// The route of a datagram that str0m sends to `to`.
    pub(super) fn route(&mut self, protocol: Protocol, to: SocketAddr, bytes: &[u8], now: Instant) -> Route {
        let path = |remote| self.all.iter().find(|path| path.remote == remote);
        let usual = Route { protocol, to, from: path(to).and_then(|path| path.local) };
        if bytes.first().is_none_or(|&byte| byte < 4) {
            // A binding success (RFC 8489 5): the nomination was authenticated.
            if self.asked == Some(to) && bytes.starts_with(&[1, 1]) {
                self.asked = None;
                self.nominated = Some((to, now));
            }
            return usual;
        }
        let is_elsewhere =
            |(nominated, at): &(SocketAddr, Instant)| *nominated != to && now >= *at + MOVED_AFTER;
        let Some((nominated, at)) = self.nominated.filter(is_elsewhere) else { return usual };
        match (path(to), path(nominated)) {
            (Some(old), _) if old.last_datagram >= at => usual,
            (_, Some(new)) => Route { protocol: new.protocol, to: new.remote, from: new.local },
            _ => usual,
        }
    }
}

/// Whether this is a STUN request that nominates its path.
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
    const STUN_SUCCESS: &[u8] = &[1, 1, 0, 0];

    fn addr(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn datagram(from: u16, at: Instant) -> Datagram {
        let bytes = bytes::Bytes::from_static(RTP);
        Datagram { protocol: Protocol::Udp, source: addr(from), local: None, at, bytes }
    }

    #[test]
    fn datagrams_follow_a_peer_that_moved_and_not_one_that_only_checks_paths() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut paths = Paths::default();
        paths.record(&datagram(1, start));
        let to = |paths: &mut Paths, at| paths.route(Protocol::Udp, addr(1), RTP, at).to.port();
        paths.record(&datagram(2, start));
        assert_eq!(to(&mut paths, after(10_000)), 1, "no other path was nominated");
        // A nomination that str0m does not answer was forged.
        paths.asked = Some(addr(2));
        assert_eq!(to(&mut paths, after(10_000)), 1);
        paths.route(Protocol::Udp, addr(2), STUN_SUCCESS, after(20_000));
        assert_eq!(to(&mut paths, after(20_100)), 1, "the old path may still be in use");
        assert_eq!(to(&mut paths, after(20_600)), 2);
        // A datagram by the old path: the peer has not moved.
        paths.record(&datagram(1, after(20_700)));
        assert_eq!(to(&mut paths, after(30_000)), 1);
    }

    #[test]
    fn the_path_that_was_silent_for_longest_is_forgotten() {
        let start = Instant::now();
        let mut paths = Paths::default();
        for port in 1..100 {
            paths.record(&datagram(1, start + Duration::from_secs(u64::from(port))));
            paths.record(&datagram(port, start));
        }
        assert_eq!(paths.all.len(), MAX_PATHS);
        assert!(paths.all.iter().any(|path| path.remote == addr(1)));
    }
}
