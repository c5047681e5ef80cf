//! Proofs for ACME authorities: `/.well-known/acme-challenge/TOKEN` (RFC 8555 8.3).

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

use crate::net::tls::Tls;
use crate::web::problem::Problem;

/// Returns the route of the proofs.
pub(super) fn routes(tls: Tls) -> Router {
    Router::new().route("/.well-known/acme-challenge/{token}", get(proof)).with_state(tls)
}

async fn proof(State(tls): State<Tls>, Path(token): Path<String>) -> Response {
    let Some(text) = tls.proof(&token) else {
        return Problem::new(StatusCode::NOT_FOUND, "no ACME authority waits for this proof").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}
