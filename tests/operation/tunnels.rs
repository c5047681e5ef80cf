//! Remote clients that connect through a tunnel or proxy on this machine and pretend to be local.

use lianmai_tests::proxy::{Nginx, forwarder};
use lianmai_tests::{Gateway, http, rtmp};

const LOCAL: &str = "Host: localhost\r\n";

#[test]
fn behind_a_forwarder_of_tcp_nobody_operates_without_the_secret() {
    let gateway = Gateway::start(&[]);
    let tunnel = forwarder(gateway.http());
    let _publisher = rtmp::Client::publish(gateway.rtmp(), "x").expect("this machine publishes");
    let clients = gateway.json("/api/v1/clients");
    let id = clients["clients"][0]["id"].as_str().expect("a publisher");
    let one = format!("/api/v1/clients/{id}");
    for (method, path) in [("GET", "/api/v1/clients"), ("GET", &one), ("DELETE", &one)] {
        // A forwarder cannot be distinguished from a local program, so neither may operate the gateway.
        for to in [tunnel, gateway.http()] {
            for host in ["Host: localhost", "Host: 127.0.0.1:8080", "Host: [::1]"] {
                let answer = http::request(to, method, path, &[host]);
                assert_eq!(answer.status, 401, "{method} {path} {host}");
                assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
            }
        }
    }
    assert!(gateway.stream("x").is_some_and(|stream| stream["publish"]["active"] == true));
    // With the secret that is printed at the start, from anywhere.
    let printed = gateway.process.stdout();
    let line = printed.lines().find(|line| line.contains("/api/v1/clients?")).expect("the secret is printed");
    let secret = line.rsplit_once("secret=").expect("an address with the secret").1;
    let bearer = format!("Authorization: Bearer {secret}");
    assert_eq!(http::request(tunnel, "GET", "/api/v1/clients", &[&bearer]).status, 200);
    assert_eq!(http::request(tunnel, "DELETE", &format!("{one}?secret={secret}"), &[]).status, 200);
}

#[test]
fn a_proxy_that_passes_only_the_host_gives_nobody_this_machines_rights() {
    let gateway = Gateway::start(&[]);
    let only_host = Nginx::start(gateway.http(), "proxy_set_header Host $host;");
    let may_publish = |headers: &str| only_host.ask("GET", "/api/v1/versions", headers).1;
    assert!(may_publish(LOCAL).contains("\"may_publish\":false"), "{}", may_publish(LOCAL));
    assert_eq!(only_host.ask("POST", "/live/x.flv", LOCAL).0, 403);
    assert_eq!(only_host.ask("GET", "/api/v1/clients", LOCAL).0, 401);
    assert_eq!(only_host.ask("DELETE", "/api/v1/clients/1", LOCAL).0, 401);
    // As documented: the result does not depend on the visitor's claims.
    let usual =
        "proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;";
    let usual = Nginx::start(gateway.http(), usual);
    assert_eq!(usual.ask("POST", "/live/x.flv", LOCAL).0, 403);
    assert_eq!(usual.ask("GET", "/api/v1/clients", LOCAL).0, 401);
    // The newer HTTP version without any trace: publishing is allowed as from here, operating is not.
    let bare = Nginx::start(gateway.http(), "proxy_http_version 1.1; proxy_set_header Host $host;");
    assert_eq!(bare.ask("GET", "/api/v1/clients", LOCAL).0, 401);
    for header in
        ["CF-Connecting-IP: 192.0.2.1", "CDN-Loop: x", "Sec-Fetch-Site: cross-site", "X-Envoy-Internal: 1"]
    {
        let (status, _) = bare.ask("POST", "/live/x.flv", &format!("{LOCAL}{header}\r\n"));
        assert_eq!(status, 403, "{header}");
    }
}

#[test]
fn a_public_gateway_behind_a_tunnel_asks_everyone() {
    let gateway = Gateway::start(&["--public", "--secret", "s3cret"]);
    let to = gateway.http();
    let tunnel = forwarder(format!("127.0.0.1:{}", to.port()).parse().expect("an address"));
    let post = |path: &str| http::request(tunnel, "POST", path, &["Host: localhost"]).status;
    assert_eq!(
        (post("/live/x.flv"), post("/live/x.flv?secret=wrong"), post("/live/x.flv?secret=s3cret")),
        (401, 403, 204)
    );
    let rtmp = forwarder(format!("127.0.0.1:{}", gateway.rtmp().port()).parse().expect("an address"));
    assert!(rtmp::Client::publish_at(rtmp, "rtmp://localhost/live", "live", "x").is_err());
    assert!(rtmp::Client::publish_at(rtmp, "rtmp://localhost/live", "live", "x?secret=s3cret").is_ok());
}
