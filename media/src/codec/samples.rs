//! Parameter sets of real encoders, for tests.

/// x264, High, level 3.1, 1280x720.
pub(crate) const H264_SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
/// The PPS to it.
pub(crate) const H264_PPS: &[u8] = &[0x68, 0xef, 0x8f, 0xcb];

/// Bytes from hexadecimal digits; anything else between them is skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
