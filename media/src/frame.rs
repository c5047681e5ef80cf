//! The frame, the unit of media in the whole project.

use std::sync::Arc;

use bytes::Bytes;

use crate::config::{Config, Track, TrackId};
use crate::time::Micros;

/// One access unit of video or one audio packet, in decode order. Cloning copies no media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Number of the frame's track among the tracks of its kind; 0 is the default track. See [`TrackId`].
    pub number: u8,
    /// The decoder configuration this frame needs.
    pub config: Arc<Config>,
    /// Decode time in microseconds on the stream's clock.
    pub dts: Micros,
    /// Presentation time in microseconds on the stream's clock. It is normally not before `dts`, but a few
    /// encoders break this rule, so muxers must accept it.
    pub pts: Micros,
    /// Whether decoding may start here. True for every audio frame.
    pub key: bool,
    /// The encoded bytes, in the framing that [`crate::Codec`] describes.
    pub data: Bytes,
}

impl Frame {
    /// Returns the track: video or audio.
    pub fn track(&self) -> Track {
        self.config.track()
    }

    /// Returns the track to which this frame belongs.
    pub fn track_id(&self) -> TrackId {
        TrackId { kind: self.track(), number: self.number }
    }

    /// Returns whether this is a video frame.
    pub fn is_video(&self) -> bool {
        self.track() == Track::Video
    }
}
