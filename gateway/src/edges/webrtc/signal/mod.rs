//! Signalling over HTTP: offers and answers by WHIP and WHEP ([`whip`]) and SRS's JSON calls ([`srs`]), and
//! requests about running sessions ([`session`]).

mod session;
mod srs;
mod whip;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, Request, StatusCode, header};

use super::WebRtc;
use crate::core::client::Act;
use crate::web::endpoint::{OFFER, SESSION};
use crate::web::problem::Problem;

/// The routes of the RTC API.
pub fn router<S: Clone + Send + Sync + 'static>(webrtc: WebRtc) -> Router<S> {
    let mut router = Router::new();
    // SRS's first WHEP was called whip-play.
    for path in ["/rtc/v1/whip", "/rtc/v1/whep", "/rtc/v1/whip-play"] {
        router = router.route(path, any(endpoint)).route(&format!("{path}/"), any(endpoint));
    }
    for path in ["/rtc/v1/publish", "/rtc/v1/publish/", "/rtc/v1/play", "/rtc/v1/play/"] {
        router = router.route(path, any(srs::serve));
    }
    router = router.route("/rtc/v1/session/{id}", any(one_session));
    router.route("/rtc/v1/{*rest}", any(nowhere)).with_state(webrtc)
}

/// Whether `path` is `/app/stream/whip` or `/app/stream/whep`.
pub fn is_endpoint(path: &str) -> bool {
    path.ends_with("/whip") || path.ends_with("/whep")
}

/// Answers a request for `/app/stream/whip` or `/app/stream/whep`.
pub async fn serve(webrtc: WebRtc, peer: SocketAddr, request: Request<Body>) -> Response {
    endpoint(State(webrtc), ConnectInfo(peer), request).await
}

async fn endpoint(
    State(webrtc): State<WebRtc>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let answer = whip::serve(&webrtc, peer, request).await;
    OFFER.share(answer.unwrap_or_else(IntoResponse::into_response))
}

async fn one_session(
    State(webrtc): State<WebRtc>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    let answer = session::serve(&webrtc, &id, request).await;
    SESSION.share(answer.unwrap_or_else(IntoResponse::into_response))
}

/// Answers a request for an unknown address of the RTC API. Pages of other hosts may read the answer too.
async fn nowhere() -> Response {
    OFFER
        .share(Problem::new(StatusCode::NOT_FOUND, "there is no such address in the RTC API").into_response())
}

/// Whether the body has this type. A request without `Content-Type` counts as if it had.
fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let told = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    told.is_none_or(|told| told.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted))
}

const fn word(act: Act) -> &'static str {
    match act {
        Act::Publish => "whip",
        Act::Play => "whep",
    }
}
