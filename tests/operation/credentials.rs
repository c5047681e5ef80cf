//! Wrong keys, tokens, signatures and invitations, and a new publish secret.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use lianmai_tests::{Clip, Gateway, http, publisher, rtmp, wait, ws};
use serde_json::{Value, json};

use crate::LIMIT;

/// Sends a request without waiting for its response.
fn ask(gateway: &Gateway, method: &str, target: &str) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.http()).expect("the gateway listens");
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    socket.write_all(head.as_bytes()).expect("a request");
    socket
}

/// Returns the status of the response, and when it came.
fn status(mut socket: TcpStream) -> (u16, Instant) {
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (code, Instant::now())
}

/// Joins a room with an invitation; returns the text of the refusal.
fn join(gateway: &Gateway, invite: &str) -> String {
    let mut socket = ws::connect(&format!("ws://{}/api/v1/rooms/show", gateway.http())).expect("a socket");
    let join = json!({ "type": "join", "version": 1, "name": "Eve", "invite": invite });
    socket.send(ws::Message::text(join.to_string())).expect("sent");
    socket.read().expect("an answer").into_text().expect("a text").to_string()
}

/// Calls the API as the operator. Returns the status and the answer.
#[track_caller]
fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let lines = ["Content-Type: application/json"];
    let answer =
        http::send(gateway.http(), method, &gateway.operator(path), &lines, body.to_string().as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn two_hundred_wrong_credentials_at_every_door_are_slow_and_a_right_one_is_not() {
    let url_key = "0123456789abcdef0123456789abcdef";
    let flags = ["--public", "--play-secret", "watch", "--play-url-key", url_key, "--play-wait", "1"];
    let gateway = Gateway::start(&flags);
    let made = json!({ "name": "Anna", "streams": "live/*", "play": true });
    let key = call(&gateway, "POST", "/api/v1/keys", &made).1["key"]["key"].clone();
    let key = key.as_str().expect("a text");

    let begun = Instant::now();
    let asked: Vec<TcpStream> = (0..200)
        .map(|n| match n % 6 {
            0 => ask(&gateway, "GET", &format!("/live/x.flv?key=lk_guess{n}")),
            1 => ask(&gateway, "POST", &format!("/live/x/whip?key=lk_guess{n}")),
            2 => ask(&gateway, "POST", &format!("/live/x/whep?token=guess.{n}.x")),
            3 => ask(&gateway, "GET", &format!("/live/x.flv?expires=1800000060&sig={n:064x}")),
            4 => ask(&gateway, "POST", &format!("/api/v1/logins?token=guess.{n}.x")),
            _ => ask(&gateway, "GET", &format!("/api/v1/clients?token=guess.{n}.x")),
        })
        .collect();
    // RTMP and rooms are doors, too; a refusal without delay is one that says to try later.
    let late = thread::scope(|scope| {
        let rtmp = scope.spawn(|| {
            (0..5).all(|n| rtmp::Client::publish(gateway.rtmp(), &format!("x?key=lk_rtmp{n}")).is_err())
        });
        let room = scope.spawn(|| join(&gateway, "g.6b49d200.00000000000000000000000000000000..0123"));
        // Everybody at this address with a right key comes in meanwhile, and the gateway answers others.
        let right = Instant::now();
        drop(rtmp::Client::publish(gateway.rtmp(), &format!("anna?key={key}")).expect("the key publishes"));
        assert_eq!(http::request(gateway.http(), "HEAD", &format!("/live/x.flv?key={key}"), &[]).status, 404);
        assert_eq!(gateway.get("/healthz").status, 200);
        assert_eq!(gateway.get(&gateway.operator("/api/v1/clients")).status, 200);
        let right = right.elapsed().as_secs_f64();
        assert!(rtmp.join().expect("no panic"));
        let text = room.join().expect("no panic");
        assert!(text.contains("forbidden"), "{text}");
        right
    });
    let answers: Vec<(u16, Instant)> = asked.into_iter().map(status).collect();
    let compared: Vec<_> = answers.iter().filter(|(code, _)| *code != 429).collect();
    // Five at once, and 16 in each second or more.
    let most = 5 + 16 * (1 + begun.elapsed().as_secs() as usize);
    assert!((5..=most).contains(&compared.len()), "{} of 200 in {:?}", compared.len(), begun.elapsed());
    assert!(compared.iter().all(|(code, _)| [401, 403].contains(code)), "{compared:?}");
    let held = compared.iter().filter(|(_, at)| at.duration_since(begun).as_secs_f64() >= 0.9).count();
    assert!(held > 0, "no answer was late; right ones took {late} s");
    let metrics = gateway.get("/metrics?secret=watch").text();
    for door in ["key", "token", "signature"] {
        assert!(
            metrics.contains(&format!("lianmai_wrong_secrets_total{{door=\"{door}\"}}")),
            "{door}: {metrics}"
        );
    }
    let log = gateway.process.stderr();
    let lines = log.lines().filter(|line| line.contains("wrong credential")).count();
    assert!((1..=3).contains(&lines), "{lines} lines in the log");
    assert!(!log.contains("lk_guess") && !log.contains("guess.2.x"), "credentials are in the log");
}

#[test]
fn a_new_publish_secret_refuses_the_old_one_and_ends_nobody() {
    let mut gateway = Gateway::start(&["--public"]);
    let secrets = |gateway: &Gateway, method: &str, path: &str| call(gateway, method, path, &Value::Null);
    let (_, before) = secrets(&gateway, "GET", "/api/v1/secrets");
    let old = before["publish"].as_str().expect("a secret").to_owned();
    assert_eq!(before["publish_renewable"], true, "{before}");
    let mut live =
        publisher::ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url(&format!("on?secret={old}")));
    gateway.wait_published("on");
    assert_eq!(http::request(gateway.http(), "POST", "/api/v1/secrets/publish", &[]).status, 401);

    let (status, after) = secrets(&gateway, "POST", "/api/v1/secrets/publish");
    let new = after["publish"].as_str().expect("a secret").to_owned();
    assert!(status == 200 && new != old, "{after}");
    assert!(rtmp::Client::publish(gateway.rtmp(), &format!("x?secret={old}")).is_err());
    drop(rtmp::Client::publish(gateway.rtmp(), &format!("x?secret={new}")).expect("the new one publishes"));
    assert!(live.ended().is_none() && gateway.stream("on").is_some(), "who publishes goes on");
    let kept = fs::read_to_string(gateway.data().join("publish-secret")).expect("readable");
    assert_eq!(kept.trim(), new);
    let log = gateway.process.stderr();
    assert!(log.contains("publish secret replaced") && !log.contains(&new) && !log.contains(&old), "{log}");
    let data = gateway.data().to_str().expect("text").to_owned();
    live.signal("INT");
    live.wait(LIMIT);
    gateway.stop();

    let again = Gateway::start(&["--public", "--data", &data]);
    drop(rtmp::Client::publish(again.rtmp(), &format!("x?secret={new}")).expect("a restart keeps it"));
    drop(again);
    // A secret of the settings is changed there.
    let set = Gateway::start(&["--public", "--secret", "chosen", "--data", &data]);
    assert_eq!(secrets(&set, "GET", "/api/v1/secrets").1["publish_renewable"], false);
    let (status, refused) = secrets(&set, "POST", "/api/v1/secrets/publish");
    assert!(status == 409 && refused["message"].to_string().contains("`secret`"), "{refused}");
    drop(rtmp::Client::publish(set.rtmp(), "x?secret=chosen").expect("the setting stays"));
}

