//! Viewers who need a token.

use ::gateway::core::auth::{Act, SigningKey};
use lianmai_tests::flv::VIDEO;
use lianmai_tests::packets::View;
use lianmai_tests::player::{FlvViewer, Player};
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::{Api, Call, Peer};
use lianmai_tests::site::{self, Site, token};
use lianmai_tests::{Clip, Gateway, http, wait, ws};

use crate::LIMIT;

/// A gateway whose viewers need tokens, with a live stream `live/x`.
struct Show {
    key: SigningKey,
    gateway: Gateway,
    _site: Site,
    _publisher: WsPublisher,
}

impl Show {
    #[track_caller]
    fn start() -> Self {
        let key = site::key();
        let site = Site::start(&key);
        let gateway = Gateway::start(&["--auth-jwks", &site.url(), "--auth-play"]);
        let (flags, tags) = Clip::Av.minutes(2);
        let url = format!("{}&token={}", gateway.ws_publish_url("x"), token(&key, "x", Act::Publish));
        let publisher = WsPublisher::start(&url, flags, tags, 1.0);
        gateway.wait_published("x");
        Self { key, gateway, _site: site, _publisher: publisher }
    }

    fn token(&self) -> String {
        token(&self.key, "x", Act::Play)
    }
}

#[test]
fn every_way_to_watch_takes_a_token_once() {
    let show = Show::start();
    let gateway = &show.gateway;
    let to = gateway.http();

    let mut kept = Vec::new();
    let path = format!("/live/x.flv?token={}", show.token());
    // A check with HEAD does not consume the token.
    assert_eq!(http::request(to, "HEAD", &path, &[]).status, 200);
    kept.push(FlvViewer::http(to, &path));
    kept[0].wait_frames(VIDEO, 1, LIMIT);
    for (path, words) in [("/live/x.flv", "playing needs a token"), (&path, "used already")] {
        let refused = http::get(to, path);
        assert!(refused.status == 401 && refused.text().contains(words), "{}", refused.text());
    }
    let by_header = format!("Authorization: Bearer {}", show.token());
    assert_eq!(http::open(to, "GET", "/live/x.flv", &[&by_header]).status, 200);
    // A token for a stream that starts later.
    let early = token(&show.key, "later", Act::Play);
    let waits = FlvViewer::http(to, &format!("/live/later.flv?token={early}"));

    let url = gateway.ws_url(&format!("x.flv?token={}", show.token()));
    kept.push(FlvViewer::ws(&url));
    kept[1].wait_frames(VIDEO, 1, LIMIT);
    for (url, words) in [(gateway.ws_url("x.flv"), "playing needs a token"), (url, "used already")] {
        let mut socket = ws::connect(&url).expect("a script sees no status: it is let in and told");
        let told = wait::until("a close", LIMIT, || match socket.read() {
            Ok(ws::Message::Close(close)) => close,
            Ok(_) => None,
            Err(error) => panic!("{error}"),
        });
        assert!(u16::from(told.code) == 1008 && told.reason.contains(words), "{told:?}");
    }

    let rtmp = gateway.rtmp_url(&format!("x?token={}", show.token()));
    let mut player = Player::start(&rtmp, View::Whole);
    player.wait(LIMIT, |packets| packets.video.len() >= 30);
    let mut again = Player::start(&rtmp, View::Whole);
    assert!(!again.process.wait(LIMIT).success());
    let mut without = Player::start(&gateway.rtmp_url("x"), View::Whole);
    assert!(!without.process.wait(LIMIT).success());

    let call =
        Call::new(gateway, "x").by(Api::Path).header(&format!("Authorization: Bearer {}", show.token()));
    let whep = Peer::play(&call);
    whep.wait_frames(true, 10, LIMIT);
    let srs = Call::new(gateway, "x").by(Api::Srs).query(&format!("token={}", show.token()));
    let srs = Peer::play(&srs);
    srs.wait_frames(true, 10, LIMIT);
    let refused = http::send(to, "POST", "/live/x/whep", &["Content-Type: application/sdp"], b"v=0\r\n");
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));

    // A page of another host may send its token in a header.
    for path in ["/live/x.flv", "/live/x.m3u8", "/live/x/whep", "/live/x/whip", "/rtc/v1/play/"] {
        let answer = http::request(to, "OPTIONS", path, &["Origin: https://site.example"]);
        let allowed = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(answer.status == 204 && allowed.contains("authorization"), "{path}: {allowed}");
    }

    // Publishing needs another token.
    let wrong = http::get(to, &format!("/live/x.flv?token={}", token(&show.key, "x", Act::Publish)));
    assert!(wrong.status == 403 && wrong.text().contains("another action"), "{}", wrong.text());
    let (flags, tags) = Clip::Av.minutes(1);
    let later =
        format!("{}&token={}", gateway.ws_publish_url("later"), token(&show.key, "later", Act::Publish));
    let _later = WsPublisher::start(&later, flags, tags, 1.0);
    waits.wait_frames(VIDEO, 5, LIMIT);
}

#[test]
fn hls_goes_on_with_one_token_and_gives_strangers_nothing() {
    let show = Show::start();
    let gateway = &show.gateway;
    let list = format!("/live/x.m3u8?token={}", show.token());
    // Longer than a playlist: it is reloaded several times.
    let mut player = Player::start(&format!("http://{}{list}", gateway.http()), View::Whole);
    player.wait(LIMIT * 2, |packets| packets.video.len() >= 30 * 16);
    let sent = gateway.get(&list);
    assert_eq!(sent.status, 302, "from the same place: {}", sent.text());
    let with_pass = format!("/{}", sent.header("location").expect("an address").trim_start_matches("../"));
    let answer = gateway.get(&with_pass);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("public, max-age=1")));
    let text = answer.text();
    let segment = text.lines().find(|line| line.ends_with(".ts")).expect("a segment").to_owned();
    let path = format!("{}/{segment}", with_pass.rsplit_once('/').expect("a folder").0);
    let segment_answer = gateway.get(&path);
    assert_eq!((segment_answer.status, segment_answer.body.first()), (200, Some(&0x47)));
    assert_eq!(gateway.get(&format!("/live/{segment}")).status, 401);
    // From another address the token counts as used.
    let elsewhere =
        http::request(gateway.http(), "GET", &list, &["X-Forwarded-For: 203.0.113.9", "Connection: close"]);
    assert!(elsewhere.status == 401 && elsewhere.text().contains("used already"), "{}", elsewhere.text());

    // An operator closes it.
    let clients = gateway.json("/api/v1/clients");
    let hls = clients["clients"].as_array().into_iter().flatten().find(|c| c["type"] == "hls-play");
    let id = hls.unwrap_or_else(|| panic!("no viewer: {clients}"))["id"].clone();
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let kicked =
        http::request(gateway.http(), "DELETE", &gateway.operator(&format!("/api/v1/clients/{id}")), &[]);
    assert_eq!(kicked.status, 200, "{}", kicked.text());
    for path in [&path, &with_pass, &list] {
        let refused = gateway.get(path);
        assert!(refused.status == 403 && refused.text().contains("operator"), "{path}: {}", refused.text());
    }
}
