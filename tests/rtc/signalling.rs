//! Responses to WHIP, WHEP and SRS's calls, including refusals.

use lianmai_tests::http::{self, Response};
use lianmai_tests::rtc::{Api, Call, Media, Peer, Wire, offer};
use lianmai_tests::{Clip, Gateway, wait};
use serde_json::Value;
use str0m::media::Direction;

use crate::{LIMIT, publish};

/// Asserts a refusal by RFC 9457 with this status; returns its text.
#[track_caller]
fn refused(response: &Response, status: u16) -> String {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{}", response.text());
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    let problem: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(problem["status"], status);
    let words = problem["detail"].as_str().unwrap_or_default();
    assert!(words.contains(' '), "no sentence: {problem}");
    words.to_owned()
}

fn sdp(direction: Direction) -> String {
    offer(direction, Some(Wire::udp().candidate())).sdp
}

#[test]
fn an_offer_is_answered_as_rfc_9725_says() {
    let gateway = Gateway::start(&["--ice-server", "stun:127.0.0.1:3478,turn:me:word@127.0.0.1:3479"]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    for (publish, name) in [(true, "new"), (false, "x")] {
        for api in [Api::Query, Api::Path] {
            let call = Call::new(&gateway, name).by(api);
            let direction = if publish { Direction::SendOnly } else { Direction::RecvOnly };
            let response = call.post(publish, &sdp(direction));
            assert_eq!(response.status, 201, "{}", response.text());
            assert_eq!(response.header("content-type"), Some("application/sdp"));
            assert_eq!(response.header("access-control-allow-origin"), Some("*"));
            let exposed = response.header("access-control-expose-headers").unwrap_or_default();
            assert!(["location", "link", "etag"].iter().all(|name| exposed.contains(name)), "{exposed}");
            let location = response.header("location").expect("a session has an address");
            assert!(location.rsplit('/').next().is_some_and(|id| id.len() >= 32), "{location}");
            assert!(response.header("etag").is_some_and(|tag| tag.starts_with('"') && tag.ends_with('"')));
            let links: Vec<&str> =
                response.headers.iter().filter(|(name, _)| name == "link").map(|(_, v)| v.as_str()).collect();
            assert_eq!(links.len(), 2, "{links:?}");
            assert!(links.iter().all(|link| link.contains("rel=\"ice-server\"")), "{links:?}");
            assert!(links[1].contains("username=\"me\"; credential=\"word\""), "{links:?}");
            let answer = response.text();
            let port = format!(" {} typ host", gateway.webrtc().port());
            assert!(answer.contains("a=ice-lite") && answer.contains(&port), "{answer}");
            assert!(answer.contains("tcptype passive"), "{answer}");
            let ended = http::request(gateway.http(), "DELETE", location, &[]);
            assert_eq!(ended.status, 200, "{}", ended.text());
            refused(&http::request(gateway.http(), "DELETE", location, &[]), 404);
        }
    }
}

#[test]
fn the_first_name_of_whep_and_addresses_that_are_none() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let (http, takes) = (gateway.http(), sdp(Direction::RecvOnly));
    let kind = ["Content-Type: application/sdp", "Origin: https://example.org"];
    for path in ["/rtc/v1/whip-play/?app=live&stream=x", "/rtc/v1/whip-play?stream=x"] {
        let answer = http::send(http, "POST", path, &kind, takes.as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.text().contains("a=sendonly"), "it plays: {}", answer.text());
        let preflight = ["Origin: https://example.org", "Access-Control-Request-Method: POST"];
        assert_eq!(http::request(http, "OPTIONS", path, &preflight).status, 204);
    }
    for path in ["/rtc/v1/", "/rtc/v1/whop/?stream=x", "/rtc/v1/session/"] {
        let answer = http::send(http, "POST", path, &kind, takes.as_bytes());
        if path != "/rtc/v1/" {
            refused(&answer, 404);
        }
    }
}

