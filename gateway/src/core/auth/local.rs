//! Detects requests that were made on this machine, for this machine.
//!
//! A loopback connection alone proves little, because proxies and tunnels on this machine have loopback
//! addresses too. A forwarded request usually has a recognisable header. A plain TCP forwarder adds nothing,
//! therefore operating the gateway always requires a secret.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, Version, header};

/// Headers that proxies, load balancers and CDNs add to a request.
const ADDED: [&str; 22] = [
    "via",
    "forwarded",
    "x-real-ip",
    "x-real-port",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-originating-ip",
    "x-varnish",
    "client-ip",
    "true-client-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "cdn-loop",
    "cdn-requestid",
    "surrogate-capability",
    "akamai-origin-hop",
    "incap-client-ip",
    "x-sucuri-clientip",
    "x-host",
    "max-forwards",
];

/// Prefixes of the names of other such headers.
const BEGINNINGS: [&str; 20] = [
    "x-forwarded",
    "x-original-",
    "x-envoy-",
    "x-proxy",
    "x-amz",
    "x-akamai-",
    "x-appengine-",
    "x-arr-",
    "x-azure-",
    "x-cdn-",
    "x-cloud-trace-",
    "x-fd-",
    "x-nf-",
    "x-nginx-",
    "x-vercel-",
    "cf-",
    "cloudfront-",
    "fastly-",
    "fly-",
    "tailscale-",
];

/// Returns whether a request's headers show that it was forwarded or sent by a foreign page.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let added = |name: &HeaderName| {
        ADDED.contains(&name.as_str()) || BEGINNINGS.iter().any(|start| name.as_str().starts_with(start))
    };
    // Browsers send Origin with all requests where it matters; then Origin is checked.
    let cross_site = !headers.contains_key(header::ORIGIN)
        && headers.get_all("sec-fetch-site").into_iter().any(|site| site != "same-origin" && site != "none");
    cross_site || headers.keys().any(added)
}

/// Returns whether a request of this HTTP version was forwarded: proxies still use HTTP/1.0 towards their
/// servers (nginx by default); programs that publish or query do not.
pub(super) fn is_a_proxys(version: Version) -> bool {
    version < Version::HTTP_11
}

/// Returns whether `origin` (from a browser) is a page of this machine. "null" (a sandboxed frame, a file) is
/// not trusted.
pub(super) fn is_local_origin(origin: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(is_loopback)
}

/// Returns whether `authority` (a host, optionally with a port) names this machine.
pub(super) fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if host.contains(':') => (host, port),
            _ => return false,
        },
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit());
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name == "localhost"
        || name.strip_suffix(".localhost").is_some_and(|rest| rest.split('.').all(label))
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_this_machine_are_its_names() {
        for name in [
            "localhost",
            "LocalHost.",
            "a.b.localhost:1",
            "127.0.0.1",
            "127.9.9.9:65535",
            "[::1]",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(is_loopback(name), "{name}");
        }
        for name in [
            "",
            ":80",
            "localhost:",
            "localhost:evil",
            "localhost:80:80",
            "localhost:+80",
            "localhost:99999",
            "127.0.0.1:evil",
            "127.0.0.1:80@evil.example",
            "evil@localhost",
            "evil.example/.localhost",
            ".localhost",
            "a..localhost",
            "localhost..",
            "[::1",
            "[::1]evil",
            "[::1]:evil",
            "[::1]evil:80",
            "[localhost]",
            "[127.0.0.1]",
            "::1",
            "127.1",
            "0.0.0.0",
            "[::]",
            "2130706433",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost\u{2024}",
        ] {
            assert!(!is_loopback(name), "{name:?}");
        }
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:1"] {
            assert!(is_local_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "localhost",
            "http://[::1]evil",
            "http://localhost:evil",
            "chrome-extension://localhost",
            "ws://localhost",
            "http://localhost/",
            "http://localhost http://evil.example",
            "http://localhost, http://evil.example",
        ] {
            assert!(!is_local_origin(origin), "{origin:?}");
        }
    }
}
