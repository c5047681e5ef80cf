mod forged;
mod tokens;

use std::future::Future;

use futures_util::FutureExt as _;
use http::{HeaderMap, Uri};

use super::*;

use super::logins::Page;
use crate::core::admission::{Admission, Refusal};
use crate::core::client::ClientInfo;
use crate::limits::ClientLimits;

const SECRET: &str = "s3cret+&";

/// Decisions of the gateway's own guards.
impl Auth {
    async fn publish(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.decide(Act::Publish, request, true).await
    }

    async fn might_publish(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.decide(Act::Publish, request, false).await
    }

    async fn play(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.decide(Act::Play, request, true).await
    }

    async fn might_play(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.decide(Act::Play, request, false).await
    }

    async fn decide(&self, act: Act, request: &AuthRequest<'_>, consume: bool) -> Result<(), Denied> {
        let name = request.stream.cloned().unwrap_or_else(|| StreamName::parse("live/x").unwrap());
        let (url, agent) = (String::new(), String::new());
        let client = ClientInfo { protocol: "test", peer: request.peer, url, agent };
        let admission = Admission::new(Arc::new(self.clone()), ClientLimits::default());
        let decided = match act {
            _ if !consume => admission.probe(act, &name, request, &client).await,
            Act::Publish => admission.publish(&name, request, client).await.map(drop),
            Act::Play => admission.play(&name, request, client).await.map(drop),
        };
        decided.map_err(|refusal| match refusal {
            Refusal::Credentials(denied) => denied,
            Refusal::Rule(text) | Refusal::Taken(text) | Refusal::Unavailable(text) => panic!("{text}"),
        })
    }
}

/// Returns the result of a future that must be ready immediately.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("at once")
}

fn request<'a>() -> AuthRequest<'a> {
    AuthRequest {
        stream: None,
        query: "",
        bearer: None,
        peer: "127.0.0.1:9".parse().unwrap(),
        from: "127.0.0.1".parse().unwrap(),
        host: Some("127.0.0.1:8080"),
        origin: None,
        page_url: "",
        forwarded: false,
        headers: None,
        page: Page::Unknown,
        changes: false,
        secure: false,
    }
}

fn auth(public: bool) -> Auth {
    Auth { public, secret: SECRET.into(), ..Auth::default() }
}

