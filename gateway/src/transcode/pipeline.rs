//! Packets of one codec to packets of another: decoding, resampling, encoding, and whose time is whose.
//!
//! What is sent is timed by its samples: the first packet is anchored at its timestamp, and from
//! there on each sample is 1/48000 s later than the one before, whatever the timestamps say. The
//! sound itself is stretched, by less than can be heard, so that it keeps to them. Packets that are
//! missing are filled in; after a longer gap the anchor is set anew.

use std::sync::Arc;

use media::codec::audio_duration;
use media::time::{MILLI, Micros, SECOND, from_ticks, to_ticks};
use media::{Codec, Config, Frame};

use super::codec::{self, Broken, Decoder, Encoder, Pcm, RATE, guarded};
use super::counters::{Counters, add};
use super::follow::Follow;
use super::resample::Resampler;
use super::{Sound, channels};

/// So much of a gap is filled from the sound before it; the rest is silence.
const CONCEAL: Micros = 120 * MILLI;
/// A longer gap is left as one.
const JUMP: Micros = SECOND;
/// A decoder that knows no concealment has its last sound fade out over this.
const FADE: Micros = 10 * MILLI;
/// Stamps that are off by less than this are uneven; off by more, sound is missing or came twice. Of
/// what comes by TCP nothing is missing, but some encoders stamp it as it comes.
const UNEVEN: Micros = 60 * MILLI;
/// The same for codecs that travel by UDP, where a packet may be missing: at least this, and three
/// quarters of a packet.
const UNEVEN_RTP: Micros = 4 * MILLI;
/// Rates that are sound.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Transcodes one track. Nothing that it is given makes it fail: what cannot be read is counted.
#[derive(Debug)]
pub(super) struct Pipeline {
    to: Sound,
    counters: &'static Counters,
    /// The configuration it is set up for, and the set-up where that could be done.
    config: Option<Arc<Config>>,
    chain: Option<Chain>,
    /// The time of the last packet sent: the next is later.
    last: Option<Micros>,
}

impl Pipeline {
    pub(super) fn new(to: Sound) -> Self {
        Self { to, counters: Counters::of(to), config: None, chain: None, last: None }
    }

    /// The next packet does not continue the ones before.
    pub(super) fn reset(&mut self) {
        (self.config, self.chain) = (None, None);
    }

    /// Takes a packet, and appends what is ready.
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
            let time = frame.dts.max(self.last.map_or(Micros::MIN, |last| last + 1));
            (frame.dts, frame.pts, self.last) = (time, time, Some(time));
        }
    }
}

