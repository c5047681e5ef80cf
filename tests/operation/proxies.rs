//! The addresses of clients behind proxies: by a header of nginx, and by the PROXY protocol.

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::proxy::{Nginx, load_balancer};
use lianmai_tests::{Clip, Gateway, http, rtmp, wait};
use serde_json::Value;

use crate::{LIMIT, publish};

/// The lines of nginx: it takes the address of its own client from a header, which stands for real clients, and passes
/// it on as usual.
const LINES: &str =
    "set_real_ip_from unix:; real_ip_header X-Client; proxy_http_version 1.1; proxy_buffering off;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
/// PROXY version 1, from 198.51.100.7.
const VERSION_1: &[u8] = b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n";
/// PROXY version 2, from 203.0.113.9, port 7.
const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc0\0\x02\x01\0\x07\x07\x8f";

/// Returns the header with which nginx knows a client.
fn from(ip: &str) -> String {
    format!("Host: h\r\nX-Client: {ip}\r\n")
}

/// Returns the listed clients that play, with this address.
fn viewers(gateway: &Gateway, ip: &str) -> Vec<Value> {
    let clients = gateway.json("/api/v1/clients");
    let clients = clients["clients"].as_array().cloned().unwrap_or_default();
    clients.into_iter().filter(|client| client["ip"] == ip && client["publish"] == false).collect()
}

#[test]
fn clients_behind_nginx_have_their_own_addresses_limits_and_bans() {
    let gateway = Gateway::start(&["--forwarded-for", "127.0.0.1", "--max-connections-per-ip", "2"]);
    let nginx = Nginx::start(gateway.http(), LINES);
    let _live = publish(&gateway, "x", Clip::Av);
    let play = |ip: &str, more: &str| nginx.open("/live/x.flv", &format!("{}{more}", from(ip)));
    let (first, second, other) =
        (play("198.51.100.7", ""), play("198.51.100.7", ""), play("198.51.100.8", ""));
    assert_eq!((first.0, second.0, other.0), (200, 200, 200));
    wait::until_true("both addresses in the API", LIMIT, || {
        viewers(&gateway, "198.51.100.7").len() == 2 && viewers(&gateway, "198.51.100.8").len() == 1
    });
    assert!(gateway.process.stderr().contains("peer=198.51.100.7:"), "{}", gateway.process.stderr());
    // Two connections are the limit of an address, whatever the client writes into the header itself.
    for more in ["", "X-Forwarded-For: 192.0.2.55\r\n", "Forwarded: for=192.0.2.55\r\n"] {
        let (status, answer) = nginx.ask("GET", "/healthz", &format!("{}{more}", from("198.51.100.7")));
        assert!(status == 503 && answer.contains("too many connections"), "{more}: {answer}");
        assert_eq!(nginx.ask("GET", "/healthz", &format!("{}{more}", from("198.51.100.9"))).0, 200);
    }
    drop((first, second));
    wait::until_true("a free place", LIMIT, || nginx.ask("GET", "/healthz", &from("198.51.100.7")).0 == 200);
    // The operator bans the other one, who cannot evade it by a header.
    let id = viewers(&gateway, "198.51.100.8")[0]["id"].as_str().expect("a text").to_owned();
    let kick = gateway.operator(&format!("/api/v1/clients/{id}?minutes=5"));
    assert_eq!(http::request(gateway.http(), "DELETE", &kick, &[]).status, 200);
    wait::until_true("the end of the viewer", LIMIT, || viewers(&gateway, "198.51.100.8").is_empty());
    for more in ["", "X-Forwarded-For: 198.51.100.1\r\n", "Forwarded: for=198.51.100.1\r\n"] {
        assert_eq!(play("198.51.100.8", more).0, 403, "{more}");
    }
    let playlist = nginx.ask("GET", "/live/x.m3u8", &from("198.51.100.8"));
    assert_eq!(playlist.0, 403, "{}", playlist.1);
    assert_eq!(play("198.51.100.10", "").0, 200);
}

#[test]
fn without_the_setting_the_header_changes_no_address_that_is_shown() {
    let gateway = Gateway::start(&[]);
    let _live = publish(&gateway, "x", Clip::Av);
    let open = http::open(gateway.http(), "GET", "/live/x.flv", &["X-Forwarded-For: 198.51.100.7"]);
    assert_eq!(open.status, 200);
    wait::until_true("the viewer", LIMIT, || viewers(&gateway, "127.0.0.1").len() == 1);
    assert!(viewers(&gateway, "198.51.100.7").is_empty());
    // A request through a proxy is not one of this machine.
    let gateway = Gateway::start(&["--forwarded-for", "127.0.0.1", "--play-wait", "0"]);
    let lines = ["X-Forwarded-For: 127.0.0.1"];
    let posted = http::send(gateway.http(), "POST", "/live/x.flv", &lines, b"FLV");
    assert_eq!(posted.status, 403, "{}", posted.text());
}

#[test]
fn a_load_balancer_names_clients_by_the_proxy_protocol() {
    let gateway = Gateway::start(&["--proxy-protocol", "127.0.0.2", "--open"]);
    let rtmp_port = load_balancer(gateway.rtmp(), VERSION_2);
    let (_, tags) = Clip::Av.minutes(1);
    let mut publisher = rtmp::Client::publish(rtmp_port, "x").expect("published");
    let client = wait::until("the publisher in the API", LIMIT, || {
        gateway.json("/api/v1/clients")["clients"].as_array()?.first().cloned()
    });
    assert_eq!((&client["ip"], &client["publish"]), (&"203.0.113.9".into(), &true.into()), "{client}");
    for tag in tags.iter().take(200) {
        publisher.send_tag(tag).expect("sent");
    }
    let viewer = FlvViewer::https(load_balancer(gateway.https(), VERSION_1), "/live/x.flv");
    viewer.wait_frames(VIDEO, 1, LIMIT);
    wait::until_true("the viewer in the API", LIMIT, || viewers(&gateway, "198.51.100.7").len() == 1);
    let plain = http::get(load_balancer(gateway.http(), b"PROXY UNKNOWN\r\n"), "/healthz");
    assert_eq!(plain.status, 200);
    // A proxy that sends no header is not served, and nobody else may send one.
    assert!(rtmp::Client::publish(load_balancer(gateway.rtmp(), b""), "y").is_err());
    let mut own = std::net::TcpStream::connect(gateway.http()).expect("it listens");
    let mut answer = String::new();
    std::io::Write::write_all(&mut own, &[VERSION_1, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"].concat())
        .expect("sent");
    let _ = std::io::Read::read_to_string(&mut own, &mut answer);
    assert!(!answer.contains("200 OK"), "{answer}");
}
