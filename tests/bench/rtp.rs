//! Cost of creating a stream's RTP payloads, which happens once for all its viewers.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use media::{Frame, flv, rtp};

use crate::stream;

/// Payload bytes in a datagram of 1200 bytes.
const MTU: usize = 1160;
const ROUNDS: u32 = 50;

pub(crate) fn run() {
    let mut demuxer = flv::Demuxer::new();
    demuxer.push(fs::read(stream::clip()).expect("the clip").into());
    let frames: Vec<Frame> = std::iter::from_fn(|| demuxer.next())
        .filter_map(|event| match event {
            Ok(flv::Event::Frame(frame)) if frame.is_video() => Some(frame),
            _ => None,
        })
        .collect();
    let mut payloads = 0;
    // The best round, to exclude other load on the machine.
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        payloads = frames
            .iter()
            .map(|frame| black_box(rtp::h264::packetize(frame, MTU)).map_or(0, |payloads| payloads.len()))
            .sum();
        best = best.min(start.elapsed());
    }
    let nanoseconds = best.as_nanos() as f64;
    println!(
        "720p30 of 2 Mb/s as H.264 payloads: {:.0} ns each, {:.1} µs for a second of it ({:.0} payloads)",
        nanoseconds / payloads as f64,
        nanoseconds / 1e3 / (frames.len() as f64 / 30.0),
        payloads as f64 / (frames.len() as f64 / 30.0),
    );
}