#[test]
fn ice_servers_are_told_before_the_offer_to_those_who_may() {
    let servers = "stun:127.0.0.1:3478,turn:me:word@127.0.0.1:3479";
    let links = |answer: &Response| -> Vec<String> {
        answer.headers.iter().filter(|(name, _)| name == "link").map(|(_, value)| value.clone()).collect()
    };
    let open = Gateway::start(&["--ice-server", servers]);
    let closed =
        Gateway::start(&["--ice-server", servers, "--secret", "right", "--play-secret", "see", "--public"]);
    for path in ["/live/x/whip", "/live/x/whep", "/rtc/v1/whip/?stream=x", "/rtc/v1/whip-play/?stream=x"] {
        let ask = |gateway: &Gateway, headers: &[&str]| {
            let answer = http::request(gateway.http(), "OPTIONS", path, headers);
            assert_eq!(answer.status, 204, "{}", answer.text());
            links(&answer)
        };
        let all = ask(&open, &[]);
        assert_eq!(all.len(), 2, "{path}: {all:?}");
        assert!(all[1].contains("credential=\"word\""), "{all:?}");
        let none = ask(&closed, &[]);
        assert!(none.len() == 1 && none[0].contains("stun:"), "{path}: {none:?}");
        assert_eq!(ask(&closed, &["Authorization: Bearer wrong"]).len(), 1);
        let word = if path.contains("/whip/") || path.ends_with("/whip") { "right" } else { "see" };
        assert_eq!(ask(&closed, &[&format!("Authorization: Bearer {word}")]), all, "{path}");
        // A preflight request has no credentials, and its response contains no secret.
        assert_eq!(ask(&open, &["Access-Control-Request-Method: POST"]).len(), 1, "{path}");
    }
}

#[test]
fn candidates_may_be_names() {
    let gateway = Gateway::start(&["--candidate", "localhost,203.0.113.7"]);
    let answer = Call::new(&gateway, "x").post(true, &sdp(Direction::SendOnly)).text();
    let port = gateway.webrtc().port();
    for ip in ["127.0.0.1", "203.0.113.7"] {
        assert!(answer.contains(&format!(" {ip} {port} typ host")), "{ip}: {answer}");
    }
}

#[test]
fn offers_of_other_clients_are_answered_in_their_own_terms() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let takes = sdp(Direction::RecvOnly);
    let group = takes.lines().find(|line| line.starts_with("a=group:BUNDLE")).expect("a group");
    let [audio, video] = group.split(' ').skip(1).collect::<Vec<_>>()[..] else { panic!("{group}") };
    let renamed = takes
        .replace(group, "a=group:BUNDLE {a-1} {v-1}")
        .replace(&format!("a=mid:{audio}"), "a=mid:{a-1}")
        .replace(&format!("a=mid:{video}"), "a=mid:{v-1}");
    let bandwidth = takes.replace("a=mid:", "b=AS:2500\r\nb=TIAS:2500000\r\na=mid:");
    let bare: String = takes.split_inclusive("\r\n").filter(|line| !line.starts_with("a=fmtp")).collect();
    let bare = bare.replace("opus/48000/2", "OPUS/48000");
    let no_audio = takes.replace("opus", "L16");
    let times = takes.replace("t=0 0", "t=2873397496 2873404696");
    for api in [Api::Query, Api::Path, Api::Srs] {
        let call = Call::new(&gateway, "x").by(api);
        let answer = |offer: &str| {
            call.answer(call.post(false, offer)).unwrap_or_else(|no| panic!("{}: {}", no.status, no.text()))
        };
        let told = answer(&renamed);
        assert!(told.contains("a=mid:{a-1}\r\n") && told.contains("a=mid:{v-1}\r\n"), "{told}");
        for offer in [&bandwidth, &bare, &times, &takes] {
            let told = answer(offer);
            assert_eq!(told.matches("a=sendonly").count(), 2, "{told}");
            let streams: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("a=msid:")).collect();
            let ids: Vec<&str> = streams.iter().filter_map(|msid| msid.split(' ').next()).collect();
            assert!(ids.len() == 2 && ids[0] == ids[1], "{told}");
        }
        let told = answer(&no_audio);
        let (audio, video) = told.split_once("m=video 9").expect("video is taken");
        assert!(audio.contains("m=audio 0") && !audio.contains("a=candidate"), "{told}");
        assert!(video.contains("a=candidate"), "{told}");
        // Without a group the response explains what to do.
        let words = call.post(false, &takes.replace(group, "a=x")).text();
        assert!(words.contains("max-bundle") && !words.contains("0x"), "{words}");
    }
}

