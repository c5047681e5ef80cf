//! Playing FLV over HTTP.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderName, HeaderValue, Request, header};

use super::client;
use super::viewer::{Viewer, start};
use crate::edge::Edge;
use crate::hub::{ClientKind, PlayError, StreamName};
use crate::problem::Problem;

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // A proxy before us must not collect what is live.
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

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
