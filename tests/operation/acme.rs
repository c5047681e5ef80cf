//! A certificate by ACME from pebble, Let's Encrypt's small server for tests.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use lianmai_tests::{Gateway, Process, gateway, http, tls, wait};

use crate::LIMIT;

const DOMAIN: &str = "live.example.com";

/// Returns a port that is free at this moment, for a server that cannot choose one itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

#[test]
fn a_domain_gets_its_certificate_and_keeps_it() {
    get_certificate("tls-alpn-01");
}

#[test]
fn a_domain_whose_port_80_is_ours_gets_its_certificate() {
    get_certificate("http-01");
}

/// Gets a certificate with this proof, and starts again with the stored one.
#[track_caller]
fn get_certificate(challenge: &str) {
    let dir = gateway::temp_dir("acme");
    let path = |name: &str| dir.join(name).to_str().expect("a path of text").to_owned();
    // Pebble needs a certificate for its own API: a gateway's is sufficient.
    drop(Gateway::start(&["--data", &path("pebble")]));
    let (api, management, https, http) = (free_port(), free_port(), free_port(), free_port());
    // With the other proof, the authority finds nobody on this port.
    let (http_port, tls_port) = if challenge == "http-01" { (http, 9) } else { (9, https) };
    let dns = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("a bound port");
    let config = serde_json::json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{api}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": path("pebble/cert.pem"),
        "privateKey": path("pebble/key.pem"),
        "httpPort": http_port,
        "tlsPort": tls_port,
    }});
    fs::write(dir.join("pebble.json"), config.to_string()).expect("a writable folder");
    // All names resolve to this machine.
    let _names = Process::start(
        Command::new("pebble-challtestsrv")
            .args(["-dns01", &dns.to_string(), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:0"]),
    );
    let mut pebble = Process::start(
        Command::new("pebble")
            .args(["-config", &path("pebble.json"), "-dnsserver", &dns.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1"),
    );
    wait::until_true("pebble", LIMIT, || {
        assert!(pebble.ended().is_none(), "pebble ended: {}", pebble.stderr());
        std::net::TcpStream::connect(("127.0.0.1", api)).is_ok()
    });

    let directory = format!("https://127.0.0.1:{api}/dir");
    let (listen, plain, data) = (format!("127.0.0.1:{https}"), format!("127.0.0.1:{http}"), path("data"));
    let flags = [
        "--https",
        &listen,
        "--http",
        &plain,
        "--acme-challenge",
        challenge,
        "--data",
        &data,
        "--acme",
        DOMAIN,
        "--acme-directory",
        &directory,
        "--acme-contact",
        "me@example.com",
    ];
    let trusted = [("SSL_CERT_FILE", path("pebble/cert.pem"))];
    let mut first = Gateway::start_with(&flags, &trusted);
    let to = first.https();
    let contains = |der: &[u8], text: &str| der.windows(text.len()).any(|part| part == text.as_bytes());
    let issued = wait::until("the certificate", LIMIT, || {
        // Until it is there, the gateway uses its self-signed certificate, so that it can be reached.
        let der = tls::certificate(to);
        contains(&der, "Pebble Intermediate CA").then_some(der)
    });
    assert!(contains(&issued, DOMAIN));
    assert!(first.process.stdout().contains(&format!("https://{DOMAIN}/")), "{}", first.process.stdout());
    assert_eq!(http::get(first.http(), "/healthz").status, 200);
    assert_eq!(http::get(first.http(), "/.well-known/acme-challenge/guess").status, 404);
    let kept = || fs::read_dir(dir.join("data/acme")).expect("a folder").count() == 2;
    wait::until_true("account and certificate to be kept", LIMIT, kept);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(dir.join("data/acme")).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    first.stop();

    // The stored certificate is used again; no server is asked.
    drop(pebble);
    let second = Gateway::start_with(&flags, &trusted);
    wait::until_true("the stored certificate", LIMIT, || tls::certificate(second.https()) == issued);
    assert!(!second.process.stderr().contains("ACME failed"), "{}", second.process.stderr());
    drop((first, second));
    let _ = fs::remove_dir_all(dir);
}
