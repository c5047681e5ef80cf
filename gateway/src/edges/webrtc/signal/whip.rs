//! WHIP (RFC 9725) and WHEP: an offer is posted, and starts a session.

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use super::super::offer::{OfferGrant, OfferRequest, address};
use super::super::{WebRtc, WebRtcSettings};
use super::{is_type, word};
use crate::core::auth::{AuthRequest, visitor};
use crate::core::client::{Act, ClientInfo};
use crate::core::hub::StreamName;
use crate::web::endpoint::OFFER;
use crate::web::problem::Problem;
use crate::web::request::{query, shown, stream_name};

pub(super) const SDP: &str = "application/sdp";

/// Answers a request to an endpoint.
pub(super) async fn serve(
    webrtc: &WebRtc,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let told = parts.uri.query().unwrap_or_default();
    let path = parts.uri.path().trim_end_matches('/');
    let plays =
        path.ends_with("whep") || path.ends_with("/whip-play") || query(told, "action").any(|a| a == "play");
    let act = if plays { Act::Play } else { Act::Publish };
    match OFFER.answer(&parts.method) {
        None => {}
        Some(response) if parts.method == Method::OPTIONS => {
            return Ok(options(webrtc, peer, &parts, act, response).await);
        }
        Some(response) => return Ok(response),
    }
    let answer = post(webrtc, peer, &parts, body, act).await;
    if let Err(problem) = &answer {
        let (admission, stream) = (&webrtc.0.context.admission, parts.uri.path());
        admission.refused(act, word(act), peer, stream, &problem.detail);
    }
    answer
}

/// Adds the ICE servers to `response`, for clients that need them before they offer (RFC 9725 4.6). Servers with a
/// password are sent only to clients that may publish or play; a browser's preflight contains neither secret nor token.
async fn options(
    webrtc: &WebRtc,
    peer: SocketAddr,
    parts: &Parts,
    act: Act,
    mut response: Response,
) -> Response {
    let context = &webrtc.0.context;
    response.headers_mut().insert("accept-post", HeaderValue::from_static(SDP));
    let (open, closed): (Vec<_>, Vec<_>) =
        webrtc.0.settings.ice_server.iter().partition(|url| !url.contains('@'));
    let mut servers = open;
    let preflight = parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !closed.is_empty() && !preflight {
        let name = name(parts.uri.path(), parts.uri.query().unwrap_or_default());
        if let Ok(name) = name {
            let about = AuthRequest::http(Some(&name), &parts.uri, &parts.headers, peer).by(parts.version);
            let client = client(parts, peer, act, &name);
            if context.admission.probe(act, &name, &about, &client).await.is_ok() {
                servers.extend(closed);
            }
        }
    }
    for value in servers.iter().filter_map(|server| HeaderValue::try_from(link(server)).ok()) {
        response.headers_mut().append(header::LINK, value);
    }
    response
}

async fn post(
    webrtc: &WebRtc,
    peer: SocketAddr,
    parts: &Parts,
    body: Body,
    act: Act,
) -> Result<Response, Problem> {
    let context = &webrtc.0.context;
    let told = parts.uri.query().unwrap_or_default();
    let name = name(parts.uri.path(), told)?;
    let about = AuthRequest::http(Some(&name), &parts.uri, &parts.headers, peer).by(parts.version);
    let granted = OfferGrant::admit(context, act, &name, &about, client(parts, peer, act, &name)).await?;
    if !is_type(&parts.headers, SDP) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type of an offer must be application/sdp",
        ));
    }
    let offer = OfferRequest {
        visitor: visitor(&parts.headers, peer),
        sdp: OFFER.text(body, context.limits.get().header_timeout).await?,
        host: Some(shown(&parts.headers, header::HOST)),
        external: query(told, "eip").chain(query(told, "candidate")).collect(),
    };
    let answer = webrtc.offer(granted, offer).await?;
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    put(header::CONTENT_TYPE, SDP);
    put(header::CACHE_CONTROL, "no-store");
    put(header::LOCATION, &format!("/rtc/v1/session/{}", answer.id));
    put(header::ETAG, &answer.etag);
    ice_servers(&webrtc.0.settings).iter().for_each(|link| put(header::LINK, link));
    Ok((StatusCode::CREATED, headers, answer.sdp).into_response())
}

/// Returns the description of a request's client for the API and the log.
fn client(parts: &Parts, peer: SocketAddr, act: Act, name: &StreamName) -> ClientInfo {
    ClientInfo {
        protocol: word(act),
        peer,
        url: address(&shown(&parts.headers, header::HOST), name),
        agent: shown(&parts.headers, header::USER_AGENT),
    }
}

/// The stream that a path or query names: `/live/x/whip`, or `?app=live&stream=x`.
fn name(path: &str, told: &str) -> Result<StreamName, Problem> {
    if path.starts_with("/rtc/v1/") {
        let part = |key| query(told, key).next().unwrap_or_default();
        let (app, stream) = (part("app"), part("stream"));
        let app = if app.is_empty() { "live".to_owned() } else { app };
        return Ok(StreamName::new(&app, &stream)?);
    }
    // Only one suffix: a stream may be called `whip`.
    let path = path.strip_suffix("/whip").or_else(|| path.strip_suffix("/whep")).unwrap_or(path);
    stream_name(path)
}

/// The `Link` headers for the ICE servers that the operator has configured (RFC 9725 4.6).
pub(super) fn ice_servers(settings: &WebRtcSettings) -> Vec<String> {
    settings.ice_server.iter().map(|server| link(server)).collect()
}

/// The `Link` header for an ICE server: `turn:USER:PASSWORD@host:port`, or an address without credentials.
fn link(server: &str) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let (scheme, rest) = server.split_once(':').unwrap_or(("stun", server));
    let Some((credentials, host)) = rest.rsplit_once('@') else {
        return format!("<{scheme}:{rest}>; rel=\"ice-server\"");
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    format!(
        "<{scheme}:{host}>; rel=\"ice-server\"; username=\"{}\"; credential=\"{}\"; credential-type=\"password\"",
        quoted(user),
        quoted(password)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_by_path_or_query() {
        for (path, told) in
            [("/live/x/whip", ""), ("/rtc/v1/whip/", "app=live&stream=x"), ("/rtc/v1/whep", "stream=x")]
        {
            assert_eq!(name(path, told).unwrap().as_str(), "live/x", "{path}?{told}");
        }
        assert_eq!(name("/live/whip/whip", "").unwrap().as_str(), "live/whip");
        for (path, told) in
            [("/x/whip", ""), ("/rtc/v1/whip/", "app=live"), ("/live/%ff/whep", ""), ("/live/a%20b/whip", "")]
        {
            assert_eq!(name(path, told).unwrap_err().status, StatusCode::BAD_REQUEST, "{path}?{told}");
        }
    }

    #[test]
    fn ice_servers_become_links() {
        assert_eq!(link("stun:stun.example.org:3478"), "<stun:stun.example.org:3478>; rel=\"ice-server\"");
        let turn = link("turn:me:a\"b@turn.example.org?transport=tcp");
        assert!(turn.starts_with("<turn:turn.example.org?transport=tcp>; rel=\"ice-server\"; username=\"me\"; credential=\"a\\\"b\""), "{turn}");
    }
}