/// What decodes and encodes between two configurations.
struct Chain {
    to: Sound,
    counters: &'static Counters,
    input: Arc<Config>,
    output: Arc<Config>,
    decoder: Box<dyn Decoder>,
    encoder: Box<dyn Encoder>,
    /// Made when the first packet has shown its rate.
    resampler: Option<Resampler>,
    follow: Follow,
    /// The newest sound as it was decoded, and what came before it.
    pcm: Pcm,
    before: Pcm,
    /// Sound at [`RATE`] that waits to fill a packet.
    ready: Pcm,
    /// The time of output sample 0.
    anchor: Micros,
    /// Output samples resampled, and encoded.
    made: i64,
    sent: i64,
    /// The sound before was made up and ended in silence.
    faded: bool,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("input", &self.input).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Chain {
    fn new(to: Sound, input: &Arc<Config>) -> Result<Self, Broken> {
        let channels = channels(input);
        Ok(Self {
            to,
            counters: Counters::of(to),
            input: input.clone(),
            output: to.output(channels),
            decoder: codec::decoder(input)?,
            encoder: codec::encoder(to, channels)?,
            resampler: None,
            follow: Follow::default(),
            pcm: Pcm::new(0, channels),
            before: Pcm::new(0, channels),
            ready: Pcm::new(RATE, channels),
            anchor: 0,
            made: 0,
            sent: 0,
            faded: false,
        })
    }

    fn push(&mut self, frame: &Frame, out: &mut Vec<Frame>) {
        let Some(duration) = audio_duration(&self.input, &frame.data).filter(|d| *d > 0) else {
            // Without even a length: the next good packet shows that something is missing.
            add(&self.counters.broken, 1);
            return;
        };
        let overlap = self.place(frame.pts, duration, out);
        if self.decode(&frame.data).is_err() {
            add(&self.counters.broken, 1);
            if self.resampler.is_none() {
                return;
            }
            add(&self.counters.concealed, 1);
            self.conceal(duration);
        }
        if overlap > 0 {
            self.pcm.drop_front(to_ticks(overlap, self.pcm.rate) as usize);
        }
        self.resample();
        self.encode(out);
    }

    /// The time of the next input sample, when any has come.
    fn head(&self) -> Option<Micros> {
        let ahead = self.resampler.as_ref()?.ahead();
        Some(self.anchor + from_ticks(self.made, RATE) + (ahead * 1e6 / f64::from(RATE)) as Micros)
    }

    fn anchor(&mut self, time: Micros) {
        (self.anchor, self.made, self.sent) = (time, 0, 0);
        self.ready.clear();
        self.resampler = None;
        self.follow = Follow::default();
    }

    /// Brings the sound so far up to a packet's time; answers how much of the packet was there already.
    fn place(&mut self, time: Micros, duration: Micros, out: &mut Vec<Frame>) -> Micros {
        let Some(head) = self.head() else {
            self.anchor(time);
            return 0;
        };
        let error = time.saturating_sub(head);
        let uneven = match self.input.codec {
            Codec::Aac => UNEVEN,
            _ => (duration * 3 / 4).max(UNEVEN_RTP),
        };
        if error > uneven {
            // What is left in the encoder goes out before a jump too.
            let filled = if error > JUMP { CONCEAL } else { error };
            add(&self.counters.concealed, ((filled + duration / 2) / duration).max(1) as u64);
            self.conceal(filled);
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

    /// What was the newest sound is that before.
    fn turn(&mut self) {
        std::mem::swap(&mut self.pcm, &mut self.before);
        self.pcm.clear();
        self.pcm.rate = self.before.rate;
    }

    /// A packet's sound, in place of the last one's.
    fn decode(&mut self, packet: &[u8]) -> Result<(), Broken> {
        self.turn();
        let (decoder, pcm) = (&mut self.decoder, &mut self.pcm);
        let decoded = guarded(|| decoder.decode(packet, pcm));
        let good = self.pcm.len() > 0 && RATES.contains(&self.pcm.rate);
        if !matches!(decoded, Some(Ok(()))) || !good {
            std::mem::swap(&mut self.pcm, &mut self.before);
            if decoded.is_none() {
                self.decoder = codec::decoder(&self.input)?;
            }
            return Err(Broken);
        }
        if std::mem::take(&mut self.faded) {
            let samples = to_ticks(FADE / 4, self.pcm.rate) as usize;
            for plane in &mut self.pcm.planes {
                let steps = plane.iter_mut().take(samples).enumerate();
                steps.for_each(|(n, sample)| *sample *= n as f32 / samples as f32);
            }
        }
        Ok(())
    }

    /// Sound for packets that are missing, in place of the last one's.
    fn conceal(&mut self, time: Micros) {
        let rate = self.pcm.rate;
        let samples = to_ticks(time, rate).max(0) as usize;
        let alive = samples.min(to_ticks(CONCEAL, rate) as usize);
        self.turn();
        while self.pcm.len() < alive {
            let (before, want) = (self.pcm.len(), alive - self.pcm.len());
            let (decoder, pcm) = (&mut self.decoder, &mut self.pcm);
            let concealed = guarded(|| decoder.conceal(want.min(self.before.len().max(1)), pcm));
            if !matches!(concealed, Some(Ok(()))) || self.pcm.len() <= before {
                if concealed.is_none()
                    && let Ok(decoder) = codec::decoder(&self.input)
                {
                    self.decoder = decoder;
                }
                break;
            }
        }
        for (plane, tail) in self.pcm.planes.iter_mut().zip(&self.before.planes) {
            plane.truncate(samples);
            let fade = to_ticks(FADE, rate) as usize;
            if plane.is_empty() {
                // Backwards from where it stopped: no step, and no new frequencies.
                let mirrored = tail.iter().rev().take(fade.min(samples)).enumerate();
                plane.extend(mirrored.map(|(n, s)| s * (1.0 - n as f32 / fade as f32)));
            } else if plane.len() < samples {
                let from = plane.len().saturating_sub(fade);
                let steps = plane.iter_mut().skip(from).enumerate();
                steps.for_each(|(n, sample)| *sample *= 1.0 - n as f32 / fade as f32);
            }
            self.faded |= plane.len() < samples;
            plane.resize(samples, 0.0);
        }
    }

    fn resample(&mut self) {
        if self.resampler.as_ref().is_none_or(|resampler| resampler.from() != self.pcm.rate) {
            self.resampler = Some(Resampler::new(self.pcm.rate, RATE, self.pcm.planes.len()));
        }
        let before = self.ready.len();
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&self.pcm, &mut self.ready);
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
            // Who decodes it hears a sample later than it went in: it is sent as much earlier.
            let time = self.anchor + from_ticks(self.sent - delay, RATE);
            at += size;
            self.sent += size as i64;
            match packet {
                Some(Ok(data)) => {
                    add(&self.counters.samples, size as u64);
                    let config = self.output.clone();
                    out.push(Frame { config, dts: time, pts: time, key: true, data });
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
