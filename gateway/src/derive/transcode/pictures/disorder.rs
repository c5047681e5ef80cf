//! Detects whether a stream's video frames are sent in another order than they are shown (B-frames).

use std::sync::Arc;

use media::codec::h264::{FrameRole, Order, Reorder};
use media::{Codec, Config};

use crate::core::hub::FrameEntry;

/// Video is re-encoded if at least one of this many frames is late, that is sent after a frame that is shown later.
const FEW: u32 = 20;
/// Minimum number of late frames for a decision.
const LATE: u32 = 3;
/// Number of frames after which the counts are halved, so that they follow changes.
const MEMORY: u32 = 256;

/// The frame order of one stream's video.
#[derive(Debug, Default)]
pub(in crate::derive::transcode) struct Disorder {
    reorder: Reorder,
    config: Option<Arc<Config>>,
    seen: u32,
    late: u32,
}

impl Disorder {
    /// Adds the next frame in decode order. Returns its role, and whether the order so far was forgotten
    /// because the frame is from another publisher or has another configuration.
    pub(in crate::derive::transcode) fn push(&mut self, entry: &FrameEntry) -> (FrameRole, bool) {
        let frame = &entry.frame;
        let known = |config: &Arc<Config>| Arc::ptr_eq(config, &frame.config) || *config == frame.config;
        let new = entry.discontinuity || !self.config.as_ref().is_some_and(known);
        if new {
            *self = Self { config: Some(frame.config.clone()), ..Self::default() };
        }
        if self.seen == MEMORY {
            (self.seen, self.late) = (self.seen / 2, self.late / 2);
        }
        let role = self.reorder.push(frame);
        self.seen += 1;
        self.late += u32::from(role != FrameRole::Next);
        (role, new)
    }

    /// Returns whether any frame was late.
    pub(in crate::derive::transcode) fn found(&self) -> bool {
        self.reorder.order() != Order::Shown
    }

    /// Returns whether so many frames are late that a player which cannot reorder them would drop many.
    pub(in crate::derive::transcode) fn matters(&self) -> bool {
        let h264 = self.config.as_ref().is_some_and(|config| config.codec == Codec::H264);
        h264 && self.late >= LATE && self.late.saturating_mul(FEW) >= self.seen
    }
}
