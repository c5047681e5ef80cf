//! Plays FLV over HTTP.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderName, HeaderValue, Request, header};

use super::viewer::{Options, Viewer};
use crate::context::Context;
use crate::core::admission::PlayGrant;
use crate::core::hub::{PlayError, StreamName};
use crate::web::problem::Problem;

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // Tells a reverse proxy not to buffer the live stream.
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

/// Returns the response to a HEAD request: whether the stream is live now.
pub(super) fn head(context: &Context, name: &StreamName) -> Result<Response, Problem> {
    match context.hub.stream(name) {
        Some(_) => Ok(HEADERS.into_response()),
        None => Err(PlayError::NotFound.into()),
    }
}

/// Handles `GET /live/x.flv`.
pub(super) async fn by_http(
    context: Context,
    grant: PlayGrant,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let stream = context.hub.play(&grant, grant.limits().play_wait).await?;
    let viewer = Viewer::new(&context, &grant, &stream, Options::of(&request));
    Ok((HEADERS, body(viewer)).into_response())
}

/// Returns an endless body. hyper writes each batch of the viewer with one system call.
fn body(viewer: Viewer) -> Body {
    let ready = VecDeque::from([viewer.header.clone()]);
    let pieces = stream::unfold((viewer, ready), |(mut viewer, mut ready)| async move {
        if ready.is_empty() {
            let mut more = Vec::new();
            viewer.next(&mut more).await.ok()?;
            ready = more.into();
        }
        let piece = ready.pop_front()?;
        viewer.handle.sent(piece.len());
        Some((Ok::<_, Infallible>(piece), (viewer, ready)))
    });
    Body::from_stream(pieces)
}
