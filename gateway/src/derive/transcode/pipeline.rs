//! Turns packets of one audio codec into packets of another: decodes, resamples, encodes and sets the times.
//!
//! The times of the output come from its samples: the first packet keeps its timestamp (the anchor), and each
//! sample is 1/48000 s after the previous one. To match the input's timestamps, the audio is stretched by
//! an inaudible amount. Missing packets are concealed. After a longer gap there is a new anchor.

use std::sync::Arc;

use media::codec::audio_duration;
use media::time::{MILLI, Micros, SECOND, from_ticks, to_ticks};
use media::{Codec, Config, Frame};

use super::codec::{self, Broken, Encoder, Pcm, RATE, guarded};
use super::counters::{Counters, add};
use super::decoding::{CONCEAL, Decoding};
use super::follow::Follow;
use super::resample::Resampler;
use super::{AudioTarget, channels};

/// Maximum gap that is filled. After a longer one the output has a new anchor.
const JUMP: Micros = SECOND;
/// Maximum error of AAC timestamps that counts as uneven. A larger error means that audio is missing or was
/// sent twice. AAC comes over TCP, which loses nothing, but some encoders use the time of capture as the
/// timestamp.
const UNEVEN: Micros = 60 * MILLI;
/// The same for codecs that come over UDP, where packets get lost. The limit is three quarters of a packet,
/// and at least this.
const UNEVEN_RTP: Micros = 4 * MILLI;

/// Transcodes one track. No input makes it fail: packets that cannot be decoded are counted.
#[derive(Debug)]
pub(super) struct Pipeline {
    to: AudioTarget,
    counters: &'static Counters,
    /// The input's configuration, and the codecs for it. `chain` is `None` if the configuration is not supported.
    config: Option<Arc<Config>>,
    chain: Option<Chain>,
    /// Time of the newest output packet. The next one is later.
    last: Option<Micros>,
}

impl Pipeline {
    pub(super) fn new(to: AudioTarget) -> Self {
        Self { to, counters: Counters::of(to), config: None, chain: None, last: None }
    }

    /// Starts again: the next packet does not continue the previous ones.
    pub(super) fn reset(&mut self) {
        (self.config, self.chain) = (None, None);
    }

    /// Adds a packet, and appends the output packets that are complete.
    pub(super) fn push(&mut self, frame: &Frame, out: &mut Vec<Frame>) {
        if !self.config.as_ref().is_some_and(|config| Arc::ptr_eq(config, &frame.config)) {
            self.chain = guarded(|| Chain::new(self.to, &frame.config)).and_then(Result::ok);
            self.config = Some(frame.config.clone());
        }
        let first = out.len();
        match &mut self.chain {
            Some(chain) => chain.push(frame, out),
            None => add(&self.counters.broken, 1),
        }
        for frame in out.iter_mut().skip(first) {
            let time = frame.dts.max(self.last.map_or(Micros::MIN, |last| last.saturating_add(1)));
            (frame.dts, frame.pts, self.last) = (time, time, Some(time));
        }
    }
}

