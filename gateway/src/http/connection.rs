//! One HTTP/1 connection on its worker.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::head;
use crate::edge::Edge;
use crate::flv;
use crate::worker::{Connection, Socket};

/// What a connection over the limit is told.
pub const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: application/problem+json\r\n\
    Content-Length: 119\r\n\
    Retry-After: 10\r\n\
    Connection: close\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"the server has all the connections it may\"}\n";

/// Serves a connection until it ends; `stop` lets it finish what it is at.
pub async fn serve(connection: Connection, router: Router, edge: &Edge, stop: CancellationToken) {
    let Connection { mut stream, peer, permit } = connection;
    let limits = &edge.limits;
    let first = tokio::select! {
        first = timeout(limits.header_timeout, head::first(&stream)) => first,
        () = stop.cancelled() => return,
    };
    // Nothing came in time: as between requests, an idle connection does not stay.
    let Ok(first) = first else { return };
    if let Some(head::First { request, size }) = first
        && let Some(viewer) = flv::Direct::new(edge, peer, &request)
    {
        if stream.read_exact(&mut vec![0; size]).await.is_ok() {
            viewer.run(Socket::new(stream, limits.stall_timeout)).await;
        }
        return;
    }
    let io = TokioIo::new(Socket::new(stream, limits.stall_timeout));
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
        // For what outlives HTTP on this connection: a WebSocket.
        request.extensions_mut().insert(permit.clone());
        async move { router.call(request).await.map_err(|error: Infallible| error) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It runs between requests too: an idle connection does not stay for ever.
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header * 2)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "an HTTP connection ends early");
    }
}
