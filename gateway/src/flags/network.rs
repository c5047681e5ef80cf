//! A network of addresses, in the operator's settings.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A network (`10.0.0.0/8`), or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Returns whether the network contains an address. An IPv4 address in IPv6 form is an IPv4 address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

/// The error of a text that is not a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadNetwork;

impl fmt::Display for BadNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a network of addresses: write 10.0.0.0/8, 2001:db8::/32 or a single address")
    }
}

impl std::error::Error for BadNetwork {}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self(ip.to_canonical().into()));
        }
        text.parse::<IpNet>().map(|net| Self(net.trunc())).map_err(|_| BadNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_is_a_network() {
        for (text, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("::1", "::1/128"),
            (" ::/0 ", "::/0"),
        ] {
            assert_eq!(text.parse::<Network>().map(|net| net.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.1-9"] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork), "{text}");
        }
        let net: Network = "10.0.0.0/8".parse().unwrap();
        assert!(
            net.contains("::ffff:10.9.9.9".parse().unwrap()) && !net.contains("11.0.0.1".parse().unwrap())
        );
    }
}
