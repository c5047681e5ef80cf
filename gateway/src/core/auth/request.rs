//! Credentials and origin of a request.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, Method, Uri, Version, header};
use subtle::ConstantTimeEq as _;

use super::local;
use super::logins::Page;
use crate::core::name::StreamName;

/// Maximum number of secrets per request that are compared: an encoder may send the same one in server
/// address and key.
const SECRETS: usize = 3;

/// The authentication data of a request.
#[derive(Debug, Clone)]
pub struct AuthRequest<'a> {
    /// The requested stream; `None` for operating the gateway.
    pub stream: Option<&'a StreamName>,
    /// The query of the address or stream key, without its `?`.
    pub query: &'a str,
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The peer address of the connection.
    pub peer: SocketAddr,
    /// The address for which wrong secrets count: the peer's, or the one that a nearby proxy reports.
    pub from: IpAddr,
    /// The requested host: the `Host` header, or the authority of RTMP's `tcUrl`; may include a port.
    pub host: Option<&'a str>,
    /// The `Origin` header of a browser.
    pub origin: Option<&'a str>,
    /// The address of the page with the player, as the client says; may be empty.
    pub page_url: &'a str,
    /// Whether headers show that the request was forwarded, or sent by a foreign page.
    pub forwarded: bool,
    /// The headers of an HTTP request, for the cookie of a [login](super::Logins).
    pub headers: Option<&'a HeaderMap>,
    /// The page that sent the request.
    pub page: Page,
    /// Whether the request changes something at the gateway.
    pub changes: bool,
    /// Whether the request came over TLS.
    pub secure: bool,
}

impl<'a> AuthRequest<'a> {
    /// Reads the credentials of an HTTP request.
    pub fn http(
        stream: Option<&'a StreamName>,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        peer: SocketAddr,
    ) -> Self {
        let text = |name| headers.get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
        // A repeated or unreadable header must not count as missing.
        let told = |name: HeaderName| {
            let mut values = headers.get_all(name).into_iter();
            let first = values.next()?.to_str().unwrap_or("?");
            Some(if values.next().is_some() { "?" } else { first })
        };
        let bearer = text(header::AUTHORIZATION).and_then(|v| {
            let (scheme, token) = v.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        // A target in absolute form wins over Host (RFC 9112 3.2.2).
        let host = uri.authority().map(http::uri::Authority::as_str).or_else(|| told(header::HOST));
        Self {
            stream,
            query: uri.query().unwrap_or_default(),
            bearer,
            peer,
            from: visitor(headers, peer),
            host,
            origin: told(header::ORIGIN),
            page_url: text(header::REFERER).unwrap_or_default(),
            forwarded: local::comes_from_elsewhere(headers),
            headers: Some(headers),
            page: Page::of(headers, host),
            changes: false,
            secure: false,
        }
    }

    /// Adds the method of the request, and whether it came over TLS.
    #[must_use]
    pub fn over(mut self, method: &Method, secure: bool) -> Self {
        self.changes = !method.is_safe();
        self.secure = secure;
        self
    }

    /// Adds the HTTP version of the request, which may show that it was forwarded.
    #[must_use]
    pub fn by(mut self, version: Version) -> Self {
        self.forwarded |= local::is_a_proxys(version);
        self
    }

    /// Reads the credentials of an RTMP client: the query of its stream key, and the host of its `tcUrl`.
    pub fn rtmp(stream: &'a StreamName, query: &'a str, host: Option<&'a str>, peer: SocketAddr) -> Self {
        let from = peer.ip().to_canonical();
        let stream = Some(stream);
        Self {
            stream,
            query,
            bearer: None,
            peer,
            from,
            host,
            origin: None,
            page_url: "",
            forwarded: false,
            headers: None,
            page: Page::Unknown,
            changes: false,
            secure: false,
        }
    }

    /// Adds the address of the page that the client says it belongs to.
    #[must_use]
    pub const fn on_page(mut self, page: &'a str) -> Self {
        self.page_url = page;
        self
    }

    /// Returns whether the request was made on this machine, for this machine, as far as can be detected.
    pub(super) fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
            && !self.forwarded
            && self.host.is_some_and(local::is_loopback)
            && self.origin.is_none_or(local::is_local_origin)
    }

    /// Returns the secrets in the request. Their number is limited because each is a guess.
    pub(super) fn secrets(&self) -> Vec<Cow<'a, str>> {
        let bearer = self.bearer.map(Cow::Borrowed);
        let query = form_urlencoded::parse(self.query.as_bytes()).filter(|(k, _)| k == "secret");
        bearer.into_iter().chain(query.map(|(_, secret)| secret)).take(SECRETS).collect()
    }

    /// Returns the token of the request. A secret parameter with the form of a token counts too.
    pub fn token(&self) -> Option<Cow<'a, str>> {
        let told = form_urlencoded::parse(self.query.as_bytes()).find(|(k, _)| k == "token");
        let told = told.map(|(_, token)| token).filter(|token| !token.is_empty());
        told.or_else(|| self.bearer.filter(|b| is_token(b)).map(Cow::Borrowed))
    }

    /// Returns the lasting key of the request.
    pub(super) fn key(&self) -> Option<Cow<'a, str>> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(name, _)| name == "key").map(|(_, key)| key)
    }

    pub(super) fn shows_any(&self) -> bool {
        self.bearer.is_some() || form_urlencoded::parse(self.query.as_bytes()).any(|(k, _)| k == "secret")
    }
}

/// Compares `given` with `secret` in constant time.
pub(super) fn is_secret(given: &str, secret: &str) -> bool {
    !secret.is_empty() && bool::from(given.as_bytes().ct_eq(secret.as_bytes()))
}

/// Returns whether `text` has the form of a token.
pub(super) fn is_token(text: &str) -> bool {
    text.matches('.').count() == 2
}

/// Returns the client's address: the peer's, or the address that a proxy in this machine's own networks
/// reports (the last entry of `X-Forwarded-For`, which that proxy has added).
pub fn visitor(headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
    let ip = peer.ip().to_canonical();
    let near = match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    let told = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| near);
    let last = told.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.map_or(ip, |last: IpAddr| last.to_canonical())
}
