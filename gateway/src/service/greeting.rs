//! The text that is printed at the start: where to watch and where to publish.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::context::Context;
use crate::net::tls::Source;

/// Where the HTTP service is reached.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// The first HTTP address.
    pub http: Option<SocketAddr>,
    /// The HTTPS address, and where its certificate comes from.
    pub https: Option<(SocketAddr, Source)>,
}

/// The greeting, to which each service adds its lines.
#[derive(Debug)]
pub struct Greeting {
    /// `host:port` of the pages over HTTP.
    pub http: Option<String>,
    /// `host:port` of the pages over HTTPS.
    pub https: Option<String>,
    /// The stream key to publish with, and what has to be shown with it.
    pub key: String,
    public: bool,
    /// The name by which ACME has found this gateway, so that others find it, too.
    domain: bool,
    watch: Vec<String>,
    publish: Vec<String>,
    operate: Vec<String>,
    demo: Vec<String>,
    notes: Vec<String>,
}

impl Greeting {
    /// A greeting of a gateway with these rules, which pages reach like this.
    pub fn new(context: &Context, reached: &Reached) -> Self {
        let auth = &context.auth;
        let tokens = auth.publish_tokens && !auth.open;
        let secret = auth.secret.as_ref().filter(|_| (auth.public || tokens) && !auth.open);
        let key = match secret {
            Some(secret) => format!("livestream?secret={}", query(secret)),
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
        greeting.http = reached.http.map(|addr| greeting.authority(addr, 80));
        let source = reached.https.as_ref().map(|(addr, source)| {
            greeting.https = Some(greeting.authority(*addr, 443));
            source
        });
        if let Some(Source::Acme(domains)) = source {
            // Others find the gateway where ACME has found it.
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
        if auth.public && source == Some(&Source::Own) {
            greeting.notes.push(
                "A browser warns at the first https page, since the certificate is signed by this machine itself:\n\
                 choose \"Advanced\" and go on. docs/https.md tells how to be rid of the warning.\n"
                    .to_owned(),
            );
        }
        if auth.public && auth.open {
            greeting.notes.push("Everyone may publish here (--open).\n".to_owned());
        }
        greeting
    }

    /// `host:port` for an address of this machine, without the port that is meant anyway. A public gateway does not
    /// know the name by which people know it: there the host is `HOST`.
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

    /// The scheme and host of pages that may use a camera: browsers allow that over HTTPS, or from this machine,
    /// where no warning has to be clicked away.
    pub fn camera_pages(&self) -> Option<String> {
        match (&self.http, &self.https) {
            (Some(http), _) if !self.public && !self.domain => Some(format!("http://{http}")),
            (_, https) => https.as_ref().map(|https| format!("https://{https}")),
        }
    }

    /// Adds an address to watch at.
    pub fn watch(&mut self, address: String) {
        self.watch.push(address);
    }

    /// Adds a way to publish.
    pub fn publish(&mut self, way: String) {
        self.publish.push(way);
    }

    /// Adds an address for the operator.
    pub fn operate(&mut self, address: String) {
        self.operate.push(address);
    }

    /// Adds a line about a stream that the gateway makes itself.
    pub fn demo(&mut self, line: String) {
        self.demo.push(line);
    }

    /// The whole text.
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

/// A value as it is written in a query.
fn query(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
