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

use super::codec::{self, Broken, Encoder, Pcm, RATE, guarded};
use super::counters::{Counters, add};
use super::decoding::{CONCEAL, Decoding};
use super::follow::Follow;
use super::resample::Resampler;
use super::{Sound, channels};

/// A longer gap is left as one.
const JUMP: Micros = SECOND;
/// Stamps that are off by less than this are uneven; off by more, sound is missing or came twice. Of
/// what comes by TCP nothing is missing, but some encoders stamp it as it comes.
const UNEVEN: Micros = 60 * MILLI;
/// The same for codecs that travel by UDP, where a packet may be missing: at least this, and three
/// quarters of a packet.
const UNEVEN_RTP: Micros = 4 * MILLI;

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
            let time = frame.dts.max(self.last.map_or(Micros::MIN, |last| last.saturating_add(1)));
            (frame.dts, frame.pts, self.last) = (time, time, Some(time));
        }
    }
}

/// What decodes and encodes between two configurations.
struct Chain {
    to: Sound,
    counters: &'static Counters,
    output: Arc<Config>,
    decoding: Decoding,
    encoder: Box<dyn Encoder>,
    /// Made when the first packet has shown its rate.
    resampler: Option<Resampler>,
    follow: Follow,
    /// Sound at [`RATE`] that waits to fill a packet.
    ready: Pcm,
    /// The time of output sample 0.
    anchor: Micros,
    /// Output samples resampled, and encoded.
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
    fn new(to: Sound, input: &Arc<Config>) -> Result<Self, Broken> {
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
            // Without even a length: the next good packet shows that something is missing.
            add(&self.counters.broken, 1);
            return;
        };
        let overlap = self.place(frame.pts, duration, out);
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

    /// The time of the next input sample, when any has come.
    fn head(&self) -> Option<Micros> {
        let ahead = self.resampler.as_ref()?.ahead();
        Some(self.at(self.made).saturating_add((ahead * 1e6 / f64::from(RATE)) as Micros))
    }

    /// The time of an output sample.
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

    /// Brings the sound so far up to a packet's time; answers how much of the packet was there already.
    fn place(&mut self, time: Micros, duration: Micros, out: &mut Vec<Frame>) -> Micros {
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
            // What is left in the encoder goes out before a jump too.
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
            // Who decodes it hears a sample later than it went in: it is sent as much earlier.
            let time = self.at(self.sent - delay);
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
