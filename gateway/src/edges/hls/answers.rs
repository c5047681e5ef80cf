//! Requested addresses, and responses with playlists.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use super::pass;
use super::render::Rendered;
use crate::net::worker::SharedBody;
use crate::web::problem::Problem;

/// How long shared caches keep a playlist, or that there is none. A playlist changes every second or later, so many
/// viewers of a CDN are one request a second. Without that, they would all wait for each other's requests.
pub(super) const SHORT: HeaderValue = HeaderValue::from_static("public, max-age=1");

/// The requested address.
#[derive(Debug)]
pub(super) struct Asked {
    /// The whole path.
    pub(super) path: String,
    /// The pass in it.
    pub(super) pass: Option<String>,
}

impl Asked {
    /// Takes the pass from the request's path, so that nothing shows or logs it.
    pub(super) fn of(request: &mut Parts) -> Self {
        let path = request.uri.path().to_owned();
        let Some((pass, rest)) = pass::of_path(&path) else { return Self { path, pass: None } };
        let pass = pass.to_owned();
        let query = request.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        if let Ok(uri) = Uri::try_from(format!("{rest}{query}")) {
            request.uri = uri;
        }
        Self { path, pass: Some(pass) }
    }
}

/// Sends a player to the address with its pass: the addresses in the playlist are relative to it.
pub(super) fn redirect(to: &str) -> Result<Response, Problem> {
    let invalid =
        |_| Problem::new(StatusCode::BAD_REQUEST, "the address has characters that are not allowed");
    let to = HeaderValue::try_from(to).map_err(invalid)?;
    let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::FOUND, headers).into_response())
}

pub(super) fn playlist_response(asked: &HeaderMap, playlist: &Rendered, gzip: bool, body: Bytes) -> Response {
    let etag = |suffix: &str| format!("{}{suffix}\"", playlist.etag.trim_end_matches('"'));
    let etag = if gzip { etag("-gz") } else { etag("") };
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let fresh =
        known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, SHORT);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    if fresh {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.apple.mpegurl"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let mut response = (headers, Body::from(body)).into_response();
    response.extensions_mut().insert(SharedBody::default());
    response
}

/// Returns whether `gzip` is among the encodings, and not with weight 0.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.chars().all(|c| "0.".contains(c)));
        (coding.trim().eq_ignore_ascii_case("gzip") || coding.trim() == "*") && !refused
    })
}
