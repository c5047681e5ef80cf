//! Publishing with tokens, and trusted issuers.

use std::time::Instant;

use ::gateway::core::auth::{Act, SigningKey};
use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::{self, WsPublisher};
use lianmai_tests::rtc::{Api, Call, Media, Peer};
use lianmai_tests::site::{self, Site, token, token_for};
use lianmai_tests::{Clip, Gateway, gateway, http, tls, wait};

use crate::LIMIT;

/// Starts a gateway that trusts the keys of `site`.
#[track_caller]
fn trusting(site: &Site, more: &[&str]) -> Gateway {
    let url = site.url();
    Gateway::start(&[&["--auth-jwks", &url], more].concat())
}

#[test]
fn the_key_of_an_encoder_does_not_operate_and_an_operators_token_does_once() {
    let gateway = Gateway::start(&["--public"]);
    let data = gateway.data();
    let obs = std::fs::read_to_string(data.join("publish-secret")).expect("a secret was made");
    let clients = |bearer: &str| {
        let line = format!("Authorization: Bearer {}", bearer.trim());
        http::request(gateway.http(), "GET", "/api/v1/clients", &[&line])
    };
    let refused = clients(&obs);
    assert!(refused.status == 403 && refused.text().contains("operator-secret"), "{}", refused.text());
    assert_eq!(post(&gateway, "x", obs.trim()).0, 204, "it publishes");
    let make = || {
        let mut command = gateway::subcommand("token");
        let done = command.arg("--data").arg(data).args(["--act", "operate"]).output().expect("it runs");
        String::from_utf8(done.stdout).expect("text")
    };
    let token = make();
    assert_eq!(clients(&token).status, 200);
    let again = clients(&token);
    assert!(again.status == 401 && again.text().contains("used already"), "{}", again.text());
    assert_ne!(post(&gateway, "x", make().trim()).0, 204, "an operator's token does not publish");
    // The address that is printed at the start.
    let printed = gateway.process.stdout();
    let line = printed.lines().find(|line| line.contains("/api/v1/clients?")).expect("it is printed");
    let path = line.split_once("/api/").map(|(_, path)| format!("/api/{path}")).expect("an address");
    assert_eq!(gateway.get(&path).status, 200, "{path}");
}

/// Publishes an empty stream with this token. Returns the status and the text of a refusal.
#[track_caller]
fn post(gateway: &Gateway, name: &str, token: &str) -> (u16, String) {
    let bearer = format!("Authorization: Bearer {token}");
    let lines: Vec<&str> = if token.is_empty() { vec![] } else { vec![&bearer] };
    let answer = http::request(gateway.http(), "POST", &format!("/live/{name}.flv"), &lines);
    (answer.status, answer.text())
}

#[test]
fn publishers_by_every_protocol_come_in_with_a_token_and_once() {
    let key = site::key();
    let site = Site::start(&key);
    let gateway = trusting(&site, &[]);
    let mint = |name: &str| token(&key, name, Act::Publish);
    assert_eq!(gateway.json("/api/v1/versions")["data"]["may_publish"], false);

    // RTMP, by ffmpeg.
    let mut without = publisher::ffmpeg(&Clip::Av.file(), &gateway.rtmp_url("rtmp"));
    assert!(!without.wait(LIMIT).success());
    assert!(without.stderr().contains("a token is needed"), "ffmpeg says: {}", without.stderr());
    let keyed = format!("rtmp?token={}", mint("rtmp"));
    let _rtmp = publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url(&keyed));
    gateway.wait_published("rtmp");
    FlvViewer::http(gateway.http(), "/live/rtmp.flv").wait_frames(VIDEO, 30, LIMIT);
    let mut again = publisher::ffmpeg(&Clip::Av.file(), &gateway.rtmp_url(&keyed));
    assert!(!again.wait(LIMIT).success());
    assert!(again.stderr().contains("used already"), "ffmpeg says: {}", again.stderr());

    // WHIP, by header; SRS's call, by the stream's address.
    let call = Call::new(&gateway, "whip").by(Api::Path);
    let refused = Peer::try_publish(&call, Media::usual()).expect_err("a token is needed");
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
    let call = call.header(&format!("Authorization: Bearer {}", mint("whip")));
    let peer = Peer::publish(&call, Media::usual());
    peer.wait_connected(LIMIT);
    gateway.wait_published("whip");
    let refused = Peer::try_publish(&call, Media::usual()).expect_err("the token was used");
    assert_eq!(refused.status, 401);
    let how = refused.header("www-authenticate").unwrap_or_default();
    assert!(how.contains("invalid_token") && how.contains("used already"), "{how}");
    let call = Call::new(&gateway, "srs").by(Api::Srs).query(&format!("token={}", mint("srs")));
    let peer = Peer::publish(&call, Media::usual());
    peer.wait_connected(LIMIT);
    let refused = Peer::try_publish(&call, Media::usual()).expect_err("the token was used");
    assert!(refused.text().contains("\"code\":401") && refused.text().contains("used already"));

    // FLV by POST and by WebSocket.
    assert_eq!(post(&gateway, "post", &mint("post")).0, 204);
    let (flags, tags) = Clip::Av.minutes(1);
    let url = format!("{}&token={}", gateway.ws_publish_url("ws"), mint("ws"));
    let _ws = WsPublisher::start(&url, flags, tags, 1.0);
    gateway.wait_published("ws");
}

