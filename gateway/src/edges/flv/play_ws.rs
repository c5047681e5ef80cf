//! Plays FLV over WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf, BytesMut};
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::close::{NOT_FOUND, POLICY, websocket_code};
use super::viewer::{Options, Viewer};
use super::ws;
use crate::context::Context;
use crate::core::admission::{PlayGrant, Refusal};
use crate::core::client::{Act, ClientInfo};
use crate::core::close::CloseReason;
use crate::core::hub::{PlayError, Stream};
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;

/// Handles `ws://…/live/x.flv`. Browser scripts can read a close code and its text, but no HTTP status.
/// Therefore refusals, and the wait for a stream, come after the handshake.
pub(super) fn by_websocket(
    context: Context,
    info: &ClientInfo,
    request: Request<Body>,
    admitted: Result<PlayGrant, Refusal>,
) -> Result<Response, Problem> {
    if let Err(refusal) = &admitted {
        let (peer, path) = (info.peer, request.uri().path());
        context.admission.refused(Act::Play, info.protocol, peer, path, &refusal.to_string());
    }
    let options = Options::of(&request);
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let (response, upgrade) = ws::accept(request)?;
    tokio::spawn(async move {
        // hyper has finished with the connection; the permit still counts it until this task ends.
        let _permit = permit;
        let Some((mut socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let mut heard = (ws::Listener::default(), BytesMut::from(&read[..]));
        let (code, text) = match admitted {
            Err(refusal) => (POLICY, refusal.to_string()),
            Ok(grant) => match play(&context, &grant, &mut socket, &mut heard, options).await {
                Some(goodbye) => goodbye,
                None => return,
            },
        };
        // An error is irrelevant: the client has received the text or is gone.
        let _ = socket.send(&mut ws::close(code, &text)).await;
        let _ = timeout(Duration::from_secs(2), goodbye(&mut socket)).await;
    });
    Ok(response)
}

/// The parser of a viewer's messages, and its unread bytes.
type ViewerInput = (ws::Listener, BytesMut);

/// Plays until the connection has to be closed with a code and a text. Returns `None` if the client is gone.
async fn play(
    context: &Context,
    grant: &PlayGrant,
    socket: &mut Socket,
    heard: &mut ViewerInput,
    options: Options,
) -> Option<(u16, String)> {
    match wait(context, grant, socket, heard).await {
        Err(reason) => {
            grant.abandoned(&reason);
            let gone = reason == CloseReason::Left;
            (!gone).then(|| (websocket_code(Act::Play, &reason), reason.to_string()))
        }
        Ok(Err(error)) => {
            let (client, stream, text) = (grant.client(), grant.name().as_str(), error.to_string());
            context.admission.refused(Act::Play, client.protocol, client.peer, stream, &text);
            Some((NOT_FOUND, text))
        }
        Ok(Ok(stream)) => {
            let mut viewer = Viewer::new(context, grant, &stream, options);
            let reason = send(socket, heard, &mut viewer).await?;
            viewer.handle.close(reason.clone());
            // A viewer that closes the connection itself needs no text.
            let text = if reason == CloseReason::Left { String::new() } else { reason.to_string() };
            Some((websocket_code(Act::Play, &reason), text))
        }
    }
}

/// Waits for the stream. Stops if the viewer leaves or is closed from outside.
async fn wait(
    context: &Context,
    grant: &PlayGrant,
    socket: &mut Socket,
    heard: &mut ViewerInput,
) -> Result<Result<Arc<Stream>, PlayError>, CloseReason> {
    let mut play = std::pin::pin!(context.hub.play(grant, grant.limits().play_wait));
    loop {
        tokio::select! {
            played = &mut play => return Ok(played),
            reason = grant.revocation().revoked() => return Err(reason),
            said = listen(socket, heard) => match said {
                Some(ws::ViewerMessage::Ping(payload)) => {
                    socket.send(&mut ws::pong(payload)).await.map_err(|_| CloseReason::Left)?;
                }
                None | Some(ws::ViewerMessage::Close | ws::ViewerMessage::Malformed) => return Err(CloseReason::Left),
            },
        }
    }
}

/// Sends until there is a close reason. Returns `None` if the client is gone.
async fn send(socket: &mut Socket, heard: &mut ViewerInput, viewer: &mut Viewer) -> Option<CloseReason> {
    let mut pieces = vec![viewer.header.clone()];
    loop {
        tokio::select! {
            more = viewer.next(&mut pieces) => {
                if let Err(reason) = more {
                    return Some(reason);
                }
                let mut message = ws::binary(pieces.drain(..));
                let size = message.remaining();
                if let Err(error) = socket.send(&mut message).await {
                    viewer.lost(&error);
                    return None;
                }
                viewer.handle.sent(size);
            }
            said = listen(socket, heard) => match said {
                None => return None,
                Some(ws::ViewerMessage::Close) => return Some(CloseReason::Left),
                Some(ws::ViewerMessage::Malformed) => {
                    return Some(CloseReason::Protocol("the data is not WebSocket (RFC 6455)".to_owned()));
                }
                Some(ws::ViewerMessage::Ping(payload)) => socket.send(&mut ws::pong(payload)).await.ok()?,
            },
        }
    }
}

/// Reads the viewer's next message; `None` if the client is gone. Safe to cancel and call again.
async fn listen(socket: &mut Socket, (listener, input): &mut ViewerInput) -> Option<ws::ViewerMessage> {
    loop {
        if let Some(said) = listener.next(input) {
            return Some(said);
        }
        input.reserve(256);
        match socket.read_buf(input).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn goodbye(socket: &mut Socket) {
    // If unread input remains, closing the socket resets the connection and the close text is lost.
    let mut rest = [0; 256];
    let _ = socket.shutdown().await;
    while matches!(socket.read(&mut rest).await, Ok(1..)) {}
}
