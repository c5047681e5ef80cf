//! Cost of recording 20 streams at once, and the lag of a viewer meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Gateway, http, publisher};
use serde_json::{Value, json};

use crate::cpu::cpu;
use crate::lag::Probe;
use crate::{WINDOW, stream};

const STREAMS: usize = 20;

pub(crate) fn run() {
    let gateway = Gateway::start(&["--workers", "1", "--record-free", "0"]);
    let names: Vec<String> = (0..STREAMS).map(|n| format!("bench{n}")).collect();
    let _publishers: Vec<_> = names
        .iter()
        .map(|name| publisher::ffmpeg_forever(&stream::clip(), &gateway.rtmp_url(name)))
        .collect();
    names.iter().for_each(|name| gateway.wait_published(name));
    let probe = Probe::flv(FlvViewer::http(gateway.http(), "/live/bench0.flv"));
    let measure = |what: &str| {
        // What begins now is not part of the running cost.
        thread::sleep(Duration::from_secs(3));
        let (start, before) = (Instant::now(), cpu(gateway.process.pid()));
        thread::sleep(WINDOW);
        let used =
            (cpu(gateway.process.pid()) - before).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
        let (p50, p99) = probe.lag(start, Instant::now());
        println!("{what}: {used:.1} % of a core, lag of a viewer p50 {p50:.1} ms, p99 {p99:.1} ms");
        used
    };
    let without = measure("20 streams of 2 Mb/s");
    for name in &names {
        let body = json!({ "stream": format!("live/{name}") }).to_string();
        let path = gateway.operator("/api/v1/records");
        let started = http::send(gateway.http(), "POST", &path, &[], body.as_bytes());
        assert_eq!(started.status, 200, "{}", started.text());
    }
    let with = measure("the same, all recorded");
    let answer = http::get(gateway.http(), &gateway.operator("/api/v1/records"));
    let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let written = list["all_bytes"].as_u64().expect("a number");
    assert!(written > STREAMS as u64 * 3_000_000, "only {written} bytes are recorded");
    println!("{} MB of {STREAMS} recordings written", written / 1_000_000);
    println!("recording costs {:.1} % of a core (target <= 5)", with - without);
}
