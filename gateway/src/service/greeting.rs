//! The text that is printed at the start: the addresses for viewers and publishers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::context::Context;
use crate::net::tls::CertSource;

/// The addresses of the HTTP service.
#[derive(Debug, Clone, Default)]
pub struct HttpAddresses {
    /// The first HTTP address.
    pub http: Option<SocketAddr>,
    /// The HTTPS address, and the source of its certificate.
    pub https: Option<(SocketAddr, CertSource)>,
}

/// The greeting. Each service adds its lines.
#[derive(Debug)]
pub struct Greeting {
    /// `host:port` of the pages over HTTP.
    pub http: Option<String>,
    /// `host:port` of the pages over HTTPS.
    pub https: Option<String>,
    /// The stream key to publish with, including its secret or token if one is needed.
    pub key: String,
    public: bool,
    /// Whether the gateway has a domain, confirmed by ACME, under which others can reach it.
    domain: bool,
    watch: Vec<String>,
    publish: Vec<String>,
    operate: Vec<String>,
    demo: Vec<String>,
    notes: Vec<String>,
}

impl Greeting {
    /// Creates the greeting of a gateway with these rules and addresses.
    pub fn new(context: &Context, addresses: &HttpAddresses) -> Self {
        let auth = &context.auth;
        let tokens = auth.publish_tokens && !auth.open;
        let secret = auth.secret.text().filter(|_| (auth.public || tokens) && !auth.open);
        let key = match secret {
            Some(secret) => format!("livestream?secret={}", query(&secret)),
            None if tokens => "livestream?token=TOKEN".to_owned(),
            None => "livestream".to_owned(),
        };
        let mut greeting = Self {
            http: None,
            https: None,
            key,
            public: auth.public,
            domain: false,
            watch: Vec::new(),
            publish: Vec::new(),
            operate: Vec::new(),
            demo: Vec::new(),
            notes: Vec::new(),
        };
        greeting.http = addresses.http.map(|addr| greeting.authority(addr, 80));
        let source = addresses.https.as_ref().map(|(addr, source)| {
            greeting.https = Some(greeting.authority(*addr, 443));
            source
        });
        if let Some(CertSource::Acme(domains)) = source {
            // Others reach the gateway under the domain that ACME has validated.
            greeting.https = domains.first().cloned();
            greeting.domain = true;
        }
        if auth.public {
            greeting.notes.push("HOST stands for this machine's name or address.\n".to_owned());
        }
        if tokens {
            greeting.notes.push(
                "Publishers show a TOKEN of those whose keys --auth-jwks names, or one that\n\
                 `lianmai token --stream live/livestream --act publish` makes. docs/tokens.md tells more.\n"
                    .to_owned(),
            );
        }
        if auth.play_tokens {
            greeting.notes.push("Viewers need a token, or the secret (--auth-play).\n".to_owned());
        }
        if auth.public && source == Some(&CertSource::Own) {
            greeting.notes.push(
                "A browser warns at the first https page, since the certificate is signed by this machine itself:\n\
                 choose \"Advanced\" and go on. docs/https.md explains how to avoid the warning.\n"
                    .to_owned(),
            );
        }
        if auth.public && auth.open {
            greeting.notes.push("Everyone may publish here (--open).\n".to_owned());
        }
        greeting
    }

    /// Returns `host:port` for an address of this machine, without the default port. A public gateway does
    /// not know its public name, so the host is `HOST`.
    pub fn authority(&self, addr: SocketAddr, usual: u16) -> String {
        let ip = match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let authority = match (ip, addr.port() == usual) {
            (IpAddr::V4(ip), true) => ip.to_string(),
            (IpAddr::V6(ip), true) => format!("[{ip}]"),
            (ip, false) => SocketAddr::new(ip, addr.port()).to_string(),
        };
        if self.public { authority.replace("127.0.0.1", "HOST").replace("[::1]", "HOST") } else { authority }
    }

    /// Returns scheme and host of pages that may use a camera. Browsers allow this over HTTPS, or on the same
    /// machine, where no certificate warning appears.
    pub fn camera_pages(&self) -> Option<String> {
        match (&self.http, &self.https) {
            (Some(http), _) if !self.public && !self.domain => Some(format!("http://{http}")),
            (_, https) => https.as_ref().map(|https| format!("https://{https}")),
        }
    }

    /// Adds an address for viewers.
    pub fn watch(&mut self, address: String) {
        self.watch.push(address);
    }

    /// Adds an address for publishers.
    pub fn publish(&mut self, way: String) {
        self.publish.push(way);
    }

    /// Adds an address for the operator.
    pub fn operate(&mut self, address: String) {
        self.operate.push(address);
    }

    /// Adds a line about the demo stream.
    pub fn demo(&mut self, line: String) {
        self.demo.push(line);
    }

    /// Returns the whole text.
    pub fn text(&self) -> String {
        let mut out = format!("Lianmai {}\n\n", env!("CARGO_PKG_VERSION"));
        let sections = [
            ("watch", &self.watch),
            ("publish", &self.publish),
            ("operate", &self.operate),
            ("demo", &self.demo),
        ];
        for (title, lines) in sections {
            for (index, line) in lines.iter().enumerate() {
                let title = if index == 0 { title } else { "" };
                out += &format!("  {title:<9}{line}\n");
            }
        }
        for note in &self.notes {
            out += &format!("\n{note}");
        }
        out + "\n"
    }
}

/// Encodes a value for a query.
pub(crate) fn query(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
