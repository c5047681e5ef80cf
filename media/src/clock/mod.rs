//! The clock of a live stream. Both tracks share it, and it survives faulty publisher clocks.
//!
//! Publishers' timestamps jump, wrap, stand still and start anywhere, and the two tracks may use different
//! clocks. This module turns them into times that increase in each track, keep the distance between the
//! tracks, and advance with real time. Correct timestamps are only shifted by one offset.

mod lane;
#[cfg(test)]
mod tests;

use crate::codec;
use crate::config::Track;
use crate::frame::Frame;
use crate::time::{MILLI, Micros, SECOND};
use lane::{Lane, Moment, Step};

/// If the first frames of both tracks are further apart than this, the tracks use different clocks. Their
/// distance is unknown then, and frames that arrive together are treated as simultaneous.
const MAX_APART: Micros = 5 * SECOND;
/// Distance to the previous publisher's last frame, while the distance between frames is not known.
const DEFAULT_GAP: Micros = 33 * MILLI;
/// Maximum time between a jump of one track and the same jump of the other.
const TOGETHER: Micros = 10 * SECOND;

/// The clock of one stream. It continues when the publisher changes.
#[derive(Debug, Clone)]
pub struct StreamClock {
    video: Lane,
    audio: Lane,
    /// Time of the first frame.
    start: Micros,
}

impl StreamClock {
    /// Creates a clock whose first frame gets the time `start`.
    pub const fn new(start: Micros) -> Self {
        Self { video: Lane::new(), audio: Lane::new(), start }
    }

    /// Creates a clock that continues after `newest`. The next frame comes from another publisher.
    pub const fn after(newest: Micros) -> Self {
        Self {
            video: Lane::after(newest),
            audio: Lane::after(newest),
            start: newest.saturating_add(DEFAULT_GAP),
        }
    }

    /// Prepares for another publisher, whose first frame will follow the newest frame.
    pub fn restart(&mut self) {
        if let Some(newest) = self.newest() {
            self.start = newest + self.video.gap().unwrap_or(DEFAULT_GAP);
        }
        self.video.restart();
        self.audio.restart();
    }

    /// Returns the newest decode time that was assigned.
    pub fn newest(&self) -> Option<Micros> {
        self.video.newest().max(self.audio.newest())
    }

    /// Returns the newest decode time of a track of the current publisher, and the distance to the frame
    /// before.
    pub fn track(&self, track: Track) -> Option<(Micros, Micros)> {
        self.lane(track).progress()
    }

    /// Moves `frame`, which arrives at `now` (of any steady clock), to the stream's clock. Returns true if
    /// the track's source clock jumped.
    ///
    /// Decode times increase in each track. The distance from decode time to presentation time is kept,
    /// except for publishers that number their frames in another order than they send them.
    pub fn place(&mut self, frame: &mut Frame, now: Micros) -> bool {
        let (own, other) = match frame.track() {
            Track::Video => (&mut self.video, &self.audio),
            Track::Audio => (&mut self.audio, &self.video),
        };
        let duration = || codec::audio_duration(&frame.config, &frame.data);
        let moment = Moment { dts: frame.dts, now, duration: &duration };
        let step = if own.is_begun() {
            own.follow(&moment, other)
        } else {
            own.begin(&moment, enter(&moment, other, self.start));
            Step::Regular
        };
        let (dts, offset) = own.placed();
        let mut pts = frame.pts.saturating_add(offset);
        if step != Step::OutOfOrder && frame.pts >= frame.dts {
            pts = pts.max(dts);
        }
        (frame.dts, frame.pts) = (dts, pts);
        step == Step::Jump
    }

    const fn lane(&self, track: Track) -> &Lane {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }
}

/// Returns the offset of a track that starts.
fn enter(moment: &Moment<'_>, other: &Lane, start: Micros) -> Micros {
    let Some((offset, expected)) = other.offset().zip(other.expected(moment.now)) else {
        return start.saturating_sub(moment.dts);
    };
    let at = moment.dts.saturating_add(offset);
    if at.saturating_sub(expected).saturating_abs() <= MAX_APART {
        return offset;
    }
    expected.saturating_sub(moment.dts)
}
