//! Stores that are dead, or that do not answer. Streams go on, and nothing is lost that was written.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::object_store::{PUBLIC, flags};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::{Clip, Gateway, ObjectStore, wait};

use crate::kit::{LIMIT, wait_records};
use crate::records::{gateway, is_uploaded, record};

fn metric(gateway: &Gateway, name: &str) -> u64 {
    let text = gateway.get("/metrics").text();
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    value.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_dead_store_disturbs_nothing_and_is_used_again_when_it_is_back() {
    let mut store = ObjectStore::start();
    let flags = store.flags(PUBLIC, "outage");
    store.kill();
    let gateway = gateway(&flags, &["--store-hls"]);
    let waits = |record: &serde_json::Value| {
        record["upload"] == "waiting" && record["upload_failure"].as_str().is_some()
    };
    let record = record(&gateway, waits);
    assert_eq!(record["local"], true);
    // A stream that is live meanwhile.
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("live"));
    let viewer = FlvViewer::http(gateway.http(), "/live/live.flv");
    viewer.wait_frames(VIDEO, 50, LIMIT);
    wait::until_true("HLS from the gateway itself", LIMIT, || {
        gateway.get("/live/live.m3u8").text().contains(".ts")
    });
    assert_eq!(gateway.get(record["url"].as_str().unwrap()).status, 200);
    store.restart();
    wait_records(&gateway, "x", 1, is_uploaded);
    wait::until_true("the playlist in the store", LIMIT, || {
        store.get("outage/hls/live/live.m3u8").status == 200
    });
    assert!(viewer.error().is_none() && !viewer.over());
}

#[test]
fn a_store_that_never_answers_costs_eight_segments_and_no_viewer_notices() {
    // Connections are accepted by the system, and nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let gateway = gateway(&flags(&endpoint, "bucket", ""), &["--store-hls"]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 25, LIMIT);
    let begun = Instant::now();
    wait::until_true("segments to be left out", LIMIT, || {
        metric(&gateway, "lianmai_hls_store_dropped_total") >= 2
    });
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let frames = viewer.frames(VIDEO).len();
    let whole = begun.elapsed().as_secs() as usize * Clip::Av.rate() as usize;
    assert!(frames + 2 * Clip::Av.rate() as usize >= whole, "{frames} of {whole} frames");
    assert!(gateway.get("/live/x.m3u8").text().contains(".ts"));
    wait::until_true("a reason in the log", LIMIT, || {
        gateway.process.stderr().contains("the store did not answer within")
    });
}
