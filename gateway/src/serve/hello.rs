//! What is said at the start: where to look and where to publish.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::context::Context;
use crate::jobs::demo;
use crate::net::tls::{Source, Tls};

/// Where everything really listens.
#[derive(Debug)]
pub(super) struct Addresses {
    rtmp: SocketAddr,
    http: Vec<SocketAddr>,
    webrtc: SocketAddr,
    /// With where the certificate comes from.
    https: Option<(SocketAddr, Source)>,
}

impl Addresses {
    pub(super) fn of(
        rtmp: &TcpListener,
        http: &[TcpListener],
        https: Option<&(TcpListener, Tls)>,
        webrtc: SocketAddr,
    ) -> io::Result<Self> {
        let http = http.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        let https = match https {
            Some((listener, tls)) => Some((listener.local_addr()?, tls.source().clone())),
            None => None,
        };
        Ok(Self { rtmp: rtmp.local_addr()?, http, webrtc, https })
    }

    /// The ready file.
    pub(super) fn json(&self) -> String {
        let http: Vec<String> = self.http.iter().map(ToString::to_string).collect();
        let mut ready = serde_json::json!({
            "rtmp": self.rtmp.to_string(),
            "http": http,
            "webrtc": self.webrtc.to_string(),
            "pid": std::process::id(),
        });
        if let Some((https, _)) = &self.https {
            ready["https"] = https.to_string().into();
        }
        format!("{ready}\n")
    }
}

/// `host:port` for an address on this machine, without the port that is meant anyway.
fn authority(addr: SocketAddr, usual: u16) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    match (ip, addr.port() == usual) {
        (IpAddr::V4(ip), true) => ip.to_string(),
        (IpAddr::V6(ip), true) => format!("[{ip}]"),
        (ip, false) => SocketAddr::new(ip, addr.port()).to_string(),
    }
}

/// Prints the addresses and how to publish.
pub(super) fn print(addresses: &Addresses, context: &Context) {
    let text = text(addresses, context);
    // Somebody who closed our output does not want to read it.
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}

fn text(addresses: &Addresses, context: &Context) -> String {
    let public = context.auth.public;
    let mut rtmp = authority(addresses.rtmp, 1935);
    let mut http = addresses.http.first().map(|addr| authority(*addr, 80));
    let mut https = addresses.https.as_ref().map(|(addr, _)| authority(*addr, 443));
    if public {
        // Which name people know this machine by, only they know.
        let host = |authority: String| authority.replace("127.0.0.1", "HOST").replace("[::1]", "HOST");
        (rtmp, http, https) = (host(rtmp), http.map(host), https.map(host));
    }
    let source = addresses.https.as_ref().map(|(_, source)| source);
    let mut domain = false;
    if let Some(Source::Acme(domains)) = source {
        // Where ACME has found us, others do.
        https = domains.first().cloned();
        domain = true;
    }
    let tokens = context.auth.publish_tokens && !context.auth.open;
    let secret = context.auth.secret.as_ref().filter(|_| (public || tokens) && !context.auth.open);
    let key = match secret {
        Some(secret) => format!("livestream?secret={}", escape(secret)),
        None if tokens => "livestream?token=TOKEN".to_owned(),
        None => "livestream".to_owned(),
    };
    let mut out = format!("Lianmai {}\n\n", env!("CARGO_PKG_VERSION"));
    if let Some(http) = &http {
        out += &format!("  watch    http://{http}/\n");
        out += &format!("           http://{http}/live/livestream.flv\n");
        out += &format!("           http://{http}/live/livestream.m3u8\n");
    }
    out += &format!("           rtmp://{rtmp}/live/livestream\n");
    out += &format!("  publish  OBS: Server rtmp://{rtmp}/live/   Stream Key {key}\n");
    out += &format!("           ffmpeg -re -i FILE -c copy -f flv 'rtmp://{rtmp}/live/{key}'\n");
    // A camera is only for pages by https, or from this machine, where nothing has to be clicked away.
    let page = match (&http, &https) {
        (Some(http), _) if !public && !domain => Some(format!("http://{http}")),
        (_, https) => https.as_ref().map(|https| format!("https://{https}")),
    };
    if let Some(page) = page {
        out += &format!("           camera: {page}/players/rtc_publisher.html\n");
    }
    if let (Some(http), Some(secret)) = (&http, &context.auth.operator) {
        out += &format!("  operate  http://{http}/api/v1/clients?secret={secret}\n");
    }
    if context.settings.demo {
        out += &format!("  demo     plays as {} until you publish there\n", demo::NAME);
    }
    if public {
        out += "\nHOST stands for this machine's name or address.\n";
    }
    if tokens {
        out += "\nPublishers show a TOKEN of those whose keys --auth-jwks names, or one that\n\
                `lianmai token --stream live/livestream --act publish` makes. docs/tokens.md tells more.\n";
    }
    if context.auth.play_tokens {
        out += "\nViewers need a token, or the secret (--auth-play).\n";
    }
    if public && source == Some(&Source::Own) {
        out += "A browser warns at the first https page, since the certificate is signed by this machine itself:\n\
                choose \"Advanced\" and go on. docs/https.md tells how to be rid of the warning.\n";
    }
    if public && context.auth.open {
        out += "Everyone may publish here (--open).\n";
    }
    out + "\n"
}

