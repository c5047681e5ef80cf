//! The audio of one input: decoded, and placed on the clock of the mix.

use std::collections::VecDeque;
use std::sync::Arc;

use media::codec::audio_duration;
use media::time::{MILLI, Micros, from_ticks, to_ticks};
use media::{Codec, Config, Frame};

use super::RATE;
use super::encode::PACKET;
use super::level::Level;
use crate::derive::transcode::codec::{Pcm, guarded};
use crate::derive::transcode::decoding::Decoding;
use crate::derive::transcode::resample::Resampler;

/// Maximum number of samples that wait for their time: 2 s. The oldest are dropped beyond it.
const MAX_WAITING: usize = 2 * RATE as usize;
/// Number of samples of a fade at the beginning and the end of audio: 5 ms.
const FADE: usize = 240;
/// Largest difference between a packet's place and the end of the audio before it that stretching removes.
const STRETCHED: Micros = 40 * MILLI;
/// Shortest time between two changes of an input's format.
const CHANGES_EVERY: Micros = 500 * MILLI;
/// Longest gap that is concealed, for codecs over UDP. A longer one is silence.
const CONCEALED: Micros = 120 * MILLI;
/// Largest stretch in parts per million: 0.5 %.
const MAX_PPM: f64 = 5_000.0;
/// Time in which a difference is removed by stretching, in seconds.
const CORRECT_IN: f64 = 4.0;
/// Part of a new difference in the average of the differences.
const SMOOTH: f64 = 1.0 / 16.0;
/// Number of samples in which the gain changes fully: 10 ms.
const GAIN_RAMP: f32 = 480.0;

/// The audio of an input.
#[derive(Debug)]
pub(super) struct InputAudio {
    config: Option<Arc<Config>>,
    decoding: Option<Decoding>,
    resampler: Option<Resampler>,
    resampled: Pcm,
    /// Samples at [`RATE`] that wait for their time. The first one has the number `start`.
    waiting: VecDeque<[f32; 2]>,
    start: i64,
    /// When the next change of the format is followed.
    next_change: Micros,
    /// Average difference between the places of packets and the end of the audio before them, in microseconds.
    pub(super) difference: f64,
    /// The number of the next sample that is mixed.
    next: i64,
    /// The current and the wanted gain, as factors.
    gain: f32,
    wanted_gain: f32,
    /// How far the audio has faded in: 0 to 1.
    faded: f32,
    /// The last sample, which fades out when there is no audio.
    last: [f32; 2],
    pub(super) level: Level,
    /// Number of packets that were broken, too late, or of a codec that is not decoded.
    pub(super) lost: u64,
}

impl InputAudio {
    /// Creates an input whose first sample will be mixed at the sample number `next`.
    pub(super) fn new(next: i64) -> Self {
        Self {
            config: None,
            decoding: None,
            resampler: None,
            resampled: Pcm::new(RATE, 2),
            waiting: VecDeque::new(),
            start: next,
            next_change: Micros::MIN,
            difference: 0.0,
            next,
            gain: 0.0,
            wanted_gain: 1.0,
            faded: 0.0,
            last: [0.0; 2],
            level: Level::default(),
            lost: 0,
        }
    }

    /// Sets the gain as a factor.
    pub(super) const fn set_gain(&mut self, gain: f32) {
        self.wanted_gain = gain;
    }

    /// Adds a packet whose first sample has to be heard at the mix time `at`.
    pub(super) fn push(&mut self, frame: &Frame, at: Micros) {
        let same = |config: &Arc<Config>| Arc::ptr_eq(config, &frame.config) || **config == *frame.config;
        if !self.config.as_ref().is_some_and(same) {
            // A new decoder and a new filter cost much: an input that changes its format all the time is left out.
            if at < self.next_change {
                self.lost += 1;
                return;
            }
            self.next_change = at + CHANGES_EVERY;
            let channels = if frame.config.audio().is_some_and(|audio| audio.channels == 1) { 1 } else { 2 };
            self.decoding = guarded(|| Decoding::new(&frame.config, channels)).and_then(Result::ok);
            self.resampler = None;
            self.config = Some(frame.config.clone());
        }
        let duration = audio_duration(&frame.config, &frame.data).filter(|duration| *duration > 0);
        let (Some(decoding), Some(duration)) = (&mut self.decoding, duration) else {
            self.lost += 1;
            return;
        };
        if to_ticks(at + duration, RATE) <= self.next {
            // Its time has passed. What waits stays as it is.
            self.lost += 1;
            return;
        }
        let overlap = match place(
            at,
            head(self.start, self.waiting.len(), self.resampler.as_ref()),
            &frame.config,
            duration,
        ) {
            Place::Follows(difference) => {
                self.difference += (difference as f64 - self.difference) * SMOOTH;
                if let Some(resampler) = &mut self.resampler {
                    resampler.stretch((self.difference / CORRECT_IN).clamp(-MAX_PPM, MAX_PPM));
                }
                0
            }
            Place::After(gap) => {
                decoding.conceal(gap);
                self.take_decoded(0);
                0
            }
            Place::Overlaps(overlap) if overlap < duration => overlap,
            Place::Overlaps(_) => {
                self.lost += 1;
                return;
            }
            Place::Anew => {
                self.begin(at);
                0
            }
        };
        let Some(decoding) = &mut self.decoding else { return };
        if decoding.decode(&frame.data).is_err() {
            self.lost += 1;
            if decoding.pcm.rate == 0 {
                return;
            }
            decoding.conceal(duration);
        }
        self.take_decoded(overlap);
    }

