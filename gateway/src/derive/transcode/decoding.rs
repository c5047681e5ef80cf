//! Decodes audio packets, and conceals packets that are missing.

use std::sync::Arc;

use media::Config;
use media::time::{MILLI, Micros, to_ticks};

use super::codec::{self, Broken, Decoder, Pcm, guarded};

/// Maximum duration that is filled from the audio before a gap; the rest of the gap is silence.
pub(crate) const CONCEAL: Micros = 120 * MILLI;
/// Duration of the fade before silence.
const FADE: Micros = 10 * MILLI;
/// Supported sample rates.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// A decoder that also fills gaps.
pub(crate) struct Decoding {
    input: Arc<Config>,
    decoder: Box<dyn Decoder>,
    /// The newest samples, and the samples before them.
    pub(crate) pcm: Pcm,
    before: Pcm,
    /// Whether the newest samples were concealed and end in silence.
    faded: bool,
}

impl std::fmt::Debug for Decoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoding").field("input", &self.input).finish_non_exhaustive()
    }
}

impl Decoding {
    pub(crate) fn new(input: &Arc<Config>, channels: usize) -> Result<Self, Broken> {
        Ok(Self {
            input: input.clone(),
            decoder: codec::decoder(input)?,
            pcm: Pcm::new(0, channels),
            before: Pcm::new(0, channels),
            faded: false,
        })
    }

    /// Returns the configuration of the input.
    pub(crate) fn input(&self) -> &Config {
        &self.input
    }

    /// Moves `pcm` to `before`, and empties it.
    fn swap_buffers(&mut self) {
        std::mem::swap(&mut self.pcm, &mut self.before);
        self.pcm.clear();
        self.pcm.rate = self.before.rate;
    }

    /// Decodes a packet into `pcm`.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<(), Broken> {
        self.swap_buffers();
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

    /// Fills `pcm` with concealment for missing packets of this duration.
    pub(crate) fn conceal(&mut self, time: Micros) {
        let rate = self.pcm.rate;
        let samples = to_ticks(time, rate).max(0) as usize;
        let alive = samples.min(to_ticks(CONCEAL, rate) as usize);
        self.swap_buffers();
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
                // The codec conceals nothing: the last samples in reverse, faded out, avoid a click.
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
}
