//! `/records/…`: ranges, guards, and playing while the stream is live.

use lianmai_tests::http::{self, Response};
use lianmai_tests::publisher::{ffmpeg, ffmpeg_forever};
use lianmai_tests::{Clip, Gateway};

use crate::kit::{LIMIT, api, is_finished, path, probe, wait_duration, wait_records};

fn get(gateway: &Gateway, path: &str, range: &str) -> Response {
    http::request(gateway.http(), "GET", path, &[&format!("Range: {range}")])
}

#[test]
fn a_recording_is_served_with_ranges() {
    let gateway = Gateway::start(&["--record", "live/*", "--reconnect", "1"]);
    ffmpeg(&Clip::Av.file(), &gateway.rtmp_url("x")).wait(LIMIT);
    let record = wait_records(&gateway, "x", 1, is_finished).remove(0);
    let bytes = std::fs::read(path(gateway.data(), &record)).unwrap();
    let url = record["url"].as_str().unwrap();

    let whole = gateway.get(url);
    assert_eq!((whole.status, whole.body == bytes), (200, true));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-type"), Some("video/mp4"));
    let etag = whole.header("etag").unwrap();
    let head = http::request(gateway.http(), "HEAD", url, &[]);
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*bytes.len().to_string())));

    let size = bytes.len();
    for (range, from, to) in [("bytes=0-9", 0, 10), ("bytes=100-", 100, size), ("bytes=-7", size - 7, size)] {
        let part = get(&gateway, url, range);
        assert_eq!((part.status, &part.body[..]), (206, &bytes[from..to]), "{range}");
        let said = format!("bytes {from}-{}/{size}", to - 1);
        assert_eq!(part.header("content-range"), Some(&*said));
    }
    let none = get(&gateway, url, &format!("bytes={size}-"));
    assert_eq!((none.status, none.header("content-range")), (416, Some(&*format!("bytes */{size}"))));
    let known = http::request(gateway.http(), "GET", url, &[&format!("If-None-Match: {etag}")]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    for (tag, status) in [(etag, 206), ("\"other\"", 200)] {
        let headers = ["Range: bytes=0-9".to_owned(), format!("If-Range: {tag}")];
        let part = http::request(gateway.http(), "GET", url, &headers.each_ref().map(String::as_str));
        assert_eq!(part.status, status, "{tag}");
    }
    let preflight = http::request(gateway.http(), "OPTIONS", url, &[]);
    assert!(
        preflight.status == 204
            && preflight.header("access-control-allow-headers").unwrap().contains("range")
    );
    assert_eq!(http::request(gateway.http(), "DELETE", url, &[]).status, 405);
    for bad in [
        "/records/live/x/2020-01-01T00-00-00Z.mp4",
        "/records/live/x/../../../operator-secret",
        "/records/live/..%2f..%2foperator-secret",
        "/records/live/x/%2e%2e/%2e%2e/%2e%2e/publish-secret.mp4",
        "/records/live/x/",
        "/records/x.mp4",
    ] {
        let response = gateway.get(bad);
        assert!(matches!(response.status, 400 | 404), "{bad}: {}", response.status);
    }
    // ffmpeg seeks in the list over HTTP.
    let list = format!("http://{}{}", gateway.http(), record["playlist"].as_str().unwrap());
    assert!((probe(&list).duration - 8.0).abs() < 0.5);
}

#[test]
fn the_playlist_grows_while_the_stream_is_live() {
    let gateway = Gateway::start(&["--record", "live/*"]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    let record = wait_duration(&gateway, "x", 3000);
    let list = record["playlist"].as_str().unwrap();
    let early = gateway.get(list).text();
    assert!(early.starts_with("#EXTM3U") && early.contains("PLAYLIST-TYPE:EVENT"), "{early}");
    assert!(!early.contains("ENDLIST"), "{early}");
    wait_duration(&gateway, "x", 6000);
    let later = gateway.get(list).text();
    assert!(later.starts_with(&early) && later.len() > early.len(), "{early}\n{later}");
    // All that it names is there.
    for line in later.lines().filter_map(|line| line.strip_prefix("#EXT-X-BYTERANGE:")) {
        let (length, offset) = line.split_once('@').unwrap();
        let (length, offset): (usize, usize) = (length.parse().unwrap(), offset.parse().unwrap());
        let range = format!("bytes={offset}-{}", offset + length - 1);
        let part = get(&gateway, record["url"].as_str().unwrap(), &range);
        assert_eq!((part.status, part.body.len(), &part.body[4..8]), (206, length, &b"moof"[..]));
    }
}

#[test]
fn a_protected_recording_needs_what_playing_needs() {
    let gateway = Gateway::start(&[
        "--record",
        "live/*",
        "--play-secret",
        "s3cret",
        "--public",
        "--https",
        "",
        "--reconnect",
        "1",
    ]);
    let secret = std::fs::read_to_string(gateway.data().join("publish-secret")).unwrap_or_default();
    let url = format!("{}?secret={}", gateway.rtmp_url("x"), secret.trim());
    ffmpeg(&Clip::Av.file(), &url).wait(LIMIT);
    let record = wait_records(&gateway, "x", 1, is_finished).remove(0);
    let address = |what: &str| record[what].as_str().unwrap().to_owned();
    let asked =
        |path: &str, method: &str| http::request(gateway.http(), method, path, &["Host: example.com"]);
    for what in ["url", "playlist"] {
        for (query, refused) in [("", true), ("?secret=wrong", true), ("?secret=s3cret", false)] {
            for method in ["GET", "HEAD"] {
                let response = asked(&format!("{}{query}", address(what)), method);
                assert_eq!(
                    matches!(response.status, 401 | 403),
                    refused,
                    "{what}{query}: {}",
                    response.status
                );
            }
        }
    }
    // The playlist is in a session, and so is what it names.
    let list = asked(&format!("{}?secret=s3cret", address("playlist")), "GET");
    let session = list.header("location").expect("an address with a session").to_owned();
    assert_eq!((list.status, session.contains("s3cret")), (302, false));
    let text = asked(&session, "GET");
    assert_eq!(text.status, 200);
    let (folder, _) = session.rsplit_once('/').unwrap();
    let file = format!("{folder}/{}", record["file"].as_str().unwrap());
    assert_eq!(asked(&file, "GET").status, 200);
    let refused = |path: &str| matches!(asked(path, "GET").status, 401 | 403);
    assert!(refused(&file.replace("/live/x/", "/live/y/")));
    assert!(refused(&address("playlist").replace("/x/", "/x/.00000000000000000000000000000000/")));
    // The session of a key ends with the key.
    let wanted = serde_json::json!({ "name": "Anna", "streams": "live/*", "publish": false, "play": true });
    let made = api(&gateway, "POST", "/api/v1/keys", &wanted);
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
    let (id, key) = (made["key"]["id"].as_str().unwrap(), made["key"]["key"].as_str().unwrap());
    let own = asked(&format!("{}?key={key}", address("playlist")), "GET");
    let own = own.header("location").expect("an address with a session").to_owned();
    assert_eq!(asked(&own, "GET").status, 200);
    assert_eq!(api(&gateway, "DELETE", &format!("/api/v1/keys/{id}"), &serde_json::Value::Null).status, 200);
    assert!(refused(&own), "the key is revoked");
    assert_eq!(asked(&session, "GET").status, 200, "the other session goes on");
    // Nobody learns which recordings exist.
    let missing = address("url").replace("20", "19");
    assert_eq!(asked(&missing, "GET").status, asked(&address("url"), "GET").status);
}
