//! Forwards: CPU time per forwarded stream, beside `ffmpeg -c copy`, and the time until a target that comes back has the
//! stream again.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::{Gateway, Process, http, wait};

use crate::cpu::cpu;
use crate::{WINDOW, percentile, stream};

/// Number of forwards, and of ffmpeg processes.
const FORWARDS: u32 = 10;
/// Number of outages.
const OUTAGES: u64 = 8;
/// A connection that has worked for so long makes the next outage a new one, which is tried every second.
const HEALTHY: Duration = Duration::from_secs(11);
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run() {
    cost();
    cost_of_whip();
    resume();
}

/// Compares the CPU time of the server that sends. Both send to gateways of their own.
fn cost() {
    let (target, peer_target) = (Gateway::start(&[]), Gateway::start(&[]));
    let ((source, _publisher), (peer, _peer_publisher)) = (stream::gateway(&[]), stream::gateway(&[]));
    let (alone, peer_alone) = (window(&[source.process.pid()]), window(&[peer.process.pid()]));
    for n in 0..FORWARDS {
        add(&source, &format!("rtmp://{}/live/{{stream}}-{n}", target.rtmp()));
    }
    let copies: Vec<Process> = (0..FORWARDS)
        .map(|n| {
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-i", &peer.rtmp_url("bench"), "-c", "copy", "-f", "flv"]);
            Process::start(ffmpeg.arg(peer_target.rtmp_url(&format!("bench-{n}"))))
        })
        .collect();
    for n in 0..FORWARDS {
        target.wait_published(&format!("bench-{n}"));
        peer_target.wait_published(&format!("bench-{n}"));
    }
    let ours = (window(&[source.process.pid()]) - alone) / f64::from(FORWARDS);
    let children: Vec<u32> = copies.iter().map(Process::pid).collect();
    let served = (window(&[peer.process.pid()]) - peer_alone) / f64::from(FORWARDS);
    let copied = window(&children) / f64::from(FORWARDS);
    println!(
        "{FORWARDS} forwards of one stream of 2 Mb/s, µs of CPU per forward and second: gateway {ours:.0}; \
         ffmpeg -c copy {copied:.0}, and {served:.0} in the server that it reads from"
    );
}

/// Measures the CPU time of forwards by WHIP.
fn cost_of_whip() {
    let (target, (source, _publisher)) = (Gateway::start(&[]), stream::gateway(&[]));
    let alone = window(&[source.process.pid()]);
    for n in 0..FORWARDS {
        add(&source, &format!("http://{}/live/{{stream}}-{n}/whip", target.http()));
    }
    for n in 0..FORWARDS {
        target.wait_published(&format!("bench-{n}"));
    }
    let each = (window(&[source.process.pid()]) - alone) / f64::from(FORWARDS);
    println!("{FORWARDS} forwards of the same stream by WHIP, µs of CPU per forward and second: {each:.0}");
}

/// Returns the CPU time of processes during a window, in µs per second.
fn window(pids: &[u32]) -> f64 {
    let total = || pids.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let (before, start) = (total(), Instant::now());
    thread::sleep(WINDOW);
    (total() - before).as_secs_f64() / start.elapsed().as_secs_f64() * 1e6
}

/// Adds a forward of the stream.
fn add(source: &Gateway, to: &str) {
    let body = format!(r#"{{"stream":"live/bench","to":"{to}"}}"#);
    let path = source.operator("/api/v1/forwards");
    assert_eq!(http::send(source.http(), "POST", &path, &[], body.as_bytes()).status, 201);
}

/// Measures the time from a target that listens again to its stream.
fn resume() {
    let (source, _publisher) = stream::gateway(&[]);
    let mut target = Gateway::start(&[]);
    let addr = target.rtmp().to_string();
    let body = format!(r#"{{"stream":"live/*","to":"rtmp://{addr}/live/{{stream}}"}}"#);
    let path = source.operator("/api/v1/forwards");
    assert_eq!(http::send(source.http(), "POST", &path, &[], body.as_bytes()).status, 201);
    let mut times = Vec::new();
    for outage in 0..OUTAGES {
        target.wait_published("bench");
        thread::sleep(HEALTHY);
        target.process.signal("KILL");
        drop(target);
        thread::sleep(Duration::from_millis(700 * (outage + 1)));
        target = Gateway::start(&["--rtmp", &addr]);
        let listens = Instant::now();
        wait::until_true("frames at the target", LIMIT, || {
            target.stream("bench").is_some_and(|stream| stream["frames"].as_u64() > Some(0))
        });
        times.push(listens.elapsed());
    }
    let (middle, longest) = (percentile(&mut times, 0.5), percentile(&mut times, 1.0));
    println!(
        "target killed and back after 0.7 to 5.6 s: frames again after {middle:.0} ms, at most {longest:.0} ms (target <= 2000)"
    );
}