/// What stands in a query as it is meant.
fn escape(secret: &str) -> String {
    form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::auth::Auth;
    use crate::settings::Settings;

    fn addresses(host: &str) -> Addresses {
        let at = |port| format!("{host}:{port}").parse().unwrap();
        let https = Some((at(8443), Source::Own));
        Addresses { rtmp: at(1935), http: vec![at(8080), at(0)], webrtc: at(8000), https }
    }

    #[tokio::test]
    async fn a_public_gateway_tells_its_key() {
        let auth = Auth { public: true, secret: Some("a&b".to_owned()), ..Auth::default() };
        let said = text(&addresses("0.0.0.0"), &Context::new(Settings::default(), auth));
        assert!(said.contains("Server rtmp://HOST/live/   Stream Key livestream?secret=a%26b\n"), "{said}");
        assert!(said.contains("http://HOST:8080/\n"), "{said}");
        assert!(said.contains("https://HOST:8443/players/rtc_publisher.html\n"), "{said}");
        assert!(said.contains("A browser warns"), "{said}");
    }

    #[tokio::test]
    async fn a_local_gateway_tells_addresses_to_open() {
        let operator = Some("operates".to_owned());
        let auth = Auth { secret: Some("kept".to_owned()), operator, ..Auth::default() };
        let said = text(&addresses("127.0.0.1"), &Context::new(Settings::default(), auth));
        assert!(said.contains("http://127.0.0.1:8080/\n") && !said.contains("kept"), "{said}");
        assert!(said.contains("http://127.0.0.1:8080/api/v1/clients?secret=operates\n"), "{said}");
    }

    #[tokio::test]
    async fn a_gateway_that_takes_tokens_says_how_to_get_one() {
        let auth = Auth { publish_tokens: true, play_tokens: true, ..Auth::default() };
        let said = |auth| text(&addresses("127.0.0.1"), &Context::new(Settings::default(), auth));
        let tokens = said(auth.clone());
        assert!(tokens.contains("Stream Key livestream?token=TOKEN\n"), "{tokens}");
        assert!(tokens.contains("lianmai token --stream") && tokens.contains("Viewers need"), "{tokens}");
        let both = said(Auth { secret: Some("kept".to_owned()), ..auth.clone() });
        assert!(both.contains("livestream?secret=kept\n"), "{both}");
        let open = said(Auth { open: true, ..auth });
        assert!(!open.contains("TOKEN"), "{open}");
    }

    #[tokio::test]
    async fn a_gateway_with_a_domain_is_found_there() {
        let mut addresses = addresses("0.0.0.0");
        addresses.https = Some((addresses.rtmp, Source::Acme(vec!["live.example.com".to_owned()])));
        let auth = Auth { public: true, ..Auth::default() };
        let said = text(&addresses, &Context::new(Settings::default(), auth));
        assert!(said.contains("https://live.example.com/players/"), "{said}");
        assert!(!said.contains("A browser warns"), "{said}");
    }

    #[test]
    fn the_ready_file_is_json() {
        let json: serde_json::Value = serde_json::from_str(&addresses("[::1]").json()).unwrap();
        assert_eq!((&json["rtmp"], &json["http"][1]), (&"[::1]:1935".into(), &"[::1]:0".into()));
        assert_eq!((&json["https"], &json["pid"]), (&"[::1]:8443".into(), &std::process::id().into()));
        let none = Addresses { https: None, ..addresses("127.0.0.1") };
        assert!(!none.json().contains("https"));
    }
}
