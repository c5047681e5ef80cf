//! The clock of a live stream: one for both tracks, whatever the clocks of its publishers do.
//!
//! Publishers' timestamps jump, wrap, stand still, start anywhere, and are of two clocks at times. Here they
//! become times that rise in each track, keep the tracks as far apart as the publisher had them, and go on
//! with real time. Good timestamps pass as they are, but for one offset.

mod lane;
#[cfg(test)]
mod tests;

use crate::codec;
use crate::config::Track;
use crate::frame::Frame;
use crate::time::{MILLI, Micros, SECOND};
use lane::{Lane, Moment, Step};

/// Tracks of one publisher that begin further apart than this have different clocks. Then nobody knows how
/// far apart they are, and what comes at the same time belongs together.
const MAX_APART: Micros = 5 * SECOND;
/// The distance to the publisher before, while the distance of the frames is not known.
const DEFAULT_GAP: Micros = 33 * MILLI;
/// A jump of one track and the same jump of the other come within this time.
const TOGETHER: Micros = 10 * SECOND;

/// The clock of one stream, from one publisher to the next.
#[derive(Debug, Clone)]
pub struct StreamClock {
    video: Lane,
    audio: Lane,
    /// Where the first frame lies.
    start: Micros,
}

impl StreamClock {
    /// A clock whose first frame lies at `start`.
    pub const fn new(start: Micros) -> Self {
        Self { video: Lane::new(), audio: Lane::new(), start }
    }

    /// A clock that goes on after `newest`, when the next frame comes from another publisher.
    pub const fn after(newest: Micros) -> Self {
        Self {
            video: Lane::after(newest),
            audio: Lane::after(newest),
            start: newest.saturating_add(DEFAULT_GAP),
        }
    }

    /// The next frame comes from another publisher: it follows the newest frame.
    pub fn restart(&mut self) {
        if let Some(newest) = self.newest() {
            self.start = newest + self.video.gap().unwrap_or(DEFAULT_GAP);
        }
        self.video.restart();
        self.audio.restart();
    }

    /// The newest decode time handed out.
    pub fn newest(&self) -> Option<Micros> {
        self.video.newest().max(self.audio.newest())
    }

    /// The newest decode time of a track of the present publisher, and the distance to the one before.
    pub fn track(&self, track: Track) -> Option<(Micros, Micros)> {
        self.lane(track).progress()
    }

    /// Puts `frame`, which comes at the time `now` of any steady clock, on the stream's clock. True when
    /// the track's source clock has jumped.
    ///
    /// Decode times rise in each track. Presentation times stay as far behind them as they were, except
    /// where the publisher numbers its frames in another order than it sends them.
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

/// The offset of a track that begins.
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
