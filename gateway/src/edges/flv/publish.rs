//! Publishes FLV from WebSocket messages or from a request body.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use tracing::{Instrument as _, Span};

use super::close::websocket_code;
use super::ingest::Ingest;
use super::ws;
use crate::context::Context;
use crate::core::admission::{PublishGrant, Publishing};
use crate::core::client::Act;
use crate::core::close::CloseReason;
use crate::limits::ClientLimits;
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;

/// Maximum size in bytes of pongs that wait for a publisher that does not read. Beyond it, only the newest
/// pong is kept.
const MAX_PONGS: usize = 64 << 10;

/// Starts to publish.
fn start(context: &Context, grant: &PublishGrant) -> Result<(Ingest, Span), Problem> {
    let publishing = Publishing::start(&context.hub, &context.clients, grant)?;
    Ok((Ingest::new(publishing), grant.span().clone()))
}

/// Handles `POST /live/x.flv`: the body is the stream, as sent by `ffmpeg -f flv http://…`.
pub(super) async fn by_http(
    context: &Context,
    grant: &PublishGrant,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (mut ingest, span) = start(context, grant)?;
    let reason = receive_body(request.into_body(), &mut ingest, grant.limits()).instrument(span).await;
    ingest.close(reason.clone());
    Ok(match reason {
        CloseReason::Left => StatusCode::NO_CONTENT.into_response(),
        reason => Problem::from(reason).into_response(),
    })
}

async fn receive_body(mut body: Body, ingest: &mut Ingest, limits: &ClientLimits) -> CloseReason {
    loop {
        let data = tokio::select! {
            data = timeout(limits.publish_timeout, body.frame()) => data,
            () = ingest.overdue() => {
                ingest.flush();
                continue;
            }
            reason = ingest.revoked() => return reason,
        };
        match data {
            Ok(None) => return CloseReason::Left,
            Ok(Some(Ok(frame))) => {
                if let Err(reason) = ingest.push(frame.into_data().unwrap_or_default()) {
                    return reason;
                }
            }
            Ok(Some(Err(error))) => return CloseReason::Protocol(error.to_string()),
            Err(_) => return CloseReason::Idle,
        }
    }
}

/// Handles `ws://…/live/x.flv?action=publish`: the stream is the sequence of all binary messages.
pub(super) fn by_websocket(
    context: &Context,
    grant: &PublishGrant,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let (response, upgrade) = ws::accept(request)?;
    let (mut ingest, span) = start(context, grant)?;
    let limits = *grant.limits();
    let run = async move {
        // hyper has finished with the connection; the permit still counts it until this task ends.
        let _permit = permit;
        let Some((socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits.message))
            .max_frame_size(Some(limits.message))
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_PONGS);
        let mut socket =
            WebSocketStream::from_partially_read(socket, read.into(), Role::Server, Some(config)).await;
        let reason = receive(&mut socket, &mut ingest, &limits).await;
        ingest.close(reason.clone());
        // The stream name must be free before the publisher receives the close message and reconnects.
        drop(ingest);
        let code = CloseCode::from(websocket_code(Act::Publish, &reason));
        say_goodbye(&mut socket, code, reason.to_string()).await;
    };
    tokio::spawn(run.instrument(span));
    Ok(response)
}

async fn receive(
    socket: &mut WebSocketStream<Socket>,
    ingest: &mut Ingest,
    limits: &ClientLimits,
) -> CloseReason {
    loop {
        let message = tokio::select! {
            message = timeout(limits.publish_timeout, socket.next()) => message,
            () = ingest.overdue() => {
                ingest.flush();
                continue;
            }
            reason = ingest.revoked() => return reason,
        };
        let bytes: Bytes = match message {
            Err(_) => return CloseReason::Idle,
            Ok(None | Some(Ok(Message::Close(_)))) => return CloseReason::Left,
            Ok(Some(Err(error))) => return CloseReason::Protocol(error.to_string()),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            Ok(Some(Ok(Message::Text(_)))) => {
                return CloseReason::Unsupported(
                    "send FLV in binary messages, not in text messages".to_owned(),
                );
            }
            Ok(Some(Ok(_))) => continue,
        };
        if let Err(reason) = ingest.push(bytes) {
            return reason;
        }
    }
}

/// Sends the close code and text, and waits a short time for the peer to receive them.
async fn say_goodbye(socket: &mut WebSocketStream<Socket>, code: CloseCode, mut words: String) {
    while words.len() > 123 {
        words.pop();
    }
    let close = Message::Close(Some(CloseFrame { code, reason: words.into() }));
    let heard = async {
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // A peer that does not answer misses only the text.
    let _ = timeout(std::time::Duration::from_secs(2), heard).await;
}
