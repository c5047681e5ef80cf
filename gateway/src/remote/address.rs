//! Addresses of other servers.

use std::fmt;

use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{MAX_WORDS, RemoteError};
use crate::core::name::StreamName;

/// Maximum length in bytes of an address.
const MAX_ADDRESS: usize = 4096;
/// Stands for what is not shown.
pub(super) const HIDDEN: &str = "••••";

/// Shorter parts of an address are no keys, and may be ordinary words.
const SHORTEST_KEY: usize = 5;

/// The protocol of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `rtmp://`
    Rtmp,
    /// `rtmps://`
    Rtmps,
    /// `http://`
    Http,
    /// `https://`
    Https,
    /// `whip://`: WHIP over HTTP
    Whip,
    /// `whips://`: WHIP over HTTPS
    Whips,
    /// `whep://`: WHEP over HTTP
    Whep,
    /// `wheps://`: WHEP over HTTPS
    Wheps,
}

impl Scheme {
    const ALL: [(&'static str, Self, u16); 8] = [
        ("rtmp", Self::Rtmp, 1935),
        ("rtmps", Self::Rtmps, 443),
        ("http", Self::Http, 80),
        ("https", Self::Https, 443),
        ("whip", Self::Whip, 80),
        ("whips", Self::Whips, 443),
        ("whep", Self::Whep, 80),
        ("wheps", Self::Wheps, 443),
    ];

    const fn row(self) -> (&'static str, Self, u16) {
        Self::ALL[self as usize]
    }

    /// Returns whether the protocol uses TLS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Rtmps | Self::Https | Self::Whips | Self::Wheps)
    }

    /// Returns whether the protocol is RTMP.
    pub const fn is_rtmp(self) -> bool {
        matches!(self, Self::Rtmp | Self::Rtmps)
    }
}

/// Why an address cannot be used. The text does not contain the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// The scheme is none of the known ones.
    Scheme,
    /// There is no host, or it contains characters that no host has.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The address has a user or a password before its host.
    Password,
    /// The path of an RTMP address has no application or no stream.
    Path,
    /// The address has control characters or white space.
    Character,
    /// The address is too long.
    TooLong,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str(
                "the address does not begin with rtmp://, rtmps://, http://, https://, whip:// or whep://",
            ),
            Self::Host => f.write_str("the address has no valid host name"),
            Self::Port => f.write_str("the port of the address is not a number from 1 to 65535"),
            Self::Password => f.write_str("the address must not have a user or a password before its host"),
            Self::Path => {
                f.write_str("the address needs an application and a stream, such as rtmp://host/live/stream")
            }
            Self::Character => f.write_str("the address has white space or control characters"),
            Self::TooLong => write!(f, "the address is longer than {MAX_ADDRESS} bytes"),
        }
    }
}

impl std::error::Error for AddressError {}

/// The address of a stream on another server. Its path and query may hold a key, so it is shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteAddress {
    /// The protocol.
    pub scheme: Scheme,
    /// The host name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, from its slash on, and the query.
    path: String,
}

impl RemoteAddress {
    /// Parses an address.
    ///
    /// # Errors
    /// The address is not valid, or its protocol is not known.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let known = Scheme::ALL.iter().find(|(name, ..)| scheme.eq_ignore_ascii_case(name));
        let (_, scheme, default_port) = *known.ok_or(AddressError::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(AddressError::Password);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => v6.split_once(']').ok_or(AddressError::Host)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port {
            "" => default_port,
            port => {
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                port.filter(|port| *port > 0).ok_or(AddressError::Port)?
            }
        };
        let is_host = |b: u8| b.is_ascii_alphanumeric() || b".-_:".contains(&b);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(is_host) {
            return Err(AddressError::Host);
        }
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let address = Self { scheme, host: host.to_owned(), port, path };
        if scheme.is_rtmp() && address.rtmp().is_none() {
            return Err(AddressError::Path);
        }
        Ok(address)
    }

    /// Returns whether streams are sent to this address by WHIP: by HTTP, the gateway sends in no other way.
    pub const fn is_whip(&self) -> bool {
        matches!(self.scheme, Scheme::Whip | Scheme::Whips | Scheme::Http | Scheme::Https)
    }

    /// Returns whether streams are received from this address by WHEP: its scheme says so, or a part of its path.
    pub fn is_whep(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        match self.scheme {
            Scheme::Whep | Scheme::Wheps => true,
            Scheme::Http | Scheme::Https => path.split('/').any(|part| part == "whep"),
            _ => false,
        }
    }

    /// Returns scheme, host and port. The port is left out if it is the scheme's own.
    pub fn origin(&self) -> String {
        let (name, _, default_port) = self.scheme.row();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port {
            format!("{name}://{host}")
        } else {
            format!("{name}://{host}:{}", self.port)
        }
    }

    /// Returns the path and the query. They may hold a key.
    pub fn path_and_query(&self) -> &str {
        &self.path
    }

