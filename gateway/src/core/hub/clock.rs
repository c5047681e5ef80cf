//! A stream's clock, and the steady one that its publishers' clocks are compared with.

use media::clock::StreamClock;
use media::time::{Micros, SECOND};
use media::{Frame, Track};
use tokio::time::Instant;

/// Times of a stream begin here, so that a track that starts a little earlier stays positive.
const STREAM_START: Micros = SECOND;

/// Without video for this long, audio frames are places to start again …
const VIDEO_SILENCE: Micros = 3 * SECOND;
/// … unless the publisher's frames are so far apart: then for as many of them.
const SLOW_FRAMES: Micros = 2;

/// The stream's clock; it stays with the stream from one publisher to the next.
#[derive(Debug)]
pub(super) struct Clock {
    stream: StreamClock,
    started: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self::of(StreamClock::new(STREAM_START))
    }

    /// A clock that goes on after `newest`.
    pub(super) fn after(newest: Option<Micros>) -> Self {
        newest.map_or_else(Self::new, |newest| Self::of(StreamClock::after(newest)))
    }

    fn of(stream: StreamClock) -> Self {
        Self { stream, started: Instant::now() }
    }

    /// The next frame is another publisher's.
    pub(super) fn restart(&mut self) {
        self.stream.restart();
    }

    /// Lays `frame` on the stream's clock and tells whether the source's own clock jumped.
    pub(super) fn place(&mut self, frame: &mut Frame) -> bool {
        self.stream.place(frame, self.started.elapsed().as_micros() as Micros)
    }

    /// Whether the publisher sends no video at the time `now` of the stream.
    pub(super) fn video_is_silent(&self, now: Micros) -> bool {
        self.stream.track(Track::Video).is_none_or(|(newest, interval)| {
            now - newest > VIDEO_SILENCE.max(interval.saturating_mul(SLOW_FRAMES))
        })
    }
}
