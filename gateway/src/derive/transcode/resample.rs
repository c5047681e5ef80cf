//! Converts any sample rate to any other with a windowed sinc filter. The ratio can be changed slightly at
//! any time, to follow the sender's clock.

use std::f64::consts::PI;

use super::codec::Pcm;

/// Number of filter taps if the rate stays or rises. A lower output rate needs more.
const TAPS: usize = 48;
/// Minimum number of phases. A phase is a position between two input samples and has its own filter. The
/// number is a multiple of the phases that the two rates need, so that positions are exact. With a stretch, a
/// position is wrong by up to half a phase (-77 dB at 1 kHz).
const PHASES: u64 = 256;
/// Maximum number of phases. For rates that need more, positions are as precise as with a stretch.
const MAX_PHASES: u64 = 1024;
/// Cutoff frequency of the filter (half amplitude), relative to the lower of the two rates.
const CUTOFF: f64 = 0.462;
/// Parameter of the Kaiser window: about 75 dB of rejection.
const BETA: f64 = 7.2;
/// Number of sums that the filter computes in parallel: as many as fit into a vector register.
const LANES: usize = 8;

/// Converts audio from one sample rate to another. Output sample 0 has the time of input sample 0.
#[derive(Debug)]
pub(crate) struct Resampler {
    taps: usize,
    /// A filter of `taps` for each phase.
    filters: Vec<f32>,
    phases: usize,
    /// Input samples that are still needed.
    input: Pcm,
    /// Distance from the buffer's start to the first tap of the next output sample, in phases.
    position: f64,
    /// Distance from one output sample to the next, in phases: without and with the current stretch.
    ratio: f64,
    step: f64,
}

impl Resampler {
    pub(crate) fn new(from: u32, to: u32, channels: usize) -> Self {
        let down = (f64::from(from) / f64::from(to)).max(1.0);
        let taps = ((TAPS as f64 * down) as usize).next_multiple_of(LANES);
        let exact = u64::from(to / gcd(from, to));
        let phases = if exact <= MAX_PHASES { exact * PHASES.div_ceil(exact) } else { MAX_PHASES };
        let ratio = (u64::from(from) * phases) as f64 / f64::from(to);
        let phases = phases as usize;
        let filters = filters(taps, phases, CUTOFF / down);
        let input = Pcm::new(from, channels);
        let mut new = Self { taps, filters, phases, input, position: 0.0, ratio, step: ratio };
        new.restart();
        new
    }

    /// Starts again: the next samples do not continue the previous ones.
    pub(crate) fn restart(&mut self) {
        self.input.clear();
        // Silence before the first sample puts that sample in the middle of the filter.
        self.input.pad(self.taps / 2 - 1);
        (self.position, self.step) = (0.0, self.ratio);
    }

    /// Returns the sample rate of the input.
    pub(crate) const fn from(&self) -> u32 {
        self.input.rate
    }

    /// Makes the audio longer by `ppm` parts per million from now on; a negative value makes it shorter.
    pub(crate) fn stretch(&mut self, ppm: f64) {
        self.step = self.ratio / (1.0 + ppm * 1e-6);
    }

    /// Returns the distance from the next output sample to the next input sample, in output samples.
    pub(crate) fn ahead(&self) -> f64 {
        let middle = self.input.len() as f64 - (self.taps / 2 - 1) as f64;
        (middle * self.phases as f64 - self.position) / self.step
    }

    /// Adds the samples of `pcm`, and appends the output samples that are complete.
    pub(crate) fn push(&mut self, pcm: &Pcm, out: &mut Pcm) {
        for (to, from) in self.input.planes.iter_mut().zip(&pcm.planes) {
            to.extend_from_slice(from);
        }
        loop {
            let nearest = (self.position + 0.5) as usize;
            let (at, phase) = (nearest / self.phases, nearest % self.phases);
            if at + self.taps > self.input.len() {
                break;
            }
            let filter = &self.filters[phase * self.taps..][..self.taps];
            for (from, to) in self.input.planes.iter().zip(&mut out.planes) {
                to.push(dot(&from[at..][..self.taps], filter));
            }
            self.position += self.step;
        }
        let used = (self.position as usize / self.phases).min(self.input.len());
        self.input.drop_front(used);
        self.position -= (used * self.phases) as f64;
    }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn dot(samples: &[f32], coefficients: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (s, c) in samples.chunks_exact(LANES).zip(coefficients.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += s[lane] * c[lane];
        }
    }
    sums.iter().sum()
}

