//! Answers requests about a running session: to end it, trickled candidates, and ICE restart (RFC 9725 4.2, 4.3).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use tokio::sync::oneshot;

use super::super::offer::etag;
use super::super::sdp::{Fragment, SdpError};
use super::super::session::Command;
use super::super::{SessionHandle, WebRtc};
use super::is_type;
use crate::web::endpoint::SESSION;
use crate::web::problem::Problem;

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Answers a request about the session `id`.
pub(super) async fn serve(webrtc: &WebRtc, id: &str, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if let Some(mut response) = SESSION.answer(&parts.method) {
        response.headers_mut().insert("accept-patch", HeaderValue::from_static(FRAGMENT));
        return Ok(response);
    }
    let known = webrtc.sessions().get(id).cloned().ok_or_else(over)?;
    if parts.method == Method::DELETE {
        // The session is gone at once for later requests. This one waits until its task has ended.
        webrtc.sessions().remove(id);
        known.commands.send(Command::Close).await.map_err(|_| over())?;
        known.commands.closed().await;
        return Ok(StatusCode::OK.into_response());
    }
    if !is_type(&parts.headers, FRAGMENT) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the content type of a change must be {FRAGMENT}"),
        ));
    }
    let read = SESSION.text(body, webrtc.0.context.limits.get().header_timeout).await?;
    let fragment = Fragment::parse(&read).map_err(|why| bad_change(&why))?;
    patch(webrtc, id, &known, &parts.headers, fragment).await
}

async fn patch(
    webrtc: &WebRtc,
    id: &str,
    known: &SessionHandle,
    headers: &HeaderMap,
    fragment: Fragment,
) -> Result<Response, Problem> {
    let tags: Vec<&str> = headers.get_all(header::IF_MATCH).iter().flat_map(tags).collect();
    if tags.is_empty() {
        let words = "name the ICE session in If-Match, or * for a restart";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, words));
    }
    if tags != ["*"] {
        if !tags.contains(&known.etag.as_str()) {
            return Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "If-Match does not name the current ICE session",
            ));
        }
        // The candidates are not needed: the gateway is ICE-lite. It makes no checks, and learns the client's
        // addresses from the client's checks (RFC 8445 2.5).
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let words = "an ICE restart needs the client's new ice-ufrag and ice-pwd";
    let theirs = fragment.credentials.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, words))?;
    let (reply, answer) = oneshot::channel();
    known.commands.send(Command::RestartIce(theirs, reply)).await.map_err(|_| over())?;
    let fragment = answer.await.map_err(|_| over())?;
    let fragment = fragment.map_err(|why| bad_change(&why))?;
    let etag = etag();
    match webrtc.sessions().get_mut(id) {
        Some(known) => known.etag.clone_from(&etag),
        None => return Err(over()),
    }
    let mut response = (StatusCode::OK, fragment).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}

/// The entity tags in `If-Match` (RFC 9110 13.1.1). The gateway's tags contain no comma. A weak tag (`W/"x"`) matches
/// none of them.
fn tags(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or("?").split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

fn bad_change(why: &SdpError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the change cannot be made: {why}"))
}

fn over() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "the session does not exist or has ended")
}
