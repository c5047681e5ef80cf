//! TLS for the HTTPS listener: which certificate is shown, and the handshake.
//!
//! There are three ways to a certificate: the operator's files, read again when they change; ACME; and
//! else one that is made here and kept in the data folder.

mod acme;
mod client;
mod error;
mod files;
mod own;
mod pair;
mod settings;
mod shown;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls_acme::acme::ACME_TLS_ALPN_NAME;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

pub(crate) use client::client;
pub use error::TlsError;
pub use settings::TlsSettings;

use crate::limits::Limits;
use crate::net::worker::{Refusal, Socket, Tcp, refuse};
use shown::Shown;

/// What a connection over the limit is told: the fatal alert `internal_error` (RFC 8446 6.2). Words
/// would need a handshake, which is what a busy server saves.
pub const BUSY: Refusal = b"\x15\x03\x03\x00\x02\x02\x50";

/// What plain HTTP is told here.
const PLAIN: Refusal = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: application/problem+json\r\n\
    Content-Length: 125\r\n\
    Connection: close\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\
    \"detail\":\"this is the https port: begin the address with https://\"}\n";

/// The first byte of every TLS connection: a record with a handshake message (RFC 8446 5.1).
const HANDSHAKE: u8 = 22;

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Made here: browsers do not know it.
    Own,
    /// The operator's files.
    Files,
    /// Got by ACME for these domains.
    Acme(Vec<String>),
}

/// Where a gateway's own certificate is kept, and what it has to name.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// The addresses that HTTP and HTTPS listen on.
    pub listeners: &'a [IpAddr],
}

/// The HTTPS listener's side of TLS. Cloning shares it.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    acceptor: TlsAcceptor,
    source: Source,
    /// What keeps the certificate fresh.
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Tls {
    /// With the certificate that `config` names, or one of its own in `place`. Inside a runtime: it is kept fresh from now on.
    ///
    /// # Errors
    /// When the operator's files or domains can't be used.
    pub fn new(config: &TlsSettings, place: &Place<'_>) -> Result<Self, TlsError> {
        let acme: Vec<_> = config.acme.iter().filter(|domain| !domain.is_empty()).collect();
        let files = files::Files::of(config)?;
        let (shown, source, tasks) = match files {
            Some(_) if !acme.is_empty() => return Err(TlsError::Both),
            Some(files) => {
                let bytes = files.read()?;
                let shown = Arc::new(Shown::new(files.pair(&bytes)?.key, None));
                let watch = files.watch(bytes, shown.clone());
                (shown, Source::Files, vec![AbortOnDropHandle::new(tokio::spawn(watch))])
            }
            None => {
                let order =
                    if acme.is_empty() { None } else { Some(acme::Order::new(config, place.data, &acme)?) };
                let own = own::Own::of(config, place);
                let pair = own.pair(SystemTime::now())?;
                let shown = Arc::new(Shown::new(pair.key.clone(), order.as_ref().map(acme::Order::resolver)));
                let mut tasks = vec![AbortOnDropHandle::new(tokio::spawn(own.watch(pair, shown.clone())))];
                let source = order.as_ref().map_or(Source::Own, |order| Source::Acme(order.domains()));
                if let Some(order) = order {
                    tasks.push(AbortOnDropHandle::new(tokio::spawn(order.run(shown.clone()))));
                }
                (shown, source, tasks)
            }
        };
        let acceptor = TlsAcceptor::from(Arc::new(server(shown, matches!(source, Source::Acme(_)))?));
        Ok(Self(Arc::new(Inner { acceptor, source, _tasks: tasks })))
    }

    /// Where the certificate comes from.
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// The handshake on a new connection; none if it is over, and then the peer has been told.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr, limits: &Limits) -> Option<Socket> {
        let handshake = timeout(limits.header_timeout, self.handshake(stream, limits.stall_timeout)).await;
        let error = match handshake {
            Ok(Ok(socket)) => return socket,
            Ok(Err(error)) => error,
            Err(late) => late.into(),
        };
        metrics::counter!("lianmai_failed_handshakes_total").increment(1);
        tracing::debug!(%peer, %error, "no TLS handshake");
        None
    }

    async fn handshake(&self, stream: TcpStream, stall: Duration) -> io::Result<Option<Socket>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Ok(None);
        }
        if first[0] != HANDSHAKE && first[0].is_ascii_uppercase() {
            // A method; anything else is told so by TLS.
            refuse(stream, PLAIN).await;
            return Ok(None);
        }
        let mut stream = self.0.acceptor.accept(Tcp::new(stream, stall)).await?;
        if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS_ALPN_NAME) {
            // The certificate was all there was to show (RFC 8737 3).
            stream.shutdown().await?;
            return Ok(None);
        }
        Ok(Some(Socket::tls(stream)))
    }
}

/// The one crypto library.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn server(shown: Arc<Shown>, acme: bool) -> Result<ServerConfig, TlsError> {
    let config = ServerConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::Library)?;
    let mut config = config.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols.push(b"http/1.1".to_vec());
    if acme {
        config.alpn_protocols.push(ACME_TLS_ALPN_NAME.to_vec());
    }
    // Who comes back (an HLS player does, often) is spared the signature, and we the memory.
    config.ticketer = Ticketer::new().map_err(TlsError::Library)?;
    Ok(config)
}
