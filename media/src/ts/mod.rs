//! MPEG transport streams (ISO/IEC 13818-1) in the form that HLS uses: one program, at most one video and one
//! audio stream.

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

/// Size of a transport packet in bytes.
pub const PACKET: usize = 188;
/// The first byte of every transport packet.
const SYNC: u8 = 0x47;
const FORMAT: &str = "mpegts";

#[cfg(test)]
pub(crate) mod tests;
