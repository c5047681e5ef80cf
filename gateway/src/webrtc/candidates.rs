//! The addresses a peer is told to reach us at.

use std::net::{IpAddr, SocketAddr};

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};

/// The addresses of ours, best first, without doubles: those the operator names, what the request itself
/// says (`eip`, and the host it asked for, when that is an address), and those the port is bound to.
///
/// `host` is the request's Host; `external` its `eip` or `candidate`: addresses, a port may follow.
pub(super) fn addresses(
    bound: SocketAddr,
    configured: &[IpAddr],
    host: Option<&str>,
    external: &[String],
) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    let mut add = |addr: SocketAddr| {
        let ip = addr.ip().to_canonical();
        let addr = SocketAddr::new(ip, addr.port());
        let sensible = !ip.is_unspecified() && !ip.is_multicast() && addr.port() != 0;
        if sensible && !found.contains(&addr) {
            found.push(addr);
        }
    };
    let port = bound.port();
    for text in external.iter().flat_map(|list| list.split(',')).take(4) {
        match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
            (Ok(addr), _) => add(addr),
            (_, Ok(ip)) => add((ip, port).into()),
            _ => {}
        }
    }
    configured.iter().for_each(|ip| add((*ip, port).into()));
    let asked = host.and_then(host_ip);
    if bound.ip().is_unspecified() {
        // Through a NAT or out of a container it is the only one that is known to work.
        asked.into_iter().for_each(|ip| add((ip, port).into()));
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let mut ips: Vec<IpAddr> = interfaces.iter().filter(|i| !i.is_loopback()).map(|i| i.ip()).collect();
        ips.retain(|ip| bound.is_ipv6() || ip.is_ipv4());
        ips.sort_by_key(IpAddr::is_ipv6);
        ips.into_iter().for_each(|ip| add((ip, port).into()));
    } else {
        add(bound);
    }
    found
}

/// The address in `host[:port]`; a name that means this machine is one as well.
fn host_ip(host: &str) -> Option<IpAddr> {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.rsplit_once(':').map_or(host, |(bare, _)| bare),
    };
    if bare.eq_ignore_ascii_case("localhost") {
        return Some(std::net::Ipv4Addr::LOCALHOST.into());
    }
    bare.parse().ok()
}

/// The candidates of these addresses: UDP, and TCP that we listen on (RFC 6544).
pub(super) fn candidates(addresses: &[SocketAddr]) -> Vec<Candidate> {
    let udp = addresses.iter().filter_map(|addr| Candidate::host(*addr, Protocol::Udp).ok());
    let tcp = addresses
        .iter()
        .filter_map(|addr| Candidate::builder().tcp().host(*addr).tcptype(TcpType::Passive).build().ok());
    udp.chain(tcp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_address_is_the_only_one_unless_more_are_named() {
        let bound = addr("127.0.0.1:8000");
        assert_eq!(addresses(bound, &[], Some("192.0.2.1:8080"), &[]), [bound]);
        let named = addresses(bound, &["192.0.2.9".parse().unwrap()], None, &["192.0.2.7:9,x, ".to_owned()]);
        assert_eq!(named, [addr("192.0.2.7:9"), addr("192.0.2.9:8000"), bound]);
    }

    #[test]
    fn on_all_interfaces_the_host_that_was_asked_for_counts() {
        let bound = addr("0.0.0.0:8000");
        for (host, ip) in [
            ("192.0.2.1:8080", "192.0.2.1:8000"),
            ("localhost", "127.0.0.1:8000"),
            ("[2001:db8::1]:1", "[2001:db8::1]:8000"),
        ] {
            assert_eq!(addresses(bound, &[], Some(host), &[])[0], addr(ip));
        }
        let all = addresses(bound, &[], Some("example.org"), &["0.0.0.0".to_owned()]);
        assert!(all.iter().all(|addr| !addr.ip().is_unspecified() && !addr.ip().is_loopback()), "{all:?}");
    }

    #[test]
    fn every_address_is_offered_over_both_transports() {
        let both = candidates(&[addr("127.0.0.1:8000")]);
        assert_eq!(both.iter().map(|c| c.proto()).collect::<Vec<_>>(), [Protocol::Udp, Protocol::Tcp]);
    }
}
