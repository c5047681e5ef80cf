//! An address of the gateway for WebRTC peers, or a host name for it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum length of a host name (RFC 1035 2.3.4), and of a label in it.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// An address of the gateway: an IP address, or a host name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicHost {
    /// An address.
    Ip(IpAddr),
    /// A host name, to be looked up.
    Name(String),
}

/// The error of a text that is neither address nor host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoHost;

impl fmt::Display for NoHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is neither an IP address nor a host name, such as 203.0.113.7 or live.example.org")
    }
}

impl std::error::Error for NoHost {}

impl FromStr for PublicHost {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse() {
            return Ok(Self::Ip(ip));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=MAX_LABEL).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A name whose last label is a number is a mistyped address.
        let last = name.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
        let whole = name.len() <= MAX_NAME && name.split('.').all(is_label) && !numeric;
        if whole { Ok(Self::Name(name)) } else { Err(NoHost) }
    }
}

impl fmt::Display for PublicHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for PublicHost {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicHost {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_and_what_is_neither() {
        for (text, shown) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("Live.Example.org.", "live.example.org"),
            ("gateway-1", "gateway-1"),
            ("my_host.lan", "my_host.lan"),
        ] {
            assert_eq!(text.parse::<PublicHost>().unwrap().to_string(), shown);
        }
        for bad in
            ["", ".", "a..b", "300.1.1.1", "1.2.3", "host:80", "a b", "ü.de", "http://x", &"x".repeat(64)]
        {
            assert_eq!(bad.parse::<PublicHost>(), Err(NoHost), "{bad:?}");
        }
    }
}
