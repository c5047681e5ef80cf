//! WebRTC with other servers: WHIP sends a stream (RFC 9725), WHEP receives one.
//!
//! Both are one exchange over HTTP (`signal`): an offer, an answer, and an address to end the session. `answer` decides
//! which candidates of the answer are used. Then [`WebRtcClient`] drives str0m over a UDP socket of its own; `sender`
//! stamps the frames that are sent, and [`Assembler`] makes frames of what is received.

mod answer;
mod assembler;
mod client;
mod sender;
mod signal;

pub use assembler::{Assembled, Assembler};
pub(in crate::remote) use client::local_address;
pub use client::{Tracks, WebRtcClient, WebRtcEvent};
