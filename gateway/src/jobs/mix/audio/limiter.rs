//! A limiter with look-ahead: it lowers the volume before a peak, and lets it rise again slowly.

use std::collections::VecDeque;

/// Highest absolute value of the output: -1 dBFS.
const CEILING: f32 = 0.891;
/// Look-ahead in samples: 2.5 ms at 48 kHz. The volume is lowered during this time, and the audio is delayed by it.
pub(super) const DELAY: usize = 120;
/// Part of the distance to full volume that is regained per sample: half of it in 70 ms.
const RELEASE: f32 = 0.000_206;

/// Limits stereo audio at 48 kHz. Audio below the ceiling passes unchanged, apart from the delay.
#[derive(Debug)]
pub(super) struct Limiter {
    /// The samples of the look-ahead.
    waiting: VecDeque<[f32; 2]>,
    /// The volume that each sample of the look-ahead needs, the smallest at the front: numbers and volumes.
    smallest: VecDeque<(u64, f32)>,
    /// The last smallest volumes, whose average is the volume.
    averaged: VecDeque<f32>,
    sum: f64,
    released: f32,
    number: u64,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            waiting: std::iter::repeat_n([0.0; 2], DELAY).collect(),
            smallest: VecDeque::new(),
            averaged: std::iter::repeat_n(1.0, DELAY).collect(),
            sum: DELAY as f64,
            released: 1.0,
            number: 0,
        }
    }

    /// Adds a sample, and returns the sample of [`DELAY`] samples before.
    pub(super) fn push(&mut self, sample: [f32; 2]) -> [f32; 2] {
        let sample = sample.map(|one| if one.is_finite() { one } else { 0.0 });
        let peak = sample[0].abs().max(sample[1].abs());
        let needed = if peak > CEILING { CEILING / peak } else { 1.0 };
        self.number += 1;
        while self.smallest.back().is_some_and(|(_, volume)| *volume >= needed) {
            self.smallest.pop_back();
        }
        self.smallest.push_back((self.number, needed));
        // A volume stays for as long as its sample is in the look-ahead or in the average.
        while self.smallest.front().is_some_and(|(number, _)| *number + DELAY as u64 <= self.number) {
            self.smallest.pop_front();
        }
        let smallest = self.smallest.front().map_or(1.0, |(_, volume)| *volume);
        self.released = smallest.min(self.released + (1.0 - self.released) * RELEASE);
        self.averaged.push_back(self.released);
        self.sum += f64::from(self.released);
        self.sum -= f64::from(self.averaged.pop_front().unwrap_or(1.0));
        let volume = (self.sum / DELAY as f64) as f32;
        self.waiting.push_back(sample);
        let delayed = self.waiting.pop_front().unwrap_or_default();
        // The average cannot exceed what the sample needs; rounding could, by the last bit.
        delayed.map(|one| (one * volume).clamp(-CEILING, CEILING))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn sine(hertz: f32, amplitude: f32) -> impl Iterator<Item = f32> {
        (0..).map(move |n| amplitude * (TAU * hertz * n as f32 / 48_000.0).sin())
    }

    #[test]
    fn quiet_audio_passes_unchanged_and_delayed() {
        let mut limiter = Limiter::new();
        let input: Vec<f32> = sine(440.0, 0.8).take(4_800).collect();
        let output: Vec<f32> = input.iter().map(|one| limiter.push([*one; 2])[1]).collect();
        assert!(output[..DELAY].iter().all(|one| *one == 0.0));
        for (input, output) in input.iter().zip(&output[DELAY..]) {
            assert!((input - output).abs() < 1e-5, "{input} {output}");
        }
    }

    #[test]
    fn loud_audio_stays_below_the_ceiling_without_clipping() {
        let mut limiter = Limiter::new();
        let input = sine(440.0, 1.0).zip(sine(660.0, 1.0)).map(|(a, b)| a + b);
        let output: Vec<f32> = input.take(48_000).map(|one| limiter.push([one; 2])[0]).collect();
        let loudest = output.iter().fold(0.0_f32, |most, one| most.max(one.abs()));
        assert!((0.8..=CEILING).contains(&loudest), "{loudest}");
        // Clipped audio stays at the ceiling; limited audio touches it at peaks only.
        let at = output.iter().filter(|one| one.abs() > CEILING - 1e-4).count();
        assert!(at < output.len() / 50, "{at}");
        // A step between two samples is no larger than the loudest tones make it.
        let step = output.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.2, "{step}");
    }

    #[test]
    fn a_single_peak_lowers_the_volume_before_it_and_the_volume_comes_back() {
        let mut limiter = Limiter::new();
        let mut output = Vec::new();
        for n in 0..96_000 {
            let one = if n == 10_000 { 4.0 } else { 0.5 };
            output.push(limiter.push([one, f32::NAN])[0]);
        }
        let peak = 10_000 + DELAY;
        assert!((output[peak] - CEILING).abs() < 0.02, "{}", output[peak]);
        assert!(output[peak - 10] < 0.2 && output[peak - DELAY - 5] > 0.49);
        assert!(output[peak + 2_000] < 0.4 && output[95_000] > 0.49);
        assert!(limiter.smallest.len() <= DELAY && limiter.waiting.len() == DELAY);
    }
}
