//! The one thing that flows.

use std::sync::Arc;

use bytes::Bytes;

use crate::config::{Config, Track};
use crate::time::Micros;

/// One access unit or audio packet, in decode order. Cloning copies no media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The decoder configuration this frame needs.
    pub config: Arc<Config>,
    /// Decode time in microseconds on the stream's clock.
    pub dts: Micros,
    /// Presentation time in microseconds on the stream's clock. Not before `dts`, except from the few
    /// encoders that number so: muxers must bear it.
    pub pts: Micros,
    /// Whether decoding may start here. Every audio frame of the supported codecs is one.
    pub key: bool,
    /// The encoded bytes, framed as [`crate::Codec`] says.
    pub data: Bytes,
}

impl Frame {
    /// Video or audio.
    pub fn track(&self) -> Track {
        self.config.track()
    }

    /// Whether this is a video frame.
    pub fn is_video(&self) -> bool {
        self.track() == Track::Video
    }
}
