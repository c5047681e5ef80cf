//! The child processes that decode the inputs of a mix and encode the mix.
//!
//! A [`Decoder`] is one ffmpeg process: encoded frames in, uncompressed pictures out. An [`Encoder`] is another one:
//! pictures in, H.264 out. Both are read with `next` and fed with `push` when `has_room` returns true; neither blocks
//! its user, whatever the child does. [`Supervised`] replaces a child that ended.

mod check;
mod decoder;
mod encoder;
mod hardware;
mod nut;
mod output;
mod reason;
mod supervised;

pub use self::check::check;
pub use self::decoder::{DecodedPicture, Decoder, DecoderSettings};
pub use self::encoder::{Encoder, EncoderSettings};
pub use self::hardware::EncoderName;
pub use self::output::Output;
pub use self::reason::Reason;
pub use self::supervised::Supervised;

/// The program, looked up in PATH.
const PROGRAM: &str = "ffmpeg";
/// Time without reading or writing after which a child is considered to hang.
const HANGS: std::time::Duration = std::time::Duration::from_secs(5);

#[cfg(test)]
mod tests;
