//! Live media formats as pure functions of bytes: no I/O, no clock, no async runtime, no log.
//!
//! Everything that flows is a [`Frame`]: one access unit or audio packet that carries its own
//! [`Config`]. A *demuxer* turns a container's bytes into frames, a *muxer* frames into bytes.
#![forbid(unsafe_code)]

pub mod bits;
pub mod clock;
pub mod codec;
pub mod config;
pub mod error;
pub mod flv;
pub mod frame;
pub mod hls;
pub mod mp4;
pub mod rtp;
pub mod time;
pub mod ts;

pub use config::{Audio, Codec, Config, Format, Track, Video};
pub use error::{Error, ErrorKind, Result};
pub use frame::Frame;
