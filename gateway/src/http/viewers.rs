//! `GET /live/x/viewers`: the number of viewers of a stream, for the page that shows it.
//!
//! Any page may ask, without a secret if the stream can be played without one. A stream that nobody publishes
//! has 0 viewers, like a stream that nobody watches, so the number does not reveal whether a stream exists.

use std::net::SocketAddr;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use serde::Serialize;

use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::core::hub::StreamName;
use crate::web::endpoint::FILE;
use crate::web::problem::Problem;

/// The end of the address, after the stream's name.
pub(super) const ENDING: &str = "/viewers";

#[derive(Serialize)]
struct Viewers {
    viewers: usize,
}

/// Handles a request for an address that ends in [`ENDING`].
pub(super) async fn answer(context: &Context, peer: SocketAddr, request: &Parts) -> Response {
    if let Some(response) = FILE.answer(&request.method) {
        return response;
    }
    let path = request.uri.path();
    let about = AuthRequest::http(None, &request.uri, &request.headers, peer).by(request.version);
    if let Err(denied) = context.auth.sees_streams(&about).await {
        return Problem::from(denied).into_response();
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    match StreamName::parse(path.strip_suffix(ENDING).unwrap_or(&path)) {
        Ok(name) => {
            let viewers = context.hub.stream(&name).map_or(0, |stream| stream.viewers());
            // Many pages of one site ask through one cache; a delay of a few seconds is acceptable.
            let kept = HeaderValue::from_static("public, max-age=3");
            ([(header::CACHE_CONTROL, kept)], Json(Viewers { viewers })).into_response()
        }
        Err(error) => Problem::from(error).into_response(),
    }
}
