//! Frames of silence, to fill what is missing.

use media::{Codec, Config};

/// A frame of silence as long as the codec's usual one; none where there is no such thing.
pub(super) fn silence(config: &Config) -> Option<&'static [u8]> {
    let channels = config.audio()?.channels;
    match (config.codec, channels) {
        // One single channel element, or one channel pair, with no spectral data at all (14496-3 4.4).
        (Codec::Aac, 1) => Some(&[0x00, 0xc8, 0x00, 0x80, 0x23, 0x80]),
        (Codec::Aac, 2) => Some(&[0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80]),
        _ => None,
    }
}
