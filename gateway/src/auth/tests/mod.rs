mod tokens;

use std::future::Future;

use futures_util::FutureExt as _;
use http::{HeaderMap, Uri};

use super::*;

const SECRET: &str = "s3cret+&";

/// What needs no keys is said at once.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("at once")
}

fn request<'a>() -> AuthRequest<'a> {
    AuthRequest {
        stream: None,
        query: "",
        bearer: None,
        peer: "127.0.0.1:9".parse().unwrap(),
        host: Some("127.0.0.1:8080"),
        origin: None,
        forwarded: false,
    }
}

fn auth(public: bool) -> Auth {
    Auth { public, secret: Some(SECRET.to_owned()), ..Auth::default() }
}

#[test]
fn this_machine_publishes_freely_by_any_of_its_names() {
    for host in [
        None,
        Some("localhost"),
        Some("LOCALHOST.:80"),
        Some("[::1]:8080"),
        Some("127.9.9.9"),
        Some("a.localhost:1"),
    ] {
        for origin in
            [None, Some("http://localhost:3000"), Some("http://[::1]"), Some("https://127.0.0.1:8443")]
        {
            assert_eq!(
                now(auth(false).publish(&AuthRequest { host, origin, ..request() })),
                Ok(()),
                "{host:?} {origin:?}"
            );
        }
    }
    let peer = "[::ffff:127.0.0.1]:9".parse().unwrap();
    assert_eq!(now(auth(false).publish(&AuthRequest { peer, ..request() })), Ok(()));
}

#[test]
fn what_only_arrives_over_loopback_needs_the_secret() {
    let elsewhere = [
        AuthRequest { host: Some("example.com"), ..request() },
        AuthRequest { host: Some("localhost.example.com:8080"), ..request() },
        AuthRequest { host: Some("127.0.0.1.example.com"), ..request() },
        AuthRequest { host: Some(""), ..request() },
        AuthRequest { forwarded: true, ..request() },
        AuthRequest { peer: "192.0.2.1:9".parse().unwrap(), ..request() },
        AuthRequest { origin: Some("https://example.com"), ..request() },
        AuthRequest { origin: Some("http://localhost.example.com"), ..request() },
        AuthRequest { origin: Some("null"), ..request() },
        // The page of a rebound name: host and origin agree, and neither is this machine.
        AuthRequest { origin: Some("http://example.com"), host: Some("example.com"), ..request() },
    ];
    for request in elsewhere {
        assert_eq!(now(auth(false).publish(&request)), Err(Denied::Missing), "{request:?}");
        assert_eq!(now(Auth::default().publish(&request)), Err(Denied::Local), "{request:?}");
        let shown = AuthRequest { query: "a=b&secret=s3cret%2B%26", ..request.clone() };
        assert_eq!(now(auth(false).publish(&shown)), Ok(()));
        assert_eq!(now(Auth { open: true, ..auth(false) }.publish(&request)), Ok(()));
        assert_eq!(Auth { open: true, ..auth(false) }.operate(&request), Err(Denied::Missing));
    }
}

#[test]
fn a_public_gateway_asks_everyone() {
    assert_eq!(now(auth(true).publish(&request())), Err(Denied::Missing));
    assert_eq!(
        now(auth(true).publish(&AuthRequest { query: "secret=s3cret", ..request() })),
        Err(Denied::Wrong)
    );
    assert_eq!(now(auth(true).publish(&AuthRequest { query: "secret=", ..request() })), Err(Denied::Wrong));
    assert_eq!(now(auth(true).publish(&AuthRequest { bearer: Some(SECRET), ..request() })), Ok(()));
    // An empty secret is none, not one that everybody has.
    let empty = Auth { public: true, secret: Some(String::new()), ..Auth::default() };
    assert!(now(empty.publish(&AuthRequest { query: "secret=", ..request() })).is_err());
}

#[test]
fn playing_is_free_unless_configured() {
    let far = AuthRequest { peer: "192.0.2.1:9".parse().unwrap(), ..request() };
    assert_eq!(now(auth(true).play(&far)), Ok(()));
    let closed = Auth { play_secret: Some("watch".to_owned()), ..auth(true) };
    assert_eq!(now(closed.play(&far)), Err(Denied::Play));
    assert_eq!(now(closed.play(&AuthRequest { query: "secret=watch", ..far.clone() })), Ok(()));
    assert_eq!(now(closed.play(&AuthRequest { bearer: Some(SECRET), ..far.clone() })), Ok(()));
    assert!(now(closed.publish(&AuthRequest { query: "secret=watch", ..far })).is_err());
}

#[test]
fn headers_are_read_with_suspicion() {
    let uri: Uri = "/live/x.flv?secret=1".parse().unwrap();
    let peer = "127.0.0.1:9".parse().unwrap();
    let with = |pairs: &[(&'static str, &[u8])]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, http::HeaderValue::from_bytes(value).unwrap());
        }
        now(auth(false).publish(&AuthRequest::http(None, &uri, &headers, peer))).is_ok()
    };
    assert!(with(&[("host", b"localhost:8080")]));
    for header in ["via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"] {
        assert!(!with(&[("host", b"localhost:8080"), (header, b"")]), "{header}");
    }
    assert!(!with(&[("host", b"localhost"), ("origin", b"http://\xff")]));
    assert!(with(&[("host", b"example.com"), ("authorization", b"bearer s3cret+&")]));
}
