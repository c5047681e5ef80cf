//! Addresses of NATS servers.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The port of NATS.
const PORT: u16 = 4222;

/// How a node proves who it is, if the address says so.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) enum Login {
    #[default]
    None,
    Token(String),
    User(String, String),
}

/// The address of a server. Its login is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NatsAddress {
    pub(super) tls: bool,
    /// The host name, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Login,
    /// The name that the server's certificate has to have, if it is not `host`.
    tls_name: Option<String>,
}

impl fmt::Debug for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        if self.host.contains(':') {
            return write!(f, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl NatsAddress {
    /// Parses `nats://[USER:PASSWORD@]HOST[:PORT]` or `tls://…`; `None` if it is not valid.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return None,
        };
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (parse_login(login)?, place),
            None => (Login::None, rest),
        };
        let (host, port) = parse_place(place.strip_suffix('/').unwrap_or(place))?;
        Some(Self { tls, host, port, login, tls_name: None })
    }

    /// Returns the address of another server of the same NATS cluster, which this one has told as `HOST:PORT`.
    pub(super) fn neighbour(&self, place: &str) -> Option<Self> {
        let (host, port) = parse_place(place)?;
        // Servers tell IP addresses, for which a certificate seldom is.
        let tls_name = Some(self.tls_name().to_owned());
        Some(Self { tls: self.tls, host, port, login: self.login.clone(), tls_name })
    }

    /// Returns the name that the server's certificate has to have.
    pub(super) fn tls_name(&self) -> &str {
        self.tls_name.as_deref().unwrap_or(&self.host)
    }

    /// Returns whether both lead to the same server.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }
}

fn parse_login(text: &str) -> Option<Login> {
    let decode = |part: &str| percent_decode_str(part).decode_utf8().ok().map(String::from);
    Some(match text.split_once(':') {
        Some((user, password)) => Login::User(decode(user)?, decode(password)?),
        None => Login::Token(decode(text)?),
    })
}

fn parse_place(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let fits = |c: char| c.is_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(fits) {
        return None;
    }
    let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port > 0))?;
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_login_and_show_none() {
        let address = NatsAddress::parse("tls://me:ge%40heim@nats.example").unwrap();
        assert_eq!((address.host.as_str(), address.port, address.tls), ("nats.example", 4222, true));
        assert!(address.login == Login::User("me".to_owned(), "ge@heim".to_owned()));
        assert_eq!(format!("{address} {address:?}"), "tls://nats.example:4222 tls://nats.example:4222");
        let token = NatsAddress::parse("nats://geheim@[::1]:4333/").unwrap();
        assert_eq!((token.host.as_str(), token.port, token.tls), ("::1", 4333, false));
        assert!(token.login == Login::Token("geheim".to_owned()));
        assert_eq!(token.to_string(), "nats://[::1]:4333");
        for bad in [
            "nats://",
            "http://h",
            "h:4222",
            "nats://h:0",
            "nats://h:x",
            "nats://h/x",
            "nats://[x]",
            "nats://a b",
        ] {
            assert!(NatsAddress::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn neighbours_keep_the_login_and_the_name_of_the_certificate() {
        let first = NatsAddress::parse("tls://me:geheim@nats.example:4222").unwrap();
        let second = first.neighbour("10.0.0.2:4333").unwrap();
        assert_eq!(
            (second.to_string(), second.tls_name()),
            ("tls://10.0.0.2:4333".to_owned(), "nats.example")
        );
        assert!(second.login == first.login && !second.is_same(&first));
        assert!(second.is_same(&first.neighbour("10.0.0.2:4333").unwrap()));
        assert!(first.neighbour("nonsense:").is_none());
    }
}