    /// Begins again at the mix time `at`. Audio before it that waits is kept; the gap is silence.
    fn begin(&mut self, at: Micros) {
        let at = to_ticks(at, RATE);
        let end = self.start + self.waiting.len() as i64;
        let gap = at - end;
        if self.waiting.is_empty() || gap < 0 || gap as usize > MAX_WAITING {
            self.waiting.clear();
            self.start = at;
        } else {
            // The last samples fade out, so that the silence begins without a click.
            let length = self.waiting.len();
            let fading = self.waiting.iter_mut().skip(length.saturating_sub(FADE)).enumerate();
            let steps = FADE.min(length) as f32;
            fading.for_each(|(n, sample)| *sample = sample.map(|one| one * (1.0 - n as f32 / steps)));
            self.waiting.extend(std::iter::repeat_n([0.0; 2], gap as usize));
        }
        self.difference = 0.0;
        if let Some(resampler) = &mut self.resampler {
            resampler.restart();
        }
    }

    /// Resamples the decoded audio without its first `overlap` microseconds, and adds it to the samples that wait.
    fn take_decoded(&mut self, overlap: Micros) {
        let Some(decoding) = &mut self.decoding else { return };
        let pcm = &mut decoding.pcm;
        if overlap > 0 {
            pcm.drop_front(to_ticks(overlap, pcm.rate) as usize);
        }
        let channels = pcm.planes.len();
        if self.resampler.as_ref().is_none_or(|resampler| resampler.from() != pcm.rate) {
            self.resampler = Some(Resampler::new(pcm.rate, RATE, channels));
            self.resampled = Pcm::new(RATE, channels);
        }
        let Some(resampler) = &mut self.resampler else { return };
        self.resampled.clear();
        resampler.push(pcm, &mut self.resampled);
        let (left, right) = (&self.resampled.planes[0], &self.resampled.planes[channels - 1]);
        let good = |one: f32| if one.is_finite() { one.clamp(-1.0, 1.0) } else { 0.0 };
        self.waiting.extend(left.iter().zip(right).map(|(left, right)| [good(*left), good(*right)]));
        // Samples whose time has passed.
        let late = (self.next - self.start).clamp(0, self.waiting.len() as i64) as usize;
        let many = self.waiting.len().saturating_sub(MAX_WAITING);
        self.drop_front(late.max(many));
    }

    fn drop_front(&mut self, samples: usize) {
        self.waiting.drain(..samples);
        self.start += samples as i64;
    }

    /// Returns the samples of the next packet of the mix, with their gain.
    pub(super) fn next_packet(&mut self) -> [[f32; 2]; PACKET] {
        let mut out = [[0.0; 2]; PACKET];
        for (n, out) in out.iter_mut().enumerate() {
            let index = self.next + n as i64 - self.start;
            let sample = usize::try_from(index).ok().and_then(|index| self.waiting.get(index)).copied();
            self.gain += (self.wanted_gain - self.gain).clamp(-1.0 / GAIN_RAMP, 1.0 / GAIN_RAMP);
            match sample {
                Some(sample) => {
                    self.faded = (self.faded + 1.0 / FADE as f32).min(1.0);
                    self.last = sample.map(|one| one * self.faded);
                    *out = self.last.map(|one| one * self.gain);
                }
                None => {
                    // The last sample fades out.
                    self.faded = (self.faded - 1.0 / FADE as f32).max(0.0);
                    *out = self.last.map(|one| one * self.faded * self.gain);
                    if self.faded == 0.0 {
                        self.last = [0.0; 2];
                    }
                }
            }
        }
        self.next += PACKET as i64;
        let late = (self.next - self.start).clamp(0, self.waiting.len() as i64) as usize;
        self.drop_front(late);
        self.level.push(&out);
        out
    }

    /// Returns the number of samples that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// Returns the time at which the next packet would follow the audio without a difference; `None` before the first
/// packet.
fn head(start: i64, waiting: usize, resampler: Option<&Resampler>) -> Option<Micros> {
    let ahead = resampler?.ahead() * 1e6 / f64::from(RATE);
    Some(from_ticks(start + waiting as i64, RATE) + ahead as Micros)
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// After the audio before it, this much later than that ends: stretching removes the difference.
    Follows(Micros),
    /// After a gap of this duration: packets were lost.
    After(Micros),
    /// Its beginning of this duration was heard already.
    Overlaps(Micros),
    /// Somewhere else: the audio begins again.
    Anew,
}

fn place(at: Micros, head: Option<Micros>, config: &Config, duration: Micros) -> Place {
    let Some(head) = head else { return Place::Anew };
    let difference = at - head;
    // AAC comes over TCP, which loses nothing. Over UDP, a gap of nearly a packet means that one was lost.
    let lossy = config.codec != Codec::Aac;
    let follows = if lossy && difference > 0 { (duration * 3 / 4).min(STRETCHED) } else { STRETCHED };
    match difference {
        _ if difference.abs() <= follows => Place::Follows(difference),
        _ if lossy && (0..=CONCEALED).contains(&difference) => Place::After(difference),
        _ if (-2 * STRETCHED..0).contains(&difference) => Place::Overlaps(-difference),
        _ => Place::Anew,
    }
}
