//! The NUT container, which carries media between this process and ffmpeg: one video stream, no I/O.
//!
//! NUT carries every codec that ffmpeg knows, and raw pictures, with exact timestamps. [`write`] writes encoded
//! frames for decoders and raw pictures for encoders. [`read`] reads raw pictures. See the "NUT Open Container
//! Format" specification; the names of fields are the same.

mod fields;
pub(super) mod read;
mod table;
pub(super) mod write;

#[cfg(test)]
mod tests;

/// The first bytes of a file.
const FILE_ID: &[u8] = b"nut/multimedia container\0";
/// Start codes of the packets.
const MAIN: u64 = 0x4E4D_7A56_1F5F_04AD;
const STREAM: u64 = 0x4E53_1140_5BF2_F9DB;
const SYNCPOINT: u64 = 0x4E4B_E4AD_EECA_4569;
const INFO: u64 = 0x4E49_AB68_B596_BA78;
const INDEX: u64 = 0x4E58_DD67_2F23_E64E;
/// The first byte of every start code. It is no frame code.
const N: u8 = b'N';

/// Bits of a frame code's flags.
mod flags {
    pub(super) const KEY: u64 = 1;
    pub(super) const CODED_PTS: u64 = 1 << 3;
    pub(super) const STREAM_ID: u64 = 1 << 4;
    pub(super) const SIZE_MSB: u64 = 1 << 5;
    pub(super) const CHECKSUM: u64 = 1 << 6;
    pub(super) const RESERVED: u64 = 1 << 7;
    pub(super) const SIDE_DATA: u64 = 1 << 8;
    pub(super) const HEADER_IDX: u64 = 1 << 10;
    pub(super) const MATCH_TIME: u64 = 1 << 11;
    pub(super) const CODED: u64 = 1 << 12;
    pub(super) const INVALID: u64 = 1 << 13;
}

/// Returns the checksum of packets and frame headers: CRC-32 with the polynomial 0x04C11DB7, which begins with 0.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        let crc = crc ^ u32::from(byte) << 24;
        (0..8).fold(crc, |crc, _| crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 })
    })
}
