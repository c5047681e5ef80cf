//! HTTP Live Streaming (RFC 8216): playlists, and a segmenter that cuts a stream into segments.

pub mod playlist;
pub mod segmenter;

pub use segmenter::{Segment, Segmenter, SegmenterConfig};

const FORMAT: &str = "hls";