/// The decoder, the resampler and the encoder between two configurations.
struct Chain {
    to: AudioTarget,
    counters: &'static Counters,
    output: Arc<Config>,
    decoding: Decoding,
    encoder: Box<dyn Encoder>,
    /// `None` before the first decoded packet, which tells the sample rate.
    resampler: Option<Resampler>,
    follow: Follow,
    /// Audio at [`RATE`] that does not fill a packet yet.
    ready: Pcm,
    /// The time of output sample 0.
    anchor: Micros,
    /// Number of output samples that were resampled, and number of those that were encoded.
    made: i64,
    sent: i64,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("decoding", &self.decoding)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl Chain {
    fn new(to: AudioTarget, input: &Arc<Config>) -> Result<Self, Broken> {
        let channels = channels(input);
        Ok(Self {
            to,
            counters: Counters::of(to),
            output: to.output(channels),
            decoding: Decoding::new(input, channels)?,
            encoder: codec::encoder(to, channels)?,
            resampler: None,
            follow: Follow::default(),
            ready: Pcm::new(RATE, channels),
            anchor: 0,
            made: 0,
            sent: 0,
        })
    }

    fn push(&mut self, frame: &Frame, out: &mut Vec<Frame>) {
        let Some(duration) = audio_duration(self.decoding.input(), &frame.data).filter(|d| *d > 0) else {
            // The duration of a broken packet is unknown. The timestamp of the next good packet shows how
            // much is missing.
            add(&self.counters.broken, 1);
            return;
        };
        let overlap = self.align(frame.pts, duration, out);
        if self.decoding.decode(&frame.data).is_err() {
            add(&self.counters.broken, 1);
            if self.resampler.is_none() {
                return;
            }
            add(&self.counters.concealed, 1);
            self.decoding.conceal(duration);
        }
        if overlap > 0 {
            let pcm = &mut self.decoding.pcm;
            pcm.drop_front(to_ticks(overlap, pcm.rate) as usize);
        }
        self.resample();
        self.encode(out);
    }

    /// Returns the expected time of the next input sample; `None` before the first one.
    fn head(&self) -> Option<Micros> {
        let ahead = self.resampler.as_ref()?.ahead();
        Some(self.at(self.made).saturating_add((ahead * 1e6 / f64::from(RATE)) as Micros))
    }

    /// Returns the time of an output sample.
    fn at(&self, sample: i64) -> Micros {
        self.anchor.saturating_add(from_ticks(sample, RATE))
    }

    fn anchor(&mut self, time: Micros) {
        (self.anchor, self.made, self.sent) = (time, 0, 0);
        self.ready.clear();
        if let Some(resampler) = &mut self.resampler {
            resampler.restart();
        }
        self.follow = Follow::default();
    }

    /// Fills the gap before a packet of this time, or stretches the audio to meet it. Returns the duration of
    /// the packet's beginning that overlaps with earlier audio.
    fn align(&mut self, time: Micros, duration: Micros, out: &mut Vec<Frame>) -> Micros {
        let Some(head) = self.head() else {
            self.anchor(time);
            return 0;
        };
        let error = time.saturating_sub(head);
        let uneven = match self.decoding.input().codec {
            Codec::Aac => UNEVEN,
            _ => (duration * 3 / 4).max(UNEVEN_RTP),
        };
        if error > uneven {
            // Before a jump, too, the encoder needs more input to output its last samples.
            let filled = if error > JUMP { CONCEAL } else { error };
            add(&self.counters.concealed, ((filled + duration / 2) / duration).max(1) as u64);
            self.decoding.conceal(filled);
            self.resample();
            self.encode(out);
            if error > JUMP {
                self.anchor(time);
            }
            0
        } else if error < -uneven {
            error.saturating_neg().min(duration)
        } else {
            let ppm = self.follow.update(error, duration);
            if let Some(resampler) = &mut self.resampler {
                resampler.stretch(ppm);
            }
            0
        }
    }

    fn resample(&mut self) {
        let pcm = &self.decoding.pcm;
        if self.resampler.as_ref().is_none_or(|resampler| resampler.from() != pcm.rate) {
            self.resampler = Some(Resampler::new(pcm.rate, RATE, pcm.planes.len()));
        }
        let before = self.ready.len();
        if let Some(resampler) = &mut self.resampler {
            resampler.push(pcm, &mut self.ready);
        }
        self.made += (self.ready.len() - before) as i64;
        for sample in self.ready.planes.iter_mut().flat_map(|plane| plane.iter_mut().skip(before)) {
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
    }

    fn encode(&mut self, out: &mut Vec<Frame>) {
        let (size, delay) = (self.encoder.frame(), self.encoder.delay() as i64);
        let mut at = 0;
        while at + size <= self.ready.len() {
            let planes: Vec<&[f32]> = self.ready.planes.iter().map(|plane| &plane[at..at + size]).collect();
            let encoder = &mut self.encoder;
            let packet = guarded(|| encoder.encode(&planes));
            // The codec delays each sample, so the packet's time is earlier by the delay.
            let time = self.at(self.sent - delay);
            at += size;
            self.sent += size as i64;
            match packet {
                Some(Ok(data)) => {
                    add(&self.counters.samples, size as u64);
                    let config = self.output.clone();
                    out.push(Frame { number: 0, config, dts: time, pts: time, key: true, data });
                }
                failed => {
                    add(&self.counters.broken, 1);
                    if failed.is_none()
                        && let Ok(encoder) = codec::encoder(self.to, self.ready.planes.len())
                    {
                        self.encoder = encoder;
                    }
                }
            }
        }
        self.ready.drop_front(at);
    }
}

#[cfg(test)]
mod tests;
