//! Playing FLV over HTTP straight from a socket.
//!
//! The many viewers of a stream that is on air are served without an HTTP library between the shared
//! bytes and the socket: it would frame each write anew for each viewer, a quarter of what one costs.
//! Whatever is not that plain case (a wait, a refusal, another method) goes the way of every request.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::viewer::{Viewer, start};
use super::{client, name, query};
use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::net::worker::Socket;
use crate::web::problem::Problem;
use crate::web::websocket::Pieces;

/// The end of the body is the end of the connection (RFC 9112 6.3, rule 8).
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: video/x-flv\r\n\
    cache-control: no-store\r\n\
    x-accel-buffering: no\r\n\
    access-control-allow-origin: *\r\n\
    connection: close\r\n\
    \r\n";

/// TLS has something to say at the end, which a viewer that takes nothing does not hold up for long.
const GOODBYE: Duration = Duration::from_secs(2);

/// A viewer whose stream is on air and who may see it.
pub struct Direct(Viewer);

impl Direct {
    /// For a `GET /live/x.flv` that can be answered at once.
    ///
    /// # Errors
    /// The request is answered by HTTP: with this problem where its viewer was refused, as any other where there is
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
        // Once: it may use up a token.
        let info = client("http-flv", peer, &request);
        let grant = context.admission.play(&name, &about, info).await.map_err(Problem::from)?;
        let stream = context.hub.play(&grant, grant.limits().play_wait).await.map_err(Problem::from)?;
        Ok(Self(Viewer::new(context, &grant, &stream, start(&request))))
    }

    /// Sends until the stream or the viewer's interest ends.
    pub async fn run(self, mut socket: Socket) {
        let Self(mut viewer) = self;
        let mut pieces = vec![Bytes::from_static(HEAD), viewer.header.clone()];
        // Nothing more is expected of the viewer; that it leaves shows here.
        let mut said = [0; 256];
        loop {
            tokio::select! {
                biased;
                more = viewer.next(&mut pieces) => {
                    if more.is_err() {
                        // Whether the viewer hears of the end or is gone, it is over.
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
