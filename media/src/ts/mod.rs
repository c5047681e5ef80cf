//! MPEG transport streams (ISO/IEC 13818-1), as HLS carries them: one program, at most one video
//! and one audio stream.

mod audio;
mod demux;
mod mux;
mod packet;
mod pes;
mod psi;
mod units;
mod video;

pub use demux::{Demuxer, Event};
pub use mux::Muxer;

/// A transport packet's length in bytes.
pub const PACKET: usize = 188;
/// Every transport packet's first byte.
const SYNC: u8 = 0x47;
const FORMAT: &str = "mpegts";

#[cfg(test)]
pub(crate) mod tests;
