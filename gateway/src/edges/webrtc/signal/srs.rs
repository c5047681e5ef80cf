//! SRS's JSON calls: an offer in JSON gets a response in JSON, a refusal too.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::super::WebRtc;
use super::super::offer::{OfferGrant, OfferRequest, OfferResponse, address};
use crate::core::auth::{AuthRequest, visitor};
use crate::core::client::{Act, ClientInfo};
use crate::core::hub::StreamName;
use crate::web::endpoint::OFFER;
use crate::web::problem::Problem;
use crate::web::request::{query, shown, stream_name};

/// The protocol's name in the API and the log.
const PROTOCOL: &str = "webrtc";

#[derive(Debug, Deserialize)]
struct Call {
    streamurl: String,
    sdp: String,
}

#[derive(Debug, Serialize)]
struct Reply<'a> {
    code: u16,
    server: &'a str,
    service: &'a str,
    pid: String,
    sdp: &'a str,
    sessionid: String,
}

/// Answers a call. Errors are in `code` and `message`, with HTTP status 200, because SRS's clients read only those.
pub(super) async fn serve(
    State(webrtc): State<WebRtc>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(response) = OFFER.answer(&parts.method) {
        return OFFER.share(response);
    }
    let plays = parts.uri.path().trim_end_matches('/').ends_with("play");
    let act = if plays { Act::Play } else { Act::Publish };
    let json = match call(&webrtc, peer, &parts, body, act).await {
        Ok(answer) => {
            let pid = std::process::id().to_string();
            let (ours, theirs) = &answer.fragments;
            serde_json::to_string(&Reply {
                code: 0,
                server: &webrtc.0.context.ids.server,
                service: &webrtc.0.context.ids.service,
                pid,
                sdp: &answer.sdp,
                sessionid: format!("{ours}:{theirs}"),
            })
        }
        Err(problem) => {
            let status = problem.status.as_u16();
            let (admission, stream) = (&webrtc.0.context.admission, parts.uri.path());
            admission.refused(act, PROTOCOL, peer, stream, &problem.detail);
            serde_json::to_string(&serde_json::json!({ "code": status, "message": problem.detail }))
        }
    };
    let mut response = (StatusCode::OK, json.unwrap_or_default()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    OFFER.share(response)
}

async fn call(
    webrtc: &WebRtc,
    peer: SocketAddr,
    parts: &Parts,
    body: Body,
    act: Act,
) -> Result<OfferResponse, Problem> {
    let bad = |words: String| Problem::new(StatusCode::BAD_REQUEST, words);
    let call: Call =
        serde_json::from_str(&OFFER.text(body, webrtc.0.context.limits.get().header_timeout).await?)
            .map_err(|error| bad(format!("the call needs `streamurl` and `sdp` in JSON: {error}")))?;
    let (name, told) = stream(&call.streamurl)?;
    let mut about = AuthRequest::http(Some(&name), &parts.uri, &parts.headers, peer).by(parts.version);
    // The secret or token stands in the stream's address.
    about.query = told;
    let host = shown(&parts.headers, header::HOST);
    let agent = shown(&parts.headers, header::USER_AGENT);
    let info = ClientInfo { protocol: PROTOCOL, peer, url: address(&host, &name), agent };
    let granted = OfferGrant::admit(&webrtc.0.context, act, &name, &about, info).await?;
    let own = parts.uri.query().unwrap_or_default();
    let external =
        [own, told].into_iter().flat_map(|q| query(q, "eip").chain(query(q, "candidate"))).collect();
    let visitor = visitor(&parts.headers, peer);
    webrtc.offer(granted, OfferRequest { visitor, sdp: call.sdp, host: Some(host), external }).await
}

/// The name and the query of `webrtc://host/app/stream?query`.
fn stream(url: &str) -> Result<(StreamName, &str), Problem> {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let (path, told) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, path) = path.split_once('/').unwrap_or_default();
    Ok((stream_name(path)?, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_stands_in_its_address() {
        let (name, told) = stream("webrtc://host:1985/live/x?secret=a&b=c").unwrap();
        assert_eq!((name.as_str(), told), ("live/x", "secret=a&b=c"));
        for bad in ["", "webrtc://host", "webrtc://host/x", "webrtc://host/live/<x>"] {
            assert_eq!(stream(bad).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad:?}");
        }
    }
}