    /// Returns the path and the query as HTTP sends them: bytes that are not ASCII are escaped.
    pub fn encoded_path(&self) -> String {
        utf8_percent_encode(&self.path, CONTROLS).to_string()
    }

    /// Returns whether a link or a redirection of the server at this address to `other` is followed with its key: to the
    /// same host, and not from TLS to a connection without.
    pub(super) fn may_lead_to(&self, other: &Self) -> bool {
        self.host == other.host && (other.scheme.is_secure() || !self.scheme.is_secure())
    }

    /// Returns the address that `reference` means in a document at this address (RFC 3986 section 5.2).
    ///
    /// # Errors
    /// The reference is not a valid address.
    pub fn join(&self, reference: &str) -> Result<Self, RemoteError> {
        let invalid =
            |error: AddressError| RemoteError::new(&format!("the server's link is not valid: {error}"));
        let text = if reference.contains("://") {
            reference.to_owned()
        } else if reference.starts_with("//") {
            format!("{}:{reference}", self.scheme.row().0)
        } else if reference.starts_with('/') {
            format!("{}{reference}", self.origin())
        } else {
            let path = self.path.split('?').next().unwrap_or_default();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let (mut up, mut rest) = (folder, reference);
            loop {
                if let Some(after) = rest.strip_prefix("./") {
                    rest = after;
                } else if let Some(after) = rest.strip_prefix("../") {
                    rest = after;
                    up = up.rsplit_once('/').map_or("", |(up, _)| up);
                } else {
                    break format!("{}{up}/{rest}", self.origin());
                }
            }
        };
        Self::parse(&text).map_err(invalid)
    }

    /// Returns `text` without the parts of this address that may be keys: servers repeat them in their words.
    pub fn hide_in(&self, text: &str) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
        let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
        let whole = [self.path.as_str(), query, last];
        let mut hidden = text.to_owned();
        let parts: Vec<_> =
            whole.into_iter().chain(values).filter(|part| part.len() >= SHORTEST_KEY).collect();
        for part in &parts {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            hidden = hidden.replace(part, HIDDEN).replace(&*decoded, HIDDEN);
        }
        // Words that were cut may end within a key.
        let was_cut = text.chars().nth(MAX_WORDS - 1).is_some();
        for part in parts.iter().filter(|_| was_cut) {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            for part in [part, &*decoded] {
                let is_cut_at = |at: &usize| part.starts_with(&hidden[*at..]);
                let starts = hidden.char_indices().map(|(at, _)| at).find(is_cut_at);
                if let Some(at) = starts.filter(|at| hidden.len() - at >= SHORTEST_KEY) {
                    hidden.replace_range(at.., HIDDEN);
                }
            }
        }
        hidden
    }

    /// Returns the parts of an RTMP address.
    pub(super) fn rtmp(&self) -> Option<crate::rtmp::client::ClientAddress> {
        crate::rtmp::client::ClientAddress::new(&self.origin(), &self.path)
    }
}

impl fmt::Display for RemoteAddress {
    /// Shows the host, and the application of RTMP: `rtmps://a.rtmp.youtube.com/live2/••••`. In addresses of HTTP, any
    /// part may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())?;
        if !self.scheme.is_rtmp() {
            return write!(f, "/{HIDDEN}");
        }
        let path = self.path.split('?').next().unwrap_or_default();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        if let (Some(first), Some(_)) = (parts.next(), parts.next()) {
            write!(f, "/{first}")?;
        }
        write!(f, "/{HIDDEN}")
    }
}

impl fmt::Debug for RemoteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address with places for the parts of a stream's name: `{app}` and `{stream}`. Neither `Debug` nor `Display` shows
/// the key in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(String);

impl Template {
    /// Wraps a text, which is checked later: the error of a command line must not repeat it.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the address for a stream.
    ///
    /// # Errors
    /// The address is not valid.
    pub fn fill(&self, stream: &StreamName) -> Result<RemoteAddress, AddressError> {
        self.check_host()?;
        RemoteAddress::parse(&self.0.replace("{app}", stream.app()).replace("{stream}", stream.stream()))
    }

    /// Checks that no name stands in the host: publishers and viewers choose names, and would choose the server.
    fn check_host(&self) -> Result<(), AddressError> {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('{') { Err(AddressError::Host) } else { Ok(()) }
    }