#[test]
fn offers_that_are_refused_are_told_why() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "busy", Clip::Av);
    let (sends, takes) = (sdp(Direction::SendOnly), sdp(Direction::RecvOnly));
    let call = |name| Call::new(&gateway, name);
    let http = gateway.http();

    for (bad, publish) in [("", true), ("hello", true), ("v=0\r\n", true), ("{\"sdp\":\"v=0\"}", true)] {
        refused(&call("x").post(publish, bad), 400);
        refused(&call("busy").post(!publish, bad), 400);
    }
    let nameless = http::send(
        http,
        "POST",
        "/rtc/v1/whip/?app=live",
        &["Content-Type: application/sdp"],
        sends.as_bytes(),
    );
    refused(&nameless, 400);
    let words = refused(&call("nobody").post(false, &takes), 404);
    assert!(words.contains("nobody is publishing"), "{words}");
    // No supported codec; and a viewer that supports none of the stream's codecs.
    let strange = sends.replace("opus", "speex").replace("H264", "H999");
    refused(&call("x").post(true, &strange), 406);
    let words = refused(&call("busy").post(false, &takes.replace("H264", "VP8")), 406);
    assert!(words.contains("h264"), "{words}");
    for api in [Api::Query, Api::Path] {
        let words = refused(&call("busy").by(api).post(true, &sends), 409);
        assert!(words.contains("publishing"), "{words}");
    }
    let path = call("x").path(true);
    refused(&http::send(http, "POST", &path, &["Content-Type: text/plain"], sends.as_bytes()), 415);
    let long = format!("{sends}a=x:{}\r\n", "y".repeat(70 << 10));
    refused(&call("x").post(true, &long), 413);
    for name in ["x", "nobody"] {
        assert!(gateway.stream(name).is_none(), "{name} is held");
    }
}

#[test]
fn other_methods_and_preflights() {
    let gateway = Gateway::start(&[]);
    let session = Call::new(&gateway, "x").post(true, &sdp(Direction::SendOnly));
    let session = session.header("location").expect("a session has an address");
    let http = gateway.http();
    for (path, methods, accept) in [
        ("/rtc/v1/whip/?stream=x", "POST", ("accept-post", "application/sdp")),
        ("/live/x/whep", "POST", ("accept-post", "application/sdp")),
        (session, "PATCH, DELETE", ("accept-patch", "application/trickle-ice-sdpfrag")),
    ] {
        for method in ["GET", "PUT"] {
            let answer = http::request(http, method, path, &[]);
            refused(&answer, 405);
            let allow = answer.header("allow").unwrap_or_default();
            assert!(allow.contains(methods) && allow.contains("OPTIONS"), "{path}: {allow}");
        }
        let ask = ["Origin: https://example.org", "Access-Control-Request-Method: POST"];
        let answer = http::request(http, "OPTIONS", path, &ask);
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        let allowed = answer.header("access-control-allow-methods").unwrap_or_default();
        assert!(allowed.contains(methods), "{path}: {allowed}");
        let headers = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(["authorization", "content-type"].iter().all(|h| headers.contains(h)), "{path}: {headers}");
        assert_eq!(answer.header(accept.0), Some(accept.1), "{path}");
    }
}

