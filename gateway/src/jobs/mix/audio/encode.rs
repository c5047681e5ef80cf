//! Encodes the mixed audio as Opus.

use std::sync::Arc;

use media::time::{Micros, from_ticks};
use media::{Config, Frame};

use super::RATE;
use super::limiter::{self, Limiter};
use crate::derive::transcode::AudioTarget;
use crate::derive::transcode::codec::{self, Encoder, guarded};

/// Number of samples in a packet: 20 ms.
pub(super) const PACKET: usize = 960;
/// Number of channels.
const CHANNELS: usize = 2;

/// Limits and encodes one output. Packet `n` has the time of sample `n * 960`: there is never a gap.
pub(super) struct Encoding {
    limiter: Limiter,
    encoder: Option<Box<dyn Encoder>>,
    config: Arc<Config>,
    planes: [Vec<f32>; CHANNELS],
}

impl std::fmt::Debug for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoding").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}

impl Encoding {
    pub(super) fn new() -> Self {
        Self {
            limiter: Limiter::new(),
            encoder: codec::encoder(AudioTarget::Opus, CHANNELS).ok(),
            config: AudioTarget::Opus.output(CHANNELS),
            planes: Default::default(),
        }
    }

    /// Encodes a packet whose first sample has the time `at`. Returns `None` if the codec failed; another encoder
    /// follows.
    pub(super) fn encode(&mut self, samples: &[[f32; 2]; PACKET], at: Micros) -> Option<Frame> {
        self.planes.iter_mut().for_each(Vec::clear);
        for sample in samples {
            let limited = self.limiter.push(*sample);
            for (plane, one) in self.planes.iter_mut().zip(limited) {
                plane.push(one);
            }
        }
        let encoder = self.encoder.as_mut()?;
        let planes = [&self.planes[0][..], &self.planes[1][..]];
        let delay = encoder.delay() + limiter::DELAY;
        let packet = guarded(|| encoder.encode(&planes));
        let Some(Ok(data)) = packet else {
            self.encoder = codec::encoder(AudioTarget::Opus, CHANNELS).ok();
            return None;
        };
        let time = at - from_ticks(delay as i64, RATE);
        Some(Frame { number: 0, config: self.config.clone(), dts: time, pts: time, key: true, data })
    }
}
