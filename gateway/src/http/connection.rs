//! Serves one HTTP/1 connection on its worker.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::answers::Answers;
use super::head;
use crate::context::Context;
use crate::edges::flv;
use crate::net::tls::{self, Tls};
use crate::net::worker::{Connection, Socket, refuse};
use crate::web::problem::Problem;

/// The response to a connection over the limit.
pub(super) const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: application/problem+json\r\n\
    Content-Length: 158\r\n\
    Retry-After: 10\r\n\
    Connection: close\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"too many connections: the gateway has reached --max-connections, try again later\"}\n";

/// Returns the response to a client behind a proxy that has too many connections.
fn busy() -> Response {
    let text = "too many connections from this address: close one or try again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Serves a connection until it ends, inside TLS if `tls` is given. After `stop`, the current request is
/// finished.
pub(super) async fn serve(
    connection: Connection,
    tls: Option<Tls>,
    router: Router,
    context: &Context,
    stop: CancellationToken,
) {
    let Connection { stream, peer, permit } = connection;
    let limits = &context.limits.get();
    let mut socket = match tls {
        None => Socket::new(stream, limits.stall_timeout),
        // Values for the handshake must not be kept afterwards.
        Some(tls) => {
            // A handshake that has not begun uses no memory.
            let Ok(Ok(())) = timeout(limits.header_timeout, stream.readable()).await else { return };
            let Some(pending) = context.pending.enter(peer.ip()) else {
                return refuse(stream, tls::BUSY).await;
            };
            let handshake = Box::pin(async move {
                let socket = tls.accept(stream, peer, limits).await;
                drop(pending);
                socket
            });
            tokio::select! {
                socket = handshake => match socket {
                    Some(socket) => socket,
                    None => return,
                },
                () = stop.cancelled() => return,
            }
        }
    };
    let first = tokio::select! {
        first = timeout(limits.header_timeout, head::first(&mut socket)) => first,
        () = stop.cancelled() => return,
    };
    // No request arrived in time: an idle connection is closed, as between requests.
    let Ok(first) = first else { return };
    let secure = socket.secure();
    // The refusal of a request that was checked already: checking it again would consume another token.
    let refused = Mutex::new(None);
    if let Some((mut request, head)) = first {
        let peer = context.proxies.client(peer, request.headers_mut());
        if !permit.move_to(peer.ip()) {
            let _ = socket.send(&mut Bytes::from_static(BUSY)).await;
            return;
        }
        if let Some(secure) = secure {
            request.extensions_mut().insert(secure);
        }
        match flv::Direct::new(context, peer, request).await {
            Ok(viewer) => return viewer.run(socket).await,
            Err(problem) => {
                *refused.lock().unwrap_or_else(PoisonError::into_inner) = problem;
                socket.unread(head);
            }
        }
    }
    socket.read_between_writes();
    let io = TokioIo::new(socket);
    let answers = Answers::new(limits.stall_timeout);
    let watch = answers.clone();
    let proxies = context.proxies.clone();
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        let peer = proxies.client(peer, request.headers_mut());
        let counted = permit.move_to(peer.ip());
        let beside = request.extensions_mut();
        beside.insert(ConnectInfo::<SocketAddr>(peer));
        // Keep the permit for a WebSocket, which outlives HTTP on this connection.
        beside.insert(permit.clone());
        if let Some(secure) = secure {
            beside.insert(secure);
        }
        if let Some(problem) = refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            beside.insert::<Problem>(problem);
        }
        let watch = watch.clone();
        async move {
            if !counted {
                return Ok(watch.watch(busy()));
            }
            router.call(request).await.map(|answer| watch.watch(answer)).map_err(|e: Infallible| e)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The timeout also applies between requests, so idle connections are closed.
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header * 2)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                why = answers.overdue() => return tracing::debug!(%peer, why, "http response aborted"),
            }
        }
        why = answers.overdue() => {
            metrics::counter!("lianmai_slow_answers_total").increment(1);
            return tracing::debug!(%peer, why, "http response aborted");
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "http connection broken");
    }
}
