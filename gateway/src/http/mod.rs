//! HTTP: one router for all listeners. Start reading at [`router`], which combines the routes of all
//! services; `connection` serves one connection; `head` and `plain` select requests that are served without
//! hyper.

mod acme;
mod answers;
mod connection;
mod files;
mod head;
mod plain;
mod service;
mod settings;
#[cfg(test)]
mod tests;
mod viewers;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Request, StatusCode, header};

pub use service::Http;
pub use settings::HttpSettings;

use crate::context::Context;
use crate::service::{PeerRequest, Routes, StreamRoutes};
use crate::web::endpoint::FILE;
use crate::web::problem::Problem;

/// Returns the router for all HTTP requests: the routes of all services, and the files.
pub fn router(context: Context, routes: Routes) -> Router {
    let (fixed, streams) = routes.finish();
    Router::<Context>::new()
        .merge(fixed.with_state(()))
        .fallback(move |context, peer, request| other(streams.clone(), context, peer, request))
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed at this address")
        })
        .with_state(context.clone())
        .layer(middleware::from_fn_with_state(context, bounds))
}

/// Handles streams, recognised by the extension of their address, and files.
async fn other(
    streams: StreamRoutes,
    State(context): State<Context>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path();
    let service = if files::is_player(path) { None } else { streams.find(path) };
    let mut response = match service {
        Some(serve) => serve(PeerRequest { peer, request }).await,
        None if path.ends_with(viewers::ENDING) && !files::is_player(path) => {
            viewers::answer(&context, peer, &request.into_parts().0).await
        }
        None => return files::answer(request.method(), path, request.headers()),
    };
    // Any page may load streams; protected streams are protected by their secret or token.
    let (name, value) = files::EMBEDDABLE;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    FILE.share(response)
}

/// Refuses heads that are too large with a text. hyper sends no text, and only refuses heads of twice this
/// size.
async fn bounds(State(context): State<Context>, request: Request<Body>, next: Next) -> Response {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Problem::new(StatusCode::BAD_REQUEST, "the request must have exactly one Host header")
            .into_response();
    }
    let limit = context.limits.get().header;
    let address = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    if address > limit / 2 {
        return Problem::new(StatusCode::URI_TOO_LONG, "the address is too long").into_response();
    }
    let headers: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if address + headers > limit {
        let words = "the request's headers are too large";
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, words).into_response();
    }
    next.run(request).await
}
