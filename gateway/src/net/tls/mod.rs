//! TLS for the HTTPS and RTMPS listeners: the certificate and the handshake.
//!
//! The certificate has one of three sources: the operator's files, reloaded when they change (`files`); ACME
//! (`acme`); or a self-signed one, kept in the data folder (`own`). `current_cert` holds the current one. Start
//! reading at [`Tls`].

mod acme;
mod client;
mod current_cert;
mod error;
mod files;
mod own;
mod pair;
mod report;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls_acme::ResolvesServerCertAcme;
use rustls_acme::acme::ACME_TLS_ALPN_NAME;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

pub(crate) use client::{Authorities, client, client_trusting};
pub use error::TlsError;
pub use report::{CertReport, CertState, EXPIRES};
pub use settings::{AcmeChallenge, TlsSettings};

use crate::limits::Limits;
use crate::net::worker::{Direct, Refusal, Socket, Tcp, refuse};
use current_cert::CurrentCert;

/// The response to a connection over the limit: the fatal alert `internal_error` (RFC 8446 6.2). A text would
/// need a handshake, which a busy server avoids.
pub const BUSY: Refusal = b"\x15\x03\x03\x00\x02\x02\x50";

/// The response to plain HTTP on the HTTPS port.
const PLAIN: Refusal = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: application/problem+json\r\n\
    Content-Length: 125\r\n\
    Connection: close\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\
    \"detail\":\"this is the https port: begin the address with https://\"}\n";

/// The first byte of every TLS connection: a handshake record (RFC 8446 5.1).
const HANDSHAKE: u8 = 22;

/// The source of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertSource {
    /// Self-signed: browsers do not trust it.
    Own,
    /// The operator's files.
    Files,
    /// Issued by ACME for these domains.
    Acme(Vec<String>),
}

/// The folder of the gateway's own certificate, and the addresses that it has to name.
#[derive(Debug, Clone, Copy)]
pub struct OwnCertInfo<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// The addresses that HTTP and HTTPS listen on.
    pub listeners: &'a [IpAddr],
}

/// Server-side TLS. Cloning shares it.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("source", &self.0.source).finish_non_exhaustive()
    }
}

/// The content of [`Tls`].
struct Inner {
    /// For HTTPS.
    acceptor: TlsAcceptor,
    /// For protocols that have no ALPN name, such as RTMPS: it accepts what a client offers by not answering it.
    without_alpn: TlsAcceptor,
    source: CertSource,
    report: CertReport,
    /// Knows the texts of HTTP-01 challenges, if ACME uses them.
    proofs: Option<Arc<ResolvesServerCertAcme>>,
    /// Tasks that keep the certificate up to date.
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Tls {
    /// Loads the certificate that `config` selects. Call it inside a runtime, whose tasks keep the
    /// certificate up to date.
    ///
    /// # Errors
    /// The operator's files or domains cannot be used.
    pub fn new(config: &TlsSettings, info: &OwnCertInfo<'_>) -> Result<Self, TlsError> {
        let acme: Vec<_> = config.acme.iter().filter(|domain| !domain.is_empty()).collect();
        let files = files::Files::of(config)?;
        let mut proofs = None;
        let (current, source, tasks) = match files {
            Some(_) if !acme.is_empty() => return Err(TlsError::Both),
            Some(files) => {
                let bytes = files.read()?;
                let current = Arc::new(CurrentCert::new(files.pair(&bytes)?.key, None));
                let watch = files.watch(bytes, current.clone());
                (current, CertSource::Files, vec![AbortOnDropHandle::new(tokio::spawn(watch))])
            }
            None => {
                let order = if acme.is_empty() {
                    None
                } else {
                    Some(acme::AcmeOrder::new(config, info.data, &acme)?)
                };
                let own = own::OwnCertFiles::of(config, info);
                let pair = own.pair(SystemTime::now())?;
                let current = Arc::new(CurrentCert::new(
                    pair.key.clone(),
                    order.as_ref().map(acme::AcmeOrder::resolver),
                ));
                let mut tasks = vec![AbortOnDropHandle::new(tokio::spawn(own.watch(pair, current.clone())))];
                let source =
                    order.as_ref().map_or(CertSource::Own, |order| CertSource::Acme(order.domains()));
                if let Some(order) = order {
                    proofs = (config.acme_challenge == AcmeChallenge::Http01).then(|| order.resolver());
                    tasks.push(AbortOnDropHandle::new(tokio::spawn(order.run(current.clone()))));
                }
                (current, source, tasks)
            }
        };
        let report = current.report().clone();
        let config = server(current, matches!(source, CertSource::Acme(_)))?;
        let mut bare = config.clone();
        bare.alpn_protocols.clear();
        let [acceptor, without_alpn] = [config, bare].map(|config| TlsAcceptor::from(Arc::new(config)));
        Ok(Self(Arc::new(Inner { acceptor, without_alpn, source, report, proofs, _tasks: tasks })))
    }

    /// Returns the source of the certificate.
    pub fn source(&self) -> &CertSource {
        &self.0.source
    }

    /// Returns the state of the certificate.
    pub fn report(&self) -> &CertReport {
        &self.0.report
    }

    /// Returns whether ACME authorities ask for proofs over HTTP.
    pub fn has_proofs(&self) -> bool {
        self.0.proofs.is_some()
    }

    /// Returns the text with which the gateway proves to an ACME authority that a domain is its own (RFC 8555 8.3);
    /// `None` if no such proof is being made.
    pub fn proof(&self, token: &str) -> Option<String> {
        self.0.proofs.as_ref()?.get_http_01_key_auth(token)
    }

    /// Performs the handshake on a new connection. Returns `None` if it failed; the peer has been told then.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr, limits: &Limits) -> Option<Socket> {
        finish(self.handshake(stream, limits.stall_timeout), peer, limits).await.flatten()
    }

