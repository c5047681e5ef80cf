mod doors;
mod flv;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::api::{ApiParts, ApiService};
use crate::core::auth::Auth;
use crate::edges::flv::Flv;
use crate::edges::hls::{HlsService, HlsSettings};
use crate::edges::webrtc::{WebRtcService, WebRtcSettings};
use crate::limits::LimitSettings;
use crate::net::worker::{Connection, Gate, Workers, bind};
use crate::service::{Gateway, Listening, Service as _};

/// Starts a listener with all routes on this test's own runtime.
async fn listen(context: &Context, stop: &CancellationToken) -> SocketAddr {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.local_addr().unwrap();
    let gateway = Gateway {
        context: context.clone(),
        workers: Workers::start(1).unwrap(),
        gate: Gate::new(9, 0),
        stop: stop.clone(),
        protocols: Vec::new(),
        tls: None,
        listening: Listening::default(),
    };
    let webrtc = WebRtcSettings { addr: "127.0.0.1:0".parse().unwrap(), ..WebRtcSettings::default() };
    let mut routes = Routes::default();
    ApiService::new(ApiParts::default()).start(&gateway, &mut routes).unwrap();
    Flv.start(&gateway, &mut routes).unwrap();
    let settings = HlsSettings { hls_key: "a key of the tests".to_owned(), ..HlsSettings::default() };
    HlsService::new(&settings, Path::new(""), None, &crate::cluster::LateCluster::default())
        .start(&gateway, &mut routes)
        .unwrap();
    WebRtcService::bind(webrtc, Vec::new()).unwrap().unwrap().start(&gateway, &mut routes).unwrap();
    let (router, context, stop) = (router(context.clone(), routes), context.clone(), stop.clone());
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let (router, context, stop) = (router.clone(), context.clone(), stop.clone());
            let permit = Arc::new(Gate::new(1, 0).enter(peer.ip()).unwrap());
            let connection = Connection { stream, peer, permit };
            tokio::spawn(async move { connection::serve(connection, None, router, &context, stop).await });
        }
    });
    addr
}

async fn gateway(config: LimitSettings) -> SocketAddr {
    listen(&Context::new(config, Auth::default()), &CancellationToken::new()).await
}

/// Sends these bytes; returns everything until the server closes.
async fn say(to: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection reset after the response also counts as its end.
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn no_foreign_page_may_frame_a_page_that_publishes() {
    let to = gateway(LimitSettings::default()).await;
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/pages");
    let mut with_publisher = 0;
    for folder in ["", "embed/", "players/"] {
        for file in std::fs::read_dir(format!("{pages}/{folder}")).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            if !name.ends_with(".html") {
                continue;
            }
            let publishes = std::fs::read_to_string(file.path()).unwrap().contains("<srs-publisher");
            let said =
                say(to, &format!("GET /{folder}{name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
                    .await;
            assert_eq!(said.contains("frame-ancestors 'self'"), publishes, "{folder}{name}: {said}");
            with_publisher += usize::from(publishes);
        }
    }
    assert!(with_publisher >= 2);
}

#[tokio::test]
async fn the_console_loads_nothing_from_elsewhere_and_no_page_may_frame_it() {
    let to = gateway(LimitSettings::default()).await;
    let get = async |path: &str| {
        say(to, &format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).await
    };
    let answer = get("/console/").await.to_lowercase();
    let policy = answer.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval';",
        "connect-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline") && answer.contains("referrer-policy: no-referrer"), "{answer}");
    let moved = get("/console").await.to_lowercase();
    assert!(moved.starts_with("http/1.1 308") && moved.contains("location: console/"), "{moved}");
}

#[tokio::test]
async fn every_refusal_is_a_problem_in_words() {
    let to = gateway(LimitSettings { play_wait: 0, ..LimitSettings::default() }).await;
    let long = "a".repeat(20_000);
    let close = "Host: localhost\r\nConnection: close\r\n";
    for (request, status) in [
        (format!("GET /nothing HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("GET /live/x.flv HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("HEAD /live/x.flv HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("GET /a/.b.flv HTTP/1.1\r\n{close}\r\n"), 400),
        (format!("GET /a/.b/viewers HTTP/1.1\r\n{close}\r\n"), 400),
        (format!("POST /live/x/viewers HTTP/1.1\r\n{close}Content-Length: 0\r\n\r\n"), 405),
        (format!("GET /live/%ff.flv HTTP/1.1\r\n{close}\r\n"), 400),
        (format!("DELETE /live/x.flv HTTP/1.1\r\n{close}\r\n"), 405),
        (format!("POST /metrics HTTP/1.1\r\n{close}Content-Length: 0\r\n\r\n"), 405),
        (
            format!(
                "POST /live/x.flv HTTP/1.1\r\n{close}X-Forwarded-For: 1.2.3.4\r\nContent-Length: 0\r\n\r\n"
            ),
            403,
        ),
        (format!("GET /{long} HTTP/1.1\r\n{close}\r\n"), 414),
        (format!("GET / HTTP/1.1\r\n{close}X: {long}\r\nY: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{close}Host: localhost\r\n\r\n"), 400),
        (format!("GET /live/x.flv HTTP/1.1\r\n{close}Upgrade: websocket\r\n\r\n"), 400),
    ] {
        let answer = say(to, &request).await;
        let line = &request[..request.len().min(60)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{line}: {answer}");
        assert!(line.starts_with("HEAD") || answer.contains("\"detail\":\""), "{line}: {answer}");
    }
}

#[test]
fn the_refusal_over_the_limit_is_whole() {
    let text = std::str::from_utf8(connection::BUSY).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 503);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let to = gateway(LimitSettings { header_timeout: 1, ..LimitSettings::default() }).await;
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: local").await.unwrap();
    let over = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut Vec::new())).await;
    assert!(over.is_ok(), "the connection stays");
}

#[tokio::test]
async fn other_hosts_may_ask_for_streams_and_idle_connections_end_on_stop() {
    let stop = CancellationToken::new();
    let to = listen(&Context::new(LimitSettings::default(), Auth::default()), &stop).await;
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(b"OPTIONS /live/x.flv HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
    stop.cancel();
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("access-control-allow-origin: *\r\n"), "{rest}");
}
