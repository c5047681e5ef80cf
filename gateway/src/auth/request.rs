//! What a request tells about the one who makes it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Uri, header};
use subtle::ConstantTimeEq as _;

use crate::hub::StreamName;

/// What is known of a request.
#[derive(Debug, Clone)]
pub struct AuthRequest<'a> {
    /// The stream it is about; `None` for operating the gateway.
    pub stream: Option<&'a StreamName>,
    /// The query of the address or stream key, without its `?`.
    pub query: &'a str,
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The host it asked for: the `Host` header, or the authority of RTMP's `tcUrl`; a port may follow.
    pub host: Option<&'a str>,
    /// The `Origin` that a browser told.
    pub origin: Option<&'a str>,
    /// Whether a proxy passed it on.
    pub forwarded: bool,
}

impl<'a> AuthRequest<'a> {
    /// What an HTTP request tells.
    pub fn http(
        stream: Option<&'a StreamName>,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        peer: SocketAddr,
    ) -> Self {
        let text = |name| headers.get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
        // A header that is there but unreadable is not one that is missing.
        let told = |name| headers.get(&name).map(|v| v.to_str().unwrap_or("?"));
        let bearer = text(header::AUTHORIZATION).and_then(|v| {
            let (scheme, token) = v.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        Self {
            stream,
            query: uri.query().unwrap_or_default(),
            bearer,
            peer,
            host: told(header::HOST).or_else(|| uri.authority().map(http::uri::Authority::as_str)),
            origin: told(header::ORIGIN),
            forwarded: headers.keys().any(|name| {
                *name == header::VIA
                    || *name == header::FORWARDED
                    || name.as_str() == "x-real-ip"
                    || name.as_str().starts_with("x-forwarded-")
            }),
        }
    }

    /// Whether it was made on this machine, for this machine.
    pub(super) fn is_local(&self) -> bool {
        let origin = self.origin.is_none_or(|origin| {
            let authority = origin.split_once("://").map(|(_, rest)| rest);
            // "null" (a sandboxed frame, a file) is nobody we know.
            authority.is_some_and(|a| is_loopback_name(a) || Some(a) == self.host)
        });
        self.peer.ip().to_canonical().is_loopback()
            && !self.forwarded
            && self.host.is_none_or(is_loopback_name)
            && origin
    }

    pub(super) fn shows(&self, secret: Option<&str>) -> bool {
        let Some(secret) = secret.filter(|s| !s.is_empty()) else { return false };
        let equal = |given: &str| bool::from(given.as_bytes().ct_eq(secret.as_bytes()));
        self.bearer.is_some_and(equal)
            || form_urlencoded::parse(self.query.as_bytes()).any(|(k, v)| k == "secret" && equal(&v))
    }

    /// What it shows as a token. What is no secret and has the form of one, too.
    pub fn token(&self) -> Option<Cow<'a, str>> {
        let told = form_urlencoded::parse(self.query.as_bytes()).find(|(k, _)| k == "token");
        let told = told.map(|(_, token)| token).filter(|token| !token.is_empty());
        told.or_else(|| self.bearer.filter(|b| b.matches('.').count() == 2).map(Cow::Borrowed))
    }

    pub(super) fn shows_any(&self) -> bool {
        self.bearer.is_some() || form_urlencoded::parse(self.query.as_bytes()).any(|(k, _)| k == "secret")
    }
}

/// Whether `authority` (a host, perhaps with a port) names this machine itself.
fn is_loopback_name(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}