#[test]
fn refusals_say_what_is_wrong_with_a_token() {
    let key = site::key();
    let site = Site::start(&key);
    let gateway = trusting(&site, &["--secret", "password"]);
    let late = token_for(&key, "x", Act::Publish, 1);
    let stranger = site::key();
    for (token, status, words) in [
        (String::new(), 401, "a token is needed"),
        (token(&key, "y", Act::Publish), 403, "another stream"),
        (token(&key, "x", Act::Play), 403, "another action"),
        (token(&stranger, "x", Act::Publish), 401, "not one that this gateway trusts"),
        ("a.b.c".to_owned(), 401, "not a JWT"),
        ("wrong".to_owned(), 403, "the secret is wrong"),
        ("password".to_owned(), 204, ""),
    ] {
        let (got, text) = post(&gateway, "x", &token);
        assert!(got == status && text.contains(words), "{token}: {got} {text}");
    }
    // Shown for another stream, which does not consume it.
    wait::until_true("the token to be over", LIMIT, || post(&gateway, "y", &late).1.contains("expired"));
    assert!(post(&gateway, "x", &late).1.contains("expired"));
}

#[test]
fn keys_survive_that_their_site_is_down_and_go_when_it_takes_them_back() {
    let (first, second) = (site::key(), site::key());
    let mut site = Site::start(&first);
    site.down();
    let gateway = trusting(&site, &[]);
    let publish = |key: &SigningKey| post(&gateway, "x", &token(key, "x", Act::Publish));
    assert_eq!(publish(&first).0, 401);
    // Unknown keys are requested.
    site.up();
    assert_eq!(publish(&first).0, 204);
    site.down();
    assert_eq!(publish(&first).0, 204);
    // Requested without success: known keys stay.
    assert_eq!(publish(&second).0, 401);
    assert_eq!(publish(&first).0, 204);
    site.say("<html>Briefly unavailable for scheduled maintenance.</html>");
    site.up();
    assert_eq!(publish(&second).0, 401);
    assert_eq!(publish(&first).0, 204);
    // Another key; the old one is no longer listed.
    site.tell(&second);
    assert_eq!(publish(&second).0, 204);
    let (status, words) = publish(&first);
    assert!(status == 401 && words.contains("not one that this gateway trusts"), "{status} {words}");
}

#[test]
fn strangers_do_not_make_the_gateway_ask_all_the_time() {
    let key = site::key();
    let site = Site::start(&key);
    let gateway = trusting(&site, &[]);
    assert_eq!(post(&gateway, "x", &token(&key, "x", Act::Publish)).0, 204);
    let (before, start) = (site.asked(), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(post(&gateway, "x", &token(&site::key(), "x", Act::Publish)).0, 401));
        }
    });
    // At most every two seconds, however long this takes.
    let (asked, most) = (site.asked() - before, start.elapsed().as_secs() as usize / 2 + 2);
    assert!(asked <= most, "asked {asked} times, not {most}");
}

