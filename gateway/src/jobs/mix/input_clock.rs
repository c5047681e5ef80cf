//! Places the frames of an input on the clock of the mix.

use std::collections::VecDeque;

use media::time::{MILLI, Micros, SECOND};

/// Duration of one bucket of measurements.
const BUCKET: Micros = SECOND / 2;
/// Number of buckets: the clock remembers delays for 8 s.
const BUCKETS: usize = 16;
/// Time for which delays are collected before the first offset is chosen.
const SETTLE: Micros = 150 * MILLI;
/// Reserve that is added to the measured delay.
const RESERVE: Micros = 5 * MILLI;
/// Largest change of the offset per second, as a fraction: 0.5 % cannot be heard, and audio can be stretched by it.
const SLEW: f64 = 0.005;
/// A larger difference than this is not smoothed: the offset jumps.
const JUMP: Micros = 25 * MILLI;
/// Largest delay between the arrival of an input's frame and its place in the mix.
pub(super) const MAX_DELAY: Micros = SECOND;

/// The delays (ready time minus presentation time) of half a second.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    start: Micros,
    shortest: Micros,
    longest: Micros,
}

/// Finds the offset between the times of an input and the time of the mix.
///
/// A frame can be shown when it is ready: it has arrived and is decoded. The offset is chosen so that nearly all frames
/// are ready at their place in the mix. It follows the network's jitter and the drift of the publisher's clock: by at
/// most 0.5 % smoothly, or with a jump if frames come much too late. Audio and video of an input have the same offset,
/// so they stay in sync. The clock reads no time: all times are arguments, in microseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct InputClock {
    /// The measurements, oldest first.
    buckets: VecDeque<Bucket>,
    began: Option<Micros>,
    offset: Option<f64>,
    moved: Micros,
}

impl InputClock {
    /// Records that the frame with the presentation time `pts` is ready at `now`.
    pub(super) fn record(&mut self, pts: Micros, now: Micros) {
        let delay = now - pts;
        self.began.get_or_insert(now);
        match self.buckets.back_mut() {
            Some(bucket) if now < bucket.start + BUCKET => {
                bucket.shortest = bucket.shortest.min(delay);
                bucket.longest = bucket.longest.max(delay);
            }
            _ => {
                self.buckets.push_back(Bucket { start: now, shortest: delay, longest: delay });
                if self.buckets.len() > BUCKETS {
                    self.buckets.pop_front();
                }
            }
        }
    }

    /// Returns the time in the mix minus the input's presentation time, at `now`. Returns `None` until enough frames
    /// are known.
    pub(super) fn offset(&mut self, now: Micros) -> Option<Micros> {
        let target = self.target()? as f64;
        // The callers' times are not quite in order.
        let passed = (now - self.moved).max(0) as f64;
        self.moved = self.moved.max(now);
        let offset = match self.offset {
            None if now - self.began? < SETTLE => return None,
            Some(offset) if (target - offset).abs() <= JUMP as f64 || target < offset => {
                offset + (target - offset).clamp(-passed * SLEW, passed * SLEW)
            }
            _ => target,
        };
        // A publisher's clock that went back leaves the offset far too high.
        let offset = if offset - target > MAX_DELAY as f64 { target } else { offset };
        self.offset = Some(offset);
        Some(offset.round() as Micros)
    }

    /// Returns the offset that fits the measured delays. One late frame alone does not count.
    fn target(&self) -> Option<Micros> {
        let mut longest: Vec<Micros> = self.buckets.iter().map(|bucket| bucket.longest).collect();
        longest.sort_unstable_by(|a, b| b.cmp(a));
        let usual = longest.get(usize::from(longest.len() > 4)).copied()?;
        let most = self.shortest()? + MAX_DELAY;
        Some(usual.min(most) + RESERVE)
    }

    /// Returns the shortest delay that is remembered.
    fn shortest(&self) -> Option<Micros> {
        self.buckets.iter().map(|bucket| bucket.shortest).min()
    }

    /// Returns the delay that the clock adds to the fastest frames, in microseconds.
    pub(super) fn delay(&self) -> Micros {
        match (self.offset, self.shortest()) {
            (Some(offset), Some(shortest)) => (offset as Micros - shortest).max(0),
            _ => 0,
        }
    }

