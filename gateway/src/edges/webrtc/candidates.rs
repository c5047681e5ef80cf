//! The addresses a peer is told to reach us at.

use std::net::{IpAddr, SocketAddr};

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};

use super::names::Names;
use super::public_host::PublicHost;

/// The addresses of ours, best first, without doubles: those the operator names, what the request itself
/// says (`eip`, and the host it asked for, when that is an address or a name that the operator named), and
/// those the port is bound to.
///
/// `host` is the request's Host; `external` its `eip` or `candidate`: addresses, a port may follow.
pub(super) fn addresses(
    bound: SocketAddr,
    configured: &[PublicHost],
    names: &Names,
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
    let reachable = |ip: &IpAddr| bound.is_ipv6() || ip.is_ipv4();
    let of = |name: &str| names.addresses(name).into_iter().filter(reachable);
    for candidate in configured {
        match candidate {
            PublicHost::Ip(ip) => add((*ip, port).into()),
            PublicHost::Name(name) => of(name).for_each(|ip| add((ip, port).into())),
        }
    }
    if bound.ip().is_unspecified() {
        // Through a NAT or out of a container it is the only one that is known to work.
        match host.and_then(host_of) {
            Some(PublicHost::Ip(ip)) => add((ip, port).into()),
            Some(PublicHost::Name(name)) => of(&name).for_each(|ip| add((ip, port).into())),
            None => {}
        }
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let mut ips: Vec<IpAddr> = interfaces.iter().filter(|i| !i.is_loopback()).map(|i| i.ip()).collect();
        ips.retain(reachable);
        ips.sort_by_key(IpAddr::is_ipv6);
        ips.into_iter().for_each(|ip| add((ip, port).into()));
    } else {
        add(bound);
    }
    found
}

/// The host in `host[:port]`; a name that always means this machine (RFC 6761 6.3) is its address.
fn host_of(host: &str) -> Option<PublicHost> {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.rsplit_once(':').map_or(host, |(bare, _)| bare),
    };
    match bare.parse().ok()? {
        PublicHost::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
            Some(PublicHost::Ip(std::net::Ipv4Addr::LOCALHOST.into()))
        }
        host => Some(host),
    }
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
        let (bound, none) = (addr("127.0.0.1:8000"), Names::new(std::iter::empty()));
        assert_eq!(addresses(bound, &[], &none, Some("192.0.2.1:8080"), &[]), [bound]);
        let nine = ["192.0.2.9".parse().unwrap()];
        let named = addresses(bound, &nine, &none, None, &["192.0.2.7:9,x, ".to_owned()]);
        assert_eq!(named, [addr("192.0.2.7:9"), addr("192.0.2.9:8000"), bound]);
    }

    #[test]
    fn on_all_interfaces_the_host_that_was_asked_for_counts() {
        let (bound, none) = (addr("0.0.0.0:8000"), Names::new(std::iter::empty()));
        for (host, ip) in [
            ("192.0.2.1:8080", "192.0.2.1:8000"),
            ("localhost", "127.0.0.1:8000"),
            ("Gateway.localhost:8080", "127.0.0.1:8000"),
            ("[2001:db8::1]:1", "[2001:db8::1]:8000"),
        ] {
            assert_eq!(addresses(bound, &[], &none, Some(host), &[])[0], addr(ip));
        }
        let all = addresses(bound, &[], &none, Some("example.org"), &["0.0.0.0".to_owned()]);
        assert!(all.iter().all(|addr| !addr.ip().is_unspecified() && !addr.ip().is_loopback()), "{all:?}");
    }

    #[tokio::test]
    async fn names_are_those_of_the_operator_and_no_others() {
        let names = Names::new(["live.example.org", "acme.example.org"].map(str::to_owned).into_iter());
        let lookup = |name: String| async move {
            let v4: IpAddr =
                if name.starts_with("live") { [203, 0, 113, 7] } else { [203, 0, 113, 8] }.into();
            Ok(vec![v4, "2001:db8::7".parse().unwrap()])
        };
        names.watch(lookup, &tokio_util::sync::CancellationToken::new());
        names.ready().await;
        let configured = ["live.example.org".parse().unwrap()];
        let told = |bound: &str, host: &str| addresses(addr(bound), &configured, &names, Some(host), &[]);
        assert_eq!(told("127.0.0.1:8000", "x")[..], [addr("203.0.113.7:8000"), addr("127.0.0.1:8000")]);
        assert_eq!(told("0.0.0.0:8000", "ACME.example.org:443")[1], addr("203.0.113.8:8000"));
        assert!(!told("0.0.0.0:8000", "other.example.org").contains(&addr("203.0.113.8:8000")));
        // IPv6 where the port has it.
        assert_eq!(told("[::]:8000", "x")[..2], [addr("203.0.113.7:8000"), addr("[2001:db8::7]:8000")]);
    }

    #[test]
    fn every_address_is_offered_over_both_transports() {
        let both = candidates(&[addr("127.0.0.1:8000")]);
        assert_eq!(both.iter().map(|c| c.proto()).collect::<Vec<_>>(), [Protocol::Udp, Protocol::Tcp]);
    }
}
