//! The frames in a stream's ring.

use std::sync::Arc;

use media::Frame;
use media::time::Micros;

use super::ring::{Cursor, Item};

/// A frame in a stream's ring.
#[derive(Debug)]
pub struct FrameEntry {
    /// The frame, on the stream's clock.
    pub frame: Frame,
    /// Whether decoders and segmenters must restart here: this is the first frame of another publisher, or the
    /// first start frame after a jump of the publisher's clock. The timestamps continue without a jump.
    pub discontinuity: bool,
    /// Whether a viewer may start here: a video key frame, or any audio frame while there is no video.
    pub start: bool,
}

impl Item for Arc<FrameEntry> {
    fn key(&self) -> bool {
        self.start
    }
    fn size(&self) -> usize {
        self.frame.data.len() + size_of::<FrameEntry>()
    }
    fn time(&self) -> Micros {
        self.frame.dts
    }
}

/// Reads a stream's frames.
pub type Subscriber = Cursor<Arc<FrameEntry>>;
