//! RTP (RFC 3550 and its payload formats): frames to payloads ([`h264`]), access units to frames ([`VideoFramer`]),
//! and RTP timestamps to a common clock ([`RtpClock`]). Sessions, encryption and retransmission are not done here.

pub mod clock;
pub mod h264;
mod video_framer;

pub use clock::RtpClock;
pub use video_framer::VideoFramer;
