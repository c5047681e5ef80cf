//! Hostile and broken clients. They must not affect a running stream and its viewer, the server's memory must
//! not grow, and nothing may panic.

#[path = "bad_input/bounds.rs"]
mod bounds;
#[path = "bad_input/bytes.rs"]
mod bytes;
#[path = "bad_input/held.rs"]
mod held;
#[path = "bad_input/idle.rs"]
mod idle;
#[path = "bad_input/mutate.rs"]
mod mutate;
#[path = "bad_input/publishers.rs"]
mod publishers;
#[path = "bad_input/stalled.rs"]
mod stalled;

use std::time::Duration;

use lianmai_tests::flv::{AUDIO, VIDEO};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::WsPublisher;
pub(crate) use lianmai_tests::random::Random;
use lianmai_tests::{Clip, Gateway};

const LIMIT: Duration = Duration::from_secs(60);

/// A gateway with a stream that a viewer watches.
struct Watched {
    viewer: FlvViewer,
    _publisher: WsPublisher,
    gateway: Gateway,
    rss: u64,
}

impl Watched {
    fn start(flags: &[&str]) -> Self {
        let (header, tags) = Clip::Av.minutes(5);
        Self::publish(flags, header, tags)
    }

    fn publish(flags: &[&str], header: u8, tags: Vec<lianmai_tests::flv::Tag>) -> Self {
        let gateway = Gateway::start(flags);
        let publisher = WsPublisher::start(&gateway.ws_publish_url("good"), header, tags, 1.0);
        let viewer = FlvViewer::http(gateway.http(), "/live/good.flv");
        // After two groups of pictures all caches are full.
        viewer.wait_frames(VIDEO, 70, LIMIT);
        let rss = gateway.rss();
        Self { viewer, _publisher: publisher, gateway, rss }
    }

    /// Waits until all caches of the stream (the last seconds, the HLS window) are full, then stores the
    /// memory use for comparison.
    #[track_caller]
    fn warm_up(&mut self) {
        for _ in 0..30 {
            let before = self.gateway.rss();
            let seen = self.viewer.frames(VIDEO).len();
            self.viewer.wait_frames(VIDEO, seen + 60, LIMIT);
            self.rss = self.gateway.rss();
            if self.rss < before + (1 << 20) {
                return;
            }
        }
        panic!("memory grows for a minute and more: {} kB now", self.rss / 1024);
    }

    /// Asserts that the stream has continued all the time, and that memory grew by at most `grown` bytes.
    #[track_caller]
    fn assert_untouched(&mut self, grown: u64) {
        assert!(self.gateway.process.ended().is_none(), "the gateway ended");
        let seen = self.viewer.frames(VIDEO).len();
        self.viewer.wait_frames(VIDEO, seen + 30, LIMIT);
        for kind in [AUDIO, VIDEO] {
            let frames = self.viewer.frames(kind);
            let gap = frames.windows(2).find(|pair| {
                let step = pair[1].tag.time.wrapping_sub(pair[0].tag.time);
                step > 50
            });
            assert!(gap.is_none(), "frames are missing at {:?} ms", gap.map(|g| g[0].tag.time));
        }
        let now = self.gateway.rss();
        let more = now.saturating_sub(self.rss);
        println!("memory: {} kB, then {} kB", self.rss / 1024, now / 1024);
        assert!(more <= grown, "memory grew by {} kB", more / 1024);
        let log = self.gateway.process.stderr() + &self.gateway.process.stdout();
        assert!(!log.contains("panicked"), "{log}");
    }
}
