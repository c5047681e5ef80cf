//! Viewer lag of a server with many viewers: CPU costs are only comparable at equal latency.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{rtmp, wait};

use crate::percentile;

/// Number of frames for the baseline, while the probe is the only viewer.
const BASELINE: usize = 60;

type Arrivals = Arc<Mutex<Vec<(Instant, u32)>>>;

/// A viewer that records the arrival time of each video frame, starting before the others join.
///
/// The lag of a frame is its delay compared with the least delayed frame of the baseline, by timestamp. It
/// includes the publisher's own jitter, which is the same for every server.
pub(crate) struct Probe {
    arrivals: Box<dyn Fn() -> Vec<(Instant, u32)>>,
}

impl Probe {
    /// Plays over HTTP-FLV or HTTPS-FLV, and returns once the baseline is measured.
    pub(crate) fn flv(viewer: FlvViewer) -> Self {
        let frames = move || viewer.frames(VIDEO).iter().map(|seen| (seen.at, seen.tag.time)).collect();
        Self { arrivals: Box::new(frames) }.ready()
    }

    /// Plays over RTMP, and returns once the baseline is measured.
    pub(crate) fn rtmp(to: SocketAddr) -> Self {
        let mut client = rtmp::Client::play(to, "bench").expect("RTMP play");
        let arrivals = Arrivals::default();
        let noted = Arc::clone(&arrivals);
        thread::spawn(move || {
            while let Ok(times) = client.video_times() {
                let now = Instant::now();
                noted.lock().expect("no panic").extend(times.into_iter().map(|time| (now, time)));
            }
        });
        Self { arrivals: Box::new(move || arrivals.lock().expect("no panic").clone()) }.ready()
    }

    fn ready(self) -> Self {
        // The cached frames arrive in a burst and are not live.
        let limit = Duration::from_secs(20);
        wait::until_true("the probe's baseline", limit, || (self.arrivals)().len() > 2 * BASELINE);
        self
    }

    /// Returns the lag between two moments: (p50, p99) in milliseconds.
    pub(crate) fn lag(&self, from: Instant, to: Instant) -> (f64, f64) {
        let all = (self.arrivals)();
        let Some(&(start, first)) = all.first() else { return (f64::NAN, f64::NAN) };
        // In microseconds: arrival minus timestamp, relative to the first frame.
        let delay = |&(at, time): &(Instant, u32)| {
            at.duration_since(start).as_micros() as i64 - i64::from(time.wrapping_sub(first)) * 1000
        };
        let baseline = all[BASELINE..2 * BASELINE].iter().map(delay).min().unwrap_or_default();
        let window = all.iter().filter(|(at, _)| (from..to).contains(at));
        let mut lags: Vec<_> = window
            .map(|seen| Duration::from_micros((delay(seen) - baseline).max(0).unsigned_abs()))
            .collect();
        (percentile(&mut lags, 0.5), percentile(&mut lags, 0.99))
    }
}
