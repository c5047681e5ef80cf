//! Clocks of real publishers, and random ones. Time is virtual: `now` is an argument.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::codec::{aac, h264};
use crate::config::Config;

#[path = "tests/random.rs"]
mod random;
#[path = "tests/sources.rs"]
mod sources;

/// The frames after the clock has placed them.
#[derive(Default)]
struct Placed {
    /// Source time, decode time, presentation time and arrival time.
    frames: [Vec<(Micros, Micros, Micros, Micros)>; 2],
    jumps: [usize; 2],
}

/// A publisher that sends frames with chosen timestamps.
struct Feed {
    clock: StreamClock,
    configs: [Arc<Config>; 2],
    placed: Placed,
}

const VIDEO: usize = 0;
const AUDIO: usize = 1;

impl Feed {
    fn new() -> Self {
        let video = h264::config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap();
        let audio = aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap();
        Self {
            clock: StreamClock::new(SECOND),
            configs: [Arc::new(video), Arc::new(audio)],
            placed: Placed::default(),
        }
    }

    /// Sends one frame with a timestamp in milliseconds at the real time `now`.
    fn send(&mut self, track: usize, dts: Micros, composition: Micros, now: Micros) {
        let config = self.configs[track].clone();
        let dts = dts / MILLI * MILLI;
        let data = Bytes::from_static(&[0; 8]);
        let mut frame = Frame { number: 0, config, dts, pts: dts + composition, key: true, data };
        self.placed.jumps[track] += usize::from(self.clock.place(&mut frame, now));
        self.placed.frames[track].push((dts, frame.dts, frame.pts, now));
    }
}

impl Placed {
    fn times(&self, track: usize) -> Vec<Micros> {
        self.frames[track].iter().map(|frame| frame.1).collect()
    }

    #[track_caller]
    fn assert_rises(&self) {
        for track in [VIDEO, AUDIO] {
            for pair in self.times(track).windows(2) {
                assert!(pair[1] >= pair[0] + MILLI, "track {track}: {} after {}", pair[1], pair[0]);
            }
        }
    }

    /// Asserts that from the frame after `from` on, the track advances with real time.
    #[track_caller]
    fn assert_real_time(&self, track: usize, slack: Micros) {
        let (first, last) = (self.frames[track].first().unwrap(), self.frames[track].last().unwrap());
        let (real, went) = (last.3 - first.3, last.1 - first.1);
        assert!((went - real).abs() <= real / 100 + slack, "track {track}: {real} µs became {went}");
    }

    /// Returns the longest step of a track.
    fn longest(&self, track: usize) -> Micros {
        self.times(track).windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// Returns for every audio frame its distance to the video that arrived at the same time.
    fn apart(&self) -> Vec<Micros> {
        let mut apart = Vec::new();
        for audio in &self.frames[AUDIO] {
            if let Some(video) = self.frames[VIDEO].iter().rev().find(|video| video.3 <= audio.3) {
                apart.push(audio.1 - audio.3 - (video.1 - video.3));
            }
        }
        apart
    }
}

/// Sends video at 25 frames per second and AAC in real time for the given number of seconds. The closures map
/// real time to the publisher's timestamps.
fn real_time(
    seconds: Micros,
    video: impl Fn(Micros) -> Option<Micros>,
    audio: impl Fn(Micros) -> Option<Micros>,
) -> Placed {
    let mut feed = Feed::new();
    let (mut v, mut a) = (0, 0);
    loop {
        let (at_v, at_a) = (v * 40_000, a * 1_024_000_000 / 44_100);
        if at_v.min(at_a) >= seconds * SECOND {
            return feed.placed;
        }
        if at_v <= at_a {
            video(at_v).into_iter().for_each(|dts| feed.send(VIDEO, dts, 0, at_v));
            v += 1;
        } else {
            audio(at_a).into_iter().for_each(|dts| feed.send(AUDIO, dts, 0, at_a));
            a += 1;
        }
    }
}
