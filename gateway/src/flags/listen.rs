//! An optional address to listen on.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address to listen on; the empty text means none. A port alone (`1935`, `:1935`) and `localhost:1935` mean
/// 127.0.0.1, which `--public` opens: nobody listens on all interfaces by leaving something out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

/// The error of a text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress;

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address to listen on: write IP:PORT (127.0.0.1:1935, 0.0.0.0:1935, [::]:1935) or the port alone")
    }
}

impl std::error::Error for BadAddress {}

impl FromStr for Listen {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self(None));
        }
        let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
        let addr = match port.parse() {
            // `parse` accepts a sign.
            Ok(port) if !text.contains('+') => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            _ => text.parse().map_err(|_| BadAddress)?,
        };
        Ok(Self(Some(addr)))
    }
}

impl From<SocketAddr> for Listen {
    fn from(addr: SocketAddr) -> Self {
        Self(Some(addr))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |addr| addr.fmt(f))
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_nothing_is_none() {
        for (text, addr) in [
            ("127.0.0.1:1935", "127.0.0.1:1935"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::]:1935", "[::]:1935"),
            ("1935", "127.0.0.1:1935"),
            (":1935", "127.0.0.1:1935"),
            ("localhost:1935", "127.0.0.1:1935"),
            (" :1935 ", "127.0.0.1:1935"),
            ("", ""),
        ] {
            assert_eq!(text.parse::<Listen>().map(|addr| addr.to_string()), Ok(addr.to_owned()), "{text}");
        }
        for text in
            ["x", "127.0.0.1", "::1", "65536", ":", "+5", ":+5", "-1", "example.com:1935", "localhost"]
        {
            assert_eq!(text.parse::<Listen>(), Err(BadAddress), "{text}");
        }
    }
}
