//! A stream's clock: one timeline over all its publishers.

use media::Frame;
use media::time::{MILLI, Micros, SECOND, Timeline};

/// Times of a stream begin here, so that a track that starts a little earlier stays positive.
const STREAM_START: Micros = SECOND;

/// The stream's clock; it stays with the stream from one publisher to the next.
#[derive(Debug)]
pub(super) struct Clock {
    timeline: Timeline,
    pub(super) last_video: Option<Micros>,
    last_audio: Option<Micros>,
    /// The distance of the last two video frames: what a joint between sources should look like.
    gap: Micros,
}

impl Default for Clock {
    fn default() -> Self {
        Self { timeline: Timeline::new(STREAM_START), last_video: None, last_audio: None, gap: 33 * MILLI }
    }
}

impl Clock {
    /// A clock that goes on after `newest`.
    pub(super) fn after(newest: Option<Micros>) -> Self {
        let mut clock = Self::default();
        if let Some(newest) = newest {
            clock.timeline = Timeline::new(newest);
            clock.timeline.offset(newest, 0);
        }
        clock
    }

    /// The next frame is another publisher's.
    pub(super) fn restart(&mut self) {
        self.timeline.restart(self.gap);
        self.last_video = None;
    }

    /// Lays `frame` on the stream's clock and tells whether the source's own clock jumped.
    pub(super) fn place(&mut self, frame: &mut Frame) -> bool {
        let (offset, jumped) = self.timeline.offset(frame.dts, self.gap);
        let video = frame.is_video();
        let last = if video { &mut self.last_video } else { &mut self.last_audio };
        // Decode times never go back within a track: no muxer and no decoder takes that.
        let dts = frame.dts.saturating_add(offset).max(last.unwrap_or(0));
        let step = dts - last.unwrap_or(dts);
        *last = Some(dts);
        if video && !jumped && (MILLI..=SECOND).contains(&step) {
            self.gap = step;
        }
        frame.pts = frame.pts.saturating_add(offset);
        frame.dts = dts;
        jumped
    }
}
