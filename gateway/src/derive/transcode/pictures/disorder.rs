//! Detects whether a stream's video frames come in another order than they are shown (B-frames).

use std::sync::Arc;

use media::codec::h264::{Order, Place, Reorder};
use media::{Codec, Config};

use crate::core::hub::Entry;

/// Re-encoding pays off where at least one frame in so many comes late.
const FEW: u32 = 20;
/// Late frames before anything can be said.
const LATE: u32 = 3;
/// Counts are halved after so many frames.
const MEMORY: u32 = 256;

/// Follows the video frames of one stream.
#[derive(Debug, Default)]
pub(in crate::derive::transcode) struct Disorder {
    reorder: Reorder,
    config: Option<Arc<Config>>,
    seen: u32,
    late: u32,
}

impl Disorder {
    /// Takes the next frame in decode order. Returns its place, and whether the order so far tells nothing any more,
    /// because the frame is of another publisher or has another configuration.
    pub(in crate::derive::transcode) fn push(&mut self, entry: &Entry) -> (Place, bool) {
        let frame = &entry.frame;
        let known = |config: &Arc<Config>| Arc::ptr_eq(config, &frame.config) || *config == frame.config;
        let new = entry.discontinuity || !self.config.as_ref().is_some_and(known);
        if new {
            *self = Self { config: Some(frame.config.clone()), ..Self::default() };
        }
        if self.seen == MEMORY {
            (self.seen, self.late) = (self.seen / 2, self.late / 2);
        }
        let place = self.reorder.push(frame);
        self.seen += 1;
        self.late += u32::from(place != Place::Next);
        (place, new)
    }

    /// Whether any frame came late.
    pub(in crate::derive::transcode) fn found(&self) -> bool {
        self.reorder.order() != Order::Shown
    }

    /// Whether so many frames come late that a player which cannot put them in order shows many fewer.
    pub(in crate::derive::transcode) fn matters(&self) -> bool {
        let h264 = self.config.as_ref().is_some_and(|config| config.codec == Codec::H264);
        h264 && self.late >= LATE && self.late.saturating_mul(FEW) >= self.seen
    }
}
