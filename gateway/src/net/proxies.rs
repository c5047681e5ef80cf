//! Proxies in front of the gateway that the operator trusts: they say who the client is, in HTTP headers or by the
//! PROXY protocol.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue};
use ppp::{HeaderResult, v1, v2};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::flags::Network;

/// Time for a proxy to send its header.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum size of a header of version 2, in bytes. Addresses need at most 232, the rest is optional.
const MAX_HEADER: usize = 4096;
/// Maximum size of a header of version 1, in bytes (PROXY protocol 2.1).
const MAX_LINE: usize = 107;
/// The first bytes of a header of version 2 (PROXY protocol 2.2).
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum number of addresses in a forwarding header that are read, from the end.
const MAX_HOPS: usize = 32;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that the operator trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct Proxies {
    /// Networks of proxies whose X-Forwarded-For or Forwarded header names the client
    #[arg(long, env = "LIANMAI_FORWARDED_FOR", value_name = "NETWORK", value_delimiter = ',')]
    pub forwarded_for: Vec<Network>,

    /// Networks of proxies that begin every TCP connection by the PROXY protocol (version 1 or 2)
    #[arg(long, env = "LIANMAI_PROXY_PROTOCOL", value_name = "NETWORK", value_delimiter = ',')]
    pub proxy_protocol: Vec<Network>,
}

fn has(networks: &[Network], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(ip))
}

impl Proxies {
    /// Returns whether connections from this address may belong to many clients.
    pub fn has(&self, ip: IpAddr) -> bool {
        has(&self.forwarded_for, ip) || has(&self.proxy_protocol, ip)
    }

    /// Returns the client of an HTTP request over a connection from `peer`: the last address in the headers that is not
    /// a trusted proxy. After that, the headers name this client only. Without a trusted proxy, the client is `peer`.
    pub fn client(&self, peer: SocketAddr, headers: &mut HeaderMap) -> SocketAddr {
        if !has(&self.forwarded_for, peer.ip()) {
            return peer;
        }
        let mut client = peer.ip().to_canonical();
        for hop in hops(headers) {
            // Behind an address that cannot be read, nothing is known.
            let Some(hop) = hop else { break };
            client = hop;
            if !has(&self.forwarded_for, hop) {
                break;
            }
        }
        if let Ok(value) = HeaderValue::try_from(client.to_string())
            && (headers.contains_key(FORWARDED_FOR) || headers.contains_key(http::header::FORWARDED))
        {
            headers.insert(FORWARDED_FOR, value);
        }
        SocketAddr::new(client, peer.port())
    }

    /// Reads the PROXY header of a connection from `peer`, and returns the client. Connections from other networks have
    /// none, and nothing is read.
    ///
    /// # Errors
    /// There is no valid header in time.
    pub async fn read_header(
        &self,
        peer: SocketAddr,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<SocketAddr> {
        if !has(&self.proxy_protocol, peer.ip()) {
            return Ok(peer);
        }
        let header = timeout(PATIENCE, read(stream)).await??;
        match HeaderResult::parse(&header) {
            HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
                v1::Addresses::Tcp4(ip) => (ip.source_address, ip.source_port).into(),
                v1::Addresses::Tcp6(ip) => (ip.source_address, ip.source_port).into(),
                v1::Addresses::Unknown => peer,
            }),
            HeaderResult::V2(Ok(header)) => Ok(match (header.command, header.addresses) {
                (v2::Command::Proxy, v2::Addresses::IPv4(ip)) => (ip.source_address, ip.source_port).into(),
                (v2::Command::Proxy, v2::Addresses::IPv6(ip)) => (ip.source_address, ip.source_port).into(),
                // The proxy's own connection, such as a health check.
                _ => peer,
            }),
            HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(invalid()),
        }
        .map(|client: SocketAddr| SocketAddr::new(client.ip().to_canonical(), client.port()))
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the connection does not begin with a PROXY header")
}

/// Reads exactly one header: the bytes after it belong to the client.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        header.resize(16, 0);
        stream.read_exact(&mut header[12..]).await?;
        let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if length > MAX_HEADER {
            return Err(invalid());
        }
        header.resize(16 + length, 0);
        stream.read_exact(&mut header[16..]).await?;
        return Ok(header);
    }
    if !header.starts_with(b"PROXY ") {
        return Err(invalid());
    }
    while !header.ends_with(b"\r\n") {
        if header.len() >= MAX_LINE {
            return Err(invalid());
        }
        header.push(stream.read_u8().await?);
    }
    Ok(header)
}

/// Returns the addresses in the forwarding headers, the last one first; `None` for one that cannot be read.
/// `X-Forwarded-For` is used if it is there, else `Forwarded` (RFC 7239).
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let told = headers.get_all(FORWARDED_FOR);
    let (all, is_list) = match told.iter().next() {
        Some(_) => (told, true),
        None => (headers.get_all(http::header::FORWARDED), false),
    };
    let mut hops = Vec::new();
    for value in all.iter().rev() {
        let Ok(text) = value.to_str() else {
            hops.push(None);
            break;
        };
        hops.extend(text.rsplit(',').map(|entry| if is_list { address(entry) } else { forwarded(entry) }));
        if hops.len() >= MAX_HOPS {
            break;
        }
    }
    hops.truncate(MAX_HOPS);
    hops
}

