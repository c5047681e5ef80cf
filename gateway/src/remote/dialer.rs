//! Connects to other servers.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::resolve::Resolver;
use super::{RemoteAddress, RemoteError, RemoteSettings, webrtc};
use crate::net::tls;
use crate::net::worker::Direct;

/// Timeout for one address of a host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for the name, all addresses and TLS.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to other servers. Cloning shares its settings.
#[derive(Debug, Clone)]
pub struct Dialer {
    resolver: Resolver,
    authorities: tls::Authorities,
    tls: Arc<OnceLock<Result<Arc<ClientConfig>, String>>>,
    /// Whether to connect to no address of a private network.
    only_public: bool,
}

impl Dialer {
    /// Creates a dialer.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be read.
    pub fn new(settings: &RemoteSettings) -> Result<Self, String> {
        let path: &Path = &settings.remote_ca;
        let authorities = if path.as_os_str().is_empty() {
            tls::Authorities::default()
        } else {
            tls::Authorities::read(path)
                .map_err(|error| format!("cannot use {} (--remote-ca): {error}", path.display()))?
        };
        Ok(Self { resolver: Resolver::new(), authorities, tls: Arc::default(), only_public: false })
    }

    /// Returns a dialer for addresses that the server at `address` names. A server in the internet must not make this
    /// gateway ask machines of private networks, or this machine.
    ///
    /// # Errors
    /// The name of the server cannot be resolved.
    pub async fn for_links_of(&self, address: &RemoteAddress) -> Result<Self, RemoteError> {
        let found = in_time(self.resolver.resolve(&address.host, address.port)).await?;
        Ok(Self { only_public: found.iter().all(|addr| is_public(addr.ip())), ..self.clone() })
    }

    /// Connects, and performs the TLS handshake where the address asks for it.
    ///
    /// # Errors
    /// The name cannot be resolved, no address answers, or the certificate is not trusted.
    pub async fn dial(&self, address: &RemoteAddress) -> Result<Direct, RemoteError> {
        let dialed = async {
            let stream = self.connect(&address.host, address.port).await?;
            // Without TCP_NODELAY small writes wait for acknowledgements. Failing to set it is harmless.
            let _ = stream.set_nodelay(true);
            if !address.scheme.is_secure() {
                return Ok(Direct::plain(stream));
            }
            let (stream, state) = self.handshake(&address.host, stream).await?.into_inner();
            Ok(Direct::tls(stream, state))
        };
        in_time(dialed).await
    }

    /// The same, as a stream for libraries.
    ///
    /// # Errors
    /// The same as [`Dialer::dial`].
    pub(crate) async fn dial_stream(&self, address: &RemoteAddress) -> Result<Box<dyn Stream>, RemoteError> {
        let dialed = async {
            let stream = self.connect(&address.host, address.port).await?;
            if !address.scheme.is_secure() {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            Ok(Box::new(self.handshake(&address.host, stream).await?) as Box<dyn Stream>)
        };
        in_time(dialed).await
    }

    /// Returns the address of this machine from which packets go to a server, and the server's.
    ///
    /// # Errors
    /// The name cannot be resolved, or no address can be reached.
    pub(super) async fn route_to(&self, address: &RemoteAddress) -> Result<(IpAddr, IpAddr), RemoteError> {
        let found = in_time(self.resolver.resolve(&address.host, address.port)).await?;
        let mut last = None;
        for server in found {
            match webrtc::local_address(server).await {
                Ok(local) => return Ok((local, server.ip())),
                Err(error) => last = Some(error.to_string()),
            }
        }
        let last = last.unwrap_or_default();
        Err(RemoteError::new(&format!("no way to {}: {last}", address.host)))
    }

    async fn handshake(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let connector = TlsConnector::from(self.tls().await?);
        connector.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let mut last = "the server's link leads into a private network".to_owned();
        for addr in self.resolver.resolve(host, port).await? {
            if self.only_public && !is_public(addr.ip()) {
                continue;
            }
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(addr)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
            }
        }
        Err(format!("cannot connect to {host}:{port}: {last}"))
    }

    /// Returns the configuration of TLS, which trusts the system's authorities and those of the settings. Reading the
    /// system's certificates takes some time, so this is done once, off the network threads.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub async fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(known) = self.tls.get() {
            return known.clone();
        }
        let (cell, authorities) = (self.tls.clone(), self.authorities.clone());
        let make = move || {
            cell.get_or_init(|| tls::client_trusting(&authorities).map_err(|error| error.to_string())).clone()
        };
        tokio::task::spawn_blocking(make).await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Returns whether an address may belong to a server in the internet (RFC 6890).
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && second & 0xc0 == 64;
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || first == 0
                || shared)
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast())
        }
    }
}

/// A connection for libraries.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Waits for a connection, for a limited time.
async fn in_time<T>(dialed: impl Future<Output = Result<T, String>>) -> Result<T, RemoteError> {
    let late = |_| Err(format!("no connection within {} s", DIAL_TIMEOUT.as_secs()));
    timeout(DIAL_TIMEOUT, dialed).await.unwrap_or_else(late).map_err(|words| RemoteError::new(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn links_of_servers_in_the_internet_do_not_lead_into_private_networks() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialer = Dialer::new(&RemoteSettings::default()).unwrap();
        let parse = |text: &str| RemoteAddress::parse(text).unwrap();
        let links = dialer.for_links_of(&parse("http://203.0.113.1/a.m3u8")).await.unwrap();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let refused = links.get(&parse(&format!("http://{host}:{port}/x"))).await.unwrap_err();
            assert!(refused.to_string().contains("private network"), "{host}: {refused}");
        }
        // A server of the same network may name its neighbours.
        let links = dialer.for_links_of(&parse("http://127.0.0.2/a.m3u8")).await.unwrap();
        links.dial(&parse(&format!("http://127.0.0.1:{port}/x"))).await.unwrap();
    }

    #[test]
    fn addresses_of_private_networks_are_known() {
        for ip in
            ["10.1.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fd00::1", "fe80::1"]
        {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["203.0.113.1", "100.128.0.1", "2001:db8::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
