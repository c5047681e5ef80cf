//! Forwards by WHIP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use lianmai_tests::relay::call;
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::json;

use crate::{LIMIT, publish, targets, wait_frames, wait_state};

#[test]
fn a_stream_goes_on_by_whip_with_a_token_and_ends_at_once() {
    let target = Gateway::start(&["--public", "--secret", "geheim-token", "--reconnect", "1"]);
    let source = Gateway::start(&["--reconnect", "1"]);
    let publisher = publish(&source, "x", Clip::Av);
    let to = format!("http://{}/live/{{stream}}-copy/whip", target.http());
    let rule = |token: &str| json!({"stream": "live/*", "to": to, "token": token}).to_string();
    // A wrong token is refused in the server's words.
    let (status, wrong) = call(&source, "POST", "/api/v1/forwards", &rule("falsch-token"));
    assert_eq!(status, 201, "{wrong}");
    let state = wait_state(&source, "refused");
    assert!(
        state["last_words"]
            .as_str()
            .is_some_and(|words| words.contains("status 401") || words.contains("status 403")),
        "{state}"
    );
    let id = wrong["forward"]["id"].as_str().expect("an id");
    assert_eq!(call(&source, "DELETE", &format!("/api/v1/forwards/{id}"), "").0, 200);

    let (status, added) = call(&source, "POST", "/api/v1/forwards", &rule("geheim-token"));
    assert_eq!((status, &added["forward"]["to"]), (201, &json!(format!("http://{}/••••", target.http()))));
    let state = wait_state(&source, "sending");
    assert_eq!(state["tries"], 1, "{state}");
    // AAC has become Opus, and both tracks play.
    let viewer = Peer::play(&Call::new(&target, "x-copy"));
    viewer.wait_frames(true, 30, LIMIT);
    viewer.wait_frames(false, 50, LIMIT);
    assert!(targets(&source)[0]["sent_bytes"].as_u64() > Some(10_000));
    let clients = target.json("/api/v1/clients");
    let protocols: Vec<_> = clients["clients"].as_array().into_iter().flatten().collect();
    assert!(
        protocols.iter().any(|client| client["publish"] == true && client.to_string().contains("whip")),
        "{clients}"
    );
    for text in [
        source.get(&source.operator("/api/v1/forwards")).text(),
        source.get(&source.operator("/api/v1/jobs")).text(),
        source.process.stderr(),
    ] {
        assert!(!text.contains("geheim") && !text.contains("falsch") && !text.contains("x-copy"), "{text}");
    }
    // The session is deleted, so that the target need not find out by itself.
    drop(publisher);
    wait::until_true("the end at both", LIMIT, || {
        source.stream("x").is_none() && target.stream("x-copy").is_none() && targets(&source).is_empty()
    });
    assert!(target.process.stderr().contains("publisher disconnected"), "{}", target.process.stderr());
}

#[test]
fn a_browsers_stream_goes_on_by_whip_and_makes_key_frames_for_the_targets_viewers() {
    let target = Gateway::start(&[]);
    let to = format!("live/*=whip://{}/live/{{stream}}/whip", target.http());
    let source = Gateway::start(&["--forward", &to]);
    let publisher = Peer::publish(&Call::new(&source, "x"), Media::usual());
    wait_state(&source, "sending");
    let viewer = Peer::play(&Call::new(&target, "x"));
    viewer.wait_frames(true, 30, LIMIT);
    viewer.wait_frames(false, 30, LIMIT);
    let before = publisher.key_requests();
    viewer.ask_key();
    wait::until_true("a request at the first publisher", LIMIT, || publisher.key_requests() > before);
}

#[test]
fn a_whip_target_that_comes_back_gets_the_stream_again() {
    let mut target = Gateway::start(&[]);
    let (http, webrtc) = (target.http().to_string(), target.webrtc().to_string());
    let source = Gateway::start(&["--forward", &format!("live/*=http://{http}/live/{{stream}}/whip")]);
    let _publisher = publish(&source, "x", Clip::Av);
    wait_frames(&target, "x", 10);
    target.process.signal("KILL");
    target.process.wait(LIMIT);
    let state = wait_state(&source, "retrying");
    assert!(state["last_words"].is_string(), "{state}");
    drop(target);
    let target = Gateway::start(&["--http", &http, "--webrtc", &webrtc]);
    wait_state(&source, "sending");
    wait_frames(&target, "x", 10);
}

/// Answers every request with this text.
fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // The head is enough: the answers do not depend on the request.
            let _ = stream.read(&mut [0; 64 << 10]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    addr
}

#[test]
fn servers_that_answer_nonsense_are_told_to_the_operator() {
    const RUBBISH: &str =
        "HTTP/1.1 201 Created\r\nLocation: /session\r\nContent-Length: 11\r\n\r\nhello world";
    const CANDIDATE: &str =
        "HTTP/1.1 201 Created\r\nContent-Length: 42\r\n\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host";
    const ELSEWHERE: &str =
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://192.0.2.1/whip\r\nContent-Length: 0\r\n\r\n";
    const DENIED: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 22\r\n\r\nno such key: geheim123";
    const NO_HTTP: &str = "220 mail.example ESMTP\r\n";
    let cases = [
        (RUBBISH, "no UDP address"),
        (CANDIDATE, "not valid SDP"),
        (ELSEWHERE, "another host"),
        (DENIED, "no such key: ••••"),
        (NO_HTTP, "connection broke"),
    ];
    let rules: Vec<String> =
        cases.iter().map(|(answer, _)| format!("live/*=http://{}/whip/geheim123", server(answer))).collect();
    let flags: Vec<&str> = rules.iter().flat_map(|rule| ["--forward", rule]).collect();
    let source = Gateway::start(&flags);
    let _publisher = publish(&source, "x", Clip::Av);
    let forwards = || lianmai_tests::relay::list(&source, "forwards");
    for (index, (_, words)) in cases.iter().enumerate() {
        let said = wait::until("a reason", LIMIT, || {
            forwards()[index]["targets"][0]["last_words"].as_str().map(str::to_owned)
        });
        assert!(said.contains(words) && !said.contains("geheim"), "{words}: {said}");
    }
    assert!(!source.process.stderr().contains("geheim"));
    // Where nobody listens.
    let dead = crate::free_address();
    let (_, added) = call(
        &source,
        "POST",
        "/api/v1/forwards",
        &json!({"stream": "live/x", "to": format!("http://{dead}/whip")}).to_string(),
    );
    let id = added["forward"]["id"].clone();
    let said = wait::until("a reason", LIMIT, || {
        let forward = forwards().into_iter().find(|forward| forward["id"] == id)?;
        forward["targets"][0]["last_words"].as_str().map(str::to_owned)
    });
    assert!(said.contains("cannot connect"), "{said}");
    for bad in [
        json!({"stream": "live/x", "to": "rtmp://h/live/x", "token": "geheim"}),
        json!({"stream": "live/x", "to": "whep://h/live/x"}),
    ] {
        let (status, words) = call(&source, "POST", "/api/v1/forwards", &bad.to_string());
        assert!(status == 400 && !words.to_string().contains("geheim"), "{words}");
    }
}