/// Returns the address in `for=` of an element of `Forwarded`.
fn forwarded(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    address(named.next()?.1)
}

/// Returns an address that may be quoted, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let ip = text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|addr| addr.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    ip.or_else(with_port).or_else(in_brackets).map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        let networks: Vec<Network> = networks.iter().map(|net| net.parse().unwrap()).collect();
        Proxies { forwarded_for: networks.clone(), proxy_protocol: networks }
    }

    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 9);
        proxies(&["10.0.0.0/8", "127.0.0.1"]).client(peer, &mut map).ip().to_string()
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_is_the_client() {
        let xff = "x-forwarded-for";
        for (peer, headers, wanted) in [
            ("10.0.0.1", vec![(xff, "198.51.100.7")], "198.51.100.7"),
            // The client has sent a header itself.
            ("10.0.0.1", vec![(xff, "1.2.3.4, 198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", vec![(xff, "1.2.3.4"), (xff, "198.51.100.7, 10.2.2.2")], "198.51.100.7"),
            ("10.0.0.1", vec![(xff, "1.2.3.4, unknown, 10.2.2.2")], "10.2.2.2"),
            ("10.0.0.1", vec![(xff, "10.3.3.3, 10.2.2.2")], "10.3.3.3"),
            ("10.0.0.1", vec![(xff, "[2001:db8::1]:80")], "2001:db8::1"),
            ("10.0.0.1", vec![(xff, "::ffff:192.0.2.1")], "192.0.2.1"),
            ("10.0.0.1", vec![(xff, "192.0.2.1:80")], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![(xff, "")], "10.0.0.1"),
            (
                "10.0.0.1",
                vec![("forwarded", "for=1.2.3.4, For=\"[2001:db8::1]:47\";proto=https")],
                "2001:db8::1",
            ),
            ("10.0.0.1", vec![("forwarded", "for=_hidden")], "10.0.0.1"),
            ("10.0.0.1", vec![("forwarded", "for=1.2.3.4"), (xff, "192.0.2.1")], "192.0.2.1"),
            // Nobody else is believed.
            ("192.0.2.9", vec![(xff, "198.51.100.7")], "192.0.2.9"),
            ("::ffff:10.0.0.1", vec![(xff, "198.51.100.7")], "198.51.100.7"),
        ] {
            assert_eq!(client(peer, &headers), wanted, "{peer} {headers:?}");
        }
        let many = vec!["10.0.0.9"; 1000].join(",");
        assert_eq!(client("10.0.0.1", &[(xff, &format!("192.0.2.1,{many}"))]), "10.0.0.9");
    }

    async fn header(bytes: &[u8]) -> Result<(String, usize), io::ErrorKind> {
        let mut rest = bytes;
        let read = proxies(&["127.0.0.1"]).read_header("127.0.0.1:9".parse().unwrap(), &mut rest).await;
        read.map(|client| (client.to_string(), rest.len())).map_err(|error| error.kind())
    }

    fn version_2(command: u8, addresses: &[u8]) -> Vec<u8> {
        let length = (addresses.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, 0x11], &length, addresses].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn exactly_the_header_is_read() {
        let ok = |client: &str, rest| Ok((client.to_owned(), rest));
        let line = b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 1935\r\nrest";
        assert_eq!(header(line).await, ok("198.51.100.7:56324", 4));
        assert_eq!(header(b"PROXY TCP6 2001:db8::1 ::1 5 80\r\n").await, ok("[2001:db8::1]:5", 0));
        assert_eq!(header(b"PROXY UNKNOWN\r\nGET").await, ok("127.0.0.1:9", 3));
        let v4 = [198, 51, 100, 7, 192, 0, 2, 1, 0, 7, 7, 143];
        assert_eq!(header(&[version_2(0x21, &v4), b"rest".to_vec()].concat()).await, ok("198.51.100.7:7", 4));
        assert_eq!(header(&version_2(0x20, &v4)).await, ok("127.0.0.1:9", 0));
        // With an optional field after the addresses.
        let with_field = [&v4[..], &[4, 0, 1, 0]].concat();
        assert_eq!(header(&version_2(0x21, &with_field)).await, ok("198.51.100.7:7", 0));
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        let huge = [&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff], &[0; 70_000]].concat();
        for bad in [
            b"GET / HTTP/1.1\r\n\r\n".as_slice(),
            b"PROXY TCP4 x y 1 2\r\n",
            &long,
            &huge,
            b"\x03aaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(header(bad).await, Err(io::ErrorKind::InvalidData));
        }
        assert_eq!(header(b"PROXY TCP4").await, Err(io::ErrorKind::UnexpectedEof));
        // A proxy that sends nothing is not waited for.
        let (mut near, _far) = tokio::io::duplex(1);
        let silent = proxies(&["127.0.0.1"]).read_header("127.0.0.1:9".parse().unwrap(), &mut near).await;
        assert_eq!(silent.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Nothing is read from others.
        let mut rest = b"GET".as_slice();
        let other = "192.0.2.9:9".parse().unwrap();
        assert_eq!(proxies(&["127.0.0.1"]).read_header(other, &mut rest).await.unwrap(), other);
        assert_eq!(rest.len(), 3);
    }
}
