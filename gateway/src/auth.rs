//! Who may publish, and who may play.
//!
//! Bound to loopback, the gateway lets everyone on this machine publish. What only *arrives* over
//! loopback is not from this machine: a request that a proxy passed on, that was made for another
//! host name (DNS rebinding), or that a page from elsewhere made in a developer's browser. Such a
//! request, and every request of a public gateway, must show the secret.

mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, StatusCode, Uri, header};
use subtle::ConstantTimeEq as _;

pub use secret::secret_of;

use crate::hub::StreamName;

/// What a gateway asks of those who publish and play.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Not only loopback is listened on: nobody publishes without the secret.
    pub public: bool,
    /// Everyone publishes.
    pub open: bool,
    /// What publishers show; `None` when there is none, and then nobody has it.
    pub secret: Option<String>,
    /// What players must show, when playing is not free.
    pub play_secret: Option<String>,
}

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
    fn is_local(&self) -> bool {
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

    fn shows(&self, secret: Option<&str>) -> bool {
        let Some(secret) = secret.filter(|s| !s.is_empty()) else { return false };
        let equal = |given: &str| bool::from(given.as_bytes().ct_eq(secret.as_bytes()));
        self.bearer.is_some_and(equal)
            || form_urlencoded::parse(self.query.as_bytes()).any(|(k, v)| k == "secret" && equal(&v))
    }

    fn shows_any(&self) -> bool {
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

/// A refusal, in words for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// No secret was shown where one is needed.
    Missing,
    /// What was shown is not the secret.
    Wrong,
    /// The gateway is for its own machine, and has no secret that could be shown.
    Local,
    /// Playing needs a secret, and the right one was not shown.
    Play,
}

impl Denied {
    /// The HTTP status that says so.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Play => StatusCode::UNAUTHORIZED,
            Self::Wrong | Self::Local => StatusCode::FORBIDDEN,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "a secret is needed here: add ?secret=… to the stream key or address",
            Self::Wrong => "the secret is wrong",
            Self::Local => {
                "only programs on the gateway's own machine may do this; start it with --public, or set a secret, to allow more"
            }
            Self::Play => "playing needs the right ?secret=…",
        })
    }
}

impl std::error::Error for Denied {}

impl Auth {
    /// Whether `request` may publish.
    pub fn publish(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if self.open || (!self.public && request.is_local()) || request.shows(self.secret.as_deref()) {
            return Ok(());
        }
        Err(match (&self.secret, request.shows_any()) {
            (None, _) => Denied::Local,
            (Some(_), true) => Denied::Wrong,
            (Some(_), false) => Denied::Missing,
        })
    }

    /// Whether `request` may play.
    pub fn play(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        match &self.play_secret {
            None => Ok(()),
            Some(secret) if request.shows(Some(secret)) || request.shows(self.secret.as_deref()) => Ok(()),
            Some(_) => Err(Denied::Play),
        }
    }

    /// Whether `request` may operate the gateway (end other people's connections). Unlike publishing,
    /// this is never open to everyone: `open` counts only on this machine.
    pub fn operate(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if self.open && request.is_local() {
            return Ok(());
        }
        Self { open: false, ..self.clone() }.publish(request)
    }
}
