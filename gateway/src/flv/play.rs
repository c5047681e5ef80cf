//! Playing FLV over HTTP and WebSocket.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderName, HeaderValue, Request, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tracing::Span;

use super::wire::{Tags, header};
use super::{client, query, ws};
use crate::batch::{Reader, Wire};
use crate::edge::Edge;
use crate::hub::{ClientHandle, ClientInfo, ClientKind, PlayError, Start, Stream, StreamName};
use crate::problem::Problem;
use crate::worker::Socket;

/// WebSocket's private codes begin at 4000; this one is HTTP's 404.
const NOT_FOUND: u16 = 4404;
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // A proxy before us must not collect what is live.
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

/// `?gop=0`: rather wait for the next key frame than begin in the past.
fn start(request: &Request<Body>) -> Start {
    let gop = query(request.uri().query().unwrap_or_default(), "gop");
    if gop.as_deref() == Some("0") { Start::Live } else { Start::Key }
}

/// Whether there is something to play; does not wait.
pub(super) fn head(edge: &Edge, name: &StreamName) -> Result<Response, Problem> {
    match edge.hub.stream(name) {
        Some(_) => Ok(HEADERS.into_response()),
        None => Err(PlayError::NotFound.into()),
    }
}

/// `GET /live/x.flv`.
pub(super) async fn by_http(
    edge: Edge,
    name: StreamName,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let stream = edge.hub.play(&name, edge.limits.play_wait).await?;
    let info = client("http-flv", ClientKind::Play, peer, &request);
    let viewer = Viewer::new(&edge, &stream, info, start(&request));
    Ok((HEADERS, body(viewer)).into_response())
}

/// `ws://…/live/x.flv`. A script sees a close code and words, but no HTTP status: so the wait for a
/// stream comes after the handshake.
pub(super) fn by_websocket(
    edge: Edge,
    name: StreamName,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let info = client("ws-flv", ClientKind::Play, peer, &request);
    let start = start(&request);
    let (response, upgrade) = ws::accept(request)?;
    tokio::spawn(async move {
        let Some((mut socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let mut said = (ws::Listener::default(), BytesMut::from(&read[..]));
        let Some(played) = wait(&edge, &name, &mut socket, &mut said).await else { return };
        let (code, words) = match played {
            Err(error) => (NOT_FOUND, error.to_string()),
            Ok(stream) => {
                let mut viewer = Viewer::new(&edge, &stream, info, start);
                match send(&mut socket, &mut said, &mut viewer).await {
                    Some((code, words)) => (code, words.to_owned()),
                    None => return,
                }
            }
        };
        // The other side has the words, or is gone.
        let _ = socket.write_all_buf(&mut ws::close(code, &words)).await;
        let _ = timeout(Duration::from_secs(2), goodbye(&mut socket)).await;
    });
    Ok(response)
}

type Heard = (ws::Listener, BytesMut);

/// Waits for the stream; none when the viewer left meanwhile.
async fn wait(
    edge: &Edge,
    name: &StreamName,
    socket: &mut Socket,
    heard: &mut Heard,
) -> Option<Result<Arc<Stream>, PlayError>> {
    let mut play = std::pin::pin!(edge.hub.play(name, edge.limits.play_wait));
    loop {
        tokio::select! {
            played = &mut play => return Some(played),
            said = listen(socket, heard) => match said? {
                ws::Said::Ping(payload) => socket.write_all_buf(&mut ws::pong(payload)).await.ok()?,
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
                if let Err(error) = socket.write_all_buf(&mut message).await {
                    viewer.lost(&error);
                    return None;
                }
                viewer.handle.sent(size);
            }
            said = listen(socket, heard) => match said {
                None => return None,
                Some(ws::Said::Close) => return Some((NORMAL, "")),
                Some(ws::Said::Nonsense) => return Some((PROTOCOL_ERROR, "this is not WebSocket")),
                Some(ws::Said::Ping(payload)) => socket.write_all_buf(&mut ws::pong(payload)).await.ok()?,
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

/// One who watches.
struct Viewer {
    reader: Reader<Tags>,
    header: Bytes,
    handle: Arc<ClientHandle>,
    kicked: Pin<Box<dyn Future<Output = ()> + Send>>,
    span: Span,
    /// Batches missed that were counted.
    skipped: u64,
    why: &'static str,
}

impl Viewer {
    fn new(edge: &Edge, stream: &Arc<Stream>, info: ClientInfo, start: Start) -> Self {
        let span =
            tracing::info_span!("play", peer = %info.peer, stream = %stream.name(), protocol = info.protocol);
        span.in_scope(|| tracing::debug!("begins"));
        let handle = Arc::new(edge.clients.add(info, stream));
        let kicked = {
            let handle = handle.clone();
            Box::pin(async move { handle.kicked().await })
        };
        let reader = Wire::<Tags>::of(stream).reader(start);
        Self { reader, header: header(stream), handle, kicked, span, skipped: 0, why: "the viewer left" }
    }

    /// Waits for the bytes to be written next; false when it is over. May be dropped and called again.
    async fn next(&mut self, out: &mut Vec<Bytes>) -> bool {
        let more = tokio::select! {
            more = self.reader.next(out) => more,
            () = &mut self.kicked => {
                self.why = "ended by an operator";
                return false;
            }
        };
        if !more {
            self.why = "the stream is over";
        }
        self.handle.reached(self.reader.time());
        let skipped = self.reader.skipped();
        if skipped > self.skipped {
            self.handle.skipped(skipped - self.skipped);
            self.skipped = skipped;
        }
        more
    }

    fn lost(&mut self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::TimedOut {
            self.why = "it took no bytes for too long";
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let sent = self.handle.client().sent.total();
        let _entered = self.span.enter();
        tracing::info!(sent, skipped = self.skipped, why = self.why, "ends");
    }
}

/// An endless body: whatever the reader has, which hyper puts into one write each time.
fn body(viewer: Viewer) -> Body {
    let ready = VecDeque::from([viewer.header.clone()]);
    let pieces = stream::unfold((viewer, ready), |(mut viewer, mut ready)| async move {
        if ready.is_empty() {
            let mut more = Vec::new();
            if !viewer.next(&mut more).await {
                return None;
            }
            ready = more.into();
        }
        let piece = ready.pop_front()?;
        viewer.handle.sent(piece.len());
        Some((Ok::<_, Infallible>(piece), (viewer, ready)))
    });
    Body::from_stream(pieces)
}
