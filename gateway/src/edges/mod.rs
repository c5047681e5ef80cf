//! One folder per protocol. Edges do not depend on each other. Each has a `service.rs`, which registers its
//! addresses and sockets, and a `mod.rs`, which says where to begin.

pub mod flv;
pub mod hls;
pub mod rtmp;
pub mod snapshot;
pub mod webrtc;