/// Returns a low-pass filter for each phase. `cutoff` is relative to the input rate.
fn filters(taps: usize, phases: usize, cutoff: f64) -> Vec<f32> {
    let half = taps as f64 / 2.0;
    let mut all = Vec::with_capacity(phases * taps);
    for phase in 0..phases {
        let fraction = phase as f64 / phases as f64;
        let filter = (0..taps).map(|tap| {
            let x = tap as f64 - (half - 1.0) - fraction;
            let sinc =
                if x.abs() < 1e-9 { 1.0 } else { (2.0 * PI * cutoff * x).sin() / (2.0 * PI * cutoff * x) };
            let window = bessel(BETA * (1.0 - (x / half).powi(2)).max(0.0).sqrt()) / bessel(BETA);
            sinc * window
        });
        let filter: Vec<f64> = filter.collect();
        // All phases get the same gain, because a varying gain would be audible.
        let sum: f64 = filter.iter().sum();
        all.extend(filter.iter().map(|c| (c / sum) as f32));
    }
    all
}

/// Computes the modified Bessel function of order zero.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..40 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, hertz: f64, samples: usize) -> Pcm {
        let plane = (0..samples).map(|n| (2.0 * PI * hertz * n as f64 / f64::from(rate)).sin() as f32);
        Pcm { rate, planes: vec![plane.collect()] }
    }

    /// Resamples a sine. Returns its difference from the same sine at the new rate, in dB.
    fn error(from: u32, to: u32, hertz: f64, ppm: f64) -> f64 {
        let input = sine(from, hertz, from as usize / 2);
        let mut resampler = Resampler::new(from, to, 1);
        resampler.stretch(ppm);
        let mut out = Pcm::new(to, 1);
        // Pieces that are no multiple of the filter length, like packets.
        for piece in input.planes[0].chunks(777) {
            resampler.push(&Pcm { rate: from, planes: vec![piece.to_vec()] }, &mut out);
        }
        let seconds = input.len() as f64 / f64::from(from) * (1.0 + ppm * 1e-6);
        let expected = f64::from(to) * seconds - resampler.ahead();
        assert!((out.len() as f64 - expected).abs() < 0.01, "{} samples, not {expected}", out.len());
        let ideal = sine(to, hertz / (1.0 + ppm * 1e-6), out.len());
        let middle = 200..out.len() - 200;
        let power = |n: f64| n / middle.len() as f64;
        let noise: f64 =
            middle.clone().map(|n| f64::from(out.planes[0][n] - ideal.planes[0][n]).powi(2)).sum();
        10.0 * (power(noise) / 0.5).log10()
    }

    #[test]
    fn a_sine_stays_that_sine_at_every_rate() {
        for rate in [8_000, 11_025, 12_345, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000] {
            for hertz in [100.0, 1_000.0, 3_000.0] {
                let error = error(rate, 48_000, hertz, 0.0);
                assert!(error < -60.0, "{rate} Hz, {hertz} Hz: {error:.0} dB");
            }
        }
        for hertz in [10_000.0, 16_000.0] {
            let error = error(44_100, 48_000, hertz, 0.0);
            assert!(error < -60.0, "{hertz} Hz: {error:.0} dB");
        }
    }

    #[test]
    fn what_a_lower_rate_cannot_hold_is_taken_out() {
        let mut out = Pcm::new(48_000, 1);
        Resampler::new(96_000, 48_000, 1).push(&sine(96_000, 30_000.0, 48_000), &mut out);
        let loudest = out.planes[0][200..].iter().fold(0.0f32, |max, s| max.max(s.abs()));
        assert!(loudest < 0.001, "{loudest}");
    }

    #[test]
    fn it_stretches_by_parts_of_a_million() {
        for ppm in [-1000.0, 37.0, 1000.0] {
            let error = error(48_000, 48_000, 1_000.0, ppm);
            assert!(error < -60.0, "{ppm} ppm: {error:.0} dB");
        }
    }
}
