//! nginx as a CDN in front of the gateway, with the configuration of `docs/cdn.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::proxy::Nginx;
use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::{Clip, Gateway, wait};

use crate::kit::LIMIT;

const KEY: &str = "a key for the tests of passes";

/// Starts nginx with the documented configuration in front of a gateway.
#[track_caller]
fn nginx(gateway: &Gateway) -> Nginx {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cdn.md");
    let text = fs::read_to_string(docs).expect("the documentation can be read");
    let (_, rest) = text.split_once("```nginx\n").expect("a configuration");
    let (config, _) = rest.split_once("```").expect("its end");
    let config = config
        .replace("127.0.0.1:8080", &gateway.http().to_string())
        .replace("/var/cache/nginx/hls", "FOLDER/cache")
        .replace("listen 80;", "listen unix:FOLDER/socket default_server;")
        .replace("HLS-KEY", KEY);
    // A line for each request: where it went, and what was asked.
    Nginx::with(&format!("log_format asked '$upstream_addr|$uri'; access_log FOLDER/log asked;\n{config}"))
}

/// Returns how often nginx has asked the gateway for each file.
fn asked(nginx: &Nginx) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in nginx.log().lines() {
        let Some((upstream, uri)) = line.split_once('|') else { continue };
        if upstream != "-" {
            *counts.entry(uri.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// Returns body and status of `GET path`.
fn get(nginx: &Nginx, path: &str) -> (u16, String) {
    nginx.ask_bytes(path)
}

fn segments(list: &str) -> Vec<&str> {
    list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
}

#[test]
fn two_hundred_pollers_are_one_playlist_a_second_and_one_request_for_each_segment() {
    const POLLERS: usize = 200;
    const TIME: Duration = Duration::from_secs(8);
    let gateway = Gateway::start(&[]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    wait::until_true("a segment", LIMIT, || gateway.get("/live/x.m3u8").text().contains(".ts"));
    let nginx = nginx(&gateway);
    let begun = Instant::now();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        // Players do not ask all at the same millisecond.
        let poll = |number: usize| {
            thread::sleep(Duration::from_secs(1) * number as u32 / POLLERS as u32);
            let (mut seen, mut times) = (BTreeSet::new(), Vec::new());
            while begun.elapsed() < TIME {
                let asked = Instant::now();
                let (status, list) = get(&nginx, "/live/x.m3u8");
                assert_eq!(status, 200, "{list}");
                times.push(asked.elapsed());
                for segment in segments(&list) {
                    if seen.insert(segment.to_owned()) {
                        assert_eq!(get(&nginx, &format!("/live/{segment}")).0, 200);
                    }
                }
                thread::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed()));
            }
            times
        };
        let pollers: Vec<_> = (0..POLLERS).map(|number| scope.spawn(move || poll(number))).collect();
        pollers.into_iter().flat_map(|poller| poller.join().expect("a poller")).collect()
    });
    let took = begun.elapsed();
    let counts = asked(&nginx);
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    eprintln!("{} playlists in {took:?}: p50 {:?}, p99 {:?}; {counts:?}", times.len(), at(0.5), at(0.99));
    assert!(times.len() >= 2 * POLLERS);
    let lists = counts["/live/x.m3u8"];
    assert!(lists as u64 <= took.as_secs() + 2, "{lists} playlists in {took:?}");
    let others: Vec<_> = counts.iter().filter(|(uri, _)| uri.ends_with(".ts")).collect();
    assert!(others.len() >= 3 && others.iter().all(|(_, count)| **count == 1), "{others:?}");
}

#[test]
fn nginx_checks_passes_itself_and_keeps_one_copy_for_all_viewers() {
    let gateway = Gateway::start(&["--play-secret", "open", "--hls-key", KEY]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let nginx = nginx(&gateway);
    let pass = |query: &str| {
        let (status, answer) = nginx.ask("GET", &format!("/live/x.m3u8?{query}"), "Host: example.com\r\n");
        assert_eq!(status, 302, "{answer}");
        let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
        let to = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"));
        format!("/{}", to.expect("an address").1.trim().trim_start_matches("../"))
    };
    // Two viewers, each with a pass of its own.
    let (one, other) = (pass("secret=open&viewer=1"), pass("secret=open&viewer=2"));
    assert!(one.starts_with("/k/") && one != other, "{one}");
    assert_eq!(nginx.ask("GET", "/live/x.m3u8?secret=wrong", "Host: example.com\r\n").0, 401);
    let list = wait::until("a segment", LIMIT, || {
        let (status, list) = get(&nginx, &one);
        (status == 200 && list.contains(".ts")).then_some(list)
    });
    let segment = segments(&list)[0];
    let of = |list: &str| format!("{}/{segment}", list.rsplit_once('/').expect("a folder").0);
    assert_eq!((get(&nginx, &of(&one)).0, get(&nginx, &of(&other)).0), (200, 200));
    let counts = asked(&nginx);
    let for_segment: usize =
        counts.iter().filter(|(uri, _)| uri.ends_with(segment)).map(|(_, count)| count).sum();
    assert_eq!(for_segment, 1, "{counts:?}");
    // Strangers do not find these copies by the addresses without a pass.
    for path in ["/live/x.m3u8".to_owned(), format!("/live/{segment}")] {
        assert_eq!(get(&nginx, &path).0, 401, "{path}");
    }
    // What is wrong, old, or for another stream does not reach the gateway.
    let before: usize = asked(&nginx).values().sum();
    let (head, _) = one.split_once("/live/").expect("a stream");
    for wrong in [
        one.replacen("/k/1", "/k/2", 1),
        format!("{head}/live/y.m3u8"),
        format!("{head}/other/{segment}"),
        one.replacen('-', "-0", 1),
        "/k/1000000000-1-AAAAAAAAAAAAAAAAAAAAAA/live/x.m3u8".to_owned(),
    ] {
        assert_eq!(get(&nginx, &wrong).0, 401, "{wrong}");
    }
    assert_eq!(asked(&nginx).values().sum::<usize>(), before);
    // Without nginx, the gateway checks as well.
    assert_eq!(gateway.get(&of(&one)).status, 200);
    assert_eq!(gateway.get(&one.replacen("/k/1", "/k/2", 1)).status, 401);
}
