//! Follows the clock of a sender.

use media::time::Micros;

/// The part of an error that is corrected each second.
const PULL: f64 = 0.2;
/// The weight of the errors' sum, for errors that stay: critically damped.
const INTEGRAL: f64 = PULL * PULL / 4.0;
/// Timestamps of single packets are uneven: errors are averaged over so many seconds.
const SMOOTH: f64 = 1.0;
/// The largest stretch, in parts of a million: it cannot be heard.
const MAX_PPM: f64 = 1_000.0;

/// Finds out by how much audio must be stretched to keep to its timestamps.
///
/// A sender takes samples by one clock and timestamps by another, or rounds them: a sound card whose clock is 0.01 %
/// off is a second off after three hours.
#[derive(Debug, Default)]
pub(super) struct Follow {
    error: f64,
    drift: f64,
}

impl Follow {
    /// Takes a packet's `error`, which is its timestamp less the end of the audio before it, and its duration. Returns the
    /// stretch in parts of a million.
    pub(super) fn update(&mut self, error: Micros, duration: Micros) -> f64 {
        let seconds = duration as f64 * 1e-6;
        self.error += (error as f64 - self.error) * seconds / (SMOOTH + seconds);
        self.drift = (self.drift + self.error * INTEGRAL * seconds).clamp(-MAX_PPM, MAX_PPM);
        (self.error * PULL + self.drift).clamp(-MAX_PPM, MAX_PPM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three hours of 20 ms packets by a clock that is `ppm` off, stamped by `stamp`; answers the
    /// largest error after the first minute and the largest step of the stretch.
    fn hours(ppm: f64, stamp: impl Fn(i64, f64) -> Micros) -> (f64, f64) {
        let mut follow = Follow::default();
        let (mut head, mut stretch, mut worst, mut step) = (0.0, 0.0, 0.0f64, 0.0f64);
        for n in 0..3 * 3600 * 50 {
            let real = n as f64 * 20_000.0 * (1.0 + ppm * 1e-6);
            let before = stretch;
            stretch = follow.update(stamp(n, real) - head as Micros, 20_000);
            if n > 60 * 50 {
                worst = worst.max((real - head).abs());
                step = step.max((stretch - before).abs());
            }
            head += 20_000.0 * (1.0 + stretch * 1e-6);
        }
        (worst, step)
    }

    #[test]
    fn a_clock_that_is_off_is_followed_for_hours() {
        for ppm in [-500.0, -100.0, 0.0, 100.0, 500.0] {
            let (worst, step) = hours(ppm, |_, real| real as Micros);
            // Left alone it would be 5 s off at 500 ppm.
            assert!(worst < 100.0 && step < 1.0, "{ppm} ppm: {worst:.0} µs, steps of {step:.2} ppm");
        }
    }

    #[test]
    fn milliseconds_and_uneven_stamps_are_averaged() {
        let (worst, step) = hours(100.0, |_, real| real as Micros / 1000 * 1000);
        assert!(worst < 1_200.0 && step < 5.0, "{worst:.0} µs, {step:.2} ppm");
        let (worst, step) = hours(100.0, |n, real| real as Micros + n * 7919 % 20_001 - 10_000);
        assert!(worst < 2_500.0 && step < 40.0, "{worst:.0} µs, {step:.2} ppm");
    }
}
