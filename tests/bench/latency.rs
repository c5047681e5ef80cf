//! The latency that the server adds between a publisher and an HTTP-FLV viewer.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{self, VIDEO};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Gateway, rtmp, wait};

use crate::{WINDOW, percentile, stream};

pub(crate) fn run() {
    let gateway = Gateway::start(&[]);
    let (_, tags) = flv::read(&std::fs::read(stream::clip()).expect("the clip"));
    let tags: Vec<_> = tags.into_iter().filter(|tag| tag.kind != flv::SCRIPT).collect();
    let mut publisher = rtmp::Client::publish(gateway.rtmp(), "bench").expect("RTMP publish");
    let hasher = RandomState::new();
    let mut sent: HashMap<u64, Instant> = HashMap::new();
    let start = Instant::now();
    let mut viewer = None;
    for tag in &tags {
        let at = Duration::from_millis(u64::from(tag.time));
        if at > WINDOW {
            break;
        }
        if let Some(wait) = at.checked_sub(start.elapsed()) {
            thread::sleep(wait);
        }
        publisher.send_tag(tag).expect("the server takes frames");
        if tag.kind == VIDEO && tag.is_frame() {
            sent.insert(hasher.hash_one(&tag.body), Instant::now());
        }
        if viewer.is_none() && at > Duration::from_secs(1) {
            viewer = Some((FlvViewer::http(gateway.http(), "/live/bench.flv"), Instant::now()));
        }
    }
    let (viewer, joined) = viewer.expect("the clip is longer than a second");
    let last = sent.values().max().copied().expect("frames were sent");
    let joined = joined + Duration::from_secs(1);
    wait::until_true("the last frame", Duration::from_secs(10), || {
        let newest = viewer.frames(VIDEO).last().map(|seen| hasher.hash_one(&seen.tag.body));
        newest.and_then(|hash| sent.get(&hash)).is_some_and(|at| *at == last)
    });
    let mut times = Vec::new();
    for seen in viewer.frames(VIDEO) {
        let Some(&at) = sent.get(&hasher.hash_one(&seen.tag.body)) else { continue };
        if at > joined {
            times.push(seen.at.saturating_duration_since(at));
        }
    }
    println!(
        "added latency RTMP -> HTTP-FLV, {} frames at 30 fps: p50 {:.2} ms (target <= 5), p95 {:.2} ms \
         (target <= 40); SRS 7: 176 / 334, its realtime config: 54 / 100",
        times.len(),
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.95),
    );
}
