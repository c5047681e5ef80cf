//! Whether this machine can mix.

use super::{EncoderName, PROGRAM, Reason};
use crate::net::child;

/// Checks whether ffmpeg is installed, and `encoder` is one that a mix can use.
///
/// # Errors
/// A text that says what is missing.
pub fn check(encoder: &str) -> Result<EncoderName, String> {
    let name = encoder.parse().map_err(|error| format!("mix_encoder: {encoder:?} {error}"))?;
    if child::find(PROGRAM).is_err() {
        return Err(format!("{}: install it, so that the gateway can mix", Reason::NotFound));
    }
    Ok(name)
}
