//! Offers and answers over HTTP.

mod session;
mod srs;
mod whip;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use super::WebRtc;
use crate::core::client::Act;
use crate::web::cors::{self, Cors};
use crate::web::problem::Problem;

/// The largest session description that is read, in bytes.
const LARGEST: usize = 64 << 10;

/// The addresses of the RTC API.
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

/// Answers a request for such a path.
pub async fn serve(webrtc: WebRtc, peer: SocketAddr, request: Request<Body>) -> Response {
    endpoint(State(webrtc), ConnectInfo(peer), request).await
}

async fn endpoint(
    State(webrtc): State<WebRtc>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let answer = whip::serve(&webrtc, peer, request).await;
    shared(answer.unwrap_or_else(IntoResponse::into_response))
}

async fn one_session(
    State(webrtc): State<WebRtc>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    let answer = session::serve(&webrtc, &id, request).await;
    shared(answer.unwrap_or_else(IntoResponse::into_response))
}

/// An address of the RTC API that is none. A page of another host is told so, too.
async fn nowhere() -> Response {
    shared(Problem::new(StatusCode::NOT_FOUND, "there is no such address in the RTC API").into_response())
}

/// Pages of every host may ask, and see what they need of the answer.
fn shared(response: Response) -> Response {
    let mut response = cors::open(response);
    let exposed = HeaderValue::from_static("location, link, etag, accept-patch, accept-post");
    response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}

/// The response to a browser that asks before it sends an offer to another host.
fn preflight(methods: &'static str) -> Response {
    let cors = Cors { methods, headers: "authorization, content-type, if-match" };
    ([(header::ALLOW, methods)], cors.preflight()).into_response()
}

/// The body as text of at most [`LARGEST`] bytes, which come within `wait`.
async fn text(body: Body, wait: Duration) -> Result<String, Problem> {
    let slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
    let whole =
        timeout(wait, Limited::new(body, LARGEST).collect()).await.map_err(slow)?.map_err(|error| {
            let large = error.is::<http_body_util::LengthLimitError>();
            let status = if large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            Problem::new(status, format!("the body can't be read: {error}"))
        })?;
    let text = String::from_utf8(whole.to_bytes().into());
    text.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

/// Whether the body is of this type. One that is not told is taken as it is.
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
