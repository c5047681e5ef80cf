//! HTTP/1.1 requests of the gateway to other servers: token issuers and the operator's back ends.
//!
//! [`Resolver`] looks names up outside the network threads, [`Connection`] sends requests one after the other.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// The `User-Agent` of the gateway.
pub const USER_AGENT: &str = concat!("lianmai/", env!("CARGO_PKG_VERSION"));
/// Maximum number of name lookups of one server that run at the same time. A name server that does not answer occupies
/// as many threads.
const MAX_LOOKUPS: usize = 4;
/// Time for which the addresses of a name are used again.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Checks whether requests can be sent to `uri`. The error says why not.
///
/// # Errors
/// The address has no host, a password, or another scheme than http and https.
pub fn check(uri: &Uri) -> Result<(), &'static str> {
    let Some(authority) = uri.authority() else { return Err("the address has no host name") };
    if authority.as_str().contains('@') {
        return Err("the address must not contain a password");
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => Ok(()),
        _ => Err("the address does not begin with http:// or https://"),
    }
}

fn is_secure(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

fn host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// Looks up the addresses of one server.
#[derive(Debug)]
pub struct Resolver {
    uri: Uri,
    lookups: Arc<Semaphore>,
    kept: Mutex<Option<(Vec<SocketAddr>, Instant)>>,
}

impl Resolver {
    /// Creates a resolver of the host in `uri`.
    pub fn new(uri: Uri) -> Self {
        Self { uri, lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)), kept: Mutex::default() }
    }

    /// Returns the addresses of the server. The lookup runs in a thread of its own.
    ///
    /// # Errors
    /// The name has no address, or too many lookups are unanswered. The text is for the log.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let port = self.uri.port_u16().unwrap_or(if is_secure(&self.uri) { 443 } else { 80 });
        let name = host(&self.uri).to_owned();
        if let Ok(ip) = name.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((addresses, at)) = kept
            && at.elapsed() < KEPT_FOR
        {
            return Ok(addresses);
        }
        let permit = self.lookups.clone().try_acquire_owned();
        let permit = permit.map_err(|_| "the name server does not answer".to_owned())?;
        let lookup = tokio::task::spawn_blocking(move || {
            let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            drop(permit);
            found
        });
        let found = lookup.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        if found.is_empty() {
            return Err("the host name has no address".to_owned());
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((found.clone(), Instant::now()));
        Ok(found)
    }
}

/// A response that was read completely.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no response.
#[derive(Debug)]
pub struct SendError {
    /// The reason, for the log.
    pub text: String,
    /// Whether the connection ended before the response began.
    pub before_response: bool,
}

/// A connection to a server. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    /// Connects to the first of `addresses` that answers, with TLS if `uri` asks for it.
    ///
    /// # Errors
    /// A text for the log.
    pub async fn open(uri: &Uri, addresses: &[SocketAddr], tls: &Arc<ClientConfig>) -> Result<Self, String> {
        let stream = TcpStream::connect(addresses).await.map_err(|error| error.to_string())?;
        // Requests are small: they must not wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        if !is_secure(uri) {
            return Self::over(stream).await;
        }
        let name = ServerName::try_from(host(uri).to_owned()).map_err(|error| error.to_string())?;
        let stream =
            TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(|e| e.to_string())?;
        Self::over(stream).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Self, String> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        // The error of a connection is also the error of its request.
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        Ok(Self { sender, _driver: driver })
    }

    /// Returns whether another request can be sent.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request for the path of `uri`, and reads the response. The body of the response may have at most `max`
    /// bytes.
    ///
    /// # Errors
    /// There is no complete response.
    pub async fn send(
        &mut self,
        uri: &Uri,
        mut request: Request<Full<Bytes>>,
        max: usize,
    ) -> Result<Response, SendError> {
        let error = |text: String, before_response| SendError { text, before_response };
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        *request.uri_mut() = path.parse().map_err(|_| error("the address has no path".to_owned(), false))?;
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let headers = request.headers_mut();
        headers.extend(authority.parse().map(|host| (header::HOST, host)));
        headers.insert(header::USER_AGENT, http::HeaderValue::from_static(USER_AGENT));
        self.sender.ready().await.map_err(|e| error(e.to_string(), true))?;
        let answer = self.sender.send_request(request).await.map_err(|e| error(e.to_string(), true))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, max).collect().await;
        let body = body.map_err(|e| error(format!("the response cannot be read: {e}"), false))?.to_bytes();
        Ok(Response { status: head.status, headers: head.headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_looked_at() {
        for (address, good) in [
            ("https://site.example/?rest_route=/lianmai/v1/jwks", true),
            ("http://[::1]:8080/jwks", true),
            ("https://user:password@site.example/", false),
            ("ftp://site.example/", false),
            ("/a/file", false),
        ] {
            assert_eq!(check(&address.parse().unwrap()).is_ok(), good, "{address}");
        }
    }

    #[tokio::test]
    async fn lookups_that_are_not_answered_are_bounded() {
        let resolver = Resolver::new("http://localhost:1/".parse().unwrap());
        let held: Vec<_> = (0..MAX_LOOKUPS).map(|_| resolver.lookups.clone().try_acquire_owned()).collect();
        assert!(resolver.addresses().await.unwrap_err().contains("name server"));
        drop(held);
        assert!(resolver.addresses().await.unwrap().iter().all(|addr| addr.ip().is_loopback()));
        // Numbers need no lookup.
        let number = Resolver::new("https://[::1]/".parse().unwrap());
        assert_eq!(number.addresses().await.unwrap(), ["[::1]:443".parse::<SocketAddr>().unwrap()]);
    }
}
