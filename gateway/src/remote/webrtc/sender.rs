//! The times with which frames are sent.

use std::time::{Duration, Instant};

use media::codec::audio_samples;
use media::time::{MILLI, Micros, to_ticks};
use media::{Codec, Frame};

/// Difference from the expected time, in ticks of 48 kHz, from which audio has a gap.
const GAP: i64 = 48 * 40;
/// Sender reports name a time in the past, because str0m cannot report a time in the future.
const PAST: Micros = 500 * MILLI;
/// Difference from the wall clock from which the times of sender reports begin anew.
const DRIFT: Micros = 500 * MILLI;

/// Returns the RTP clock rate of a codec.
pub(super) const fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus => 48_000,
        _ => 90_000,
    }
}

/// Stamps the frames of one connection.
#[derive(Debug)]
pub(super) struct Stamps {
    /// Added to all RTP times.
    offset: u32,
    /// The RTP time at which the next audio packet begins.
    audio: Option<i64>,
    /// A time of the stream, and the moment that sender reports give for it.
    anchor: Option<(Micros, Instant)>,
}

impl Stamps {
    pub(super) const fn new(offset: u32) -> Self {
        Self { offset, audio: None, anchor: None }
    }

    /// Returns the RTP time of a frame that is sent `now`, and the moment of its capture.
    pub(super) fn stamp(&mut self, frame: &Frame, now: Instant) -> (u32, Instant) {
        let ticks = to_ticks(frame.pts, clock_rate(frame.config.codec));
        let ticks = if frame.is_video() { ticks } else { self.counted(frame, ticks) };
        let rtp = (ticks as u32).wrapping_add(self.offset);
        (rtp, self.moment(frame.pts, now))
    }

    /// Counts audio times in samples: timestamps are rounded, and a player mistakes a step that is wrong by one sample for
    /// a loss.
    fn counted(&mut self, frame: &Frame, ticks: i64) -> i64 {
        let counted = self.audio.filter(|counted| (ticks - counted).abs() <= GAP).unwrap_or(ticks);
        self.audio = Some(counted + i64::from(audio_samples(&frame.config, &frame.data).unwrap_or(0)));
        counted
    }

    fn moment(&mut self, pts: Micros, now: Instant) -> Instant {
        let before = |time: Instant, micros: Micros| {
            time.checked_sub(Duration::from_micros(micros.max(0).unsigned_abs())).unwrap_or(time)
        };
        let fresh = before(now, PAST);
        let (anchor, moment) = *self.anchor.get_or_insert((pts, fresh));
        let passed = pts - anchor;
        let moment = if passed < 0 {
            before(moment, -passed)
        } else {
            moment + Duration::from_micros(passed.unsigned_abs())
        };
        let off = if moment > fresh { moment - fresh } else { fresh - moment };
        if off <= Duration::from_micros(DRIFT.unsigned_abs()) {
            return moment.min(now);
        }
        self.anchor = Some((pts, fresh));
        fresh
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use media::{Config, Format, Video};

    use super::*;

    fn picture(pts: Micros) -> Frame {
        let format = Format::Video(Video { width: 64, height: 48 });
        let config = Arc::new(Config { codec: Codec::H264, format, description: Bytes::new() });
        Frame { number: 0, config, dts: pts, pts, key: true, data: Bytes::from_static(&[0; 8]) }
    }

    #[test]
    fn times_follow_the_stream_and_moments_the_clock() {
        let now = Instant::now() + Duration::from_secs(10);
        let mut stamps = Stamps::new(7);
        let (first, moment) = stamps.stamp(&picture(1_000_000), now);
        assert_eq!(moment, now - Duration::from_millis(500));
        let (second, later) = stamps.stamp(&picture(1_040_000), now + Duration::from_millis(45));
        assert_eq!((second - first, later - moment), (3600, Duration::from_millis(40)));
        // After a jump of the stream's times, the moments are those of the clock again.
        let at = now + Duration::from_millis(80);
        let (third, jumped) = stamps.stamp(&picture(9_000_000), at);
        assert_eq!((third - second, jumped), (716_400, at - Duration::from_millis(500)));
        assert!(stamps.stamp(&picture(9_040_000), at).1 <= at);
    }
}