#[test]
fn publishing_and_playing_ask_for_their_secrets() {
    let gateway = Gateway::start(&["--secret", "a&b", "--play-secret", "see"]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    // A client on another machine, as reported by a proxy.
    let far = |name| Call::new(&gateway, name).header("X-Forwarded-For: 203.0.113.9");
    for (publish, name) in [(true, "new"), (false, "x")] {
        let sdp = sdp(if publish { Direction::SendOnly } else { Direction::RecvOnly });
        let right = if publish { ("a%26b", "a&b") } else { ("see", "see") };
        let missing = far(name).post(publish, &sdp);
        refused(&missing, 401);
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        for wrong in [far(name).query("secret=no"), far(name).header("Authorization: Bearer no")] {
            refused(&wrong.post(publish, &sdp), if publish { 403 } else { 401 });
        }
        let bearer = format!("Authorization: Bearer {}", right.1);
        let query = format!("secret={}", right.0);
        for right in [far(name).query(&query), far(name).header(&bearer)] {
            for api in [Api::Query, Api::Path] {
                let answer = right.clone().by(api).post(publish, &sdp);
                assert_eq!(answer.status, 201, "{}", answer.text());
            }
        }
        for (query, right) in [("", false), ("secret=no", false), (&query, true)] {
            let call = far(name).by(Api::Srs).query(query);
            assert_eq!(call.answer(call.post(publish, &sdp)).is_ok(), right, "{query}");
        }
    }
}

#[test]
fn sessions_are_changed_as_rfc_9725_says() {
    let gateway = Gateway::start(&[]);
    let publisher = Peer::publish(&Call::new(&gateway, "x"), Media::usual());
    let etag = publisher.response.header("etag").expect("a tag").to_owned();
    let kind = "Content-Type: application/trickle-ice-sdpfrag";
    let here = format!("If-Match: {etag}");
    let trickle = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
                   a=mid:0\r\na=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
    let patch = |headers: &[&str], body: &str| publisher.request("PATCH", headers, body);
    assert_eq!(patch(&[kind, &here], trickle).status, 204);
    refused(&patch(&[kind], trickle), 428);
    refused(&patch(&[kind, "If-Match: \"other\""], trickle), 412);
    refused(&patch(&[kind, &format!("If-Match: \"other\", W/{etag}")], trickle), 412);
    assert_eq!(patch(&[kind, &format!("If-Match: \"other\" ,{etag}")], trickle).status, 204);
    assert_eq!(patch(&[kind, "If-Match: \"other\"", &here], trickle).status, 204);
    let many = "a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host\r\n".repeat(300);
    let words = refused(&patch(&[kind, &here], &many), 400);
    assert!(words.contains("more than 256 candidates"), "{words}");
    refused(&patch(&["Content-Type: application/sdp", &here], trickle), 415);
    for bad in ["", "hello", "a=ice-ufrag:abcd\r\n"] {
        refused(&patch(&[kind, &here], bad), 400);
    }
    // A restart needs credentials.
    refused(&patch(&[kind, "If-Match: *"], "a=end-of-candidates\r\n"), 400);
    refused(&patch(&[kind, &here], &"a=x\r\n".repeat(20_000)), 413);
    gateway.wait_published("x");
    // Closed: the name is free before the response is read, and the client is told.
    assert_eq!(publisher.request("DELETE", &[], "").status, 200);
    let second = Call::new(&gateway, "x").post(true, &sdp(Direction::SendOnly));
    assert_eq!(second.status, 201, "{}", second.text());
    refused(&patch(&[kind, &here], trickle), 404);
    refused(&publisher.request("DELETE", &[], ""), 404);
    wait::until_true("the client to hear of it", LIMIT, || publisher.over().is_some());
}

#[test]
fn calls_of_srs_are_answered_in_json() {
    let gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "busy", Clip::Av);
    let http = gateway.http();
    let (sends, takes) = (sdp(Direction::SendOnly), sdp(Direction::RecvOnly));
    let call = |name| Call::new(&gateway, name).by(Api::Srs);
    let json = |response: Response| -> Value {
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert_eq!(response.header("content-type"), Some("application/json"));
        serde_json::from_slice(&response.body).expect("JSON")
    };
    for (publish, name, sdp) in [(true, "x", &sends), (false, "busy", &takes)] {
        let reply = json(call(name).post(publish, sdp));
        assert_eq!(reply["code"], 0, "{reply}");
        let id = reply["sessionid"].as_str().expect("a session");
        assert!(id.split(':').count() == 2 && id.split(':').all(|part| part.len() >= 4), "{id}");
        assert!(["server", "service", "pid"].iter().all(|member| reply[*member].is_string()), "{reply}");
        assert!(reply["sdp"].as_str().is_some_and(|sdp| sdp.starts_with("v=0")), "{reply}");
    }
    let refusal = |response: Response, code: u16| {
        let reply = json(response);
        assert_eq!(reply["code"], code, "{reply}");
        assert!(reply["message"].as_str().is_some_and(|words| words.contains(' ')), "{reply}");
    };
    refusal(call("busy").post(true, &sends), 409);
    refusal(call("nobody").post(false, &takes), 404);
    refusal(call("x").post(true, "hello"), 400);
    refusal(call("x").post(true, &sends.replace("opus", "speex").replace("H264", "H999")), 406);
    let kind = "Content-Type: application/json";
    for body in
        ["", "{}", "[1]", "{\"streamurl\":\"webrtc://h/live/x\"}", "{\"streamurl\":\"x\",\"sdp\":\"v=0\"}"]
    {
        for path in ["/rtc/v1/publish/", "/rtc/v1/publish", "/rtc/v1/play/", "/rtc/v1/play"] {
            refusal(http::send(http, "POST", path, &[kind], body.as_bytes()), 400);
        }
    }
    refusal(http::send(http, "POST", "/rtc/v1/play/", &[kind], &vec![b' '; 70 << 10]), 413);
}
