//! A TLS client that accepts and returns any certificate, and the configuration of a TLS server.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, SignatureScheme, StreamOwned,
};
use tokio_tungstenite::tungstenite;

use crate::http::{self, Open};

/// An open TLS connection.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Accepts every certificate, but verifies signatures.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The configuration of our clients. Each value is a new client without session tickets.
pub fn config() -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let anyone = Arc::new(Anyone(provider.clone()));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").dangerous().with_custom_certificate_verifier(anyone);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// The configuration of our servers: the certificate and key that a gateway has created in the folder `data`.
#[track_caller]
pub fn server(data: &Path) -> Arc<ServerConfig> {
    let certs = CertificateDer::pem_file_iter(data.join("cert.pem")).expect("a certificate");
    let certs = certs.collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(data.join("key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    Arc::new(config.with_single_cert(certs, key).expect("a pair"))
}

/// Connects, as to `localhost`. Reads fail after 20 s without a byte.
pub fn connect(to: SocketAddr) -> io::Result<Stream> {
    connect_with(to, config())
}

/// The same with an existing configuration, whose session tickets are reused.
pub fn connect_with(to: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Stream> {
    let mut socket = http::connect(to)?;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(session, socket))
}

/// Returns the current certificate of `to`, as DER.
#[track_caller]
pub fn certificate(to: SocketAddr) -> Vec<u8> {
    let stream = connect(to).unwrap_or_else(|error| panic!("{to}: {error}"));
    stream.conn.peer_certificates().expect("a handshake is done")[0].to_vec()
}

/// [`http::open`] over TLS.
#[track_caller]
pub fn open(to: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Open {
    let ask = || {
        let stream = connect(to)?;
        http::exchange(stream.sock.try_clone()?, stream, to, (method, path), headers, b"")
    };
    ask().unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// A WebSocket over TLS.
#[track_caller]
pub fn websocket(to: SocketAddr, path: &str) -> tungstenite::WebSocket<Stream> {
    let stream = connect(to).unwrap_or_else(|error| panic!("{to}: {error}"));
    let (socket, _) = tungstenite::client(format!("wss://{to}{path}"), stream)
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    socket
}
