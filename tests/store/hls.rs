//! HLS in the object store.

use std::cell::Cell;
use std::time::Duration;

use lianmai_tests::object_store::PUBLIC;
use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::{Clip, Gateway, ObjectStore, wait};
use media::hls::playlist::{self, Media, Playlist};

use crate::kit::{LIMIT, probe};

/// Starts a gateway that uploads HLS below a prefix of the public bucket.
#[track_caller]
fn gateway(store: &ObjectStore, prefix: &str) -> Gateway {
    let flags = store.flags(PUBLIC, prefix);
    let mut all = vec!["--store-hls", "--reconnect", "1"];
    all.extend(flags.iter().map(String::as_str));
    Gateway::start(&all)
}

/// Returns the playlist in the store, if there is one.
fn list(store: &ObjectStore, prefix: &str) -> Option<Media> {
    let answer = store.get(&format!("{prefix}/hls/live/x.m3u8"));
    match playlist::parse(&answer.text()) {
        Ok(Playlist::Media(media)) if answer.status == 200 => Some(media),
        _ => None,
    }
}

/// Waits until the store has a playlist for which `which` returns true.
#[track_caller]
fn wait_list(store: &ObjectStore, prefix: &str, what: &str, which: impl Fn(&Media) -> bool) -> Media {
    wait::until(what, LIMIT, || list(store, prefix).filter(&which))
}

#[test]
fn segments_and_playlists_are_in_the_store_as_a_cdn_takes_them() {
    let store = ObjectStore::shared();
    let gateway = gateway(&store, "hls-one");
    let publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    let first = wait_list(&store, "hls-one", "two segments", |media| media.segments.len() >= 2);
    let answer = store.get("hls-one/hls/live/x.m3u8");
    assert_eq!(answer.header("cache-control"), Some("public, max-age=1"));
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    let name = format!("hls-one/hls/live/{}", first.segments[0].uri);
    let segment = store.get(&name);
    assert_eq!((segment.status, segment.header("content-type")), (200, Some("video/mp2t")));
    assert!(segment.header("cache-control").is_some_and(|keep| keep.contains("immutable")));
    // The same bytes as the gateway's own.
    let own = gateway.get(&format!("/live/{}", first.segments[0].uri));
    assert!(own.status == 200 && own.body == segment.body);
    // Old segments are deleted, and the list goes on.
    let later = wait_list(&store, "hls-one", "the window to move", |media| media.sequence > first.sequence);
    assert_eq!(later.segments.len(), 6);
    assert!(later.segments.iter().all(|segment| !segment.discontinuity));
    wait::until_true("the first segment to be deleted", LIMIT, || store.get(&name).status == 404);
    let now = wait_list(&store, "hls-one", "a list", |_| true);
    let newest = format!("hls-one/hls/live/{}", now.segments.last().unwrap().uri);
    let found = probe(&format!("http://{}/{PUBLIC}/{newest}", store.address()));
    assert!(found.streams.iter().any(|(codec, frames)| codec == "h264" && *frames > 10), "{found:?}");
    // The end is written.
    drop(publisher);
    wait_list(&store, "hls-one", "the end", |media| media.ended);
}

#[test]
fn a_gateway_that_comes_later_goes_on_with_the_numbers_and_the_first_one_is_fenced() {
    let store = ObjectStore::shared();
    let (first, second) = (gateway(&store, "hls-two"), gateway(&store, "hls-two"));
    let _one = ffmpeg_forever(&Clip::Av.file(), &first.rtmp_url("x"));
    let before = wait_list(&store, "hls-two", "three segments", |media| media.segments.len() >= 3);
    // Both have the publisher now, as after a network that was cut in two.
    let _two = ffmpeg_forever(&Clip::Av.file(), &second.rtmp_url("x"));
    second.wait_published("x");
    let epoch = |uri: &str| uri.split('-').nth(1).and_then(|epoch| epoch.parse::<u64>().ok()).unwrap();
    let old = epoch(&before.segments[0].uri);
    let both = wait_list(&store, "hls-two", "segments of both", |media| {
        media.segments.iter().any(|segment| epoch(&segment.uri) > old)
    });
    assert!(both.sequence >= before.sequence && epoch(&both.segments[0].uri) == old, "{both:?}");
    let border = both.segments.iter().position(|segment| epoch(&segment.uri) > old).unwrap();
    assert!(both.segments[border].discontinuity, "{both:?}");
    wait::until_true("the first gateway to notice", LIMIT, || {
        first.process.stderr().contains("another gateway uploads the stream")
    });
    // From now on, all that comes is the second one's.
    let highest = Cell::new(both.sequence);
    let after = wait_list(&store, "hls-two", "only segments of the second", |media| {
        assert!(media.sequence >= highest.replace(media.sequence), "numbers never go back");
        media.segments.iter().all(|segment| epoch(&segment.uri) > old)
    });
    let distance = u32::try_from(after.sequence - before.sequence).expect("a small number");
    assert!(distance < 100 && after.segments.len() >= 6 && Duration::from_secs(2) * distance < LIMIT * 3);
}
