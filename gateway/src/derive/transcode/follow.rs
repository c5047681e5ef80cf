//! Computes how much to stretch audio so that it follows the sender's clock.

use media::time::Micros;

/// Proportional gain: the part of an error that is corrected each second.
const PULL: f64 = 0.2;
/// Integral gain, for errors that stay. This value makes the control loop critically damped.
const INTEGRAL: f64 = PULL * PULL / 4.0;
/// Time over which errors are averaged, in seconds, because the timestamps of single packets are uneven.
const SMOOTH: f64 = 1.0;
/// Maximum stretch in parts per million. A change of this size is not audible.
const MAX_PPM: f64 = 1_000.0;

/// Computes how much audio must be stretched to match its timestamps: a proportional-integral controller.
///
/// A sender often takes samples by one clock and timestamps by another. If a sound card's clock is wrong by
/// 0.01 %, audio and timestamps differ by a second after three hours.
#[derive(Debug, Default)]
pub(super) struct Follow {
    error: f64,
    drift: f64,
}

impl Follow {
    /// Adds a packet with its `error` (its timestamp minus the end of the audio before it) and its duration.
    /// Returns the stretch in parts per million.
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

    /// Simulates three hours of 20 ms packets from a clock that is wrong by `ppm`, with the timestamps of `stamp`.
    /// Returns the largest error after the first minute, and the largest change of the stretch.
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
            // Without correction the error would be 5 s at 500 ppm.
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
