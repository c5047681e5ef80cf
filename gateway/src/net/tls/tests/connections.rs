//! Handshakes, and connections that only look like TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use rustls_acme::acme::ACME_TLS_ALPN_NAME;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::{BUSY, PLAIN, Tls, provider};
use super::Dir;
use super::TlsSettings;
use crate::limits::Limits;
use crate::net::worker::bind;

/// Greets each client that completes the handshake, and reads until it disconnects.
async fn listen(tls: &Tls, limits: Limits) -> SocketAddr {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (addr, tls) = (listener.local_addr().unwrap(), tls.clone());
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let (tls, limits) = (tls.clone(), limits.clone());
            tokio::spawn(async move {
                let Some(mut socket) = tls.accept(stream, peer, &limits).await else { return };
                assert!(socket.secure().is_some());
                socket.send(&mut &b"hello"[..]).await.unwrap();
                let mut said = Vec::new();
                let _ = socket.read_to_end(&mut said).await;
                let _ = socket.send(&mut &said[..]).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    addr
}

fn client(dir: &Dir, versions: &[&'static SupportedProtocolVersion], alpn: &[&[u8]]) -> TlsConnector {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.0.join("data/cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn connect(
    to: SocketAddr,
    client: &TlsConnector,
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    client.connect(ServerName::try_from(name).unwrap(), stream).await
}

#[tokio::test]
async fn clients_that_trust_the_certificate_get_through_by_any_name_of_this_machine() {
    let dir = Dir::new();
    let tls = dir.tls(&TlsSettings::default()).unwrap();
    let to = listen(&tls, Limits::default()).await;
    for (versions, spoken) in
        [(&[&version::TLS12], ProtocolVersion::TLSv1_2), (&[&version::TLS13], ProtocolVersion::TLSv1_3)]
    {
        for name in ["localhost", "127.0.0.1", "::1"] {
            let client = client(&dir, versions, &[b"h2", b"http/1.1"]);
            let mut stream = connect(to, &client, name).await.unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(spoken));
            assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
            // Larger than the buffers of both sides.
            let mut said = vec![7; 300_000];
            stream.write_all(&said).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            said.splice(0..0, *b"hello");
            assert_eq!(heard, said);
        }
    }
    let client = client(&dir, &[&version::TLS13], &[]);
    assert!(connect(to, &client, "example.com").await.is_err());
}

#[tokio::test]
async fn other_protocols_are_refused_in_the_words_of_tls() {
    let dir = Dir::new();
    let acme = TlsSettings { acme: vec!["a.example".to_owned()], ..TlsSettings::default() };
    // No server answers at this address.
    let acme = TlsSettings { acme_directory: "https://127.0.0.1:9/".to_owned(), ..acme };
    for config in [TlsSettings::default(), acme] {
        let tls = dir.tls(&config).unwrap();
        let to = listen(&tls, Limits::default()).await;
        // Before ACME has a certificate, the self-signed one is used, and there is no challenge to answer.
        connect(to, &client(&dir, &[&version::TLS13], &[b"http/1.1"]), "localhost").await.unwrap();
        for alpn in [&b"h2"[..], ACME_TLS_ALPN_NAME] {
            let refused = connect(to, &client(&dir, &[&version::TLS13], &[alpn]), "localhost").await;
            assert!(refused.unwrap_err().to_string().contains("alert"), "{alpn:?}");
        }
    }
}

#[tokio::test]
async fn plain_http_hears_where_it_is() {
    let (head, body) = std::str::from_utf8(PLAIN).unwrap().split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 400);
    let dir = Dir::new();
    let to = listen(&dir.tls(&TlsSettings::default()).unwrap(), Limits::default()).await;
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, PLAIN);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_not_waited_for() {
    let dir = Dir::new();
    let limits = Limits { header_timeout: Duration::from_millis(200), ..Limits::default() };
    let to = listen(&dir.tls(&TlsSettings::default()).unwrap(), limits).await;
    for start in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(start).await.unwrap();
        let over = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut Vec::new())).await;
        assert!(over.is_ok(), "the connection stays after {start:?}");
    }
}

#[tokio::test]
async fn a_client_hears_when_there_is_no_place() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        crate::net::worker::refuse(stream, BUSY).await;
    });
    let dir = Dir::new();
    let _made = dir.tls(&TlsSettings::default()).unwrap();
    let refused = connect(to, &client(&dir, &[&version::TLS13], &[]), "localhost").await.unwrap_err();
    assert!(refused.to_string().contains("InternalError"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes, with or without a TLS record header: the connection ends, and the next client can connect.
    #[test]
    fn no_bytes_do_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        record in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = Dir::new();
            let to = listen(&dir.tls(&TlsSettings::default()).unwrap(), Limits::default()).await;
            let mut stream = TcpStream::connect(to).await.unwrap();
            if record {
                let length = (bytes.len() as u16).to_be_bytes();
                stream.write_all(&[&[22, 3, 1], &length[..]].concat()).await.unwrap();
            }
            // The server may have closed the connection already, which appears as a reset.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
            connect(to, &client(&dir, &[&version::TLS13], &[]), "localhost").await.unwrap();
        });
    }
}