#[test]
fn a_site_that_moves_is_followed_to_itself_only() {
    let (key, other) = (site::key(), site::key());
    let site = Site::start(&key);
    let elsewhere = Site::start(&other);
    // Another name counts as another host.
    site.send_to(&elsewhere.url().replace("127.0.0.1", "localhost"));
    let gateway = trusting(&site, &[]);
    assert_eq!(post(&gateway, "x", &token(&other, "x", Act::Publish)).0, 401);
    assert_eq!(elsewhere.asked(), 0);
    // A redirection loop.
    site.send_to("/again");
    assert_eq!(post(&gateway, "x", &token(&other, "x", Act::Publish)).0, 401);
    // Another port of the same host is allowed.
    site.send_to(&elsewhere.url());
    assert_eq!(post(&gateway, "x", &token(&other, "x", Act::Publish)).0, 204);
}

#[test]
fn a_site_by_https_is_believed_if_its_certificate_is() {
    let dir = gateway::temp_dir("secure-site");
    let data = dir.join("data");
    // A certificate for this machine: a gateway's is sufficient.
    drop(Gateway::start(&["--data", data.to_str().expect("a path of text")]));
    let key = site::key();
    let site = Site::secure(&key, tls::server(&data));
    let url = site.url();
    let stranger = Gateway::start(&["--auth-jwks", &url]);
    assert_eq!(post(&stranger, "x", &token(&key, "x", Act::Publish)).0, 401);
    let trusted = [("SSL_CERT_FILE", data.join("cert.pem").display().to_string())];
    let gateway = Gateway::start_with(&["--auth-jwks", &url], &trusted);
    assert_eq!(post(&gateway, "x", &token(&key, "x", Act::Publish)).0, 204);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_token_is_made_by_hand() {
    let dir = gateway::temp_dir("by-hand");
    let data = dir.join("data").to_str().expect("a path of text").to_owned();
    let gateway = Gateway::start(&["--data", &data, "--public", "--secret", "password"]);
    let made = |args: &[&str]| {
        let mut command = gateway::subcommand("token");
        let done = command.args(["--data", &data]).args(args).output().expect("it runs");
        let [out, error] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        if done.status.success() { Ok(out) } else { Err(error) }
    };
    let token = made(&["--stream", "live/x", "--act", "publish"]).expect("a token");
    let url = gateway.rtmp_url(&format!("x?token={}", token.trim()));
    let _rtmp = publisher::ffmpeg_forever(&Clip::Av.file(), &url);
    gateway.wait_published("x");

    // Another gateway gets the key from a file.
    let keys = made(&["--jwks"]).expect("keys");
    let file = dir.join("keys.json");
    std::fs::write(&file, keys).expect("a writable folder");
    let other = Gateway::start(&["--auth-jwks", file.to_str().expect("a path of text")]);
    let token = made(&["--stream", "live/y", "--act", "publish", "--ttl", "5"]).expect("a token");
    assert_eq!(post(&other, "y", token.trim()).0, 204);

    for (args, words) in [
        (&["--stream", "x", "--act", "play"][..], "x:"),
        (&["--stream", "live/x", "--act", "play", "--ttl", "86401"], "86400"),
        (&["--stream", "live/x", "--act", "watch"], "publish"),
        (&["--stream", "live/x"], "--act"),
        (&["--stream", "live/x", "--act", "play", "--key", "/nowhere/key.pem"], "/nowhere/key.pem"),
    ] {
        let error = made(args).expect_err("refused");
        assert!(error.contains(words), "{args:?}: {error}");
    }
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_place_for_keys_that_can_not_be_is_said_at_the_start() {
    let mut serve = gateway::serve(&["--auth-jwks", "ftp://127.0.0.1/jwks"]);
    let done = serve.output().expect("it runs");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && words.contains("ftp://127.0.0.1/jwks"), "{words}");
}
