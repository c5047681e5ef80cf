//! One folder per protocol. Edges do not know each other.

pub mod flv;
pub mod hls;
pub mod rtmp;
pub mod webrtc;
