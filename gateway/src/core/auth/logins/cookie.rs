//! Reads the cookie of a login from a request, and finds out which page sent the request.

use http::{HeaderMap, HeaderName, header};

use crate::core::auth::request::AuthRequest;

/// The page that sent a request, as the browser says (Fetch Metadata, or `Origin` where a browser sends no metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A page of this gateway.
    Own,
    /// A page of somebody else, or of another port of this host.
    Other,
    /// The browser does not say, or a person has entered the address.
    Unknown,
}

impl Page {
    /// Reads the headers of a request to `host`. Pages cannot set or change these headers.
    pub(in crate::core::auth) fn of(headers: &HeaderMap, host: Option<&str>) -> Self {
        let mut sites = headers.get_all("sec-fetch-site").into_iter();
        match (sites.next(), sites.next()) {
            (Some(site), None) if site == "same-origin" => return Self::Own,
            (Some(site), None) if site == "none" => return Self::Unknown,
            (None, _) => {}
            _ => return Self::Other,
        }
        let mut origins = headers.get_all(header::ORIGIN).into_iter();
        match (origins.next(), origins.next()) {
            (None, _) => Self::Unknown,
            (Some(origin), None) if origin.to_str().is_ok_and(|origin| is_origin_of(origin, host)) => {
                Self::Own
            }
            _ => Self::Other,
        }
    }
}

/// Returns whether pages of `origin` are those of `host`, which may include a port.
fn is_origin_of(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
}

impl AuthRequest<'_> {
    /// Returns the value of a cookie.
    pub(in crate::core::auth) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers?.get_all(HeaderName::from_static("cookie")).into_iter();
        let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// Returns whether the request may use a login: no page of somebody else sent it, and a page of this gateway sent it
    /// if it changes something.
    pub(in crate::core::auth) fn may_use_login(&self) -> bool {
        match self.page {
            // The same host without TLS is another page, which anybody on the way may have written.
            _ if self.secure && self.origin.is_some_and(|origin| !origin.starts_with("https://")) => false,
            Page::Own => true,
            Page::Unknown => !self.changes,
            Page::Other => false,
        }
    }

    /// Returns the cookie `name` of a request that may use a login.
    pub(in crate::core::auth) fn login(&self, name: &str) -> Option<&str> {
        self.cookie(name).filter(|value| self.may_use_login() && !value.is_empty())
    }
}