#[test]
fn the_operator_reads_warnings_and_the_state_of_trusted_sites() {
    let flags = ["--public", "--auth-jwks", "http://127.0.0.1:1/jwks?key=hidden"];
    let gateway = Gateway::start(&flags);
    assert_eq!(gateway.get("/api/v1/log").status, 401);
    assert_eq!(gateway.get("/api/v1/issuers").status, 401);
    let site = wait::until("the state of the site", LIMIT, || {
        let (_, list) = call(&gateway, "GET", "/api/v1/issuers", &Value::Null);
        list["issuers"].as_array()?.iter().find(|site| site["error"].is_string()).cloned()
    });
    assert_eq!(site["place"], "http://127.0.0.1:1/jwks");
    assert_eq!((&site["own"], &site["keys"], &site["operates"]), (&false.into(), &json!([]), &false.into()));
    assert!(site["asked_ms"].as_u64() > Some(1_700_000_000_000), "{site}");
    let _ = rtmp::Client::publish(gateway.rtmp(), "x?secret=wr\u{1b}ong-secret");
    let (_, log) = call(&gateway, "GET", "/api/v1/log", &Value::Null);
    let lines = log["lines"].as_array().expect("a list");
    let warning = |message: &str| lines.iter().find(|line| line["message"] == message).cloned();
    let wrong = warning("wrong secret").unwrap_or_else(|| panic!("{log}"));
    assert_eq!(wrong["level"], "warn");
    assert!(wrong["fields"].as_str().is_some_and(|fields| fields.contains("door=\"publish\"")), "{wrong}");
    assert!(warning("token keys not loaded; the known keys stay valid").is_some(), "{log}");
    assert!(!log.to_string().contains("ong-secret"), "{log}");
}