    /// Forgets everything: another publisher has begun, or the publisher's clock has jumped.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs an input of 50 frames per second for `seconds`, whose clock runs `ppm` too fast and whose frames are
    /// delayed by `jitter(n)`. Returns the offset after each frame.
    fn run(
        clock: &mut InputClock,
        from: i64,
        seconds: i64,
        ppm: f64,
        jitter: impl Fn(i64) -> Micros,
    ) -> Vec<Micros> {
        let frames = from * 50..(from + seconds) * 50;
        let mut offsets = Vec::new();
        for n in frames {
            let sent = n * 20 * MILLI;
            let pts = (sent as f64 * (1.0 + ppm / 1e6)) as Micros + 5 * SECOND;
            clock.record(pts, sent + jitter(n));
            offsets.extend(clock.offset(sent + jitter(n)));
        }
        offsets
    }

    #[test]
    fn the_offset_makes_nearly_all_frames_ready_in_time() {
        let mut clock = InputClock::default();
        let offsets = run(&mut clock, 0, 20, 0.0, |n| 10 * MILLI + (n * 7919 % 30) * MILLI);
        let offset = *offsets.last().unwrap();
        assert!((39..=46).contains(&(offset + 5 * SECOND).div_euclid(MILLI)), "{offset}");
        assert!((25 * MILLI..=40 * MILLI).contains(&clock.delay()), "{}", clock.delay());
    }

    #[test]
    fn nothing_is_placed_before_some_frames_are_known() {
        let mut clock = InputClock::default();
        assert_eq!(clock.offset(0), None);
        clock.record(0, 0);
        assert_eq!(clock.offset(0), None);
        assert!(clock.offset(SETTLE).is_some());
    }

    #[test]
    fn four_hours_of_a_clock_that_runs_wrong_are_followed_without_a_jump() {
        for ppm in [-200.0, -50.0, 100.0, 200.0] {
            let mut clock = InputClock::default();
            let offsets = run(&mut clock, 0, 4 * 3600, ppm, |n| (n % 5) * MILLI);
            // The settling at the beginning is left out.
            for pair in offsets[100..].windows(2) {
                assert!((pair[1] - pair[0]).abs() <= 101, "{ppm}: {pair:?}");
            }
            let drift = -(4.0 * 3600.0 * ppm) as Micros;
            let end = *offsets.last().unwrap() + 5 * SECOND;
            assert!((end - drift).abs() < 15 * MILLI, "{ppm}: {end} and {drift}");
            assert!(clock.delay() < 20 * MILLI, "{ppm}: {}", clock.delay());
        }
    }

    #[test]
    fn frames_that_come_much_later_than_before_move_the_offset_at_once_and_back_slowly() {
        let mut clock = InputClock::default();
        let before = *run(&mut clock, 0, 10, 0.0, |_| 0).last().unwrap();
        let late = *run(&mut clock, 10, 3, 0.0, |_| 300 * MILLI).last().unwrap();
        assert_eq!(late - before, 300 * MILLI);
        let offsets = run(&mut clock, 13, 80, 0.0, |_| 0);
        assert!(offsets.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= 100 + 2), "smooth");
        assert!(*offsets.last().unwrap() - before <= MILLI);
    }

    #[test]
    fn one_late_frame_changes_nothing_and_hours_of_lateness_are_not_followed() {
        let mut clock = InputClock::default();
        let before = *run(&mut clock, 0, 10, 0.0, |_| 0).last().unwrap();
        clock.record(10 * SECOND + 5 * SECOND, 11 * SECOND);
        assert_eq!(clock.offset(11 * SECOND), Some(before));
        // A network that delays frames by 5 s is not waited for.
        let late = *run(&mut clock, 12, 5, 0.0, |_| 5 * SECOND).last().unwrap();
        assert!(late - before <= MAX_DELAY + RESERVE + 10 * MILLI, "{}", late - before);
    }

    #[test]
    fn a_reset_clock_begins_again() {
        let mut clock = InputClock::default();
        run(&mut clock, 0, 2, 0.0, |_| 0);
        clock.reset();
        assert_eq!((clock.offset(3 * SECOND), clock.delay()), (None, 0));
    }
}
