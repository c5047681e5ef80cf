//! Twenty viewers that stop reading for 40 s.

use std::thread;
use std::time::Duration;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::http;
use lianmai_tests::player::FlvViewer;

use crate::stream;

pub(crate) fn run() {
    let (gateway, _publisher) = stream::gateway(&[]);
    let good = FlvViewer::http(gateway.http(), "/live/bench.flv");
    // By then the HLS window is full.
    good.wait_frames(VIDEO, 900, Duration::from_secs(60));
    let before = gateway.rss();
    let stalled: Vec<_> =
        (0..20).map(|_| http::open(gateway.http(), "GET", "/live/bench.flv", &[])).collect();
    thread::sleep(Duration::from_secs(40));
    let grown = gateway.rss() as f64 - before as f64;
    let frames = good.frames(VIDEO);
    let gaps = frames.windows(2).filter(|pair| pair[1].tag.time > pair[0].tag.time + 50).count();
    println!(
        "20 viewers that read nothing for 40 s: memory {:+.1} MB (target <= 10; xiu: +162); \
         a good viewer got {} frames with {gaps} gaps",
        grown / 1e6,
        frames.len(),
    );
    drop(stalled);
}
