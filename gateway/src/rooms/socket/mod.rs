//! Serves one client of a room over a WebSocket.
//!
//! `enter` lets the client into the room, and `member` exchanges messages with it. `line` is the client's WebSocket, to
//! which the room's tasks send the messages for all clients directly; `carrier` is the byte stream below it.
//! `heartbeat` finds clients that are gone, and `end` has the close codes.

mod carrier;
mod end;
mod enter;
mod heartbeat;
mod line;
mod member;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Request as HttpRequest, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role as SocketRole, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use self::carrier::Carrier;
pub(super) use self::end::{End, FLOOD, NORMAL, REFUSED, STOPPING, broken, closed, say_goodbye, too_slow};
pub(super) use self::heartbeat::{Beat, Heartbeat};
use super::registry::{Rooms, is_name};
use crate::limits::LiveLimits;
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;
use crate::web::websocket as ws;

/// Maximum size of a message from a client in bytes.
const MAX_MESSAGE: usize = 16 << 10;
/// Rate limit of one client: messages per second on average, and the maximum burst.
pub(super) const MESSAGES: (u32, u32) = (20, 100);
/// Size of a connection's read buffer in bytes.
const READ_BUFFER: usize = 4 << 10;

/// The parts of the gateway that a connection uses.
#[derive(Debug, Clone)]
pub(super) struct SocketContext {
    pub(super) rooms: Rooms,
    pub(super) limits: LiveLimits,
    pub(super) stop: CancellationToken,
}

/// The WebSocket of a client.
pub(super) type Client<S = Socket> = WebSocketStream<Carrier<S>>;

/// Handles `ws://…/api/v1/rooms/NAME`.
pub(super) fn serve(
    context: SocketContext,
    room: String,
    peer: SocketAddr,
    request: HttpRequest<Body>,
) -> Response {
    if !is_name(&room) {
        let text = format!(
            "{room:?} cannot name a room: a name has 1 to 64 bytes, without spaces, and is not an address of the gateway (api, rtc …)"
        );
        return Problem::new(StatusCode::BAD_REQUEST, text).into_response();
    }
    upgrade(
        request,
        move |client, head| async move { enter::run(&context, &room, peer, &head, client).await },
    )
}

/// Upgrades a request to a WebSocket. `run` serves the WebSocket in a task on this worker.
pub(super) fn upgrade<F: Future<Output = ()> + Send + 'static>(
    request: HttpRequest<Body>,
    run: impl FnOnce(Client, Parts) -> F + Send + 'static,
) -> Response {
    if !ws::asked(request.headers()) {
        let problem =
            Problem::new(StatusCode::UPGRADE_REQUIRED, "this address accepts WebSocket requests only");
        return problem.into_response();
    }
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let mut head = HttpRequest::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    let (head, ()) = head.into_parts();
    let (response, upgrade) = match ws::accept(request) {
        Ok(accepted) => accepted,
        Err(problem) => return problem.into_response(),
    };
    tokio::spawn(async move {
        // hyper no longer manages the connection. The permit counts it until this task ends.
        let _permit = permit;
        let Some((socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        run(client(socket, read.into()).await, head).await;
    });
    response
}

/// Returns the WebSocket over a socket from which `read` was read already.
pub(super) async fn client<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    socket: S,
    read: Vec<u8>,
) -> Client<S> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(0)
        .max_write_buffer_size(1 << 20);
    WebSocketStream::from_partially_read(Carrier::new(socket), read, SocketRole::Server, Some(config)).await
}
