//! The addresses at which peers can reach the gateway: its ICE candidates.

use std::net::{IpAddr, SocketAddr};

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};

use super::host_names::HostNames;
use super::public_host::PublicHost;

/// The sources from which the gateway's addresses are known.
#[derive(Debug)]
pub(super) struct AddressHints<'a> {
    /// The address to which the port is bound.
    pub(super) bound: SocketAddr,
    /// The operator's `--candidate`.
    pub(super) configured: &'a [PublicHost],
    /// The addresses of the host names that the operator has configured.
    pub(super) host_names: &'a HostNames,
    /// The request's Host. It counts if it is an address, or a name that the operator has configured.
    pub(super) host: Option<&'a str>,
    /// The request's `eip` or `candidate`: addresses, with or without a port.
    pub(super) external: &'a [String],
}

/// The gateway's addresses, the best first, each once.
pub(super) fn addresses(hints: &AddressHints<'_>) -> Vec<SocketAddr> {
    let &AddressHints { bound, configured, host_names, host, external } = hints;
    let mut found: Vec<SocketAddr> = Vec::new();
    let mut add = |addr: SocketAddr| {
        let ip = addr.ip().to_canonical();
        let addr = SocketAddr::new(ip, addr.port());
        let is_usable = !ip.is_unspecified() && !ip.is_multicast() && addr.port() != 0;
        if is_usable && !found.contains(&addr) {
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
    let lookup = |name: &str| host_names.addresses(name).into_iter().filter(reachable);
    for candidate in configured {
        match candidate {
            PublicHost::Ip(ip) => add((*ip, port).into()),
            PublicHost::Name(name) => lookup(name).for_each(|ip| add((ip, port).into())),
        }
    }
    if bound.ip().is_unspecified() {
        // Behind a NAT or in a container, the Host is the only address that is known to work.
        match host.and_then(host_of) {
            Some(PublicHost::Ip(ip)) => add((ip, port).into()),
            Some(PublicHost::Name(name)) => lookup(&name).for_each(|ip| add((ip, port).into())),
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

/// The host in `host[:port]`. A name that always means this machine (RFC 6761 6.3) becomes its address.
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

/// The ICE candidates of these addresses: UDP, and passive TCP (RFC 6544).
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

    fn hints(bound: SocketAddr, host_names: &HostNames) -> AddressHints<'_> {
        AddressHints { bound, configured: &[], host_names, host: None, external: &[] }
    }

    #[test]
    fn a_bound_address_is_the_only_one_unless_more_are_configured() {
        let (bound, none) = (addr("127.0.0.1:8000"), HostNames::new(std::iter::empty()));
        let host = Some("192.0.2.1:8080");
        assert_eq!(addresses(&AddressHints { host, ..hints(bound, &none) }), [bound]);
        let nine = ["192.0.2.9".parse().unwrap()];
        let external = ["192.0.2.7:9,x, ".to_owned()];
        let hints = AddressHints { configured: &nine, external: &external, ..hints(bound, &none) };
        let named = addresses(&hints);
        assert_eq!(named, [addr("192.0.2.7:9"), addr("192.0.2.9:8000"), bound]);
    }

    #[test]
    fn on_all_interfaces_the_host_of_the_request_counts() {
        let (bound, none) = (addr("0.0.0.0:8000"), HostNames::new(std::iter::empty()));
        for (host, ip) in [
            ("192.0.2.1:8080", "192.0.2.1:8000"),
            ("localhost", "127.0.0.1:8000"),
            ("Gateway.localhost:8080", "127.0.0.1:8000"),
            ("[2001:db8::1]:1", "[2001:db8::1]:8000"),
        ] {
            let hints = AddressHints { host: Some(host), ..hints(bound, &none) };
            assert_eq!(addresses(&hints)[0], addr(ip));
        }
        let external = ["0.0.0.0".to_owned()];
        let hints = AddressHints { host: Some("example.org"), external: &external, ..hints(bound, &none) };
        let all = addresses(&hints);
        assert!(all.iter().all(|addr| !addr.ip().is_unspecified() && !addr.ip().is_loopback()), "{all:?}");
    }

    #[tokio::test]
    async fn only_configured_names_are_candidates() {
        let names = HostNames::new(["live.example.org", "acme.example.org"].map(str::to_owned).into_iter());
        let lookup = |name: String| async move {
            let v4: IpAddr =
                if name.starts_with("live") { [203, 0, 113, 7] } else { [203, 0, 113, 8] }.into();
            Ok(vec![v4, "2001:db8::7".parse().unwrap()])
        };
        names.watch(lookup, &tokio_util::sync::CancellationToken::new());
        names.ready().await;
        let configured = ["live.example.org".parse().unwrap()];
        let found = |bound: &str, host: &str| {
            let host = Some(host);
            addresses(&AddressHints { configured: &configured, host, ..hints(addr(bound), &names) })
        };
        assert_eq!(found("127.0.0.1:8000", "x")[..], [addr("203.0.113.7:8000"), addr("127.0.0.1:8000")]);
        assert_eq!(found("0.0.0.0:8000", "ACME.example.org:443")[1], addr("203.0.113.8:8000"));
        assert!(!found("0.0.0.0:8000", "other.example.org").contains(&addr("203.0.113.8:8000")));
        // IPv6 addresses only where the port accepts them.
        assert_eq!(found("[::]:8000", "x")[..2], [addr("203.0.113.7:8000"), addr("[2001:db8::7]:8000")]);
    }

    #[test]
    fn every_address_is_offered_over_both_transports() {
        let both = candidates(&[addr("127.0.0.1:8000")]);
        assert_eq!(both.iter().map(|c| c.proto()).collect::<Vec<_>>(), [Protocol::Udp, Protocol::Tcp]);
    }
}
