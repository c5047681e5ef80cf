//! A stream's clock, and the steady clock that publishers' clocks are compared with.

use media::clock::StreamClock;
use media::time::{Micros, SECOND};
use media::{Frame, Track};
use tokio::time::Instant;

/// Start time of a stream, so that the times of a track that starts slightly earlier stay positive.
const STREAM_START: Micros = SECOND;

/// Without video for this long, viewers may start at audio frames.
const VIDEO_SILENCE: Micros = 3 * SECOND;
/// For a publisher with a very low frame rate, the wait is this many frame distances instead, if that is
/// longer.
const SLOW_FRAMES: Micros = 2;

/// The stream's clock. It stays with the stream when the publisher changes.
#[derive(Debug)]
pub(super) struct Clock {
    stream: StreamClock,
    started: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self::of(StreamClock::new(STREAM_START))
    }

    /// Creates a clock that continues after `newest`.
    pub(super) fn after(newest: Option<Micros>) -> Self {
        newest.map_or_else(Self::new, |newest| Self::of(StreamClock::after(newest)))
    }

    fn of(stream: StreamClock) -> Self {
        Self { stream, started: Instant::now() }
    }

    /// Prepares for another publisher.
    pub(super) fn restart(&mut self) {
        self.stream.restart();
    }

    /// Moves `frame` to the stream's clock. Returns whether the source's own clock jumped.
    pub(super) fn place(&mut self, frame: &mut Frame) -> bool {
        self.stream.place(frame, self.started.elapsed().as_micros() as Micros)
    }

    /// Returns whether the publisher sends no video at the time `now` of the stream.
    pub(super) fn video_is_silent(&self, now: Micros) -> bool {
        self.stream.track(Track::Video).is_none_or(|(newest, interval)| {
            now - newest > VIDEO_SILENCE.max(interval.saturating_mul(SLOW_FRAMES))
        })
    }
}
