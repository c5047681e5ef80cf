//! Silent audio frames, to fill gaps.

use media::{Codec, Config};

/// Returns a silent frame of the codec's usual length; `None` if there is no such frame.
pub(super) fn silence(config: &Config) -> Option<&'static [u8]> {
    let channels = config.audio()?.channels;
    match (config.codec, channels) {
        // One single channel element, or one channel pair, without any spectral data (14496-3 4.4).
        (Codec::Aac, 1) => Some(&[0x00, 0xc8, 0x00, 0x80, 0x23, 0x80]),
        (Codec::Aac, 2) => Some(&[0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80]),
        _ => None,
    }
}
