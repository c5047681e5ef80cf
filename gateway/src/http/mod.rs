//! HTTP: one router for every listener, and how a connection is served.

mod answers;
mod connection;
mod files;
mod head;
mod plain;
#[cfg(test)]
mod tests;
mod viewers;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, Request, StatusCode, header};

pub use connection::{BUSY, serve};

use crate::api::{self, Api};
use crate::context::Context;
use crate::edges::flv;
use crate::edges::hls::Hls;
use crate::edges::webrtc::{self, WebRtc};
use crate::net::worker::Gate;
use crate::web::problem::Problem;

/// Everything that HTTP answers. Inside a runtime: HLS cuts streams from now on.
pub fn router(context: Context, gate: Gate, webrtc: WebRtc) -> Router {
    let hls = Hls::new(context.clone());
    Router::<Context>::new()
        .merge(api::router(Api::new(context.clone(), gate)))
        .merge(webrtc::router(webrtc.clone()))
        .fallback(move |context, peer, request| other(hls.clone(), webrtc.clone(), context, peer, request))
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method")
        })
        .with_state(context.clone())
        .layer(middleware::from_fn_with_state(context, bounds))
}

/// Streams, known by what follows the last dot of their address, and files.
async fn other(
    hls: Hls,
    webrtc: WebRtc,
    State(context): State<Context>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path();
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    let mut response = match extension {
        _ if files::is_player(path) => return files::answer(request.method(), path, request.headers()),
        _ if path.ends_with(viewers::ENDING) => viewers::answer(&context, peer, &request),
        _ if webrtc::is_endpoint(path) => return webrtc::serve(webrtc, peer, request).await,
        Some("flv") if *request.method() == Method::OPTIONS => preflight(),
        Some("flv") => flv::serve(context, peer, request).await,
        Some("m3u8" | "ts") => hls.serve(peer, request).await,
        _ => return files::answer(request.method(), path, request.headers()),
    };
    // Streams are for every page; what needs a secret checks it.
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let (name, value) = files::EMBEDDABLE;
    headers.insert(name, HeaderValue::from_static(value));
    response
}

/// What a browser asks before it sends a header of its own to another host.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, range"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Refuses heads that are too large, in words; hyper, which has none, stops twice as large ones.
async fn bounds(State(context): State<Context>, request: Request<Body>, next: Next) -> Response {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Problem::new(StatusCode::BAD_REQUEST, "a request has one Host").into_response();
    }
    let address = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    if address > context.limits.header / 2 {
        return Problem::new(StatusCode::URI_TOO_LONG, "the address is too long").into_response();
    }
    let headers: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if address + headers > context.limits.header {
        let words = "the request's headers are too large";
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, words).into_response();
    }
    next.run(request).await
}
