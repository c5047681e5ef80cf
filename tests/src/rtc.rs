//! Our own WebRTC peers: str0m over a real socket, with the signalling of browsers and OBS.

mod media;
mod offer;
mod peer;
mod run;
mod wire;

pub use media::{Media, slices};
pub use offer::{Api, Call, Offered, offer, offer_of};
pub use peer::Peer;
pub use run::{Received, Sent};
pub use wire::Wire;
