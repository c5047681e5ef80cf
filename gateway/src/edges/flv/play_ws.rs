//! Playing FLV over WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf, BytesMut};
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::viewer::{Viewer, start};
use super::{client, ws};
use crate::context::Context;
use crate::core::auth::Denied;
use crate::core::hub::{ClientInfo, ClientKind, PlayError, Start, Stream, StreamName};
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;

/// WebSocket's private codes begin at 4000; this one is HTTP's 404.
const NOT_FOUND: u16 = 4404;
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
/// Who may not; this one is final for those that come back after others.
const POLICY: u16 = 1008;

/// `ws://…/live/x.flv`. A script sees a close code and words, but no HTTP status: so a refusal and the
/// wait for a stream come after the handshake.
pub(super) fn by_websocket(
    context: Context,
    name: StreamName,
    peer: SocketAddr,
    request: Request<Body>,
    may: Result<(), Denied>,
) -> Result<Response, Problem> {
    if let Err(denied) = may
        && context.auth.refusals.count("flv", peer.ip())
    {
        tracing::info!(%peer, stream = request.uri().path(), why = %denied, "refused");
    }
    let info = client("ws-flv", ClientKind::Play, peer, &request);
    let start = start(&request);
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let (response, upgrade) = ws::accept(request)?;
    tokio::spawn(async move {
        // HTTP is done with the connection, which counts until this ends.
        let _permit = permit;
        let Some((mut socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let mut said = (ws::Listener::default(), BytesMut::from(&read[..]));
        let (code, words) = match may {
            Err(denied) => (POLICY, denied.to_string()),
            Ok(()) => match play(&context, &name, &mut socket, &mut said, info, start).await {
                Some(reason) => reason,
                None => return,
            },
        };
        // The other side has the words, or is gone.
        let _ = socket.send(&mut ws::close(code, &words)).await;
        let _ = timeout(Duration::from_secs(2), goodbye(&mut socket)).await;
    });
    Ok(response)
}

type Heard = (ws::Listener, BytesMut);

/// Plays until there is a reason to close, or none and nobody to tell it.
async fn play(
    context: &Context,
    name: &StreamName,
    socket: &mut Socket,
    heard: &mut Heard,
    info: ClientInfo,
    start: Start,
) -> Option<(u16, String)> {
    match wait(context, name, socket, heard).await? {
        Err(error) => Some((NOT_FOUND, error.to_string())),
        Ok(stream) => {
            let mut viewer = Viewer::new(context, &stream, info, start);
            send(socket, heard, &mut viewer).await.map(|(code, words)| (code, words.to_owned()))
        }
    }
}

/// Waits for the stream; none when the viewer left meanwhile.
async fn wait(
    context: &Context,
    name: &StreamName,
    socket: &mut Socket,
    heard: &mut Heard,
) -> Option<Result<Arc<Stream>, PlayError>> {
    let mut play = std::pin::pin!(context.hub.play(name, context.limits.play_wait));
    loop {
        tokio::select! {
            played = &mut play => return Some(played),
            said = listen(socket, heard) => match said? {
                ws::Said::Ping(payload) => socket.send(&mut ws::pong(payload)).await.ok()?,
                ws::Said::Close | ws::Said::Nonsense => return None,
            },
        }
    }
}

/// Sends until there is a reason to close, or none and nobody to tell it.
async fn send(socket: &mut Socket, heard: &mut Heard, viewer: &mut Viewer) -> Option<(u16, &'static str)> {
    let mut pieces = vec![viewer.header.clone()];
    loop {
        tokio::select! {
            more = viewer.next(&mut pieces) => {
                if !more {
                    return Some((NORMAL, viewer.why));
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
                Some(ws::Said::Close) => return Some((NORMAL, "")),
                Some(ws::Said::Nonsense) => return Some((PROTOCOL_ERROR, "this is not WebSocket")),
                Some(ws::Said::Ping(payload)) => socket.send(&mut ws::pong(payload)).await.ok()?,
            },
        }
    }
}

/// What the viewer says next; none when it is gone. May be dropped and called again.
async fn listen(socket: &mut Socket, (listener, input): &mut Heard) -> Option<ws::Said> {
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
    // Closing with unread input would reset the connection and lose the words.
    let mut rest = [0; 256];
    let _ = socket.shutdown().await;
    while matches!(socket.read(&mut rest).await, Ok(1..)) {}
}
