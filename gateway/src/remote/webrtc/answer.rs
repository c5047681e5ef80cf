//! The candidates of a server's answer.

use std::net::{IpAddr, SocketAddr};

use crate::remote::RemoteError;
use crate::remote::dialer::is_public;

/// Maximum number of addresses of a server that are tried.
const MAX_CANDIDATES: usize = 16;

/// Returns the answer with the candidates that can be used, and their addresses: over UDP, of the family of `local`. A
/// server in the internet must not make this gateway send to machines of private networks.
///
/// # Errors
/// No candidate is left.
pub(super) fn usable(
    answer: &str,
    local: IpAddr,
    only_public: bool,
) -> Result<(String, Vec<SocketAddr>), RemoteError> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    let mut kept = String::with_capacity(answer.len());
    for line in answer.lines() {
        if let Some(candidate) = line.strip_prefix("a=candidate:") {
            let usable = address(candidate).filter(|addr| addr.is_ipv4() == local.is_ipv4());
            let usable = usable.filter(|addr| !only_public || is_public(addr.ip()));
            let Some(addr) = usable else { continue };
            if !addresses.contains(&addr) {
                if addresses.len() >= MAX_CANDIDATES {
                    continue;
                }
                addresses.push(addr);
            }
        }
        kept.push_str(line);
        kept.push_str("\r\n");
    }
    if addresses.is_empty() {
        let words = format!("the server's answer has no UDP address that can be reached from {local}");
        return Err(RemoteError::new(&words));
    }
    Ok((kept, addresses))
}

/// Returns the address of a UDP candidate (RFC 8839 section 5.1); `None` for TCP and for host names.
fn address(candidate: &str) -> Option<SocketAddr> {
    let mut words = candidate.split_ascii_whitespace().skip(2);
    let (protocol, _priority, ip, port) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let addr = SocketAddr::new(ip.parse().ok()?, port.parse().ok()?);
    (protocol.eq_ignore_ascii_case("udp") && addr.port() > 0).then_some(addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_that_cannot_be_used_are_left_out() {
        let answer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
            a=candidate:1 1 udp 1 203.0.113.5 8000 typ host\r\n\
            a=candidate:2 1 UDP 1 10.0.0.7 8000 typ host\r\n\
            a=candidate:3 1 tcp 1 203.0.113.5 8000 typ host tcptype passive\r\n\
            a=candidate:4 1 udp 1 2001:db8::1 8000 typ host\r\n\
            a=candidate:5 1 udp 1 4f1e.local 8000 typ host\r\n\
            a=candidate:6 1 udp 1 203.0.113.5 0 typ host\r\n\
            a=candidate:\r\na=end-of-candidates\r\n";
        let of = |local: &str, only_public| usable(answer, local.parse().unwrap(), only_public);
        let (text, addresses) = of("192.0.2.1", true).unwrap();
        assert_eq!(addresses, ["203.0.113.5:8000".parse::<SocketAddr>().unwrap()]);
        assert_eq!(text.matches("a=candidate").count(), 1);
        assert!(text.starts_with("v=0\r\nm=video") && text.ends_with("a=end-of-candidates\r\n"));
        assert_eq!(of("10.0.0.1", false).unwrap().1.len(), 2);
        assert_eq!(of("2001:db8::9", true).unwrap().1.len(), 1);
        let none = usable("v=0\r\n", "192.0.2.1".parse().unwrap(), true).unwrap_err();
        assert!(none.to_string().contains("192.0.2.1"), "{none}");
        let many: String =
            (1..100).map(|n| format!("a=candidate:1 1 udp 1 203.0.113.{n} 8000 typ host\r\n")).collect();
        let (text, addresses) = usable(&many, "192.0.2.1".parse().unwrap(), true).unwrap();
        assert_eq!((addresses.len(), text.lines().count()), (MAX_CANDIDATES, MAX_CANDIDATES));
    }
}
