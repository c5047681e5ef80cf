//! Whether a stream's pictures come in another order than they are shown.

use std::sync::Arc;

use media::codec::h264::{Order, Place, Reorder};
use media::{Codec, Config};

use crate::core::hub::Entry;

/// Fewer that come late than one in so many are not worth a second encoding.
const FEW: u32 = 20;
/// And fewer than this say nothing yet.
const LATE: u32 = 3;
/// What was seen counts half after so many pictures.
const MEMORY: u32 = 256;

/// Follows one stream's pictures.
#[derive(Debug, Default)]
pub(in crate::derive::transcode) struct Disorder {
    reorder: Reorder,
    config: Option<Arc<Config>>,
    seen: u32,
    late: u32,
}

impl Disorder {
    /// Takes the next picture in decode order. Says also whether it begins something new: another
    /// publisher or another configuration, of which the order is not known.
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

    /// Whether any picture came late.
    pub(in crate::derive::transcode) fn found(&self) -> bool {
        self.reorder.order() != Order::Shown
    }

    /// Whether so many do that a player which cannot put them in order shows much less than there is.
    pub(in crate::derive::transcode) fn matters(&self) -> bool {
        let h264 = self.config.as_ref().is_some_and(|config| config.codec == Codec::H264);
        h264 && self.late >= LATE && self.late.saturating_mul(FEW) >= self.seen
    }
}
