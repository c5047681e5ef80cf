//! What RTP needs of us (RFC 3550 and the payload formats): frames to payloads. Sessions, encryption and
//! retransmission are somebody else's.

pub mod clock;
pub mod h264;
