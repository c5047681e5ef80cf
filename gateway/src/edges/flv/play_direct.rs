//! Plays FLV over HTTP directly from a socket.
//!
//! Most viewers of a live stream are served without an HTTP library between the shared bytes and the socket.
//! hyper would frame each write for each viewer, which costs a quarter of the CPU time per write. All other
//! requests (wait for a stream, refusal, other methods) are handled by hyper.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::viewer::{Options, Viewer};
use super::{client, name, query};
use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::net::worker::Socket;
use crate::web::problem::Problem;
use crate::web::websocket::Pieces;

/// Response head. The end of the connection ends the body (RFC 9112 6.3, rule 8).
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: video/x-flv\r\n\
    cache-control: no-store\r\n\
    x-accel-buffering: no\r\n\
    access-control-allow-origin: *\r\n\
    connection: close\r\n\
    \r\n";

/// Timeout of the TLS close message: a stalled viewer must not delay the end for long.
const GOODBYE: Duration = Duration::from_secs(2);

/// An admitted viewer of a live stream.
pub struct Direct(Viewer);

impl Direct {
    /// Accepts a `GET /live/x.flv` that can be answered at once.
    ///
    /// # Errors
    /// The request must be answered by hyper instead: with this problem if the viewer was refused, or as
    /// usual if there is no problem.
    /// none.
    pub async fn new(
        context: &Context,
        peer: SocketAddr,
        request: Request<Body>,
    ) -> Result<Self, Option<Problem>> {
        let name = name(request.uri().path()).map_err(|_| None)?;
        let about = AuthRequest::http(Some(&name), request.uri(), request.headers(), peer);
        if query(about.query, "action").next().is_some() || !context.hub.is_on_air(&name) {
            return Err(None);
        }
        // Ask for admission only once: it may consume a token.
        let info = client("http-flv", peer, &request);
        let grant = context.admission.play(&name, &about, info).await.map_err(Problem::from)?;
        let stream = context.hub.play(&grant, grant.limits().play_wait).await.map_err(Problem::from)?;
        Ok(Self(Viewer::new(context, &grant, &stream, Options::of(&request))))
    }

    /// Sends until the stream ends or the viewer leaves.
    pub async fn run(self, mut socket: Socket) {
        let Self(mut viewer) = self;
        let mut pieces = vec![Bytes::from_static(HEAD), viewer.header.clone()];
        // The viewer sends nothing more. A read ends when the viewer disconnects.
        let mut said = [0; 256];
        loop {
            tokio::select! {
                biased;
                more = viewer.next(&mut pieces) => {
                    if more.is_err() {
                        // An error is irrelevant: the connection is over in any case.
                        let _ = timeout(GOODBYE, socket.shutdown()).await;
                        return;
                    }
                }
                read = socket.read(&mut said) => match read {
                    Ok(1..) => continue,
                    _ => return,
                },
            }
            let mut message = Pieces::of(pieces.drain(..));
            let size = message.remaining();
            if let Err(error) = socket.send(&mut message).await {
                viewer.lost(&error);
                return;
            }
            viewer.handle.sent(size);
        }
    }
}