    /// Performs the handshake of a protocol without an ALPN name. Returns `None` if it failed; the peer has been told
    /// then.
    pub async fn accept_direct(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        limits: &Limits,
    ) -> Option<Direct> {
        let handshake = self.0.without_alpn.accept(Tcp::new(stream, limits.stall_timeout));
        let (tcp, state) = finish(handshake, peer, limits).await?.into_inner();
        Some(Direct::tls(tcp.into_inner(), state))
    }

    async fn handshake(&self, stream: TcpStream, stall: Duration) -> io::Result<Option<Socket>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Ok(None);
        }
        if first[0] != HANDSHAKE && first[0].is_ascii_uppercase() {
            // The first bytes are an HTTP method. The TLS library answers anything else.
            refuse(stream, PLAIN).await;
            return Ok(None);
        }
        let mut stream = self.0.acceptor.accept(Tcp::new(stream, stall)).await?;
        if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS_ALPN_NAME) {
            // The connection was an ACME challenge and is complete (RFC 8737 3).
            stream.shutdown().await?;
            return Ok(None);
        }
        Ok(Some(Socket::tls(stream)))
    }
}

/// Waits for a handshake, for a limited time. Counts a failed one.
async fn finish<T>(
    handshake: impl Future<Output = io::Result<T>>,
    peer: SocketAddr,
    limits: &Limits,
) -> Option<T> {
    let error = match timeout(limits.header_timeout, handshake).await {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(error)) => error,
        Err(late) => late.into(),
    };
    metrics::counter!("lianmai_failed_handshakes_total").increment(1);
    tracing::debug!(%peer, %error, "TLS handshake failed");
    None
}

/// Returns whether the first received byte begins a TLS connection. Call it when the socket is readable.
pub async fn begins(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == HANDSHAKE
}

/// Returns the crypto library, which is the same everywhere.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn server(current: Arc<CurrentCert>, acme: bool) -> Result<ServerConfig, TlsError> {
    let config = ServerConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::Library)?;
    let mut config = config.with_no_client_auth().with_cert_resolver(current);
    config.alpn_protocols.push(b"http/1.1".to_vec());
    if acme {
        config.alpn_protocols.push(ACME_TLS_ALPN_NAME.to_vec());
    }
    // Session tickets save a signature for clients that reconnect often (HLS players), and memory on the
    // server.
    config.ticketer = Ticketer::new().map_err(TlsError::Library)?;
    Ok(config)
}
