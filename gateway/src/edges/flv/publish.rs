//! Publishing FLV by WebSocket messages or by the body of a request.

use std::net::SocketAddr;
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

use super::ingest::{Ingest, KICKED};
use super::{client, ws};
use crate::context::Context;
use crate::core::hub::{ClientInfo, ClientKind, StreamName};
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;

/// Bytes of pongs that wait for a publisher which does not read; of those that come then, only the last
/// is kept.
const MAX_PONGS: usize = 64 << 10;

/// Publishing begins, or is refused.
fn start(context: &Context, name: &StreamName, info: ClientInfo) -> Result<(Ingest, Span), Problem> {
    let publisher = context.hub.publish(name)?;
    let span = tracing::info_span!("publish", peer = %info.peer, stream = %name, protocol = info.protocol);
    let handle = context.clients.add(info, publisher.stream());
    span.in_scope(|| tracing::info!("begins"));
    Ok((Ingest::new(publisher, handle), span))
}

/// `POST /live/x.flv`: the body is the stream, as `ffmpeg -f flv http://…` sends it.
pub(super) async fn by_http(
    context: Context,
    name: StreamName,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let info = client("http-flv", ClientKind::Publish, peer, &request);
    let (mut ingest, span) = start(&context, &name, info)?;
    let mut body = request.into_body();
    let ended = async {
        loop {
            let data = tokio::select! {
                data = timeout(context.limits.publish_timeout, body.frame()) => data,
                () = ingest.overdue() => {
                    ingest.flush();
                    continue;
                }
                words = ingest.ended() => return Err((StatusCode::GONE, words.to_owned())),
            };
            match data {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    ingest.push(data).map_err(|words| (StatusCode::BAD_REQUEST, words))?;
                }
                Ok(Some(Err(error))) => return Err((StatusCode::BAD_REQUEST, error.to_string())),
                Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "nothing came for too long".to_owned())),
            }
        }
    };
    let ended = ended.instrument(span.clone()).await;
    let _entered = span.enter();
    let why = ended.as_ref().err().map_or("the publisher left", |(_, words)| words);
    tracing::info!(bad_tags = ingest.bad(), why, "ends");
    match ended {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err((status, words)) => Err(Problem::new(status, words)),
    }
}

/// `ws://…/live/x.flv?action=publish`: binary messages, one after the other, are the stream.
pub(super) fn by_websocket(
    context: Context,
    name: StreamName,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let info = client("ws-flv", ClientKind::Publish, peer, &request);
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let (response, upgrade) = ws::accept(request)?;
    let (mut ingest, span) = start(&context, &name, info)?;
    let run = async move {
        // HTTP is done with the connection, which counts until this ends.
        let _permit = permit;
        let Some((socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(context.limits.message))
            .max_frame_size(Some(context.limits.message))
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_PONGS);
        let mut socket =
            WebSocketStream::from_partially_read(socket, read.into(), Role::Server, Some(config)).await;
        let (code, words) = receive(&mut socket, &mut ingest, &context).await;
        tracing::info!(bad_tags = ingest.bad(), why = words, "ends");
        // The name is free before the publisher hears that it is.
        drop(ingest);
        say_goodbye(&mut socket, code, words).await;
    };
    tokio::spawn(run.instrument(span));
    Ok(response)
}

async fn receive(
    socket: &mut WebSocketStream<Socket>,
    ingest: &mut Ingest,
    context: &Context,
) -> (CloseCode, String) {
    loop {
        let message = tokio::select! {
            message = timeout(context.limits.publish_timeout, socket.next()) => message,
            () = ingest.overdue() => {
                ingest.flush();
                continue;
            }
            words = ingest.ended() => {
                // The one end that is final: after any other a publisher may come back.
                let code = if words == KICKED { CloseCode::Policy } else { CloseCode::Away };
                return (code, words.to_owned());
            }
        };
        let bytes: Bytes = match message {
            Err(_) => return (CloseCode::Away, "nothing came for too long".to_owned()),
            Ok(None | Some(Ok(Message::Close(_)))) => {
                return (CloseCode::Normal, "the publisher left".to_owned());
            }
            Ok(Some(Err(error))) => return (CloseCode::Protocol, error.to_string()),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            Ok(Some(Ok(Message::Text(_)))) => {
                return (CloseCode::Unsupported, "FLV comes in binary messages".to_owned());
            }
            Ok(Some(Ok(_))) => continue,
        };
        if let Err(words) = ingest.push(bytes) {
            return (CloseCode::Invalid, words);
        }
    }
}

/// Says why, and waits a little for the other side to have heard it.
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
    // A peer that does not answer has lost only the words.
    let _ = timeout(std::time::Duration::from_secs(2), heard).await;
}
