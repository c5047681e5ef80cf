//! HLS at nodes that do not have the publisher: segments are made by the owner only.

use std::collections::BTreeSet;
use std::thread;
use std::time::Instant;

use lianmai_tests::http::{self, Response};
use lianmai_tests::{Clip, Gateway, Nats, wait};
use media::hls::playlist::{self, Media, Playlist};

use crate::{LIMIT, node, publish, pulls};

/// Returns the playlist in a response, if there is one.
fn list(response: &Response) -> Option<Media> {
    match playlist::parse(&response.text()) {
        Ok(Playlist::Media(media)) if response.status == 200 && !media.segments.is_empty() => Some(media),
        _ => None,
    }
}

/// Returns the number of files that a node has sent to others.
fn served(gateway: &Gateway, file: &str) -> u64 {
    let (text, start) =
        (gateway.get("/metrics").text(), format!("lianmai_cluster_hls_served_total{{file=\"{file}\"}} "));
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0)
}

fn epoch(uri: &str) -> u64 {
    uri.split('-').nth(1).and_then(|epoch| epoch.parse().ok()).expect("x-EPOCH-NUMBER.ts")
}

#[test]
fn fifty_viewers_at_another_node_cost_the_owner_one_request_for_each_segment() {
    let nats = Nats::start();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &[]));
    let c = node(&nats, "c", &["--play-secret", "geheim"]);
    let publisher = publish(&a, "x", Clip::Av);
    let begun = Instant::now();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for _ in 0..4 {
        let uris = || -> Vec<String> {
            let lists = list(&b.get("/live/x.m3u8"));
            lists.iter().flat_map(|media| media.segments.iter().map(|segment| segment.uri.clone())).collect()
        };
        wait::until_true("a further segment", LIMIT, || uris().iter().any(|uri| !seen.contains(uri)));
        // All viewers ask at once.
        let fetch = || {
            let further: Vec<String> = uris().into_iter().filter(|uri| !seen.contains(uri)).collect();
            for uri in &further {
                let answer = b.get(&format!("/live/{uri}"));
                assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
                assert!(answer.body.len() > 1000 && answer.body.len() % 188 == 0);
            }
            further
        };
        let fetched: Vec<String> = thread::scope(|scope| {
            let viewers: Vec<_> = (0..50).map(|_| scope.spawn(fetch)).collect();
            viewers.into_iter().flat_map(|viewer| viewer.join().expect("no panic")).collect()
        });
        seen.extend(fetched);
    }
    let (segments, playlists) = (served(&a, "segment"), served(&a, "playlist"));
    println!("{} segments, {segments} requests, {playlists} playlists in {:?}", seen.len(), begun.elapsed());
    assert_eq!(segments, seen.len() as u64);
    assert!(playlists <= begun.elapsed().as_secs() * 4 + 4, "{playlists} in {:?}", begun.elapsed());
    assert_eq!(pulls(&a), 0, "no relay runs for viewers of HLS");
    // The same bytes and the same names at both nodes.
    let newest = seen.last().unwrap();
    let at = |gateway: &Gateway| gateway.get(&format!("/live/{newest}"));
    assert!(at(&a).status == 200 && at(&a).body == at(&b).body);
    assert_eq!(at(&b).header("cache-control"), Some("public, max-age=86400, immutable"));
    assert_eq!(b.get("/live/x-1-1.ts").status, 404);
    // Viewers are counted where they are.
    assert!(b.stream("x").is_some_and(|stream| stream["remote"] == true && stream["clients"] == 1));
    // A node checks its own viewers; other nodes need no pass of theirs.
    assert_eq!(c.get("/live/x.m3u8").status, 401);
    assert_eq!(c.get(&format!("/live/{newest}")).status, 401);
    let (path, answer) = c.follow("/live/x.m3u8?secret=geheim");
    let media = list(&answer).expect("a playlist with a pass");
    let folder = path.rsplit_once('/').unwrap().0;
    assert_eq!(c.get(&format!("{folder}/{}", media.segments[0].uri)).status, 200);
    let stranger = http::get(a.http(), "/live/x.m3u8?cluster=z~99999999999~00");
    assert_eq!(stranger.status, 403, "{}", stranger.text());
    moves(&a, &b, &c, publisher);
}

/// The publisher leaves node `a`, and comes back at node `c`.
fn moves<P>(a: &Gateway, b: &Gateway, c: &Gateway, publisher: P) {
    let before = list(&b.get("/live/x.m3u8")).expect("a playlist");
    drop(publisher);
    wait::until_true("the publisher to be gone", LIMIT, || {
        a.stream("x").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    let _publisher = publish(c, "x", Clip::Av);
    let old = epoch(&before.segments[0].uri);
    let mut last = before.sequence;
    let after = wait::until("segments of the new owner", LIMIT, || {
        let media = list(&b.get("/live/x.m3u8"))?;
        assert!(media.sequence >= last, "numbers never go back: {last}, {media:?}");
        last = media.sequence;
        (epoch(&media.segments[0].uri) > old).then_some(media)
    });
    assert!(after.sequence > before.sequence + before.segments.len() as u64 - 1, "{after:?}");
    assert!(after.segments[0].discontinuity && !after.ended, "{after:?}");
    assert_eq!(b.get(&format!("/live/{}", after.segments[0].uri)).status, 200);
}