    /// Returns the address for some stream, to check the template and to show it.
    ///
    /// # Errors
    /// No stream makes the address valid.
    pub fn check(&self) -> Result<RemoteAddress, AddressError> {
        self.check_host()?;
        RemoteAddress::parse(&self.0.replace("{app}", "app").replace("{stream}", "stream"))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check() {
            Ok(address) => address.fmt(f),
            Err(_) => f.write_str(HIDDEN),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_keys() {
        for (text, shown) in [
            ("rtmps://a.rtmp.youtube.com/live2/abcd-secret", "rtmps://a.rtmp.youtube.com/live2/••••"),
            ("rtmps://live-api-s.facebook.com:443/rtmp/secret", "rtmps://live-api-s.facebook.com/rtmp/••••"),
            ("rtmp://h:1936/live/x?key=secret", "rtmp://h:1936/live/••••"),
            ("RTMP://[::1]/a/b/secret", "rtmp://[::1]/a/••••"),
            ("https://h/secret", "https://h/••••"),
            ("https://h/secret/list.m3u8", "https://h/••••"),
            ("http://h?secret", "http://h/••••"),
        ] {
            let address = RemoteAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?} {:?}", Template::new(text)), format!("{shown} {shown}"));
        }
        assert_eq!(Template::new("rtmp:secret").to_string(), "••••");
    }

    #[test]
    fn keys_are_hidden_in_the_words_of_servers() {
        let address = RemoteAddress::parse("rtmp://h/live/abcd-efgh?token=s3cret%20x&n=1").unwrap();
        for words in [
            "no such key abcd-efgh",
            "BadName: abcd-efgh?token=s3cret%20x&n=1",
            "token s3cret x is wrong",
            "/live/abcd-efgh?token=s3cret%20x&n=1 was refused",
        ] {
            let hidden = address.hide_in(words);
            assert!(
                hidden.contains(HIDDEN) && !hidden.contains("s3cret") && !hidden.contains("efgh"),
                "{hidden}"
            );
        }
        assert_eq!(address.hide_in("the stream 1 is live"), "the stream 1 is live");
        assert_eq!(address.hide_in("no such key: abcd-e"), "no such key: abcd-e");
        let address = RemoteAddress::parse(&format!("rtmp://h/live/x?token={}", "k".repeat(400))).unwrap();
        let long = RemoteError::new(&format!("no such key x?token={}", "k".repeat(400)));
        let hidden = address.hide_in(&long.to_string());
        assert!(hidden.starts_with("no such key ") && !hidden.contains("kkkkk"), "{hidden}");
    }

    #[test]
    fn bad_addresses_are_refused_without_repeating_them() {
        for (text, error) in [
            ("secret", AddressError::Scheme),
            ("ftp://h/secret/x", AddressError::Scheme),
            ("rtmp:///live/secret", AddressError::Host),
            ("rtmp://h o/live/secret", AddressError::Character),
            ("rtmp://h\u{e9}/live/secret", AddressError::Host),
            ("rtmp://[::1/live/secret", AddressError::Host),
            ("rtmp://h:0/live/secret", AddressError::Port),
            ("rtmp://h:99999/live/secret", AddressError::Port),
            ("rtmp://user:secret@h/live/x", AddressError::Password),
            ("rtmp://h/secret", AddressError::Path),
            ("rtmp://h", AddressError::Path),
        ] {
            assert_eq!(RemoteAddress::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let long = format!("rtmp://h/live/{}", "x".repeat(MAX_ADDRESS));
        assert_eq!(RemoteAddress::parse(&long), Err(AddressError::TooLong));
    }

    #[test]
    fn links_are_resolved_against_their_document() {
        let base = RemoteAddress::parse("https://h:8443/a/b/list.m3u8?key=geheim").unwrap();
        for (link, path) in [
            ("seg1.ts", "https://h:8443|/a/b/seg1.ts"),
            ("./x/seg1.ts?t=1", "https://h:8443|/a/b/x/seg1.ts?t=1"),
            ("../../../c.ts", "https://h:8443|/c.ts"),
            ("/c.ts", "https://h:8443|/c.ts"),
            ("//other/c.ts", "https://other|/c.ts"),
            ("http://other/c.ts", "http://other|/c.ts"),
        ] {
            let joined = base.join(link).unwrap();
            assert_eq!(format!("{}|{}", joined.origin(), joined.path_and_query()), path, "{link}");
        }
        let error = base.join("file:///etc/passwd").unwrap_err();
        assert!(error.to_string().contains("rtmp://"), "{error}");
        assert_eq!(RemoteAddress::parse("http://h/连.flv").unwrap().encoded_path(), "/%E8%BF%9E.flv");
    }

    #[test]
    fn templates_take_the_parts_of_a_name() {
        let name = StreamName::parse("a/b/c").unwrap();
        let address = Template::new("rtmp://h/{app}/{stream}?s={stream}").fill(&name).unwrap();
        assert_eq!(address.path_and_query(), "/a/b/c?s=c");
        let rtmp = address.rtmp().unwrap();
        assert_eq!((&*rtmp.app, &*rtmp.key, &*rtmp.tc_url), ("a/b", "c?s=c", "rtmp://h/a/b"));
        assert_eq!(Template::new("rtmp://h/{stream}").check(), Err(AddressError::Path));
        // `{app}` may be `other.example/x`.
        for host in ["{app}.h", "{stream}", "h:{stream}"] {
            let template = Template::new(&format!("rtmp://{host}/live/x"));
            assert_eq!(
                (template.check(), template.fill(&name)),
                (Err(AddressError::Host), Err(AddressError::Host))
            );
        }
    }
}