#[test]
fn this_machine_publishes_freely_by_any_of_its_names() {
    for host in [
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
        // Every real client sends a host; a request without one was forwarded.
        AuthRequest { host: None, ..request() },
        AuthRequest { host: Some(""), ..request() },
        AuthRequest { host: Some("127.0.0.1:evil"), ..request() },
        AuthRequest { forwarded: true, ..request() },
        AuthRequest { peer: "192.0.2.1:9".parse().unwrap(), ..request() },
        AuthRequest { origin: Some("https://example.com"), ..request() },
        AuthRequest { origin: Some("http://localhost.example.com"), ..request() },
        AuthRequest { origin: Some("null"), ..request() },
        AuthRequest { origin: Some("http://[::1]evil"), ..request() },
        // A page of a rebound name: host and origin are equal, and neither is this machine.
        AuthRequest { origin: Some("http://example.com"), host: Some("example.com"), ..request() },
    ];
    for request in elsewhere {
        assert_eq!(now(auth(false).publish(&request)), Err(Denied::Missing), "{request:?}");
        assert_eq!(now(Auth::default().publish(&request)), Err(Denied::Local), "{request:?}");
        let shown = AuthRequest { query: "a=b&secret=s3cret%2B%26", ..request.clone() };
        assert_eq!(now(auth(false).publish(&shown)), Ok(()));
        assert_eq!(now(Auth { open: true, ..auth(false) }.publish(&request)), Ok(()));
        assert_eq!(now(Auth { open: true, ..auth(false) }.operate(&request)), Err(Denied::MissingOperator));
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
    // An empty secret counts as no secret. Otherwise everybody would know it.
    let empty = Auth { public: true, secret: "".into(), ..Auth::default() };
    assert!(now(empty.publish(&AuthRequest { query: "secret=", ..request() })).is_err());
}

#[test]
fn playing_is_free_unless_configured() {
    let far = AuthRequest { peer: "192.0.2.1:9".parse().unwrap(), ..request() };
    assert_eq!(now(auth(true).play(&far)), Ok(()));
    let closed = Auth { play_secret: "watch".into(), ..auth(true) };
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
    assert!(with(&[("host", b"localhost:8080"), ("sec-fetch-site", b"same-origin")]));
    // A page of this machine under another of its names.
    let page = ("origin", &b"http://127.0.0.1:3000"[..]);
    assert!(with(&[("host", b"localhost:8080"), page, ("sec-fetch-site", b"cross-site")]));
    assert!(!with(&[("host", b"localhost:8080"), ("sec-fetch-site", b"cross-site")]));
    for header in [
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-real-ip",
        "cf-connecting-ip",
        "cf-ray",
        "true-client-ip",
        "x-client-ip",
        "fly-client-ip",
        "x-envoy-external-address",
        "x-original-forwarded-for",
        "x-original-host",
        "cdn-loop",
        "fastly-client-ip",
        "x-amzn-trace-id",
        "x-azure-clientip",
        "x-vercel-id",
        "x-cluster-client-ip",
    ] {
        assert!(!with(&[("host", b"localhost:8080"), (header, b"")]), "{header}");
    }
    assert!(!with(&[("host", b"localhost"), ("origin", b"http://\xff")]));
    assert!(with(&[("host", b"example.com"), ("authorization", b"bearer s3cret+&")]));
}

#[test]
fn two_origins_and_old_versions_are_not_of_this_machine() {
    let uri: Uri = "/live/x.flv".parse().unwrap();
    let peer = "127.0.0.1:9".parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", "localhost".parse().unwrap());
    headers.append("origin", "http://localhost".parse().unwrap());
    let may = |headers: &HeaderMap, version| {
        now(auth(false).publish(&AuthRequest::http(None, &uri, headers, peer).by(version))).is_ok()
    };
    assert!(may(&headers, http::Version::HTTP_11));
    assert!(!may(&headers, http::Version::HTTP_10));
    headers.append("origin", "http://evil.example".parse().unwrap());
    assert!(!may(&headers, http::Version::HTTP_11));
}

#[test]
fn operating_takes_its_own_secret_on_this_machine_too() {
    let with = |query| AuthRequest { query, ..request() };
    let local = Auth { operator: "o".into(), ..Auth::default() };
    for auth in
        [local.clone(), Auth { open: true, ..local.clone() }, Auth { public: true, open: true, ..local }]
    {
        assert_eq!(now(auth.operate(&request())), Err(Denied::MissingOperator));
        assert_eq!(now(auth.operate(&with("secret=p"))), Err(Denied::WrongOperator));
        assert_eq!(now(auth.operate(&with("secret=o"))), Ok(()));
        assert_eq!(now(auth.operate(&AuthRequest { bearer: Some("o"), ..request() })), Ok(()));
    }
    // The secret for publishers does not authenticate the operator, whether there is one or not.
    let both = Auth { operator: "o".into(), ..auth(true) };
    for auth in [&both, &auth(true)] {
        assert_eq!(now(auth.operate(&with("secret=s3cret%2B%26"))), Err(Denied::WrongOperator));
    }
    assert_eq!(now(both.operate(&with("secret=o"))), Ok(()));
    // Nor does the operator's secret publish.
    assert_eq!(now(both.publish(&with("secret=o"))), Err(Denied::Wrong));
    assert_eq!(now(Auth::default().operate(&with("secret="))), Err(Denied::WrongOperator));
    // Each of the three reads a list of streams that is not public.
    let closed = Auth { play_secret: "watch".into(), ..both };
    for (secret, may) in [("o", true), ("watch", true), ("s3cret%2B%26", true), ("p", false)] {
        let query = format!("secret={secret}");
        let look = AuthRequest { query: &query, ..request() };
        assert_eq!(now(closed.sees_streams(&look)).is_ok(), may, "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_at_all_doors_of_one_address_are_answered_late() {
    let operator = Secret::from("o");
    let all = Auth { play_secret: "watch".into(), operator, ..auth(true) };
    let at = |from: &str| AuthRequest { from: from.parse().unwrap(), peer: peer(from), ..request() };
    let began = tokio::time::Instant::now();
    for n in 0..105 {
        let query = format!("secret=guess{n}");
        let guess = AuthRequest { query: &query, ..at("192.0.2.1") };
        let door = n % 5;
        let denied = match door {
            0 => all.publish(&guess).await,
            1 => all.play(&guess).await,
            2 => all.operate(&guess).await,
            3 => all.sees_streams(&guess).await,
            _ => all.is_free(Act::Publish, &guess).await.map(|may| assert!(!may)),
        };
        assert_eq!(denied.is_ok(), door == 4, "{denied:?}");
        // A client with the right secret is admitted immediately, even from the same address.
        let right = AuthRequest { query: "secret=s3cret%2B%26", ..at("192.0.2.1") };
        assert_eq!(now(all.publish(&right)), Ok(()));
    }
    let took = began.elapsed().as_secs();
    assert_eq!(took, 15 + 80 * 2 + 5 * 4, "seconds for 105 guesses one after another");
    // Without authentication no secret is compared.
    let open = Auth { open: true, guesses: all.guesses.clone(), ..auth(false) };
    assert_eq!(now(open.publish(&AuthRequest { query: "secret=new", ..at("192.0.2.1") })), Ok(()));
    // Many secrets in one address are not many guesses.
    let many: String = (0..500).map(|n| format!("secret={n}&")).collect();
    let many = many + "secret=s3cret%2B%26";
    assert_eq!(now(all.publish(&AuthRequest { query: &many, ..at("192.0.2.3") })), Err(Denied::Wrong));
}

fn peer(ip: &str) -> std::net::SocketAddr {
    (ip.parse::<std::net::IpAddr>().unwrap(), 9).into()
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_guesses_no_faster() {
    let auth = auth(true);
    let far = AuthRequest { peer: peer("192.0.2.1"), from: "192.0.2.1".parse().unwrap(), ..request() };
    let (mut compared, mut paused) = (0, 0);
    let began = tokio::time::Instant::now();
    for n in 0..60_000 {
        let query = format!("secret=guess{n}");
        match auth.publish(&AuthRequest { query: &query, ..far.clone() }).now_or_never() {
            Some(Err(Denied::Slow(seconds))) => {
                assert!((1..=5).contains(&seconds));
                paused += 1;
            }
            Some(Err(Denied::Wrong)) | None => compared += 1,
            other => panic!("{other:?}"),
        }
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
    }
    let seconds = began.elapsed().as_secs();
    assert!(compared <= 100 + 4 * seconds && compared > 2 * seconds, "{compared} in {seconds} s");
    assert_eq!(compared + paused, 60_000);
}

#[test]
fn a_near_proxy_names_the_visitor_and_no_other_peer_does() {
    let mut headers = HeaderMap::new();
    headers.append("x-forwarded-for", "192.0.2.1".parse().unwrap());
    headers.append("x-forwarded-for", "192.0.2.9, ::ffff:192.0.2.7".parse().unwrap());
    for (ip, wanted) in [
        ("127.0.0.1", "192.0.2.7"),
        ("::1", "192.0.2.7"),
        ("::ffff:172.17.0.2", "192.0.2.7"),
        ("10.0.0.2", "192.0.2.7"),
        ("fd00::2", "192.0.2.7"),
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        assert_eq!(visitor(&headers, peer(ip)).to_string(), wanted, "{ip}");
    }
    headers.append("x-forwarded-for", "unknown".parse().unwrap());
    assert_eq!(visitor(&headers, peer("127.0.0.1")).to_string(), "127.0.0.1");
}
