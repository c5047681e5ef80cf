//! What RTP needs of us (RFC 3550 and the payload formats): frames to payloads, access units to frames,
//! and times. Sessions, encryption and retransmission are somebody else's.

pub mod clock;
pub mod h264;
mod video_framer;

pub use clock::RtpClock;
pub use video_framer::VideoFramer;
